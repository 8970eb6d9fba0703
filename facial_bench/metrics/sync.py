"""Lip sync without pixels: does the mouth open when the real mouth opens, and how much of that can speech tell?

Notation: o[t] is the mouth opening of frame t: the distance between the inner lips (62, 66) at zero pose, divided by
the clip's median outer-eye distance of the real face at zero pose.
"""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np

from facial_bench.core.geometry import outer_eye_distance
from facial_bench.core.types import Items, MetricSpec, Person, Sample
from facial_bench.metrics.pools import ratio_pool

LIP_MIDDLES = (62, 66)
"""Middle of the upper and of the lower lip, on the inside; iBUG order from 0."""
LAGS = 10
"""Largest lag looked at, frames to either side."""
CONTEXT = 5
"""Audio frames to either side of a frame that the linear predictor sees."""
STRETCH = 128
"""Frames that a correlation of `sync_share` is taken over; what is left at the end belongs to the last stretch."""
PENALTY = 1.0
"""Ridge penalty on standardised audio, a frame of training motion."""
STILL = 1e-9
"""Standard deviation of an opening, in eye distances, below which the mouth does not move."""


def sync_metrics() -> tuple[MetricSpec, ...]:
    """The definitions of this family."""
    sync = partial(MetricSpec, version=2, family="lips", needs=("expression",), every_run=True)
    opening = (
        "o[t] = |C[t,62] - C[t,66]| / median |C[t,45] - C[t,36]|, C decoded from the expression alone at zero pose, "
        "valid t"
    )
    return (
        sync(
            id="mouth_correlation",
            unit="1",
            higher_is_better=True,
            meaning="whether the mouth opens when the real one does",
            formula=f"Pearson correlation over t of ^o[t] and o[t]; 0 where ^o does not move, not defined where o does "
            f"not; {opening}",
            compute=lambda s: told_by(*openings(s), s.valid),
            origin="correlation of lip aperture, articulatory phonetics",
            pitfalls="blind to size: a mouth that moves a tenth as much scores the same; a still mouth has 0, which "
            "one that moves at random has on average",
            perturbations=("time shift", "jitter"),
        ),
        sync(
            id="mouth_lag",
            unit="ms",
            higher_is_better=False,
            meaning="how much too late or too early the mouth opens",
            formula=f"|k| of the greatest correlation of ^o[t+k] and o[t], k in -{LAGS}..{LAGS} frames, in "
            f"milliseconds; the greatest |k| where ^o does not move, not defined where o does not; {opening}",
            compute=lambda s: np.abs(best_lag(*openings(s), s.valid)) * 1000 / s.fps,
            origin="sync offset as SyncNet (Chung and Zisserman 2016) measures it, on lip aperture",
            pitfalls="where the correlation is low the greatest is anywhere: read it beside mouth_correlation; at the "
            f"end of the window, {LAGS} frames, it only says that the mouth is no nearer; late or early: "
            "mouth_lag/signed",
            perturbations=("time shift",),
        ),
        sync(
            id="mouth_lag/signed",
            version=1,
            every_run=False,
            unit="ms",
            higher_is_better=None,
            meaning="how much too late the mouth opens, below 0 where it is too early",
            formula=f"k of the greatest correlation of ^o[t+k] and o[t], k in -{LAGS}..{LAGS} frames, in milliseconds, "
            f"above 0 where ^o comes late; not defined where ^o or o does not move; {opening}",
            compute=lambda s: signed_lag(*openings(s), s.valid) * 1000 / s.fps,
            origin="as mouth_lag",
            pitfalls="a mean over clips of which some are late and some early says nothing of either: read it beside "
            "mouth_lag, and clip by clip",
            perturbations=("time shift",),
        ),
        sync(
            id="sync_share",
            unit="share",
            higher_is_better=True,
            meaning="mouth_correlation over that of a linear prediction from the speech",
            formula=f"mean over people of the sum over stretches of {STRETCH} frames of the correlation of ^o and o / "
            "the sum of that of the linear prediction of o and o; a ridge regression "
            f"(penalty {PENALTY:g} a frame) predicts from standardised audio of frames t-{CONTEXT}..t+{CONTEXT}, "
            "fitted to the person's real training clips; a stretch in which o or its prediction does not move is left "
            f"out, a correlation with an ^o that does not move is 0; {opening}",
            compute=shares,
            pool=ratio_pool(),
            prepare=make_predictor,
            origin="ours: mouth_correlation relative to what speech can linearly tell of this mouth",
            pitfalls="above 1 where a method knows more than a linear predictor; a still mouth has 0",
            perturbations=("time shift", "jitter"),
        ),
    )


def lip_gap(face: np.ndarray) -> np.ndarray:
    """(T,) float64 distance between the inner lips of (T, 68, 3), in the unit of the input."""
    upper, lower = LIP_MIDDLES
    face = np.asarray(face, dtype=np.float64)
    return np.linalg.norm(face[:, upper] - face[:, lower], axis=1)


