"""`lmd/dtw`: the mouth distance along the cheapest pairing of frames, which forgives a mouth that is a little late.

Notation as in `landmark_distances`; a run is a stretch of frames without a gap in which the real face can be scored.
"""

from __future__ import annotations

import numpy as np

from facial_bench.core.geometry import MOUTH, RIGID, similarity_align
from facial_bench.metrics.landmark_distances import aligned_distance, eye_unit, planes

BAND_SECONDS = 0.2
"""Most that two frames of a pair may lie apart."""
MIRRORED = 1e-9
"""Of two sets of points: a relative overlap up to which no rotation brings them together, as in `similarity_align`."""
_DIAGONAL, _GENERATED, _REAL = 0, 1, 2
"""Steps to a pair: both one on, the generated frame alone, the real frame alone."""


def warped_distance(reference: np.ndarray, generated: np.ndarray, valid: np.ndarray, fps: float) -> np.ndarray:
    """`lmd/dtw`: mouth distance along the best monotone path of each run, in outer-eye distances of the clip.

    The cost of a pair (s, t) is `lmd` of the generated frame s, aligned on the real frame t. A step counts as often as
    frames go on in it: twice where both do (Sakoe and Chiba 1978, symmetric form), so a path of n frames weighs 2 n
    whatever way it takes, and its mean cost is never above that of the diagonal, which is `lmd`.

    Args:
        reference: (T, 68, D) pixels, D >= 2; x and y are used.
        generated: (T, 68, D') pixels.
        valid: (T,) bool. No path crosses a frame that is not, nor one whose real landmarks fix no alignment.
        fps: Frames a second.

    Returns:
        (T,) float64 whose mean is the mean cost: of frame t half the cost at which the path comes to the real frame t,
        and half of that at which it comes to the generated frame t. NaN outside runs, and in a run without a path: a
        generated frame that fixes no alignment leaves none.

    Raises:
        ValueError: Unequal lengths, or not 68 points.

    >>> face = np.random.default_rng(0).normal(size=(4, 68, 2))
    >>> real, late = face[[0, 1, 2, 2, 3]], face[[0, 0, 1, 2, 3]]
    >>> bool((warped_distance(real, late, np.ones(5, bool), 25.0) < 1e-12).all())
    True
    """
    reference, generated = planes(reference, generated)
    seen = np.asarray(valid, dtype=bool) & np.isfinite(aligned_distance(reference, reference, valid))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], seen, [False]])))
    values = np.full(len(reference), np.nan)
    for first, last in edges.reshape(-1, 2):
        costs = pair_costs(reference[first:last], generated[first:last], band_of(fps))
        values[first:last] = path_costs(costs)
    return values / eye_unit(reference, valid)


def band_of(fps: float) -> int:
    """Frames that two of a pair may lie apart.

    >>> band_of(25.0), band_of(30.0), band_of(2.0)
    (5, 6, 0)
    """
    return int(BAND_SECONDS * fps + 1e-9)


def pair_costs(reference: np.ndarray, generated: np.ndarray, band: int) -> np.ndarray:
    """(n, 2 band + 1): at [s, b] the mean mouth distance, pixels, of the generated frame s (n, 68, 2) from the real
    frame s + b - band; infinite where there is no such frame, or no similarity between the two.

    In the plane the least-squares similarity of z on w is z -> z sum(conj(z) w) / sum |z|^2, both centred, as complex
    numbers: what `similarity_align` finds for pairs of frames, without a decomposition for each.
    """
    frames = len(reference)
    (still, real), (moving, made) = (_centred(face) for face in (reference, generated))
    moving[np.isnan(similarity_align(generated, generated, RIGID)).any(axis=(1, 2))] = np.nan
    costs = np.full((frames, 2 * band + 1), np.inf)
    for offset in range(max(-band, 1 - frames), min(band, frames - 1) + 1):
        rows = slice(max(-offset, 0), frames - max(offset, 0))
        there = slice(rows.start + offset, rows.stop + offset)
        overlap = (moving[rows].conj() * still[there]).sum(axis=1)
        sizes = [(np.abs(points) ** 2).sum(axis=1) for points in (moving[rows], still[there])]
        alike = np.abs(overlap) > MIRRORED * np.sqrt(sizes[0] * sizes[1])
        turn = np.divide(overlap, sizes[0], out=np.full(len(overlap), np.nan, complex), where=alike)
        cost = np.abs(turn[:, None] * made[rows] - real[there]).mean(axis=1)
        costs[rows, offset + band] = np.where(np.isnan(cost), np.inf, cost)
    return costs


def _centred(face: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nose and eyes (n, 21) and mouth (n, 20) as complex points x + i y, the mean of the former at 0."""
    points = face[..., 0] + 1j * face[..., 1]
    points = points - points[:, list(RIGID)].mean(axis=1, keepdims=True)
    return points[:, list(RIGID)], points[:, list(MOUTH)]


def path_costs(costs: np.ndarray) -> np.ndarray:
    """(n,) what each frame pays on the cheapest path through costs (n, 2 band + 1) laid out as by `pair_costs`; NaN
    where no path is finite. Of equal ways the diagonal is taken, then the generated frame alone."""
    frames, width = costs.shape
    band = width // 2
    table, steps = costs.tolist(), []
    before = [np.inf] * (width + 1)  # totals of the row above; the last is outside the band
    for s, row in enumerate(table):
        totals, chosen = [np.inf] * (width + 1), [_DIAGONAL] * width
        for b in range(max(band - s, 0), min(width, frames - s + band)):
            cost = row[b]
            best = before[b] + 2 * cost if s or b != band else 2 * cost
            if before[b + 1] + cost < best:
                best, chosen[b] = before[b + 1] + cost, _GENERATED
            if b and totals[b - 1] + cost < best:
                best, chosen[b] = totals[b - 1] + cost, _REAL
            totals[b] = best
        before = totals
        steps.append(chosen)
    paid = np.zeros(frames)
    if not np.isfinite(before[band]):
        return np.full(frames, np.nan)
    s, b = frames - 1, band
    while s >= 0:
        step, cost = steps[s][b], table[s][b] / 2
        if step != _GENERATED:
            paid[s + b - band] += cost
        if step != _REAL:
            paid[s] += cost
        s, b = s - (step != _REAL), b + (step == _GENERATED) - (step == _REAL)
    return paid
