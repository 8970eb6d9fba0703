"""Distances of landmarks, the functions: what public evaluations call LMD, in all its forms, and LVD.

Notation: L[t, k] is landmark k of the reference at frame t (68 points, iBUG order from 0), ^L the generated one;
mouth = 48..67, nose and eyes = 27..47, outer eye corners = 36 and 45. x and y only, unless the id says 3d.
Every function gives one value a frame, NaN where that frame cannot be scored, and refuses unequal lengths.
`lmd` says which id is which function.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facial_bench.core.geometry import MOUTH, RIGID, outer_eye_distance, similarity_align
from facial_bench.core.types import LANDMARKS, Camera

FACE = tuple(range(LANDMARKS))
"""All 68 points."""


def aligned_distance(reference: np.ndarray, generated: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """`lmd`: mouth distance after a similarity alignment on nose and eyes, in outer-eye distances of the clip.

    Args:
        reference: (T, 68, D) pixels, D >= 2; x and y are used.
        generated: (T, 68, D') pixels.
        valid: (T,) bool, the frames whose median outer-eye distance is the unit.

    Returns:
        (T,) float64; NaN where the points fix no alignment, and everywhere when no valid frame has a unit.

    Raises:
        ValueError: Unequal lengths, or not 68 points.

    >>> face = np.random.default_rng(0).normal(size=(2, 68, 2))
    >>> bool((aligned_distance(face, 3 * face + 5, np.ones(2, bool)) < 1e-12).all())
    True
    """
    reference, generated = planes(reference, generated)
    moved = similarity_align(generated, reference, RIGID)
    return _distance(reference, moved, MOUTH) / eye_unit(reference, valid)


def canonical_distance(reference: np.ndarray, generated: np.ndarray, valid: np.ndarray, axes: int = 2) -> np.ndarray:
    """`lmd/canonical`: mouth distance of faces at zero pose (T, 68, 3), in outer-eye distances; `axes` 2 or 3.

    Returns and raises as `aligned_distance`.
    """
    unit = eye_unit(planes(reference, generated)[0], valid)
    reference, generated = planes(reference, generated, axes)
    return _distance(reference, generated, MOUTH) / unit


def centred_distance(reference: np.ndarray, generated: np.ndarray, points: Sequence[int]) -> np.ndarray:
    """`lmd/centred-*`: (T,) mean distance over `points`, pixels, each frame's points centred on their mean."""
    reference, generated = planes(reference, generated)
    chosen = list(points)
    return _distance(
        reference - reference[:, chosen].mean(axis=1, keepdims=True),
        generated - generated[:, chosen].mean(axis=1, keepdims=True),
        points,
    )


def raw_distance(reference: np.ndarray, generated: np.ndarray, points: Sequence[int]) -> np.ndarray:
    """`lmd/raw-*`: (T,) mean distance over `points`, pixels, no alignment: it measures head pose more than lips.

    >>> raw_distance(np.zeros((1, 68, 2)), np.full((1, 68, 2), [3.0, 4.0]), MOUTH).tolist()
    [5.0]
    """
    return _distance(*planes(reference, generated), points)


def absolute_difference(reference: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """`lmd/l1`: (T,) mean absolute difference over 68 points and two coordinates, pixels."""
    reference, generated = planes(reference, generated)
    return np.abs(generated - reference).mean(axis=(1, 2))


def unit_distance(reference: np.ndarray, generated: np.ndarray, camera: Camera) -> np.ndarray:
    """`lmd/unit`: (T,) mean distance over 68 points with x and y in image widths and heights."""
    reference, generated = planes(reference, generated)
    size = np.array([camera.width, camera.height], dtype=np.float64)
    return _distance(reference / size, generated / size, FACE)


def eye_normalised_distance(reference: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """`lmd/iod`: (T,) mean raw distance over 68 points in the frame's own outer-eye distances; NaN where that is 0."""
    reference, generated = planes(reference, generated)
    return _distance(reference, generated, FACE) / _nonzero(outer_eye_distance(reference))


def velocity_distance(reference: np.ndarray, generated: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """`lvd/vector`: (T,) mean over 68 points of |dL - d^L|, pixels a frame; NaN without a valid frame before."""
    reference, generated = planes(reference, generated)
    difference = np.linalg.norm(np.diff(generated, axis=0) - np.diff(reference, axis=0), axis=2).mean(axis=1)
    return _from_second(difference, valid, len(reference))


def speed_distance(reference: np.ndarray, generated: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """`lvd/speed`: (T,) sum over 68 points of abs(|dL| - |d^L|), pixels a frame; NaN without a valid frame before."""
    reference, generated = planes(reference, generated)
    speeds = [np.linalg.norm(np.diff(landmarks, axis=0), axis=2) for landmarks in (reference, generated)]
    return _from_second(np.abs(speeds[1] - speeds[0]).sum(axis=1), valid, len(reference))


def planes(reference: np.ndarray, generated: np.ndarray, axes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """The first `axes` coordinates of both, float64, after a look at the shapes: nothing is ever cut to fit."""
    pair = np.asarray(reference, dtype=np.float64), np.asarray(generated, dtype=np.float64)
    for landmarks in pair:
        if landmarks.ndim != 3 or landmarks.shape[1] != LANDMARKS or landmarks.shape[2] < axes:
            raise ValueError(f"landmarks are {landmarks.shape}, expected (T, {LANDMARKS}, {axes} or more)")
    if len(pair[0]) != len(pair[1]):
        raise ValueError(f"{len(pair[0])} reference frames and {len(pair[1])} generated frames cannot be compared")
    return pair[0][..., :axes], pair[1][..., :axes]


def _distance(reference: np.ndarray, generated: np.ndarray, points: Sequence[int]) -> np.ndarray:
    """(T,) mean over `points`, and over nothing else, of the L2 distance."""
    chosen = list(points)
    return np.linalg.norm(generated[:, chosen] - reference[:, chosen], axis=2).mean(axis=1)


def eye_unit(reference: np.ndarray, valid: np.ndarray) -> float:
    """Median outer-eye distance over the valid frames that have one; NaN when there is none."""
    valid = np.asarray(valid, dtype=bool)
    if valid.shape != (len(reference),):
        raise ValueError(f"valid is {valid.shape}, expected ({len(reference)},)")
    distances = outer_eye_distance(reference)[valid]
    distances = distances[distances > 0]  # neither NaN nor a face collapsed to a point
    return float(np.median(distances)) if len(distances) else float("nan")


def _nonzero(distances: np.ndarray) -> np.ndarray:
    return np.where(distances > 0, distances, np.nan)


def _from_second(values: np.ndarray, valid: np.ndarray, frames: int) -> np.ndarray:
    """(T-1,) values between frames -> (T,), the first NaN, and NaN next to an invalid frame."""
    valid = np.asarray(valid, dtype=bool)
    if valid.shape != (frames,):
        raise ValueError(f"valid is {valid.shape}, expected ({frames},)")
    return np.concatenate([np.full(min(frames, 1), np.nan), np.where(valid[1:] & valid[:-1], values, np.nan)])