def openings(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """(T,) generated and (T,) real mouth opening, in eye distances of the real clip."""
    distances = outer_eye_distance(sample.reference_face)[sample.valid]
    unit = np.median(distances) if len(distances) else np.nan
    return lip_gap(sample.generated_face) / unit, lip_gap(sample.reference_face) / unit


def correlation(one: np.ndarray, two: np.ndarray, valid: np.ndarray) -> np.float64:
    """() Pearson correlation over the valid frames; NaN where either does not move.

    >>> correlation(np.array([0.0, 1, 2]), np.array([1.0, 3, 5]), np.ones(3, bool)).round(12)
    np.float64(1.0)

    Raises:
        ValueError: Unequal lengths.
    """
    if len(one) != len(two) or len(one) != len(valid):
        raise ValueError(f"{len(one)} and {len(two)} frames, {len(valid)} of them marked")
    a, b = (np.asarray(values, np.float64)[np.asarray(valid, bool)] for values in (one, two))
    if len(a) < 2 or not (a.std() > STILL and b.std() > STILL):
        return np.float64(np.nan)
    a, b = a - a.mean(), b - b.mean()
    return np.float64((a @ b) / np.sqrt((a @ a) * (b @ b)))


def moves(opening: np.ndarray, valid: np.ndarray) -> bool:
    """Whether a mouth moves at all over the valid frames; one that is not finite counts as moving."""
    seen = np.asarray(opening, np.float64)[np.asarray(valid, bool)]
    return len(seen) > 1 and not seen.std() <= STILL


def told_by(generated: np.ndarray, real: np.ndarray, valid: np.ndarray) -> np.float64:
    """`mouth_correlation`: `correlation` of the generated opening with the real one; 0 where the generated mouth does
    not move, which tells nothing of the real one. NaN where the real mouth does not move.
    """
    if moves(real, valid) and not moves(generated, valid):
        return np.float64(0.0)
    return correlation(generated, real, valid)


def best_lag(generated: np.ndarray, real: np.ndarray, valid: np.ndarray) -> np.float64:
    """() k in -10..10, the frames by which `generated` comes late (k > 0) at its greatest correlation with `real`.

    Each lag uses the frames that are valid on both sides; of equal ones the smallest |k| is taken, and a lag at which
    either does not move is passed over. A generated mouth that does not move at all has the largest lag. NaN where the
    real mouth does not move, or the clip is no longer than the largest lag allows.
    """
    if len(real) <= 2 * LAGS or np.isnan(told_by(generated, real, valid)):
        return np.float64(np.nan)
    if not moves(generated, valid):
        return np.float64(LAGS)
    tried = []
    for lag in sorted(range(-LAGS, LAGS + 1), key=abs):
        late, early = (slice(lag, None), slice(0, -lag)) if lag > 0 else (slice(0, len(real) + lag), slice(-lag, None))
        if lag == 0:
            late = early = slice(None)
        both = np.asarray(valid)[late] & np.asarray(valid)[early]
        tried.append((float(correlation(generated[late], real[early], both)), lag))
    known = [(value, lag) for value, lag in tried if not np.isnan(value)]
    top = max(value for value, _ in known)
    return np.float64(next(lag for value, lag in known if value >= top - 1e-12))


def signed_lag(generated: np.ndarray, real: np.ndarray, valid: np.ndarray) -> np.float64:
    """`mouth_lag/signed`: `best_lag`; NaN where the generated mouth does not move, which is neither late nor early."""
    return best_lag(generated, real, valid) if moves(generated, valid) else np.float64(np.nan)


def audio_contexts(audio: np.ndarray) -> np.ndarray:
    """(T, F) -> (T, 11 F): each frame with the five before and after it, the ends held."""
    padded = np.pad(np.asarray(audio, np.float64), ((CONTEXT, CONTEXT), (0, 0)), mode="edge")
    return np.concatenate([padded[k : k + len(audio)] for k in range(2 * CONTEXT + 1)], axis=1)


def make_predictor(person: Person) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ridge regression of the mouth opening on audio windows, over the valid frames of the training clips.

    Returns:
        Mean (11 F,), deviation (11 F,) and weights (11 F,) of the windows; the prediction is up to a constant.
    """
    windows = np.concatenate([audio_contexts(sample.audio)[sample.valid] for sample in person.training])
    opening = np.concatenate([openings(sample)[1][sample.valid] for sample in person.training])
    mean, deviation = windows.mean(axis=0), windows.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    scaled, target = (windows - mean) / deviation, opening - opening.mean()
    gram = scaled.T @ scaled + PENALTY * len(scaled) * np.eye(scaled.shape[1])
    return mean, deviation, np.linalg.solve(gram, scaled.T @ target)


def shares(sample: Sample, predictor: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Items:
    """`sync_share`: an item a stretch, the correlation with the real opening of the generated and of the predicted one.

    A stretch in which the real mouth or the predicted one does not move is left out; where the generated one does not,
    its correlation is 0.
    """
    mean, deviation, weights = predictor
    generated, real = openings(sample)
    predicted = ((audio_contexts(sample.audio) - mean) / deviation) @ weights
    cuts = [*range(0, max(len(real) - STRETCH, 0) + 1, STRETCH), len(real)]
    starts, items = [], []
    for first, last in itertools.pairwise(cuts):
        part = slice(first, last)
        told = correlation(predicted[part], real[part], sample.valid[part])
        if not np.isnan(told):
            starts.append(first)
            items.append([float(told_by(generated[part], real[part], sample.valid[part])), told])
    return Items(np.array(starts, np.int64), np.array(items, np.float64).reshape(-1, 2))
