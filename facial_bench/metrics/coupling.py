"""Does the motion go with its own speech, more than with other speech? Held still, it gains nothing.

A ridge regression, fitted to a person's real training clips, predicts signals of head and lids from a second and a half
of audio. The value of a clip is the share of 40 wrong audios whose prediction correlates less with the GENERATED motion
than that of the right audio does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.ndimage import gaussian_filter1d

from facial_bench.core.types import MetricSpec, Motion, Person, Sample

OFFSETS = tuple(range(-18, 19, 3))
"""Frames of the audio that the prediction of a frame sees, from it: a second and a half."""
AUDIO_WIDTH = 1.5
"""Standard deviation of the Gaussian over audio frames, so that nothing lies between the offsets."""
SMOOTH = 2.0
"""Standard deviation of the Gaussian over motion, frames."""
SLOW = 12.0
"""Standard deviation of the Gaussian whose result is taken off, frames: what is slower is no speech."""
PENALTY = 30.0
"""Ridge penalty on standardised audio, a frame of training motion."""
SHIFTED, OTHERS = 20, 20
"""Wrong audios: the clip's own, circularly shifted, and stretches of the person's training audio."""
NEAREST = 25
"""Frames of the smallest circular shift."""
SHORTEST = 100
"""Valid frames of the shortest clip that has a value."""
STILL = 1e-6
"""Share of the deviation in training below which a signal does not move."""
TIE = 1e-12
"""Correlations that differ by less are equal."""

Signals = Callable[[Motion, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Predictor:
    """What predicts a person's signals from audio, and other speech of the person."""

    audio_mean: np.ndarray
    """(P,) of the audio contexts."""
    audio_deviation: np.ndarray
    """(P,)"""
    weights: np.ndarray
    """(P, S)"""
    scale: np.ndarray
    """(S,) standard deviation of each real signal."""
    others: np.ndarray
    """(N, S) predictions of the training audio, clip after clip."""

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """(T, F) audio features -> (T, S) predictions, up to a constant."""
        return (contexts(audio) - self.audio_mean) / self.audio_deviation @ self.weights


def coupling_metrics() -> tuple[MetricSpec, ...]:
    """The definitions of this family."""
    spec = partial(
        MetricSpec,
        version=1,
        unit="share",
        higher_is_better=True,
        chance=0.5,
        every_run=True,
        ranked=True,
        perturbations=("time shift",),
        origin="ours: speech matched with motion, as the GENEA Challenge 2022 asks people to match co-speech gesture "
        "(appropriateness, against mismatched pairs)",
        pitfalls="linear: what speech tells in another way is not seen, and the linear prediction itself passes the "
        "ceiling, so read it beside the realism; correlation is blind to size; refused where real motion shows none",
    )
    text = (
        f"share of {SHIFTED + OTHERS} wrong audios whose prediction has a smaller mean Pearson correlation (valid t) "
        "with the generated signals than that of the right audio, ties half; a ridge regression (penalty "
        f"{PENALTY:g} a frame) on standardised audio of frames t{OFFSETS[0]}..t+{OFFSETS[-1]}, every third "
        f"(smoothed by {AUDIO_WIDTH:g}), fitted to the person's real training clips; wrong: {SHIFTED} circular shifts "
        f"of the own audio by at least {NEAREST} frames, {OTHERS} stretches of the person's training audio; signals, "
        f"smoothed by {SMOOTH:g} frames: "
    )
    return (
        spec(
            id="speech_coupling/head",
            family="head",
            meaning="how much better the head goes with its own speech than with other speech",
            formula=text + f"rotation less its mean over {SLOW:g} frames (Gaussian), its velocity, their speed",
            compute=partial(coupling, signals=head_signals),
            prepare=partial(make_predictor, signals=head_signals),
            needs=("pose",),
        ),
        spec(
            id="speech_coupling/lids",
            family="blinks",
            meaning="how much better the lids go with their own speech than with other speech",
            formula=text + f"blink less its mean over {SLOW:g} frames (Gaussian), its velocity",
            compute=partial(coupling, signals=lid_signals),
            prepare=partial(make_predictor, signals=lid_signals),
            needs=("blink",),
        ),
    )


def smooth(values: np.ndarray, valid: np.ndarray, width: float) -> np.ndarray:
    """(T, C) Gaussian mean over the valid frames, `width` frames of standard deviation; 0 where none is near."""
    mask = np.asarray(valid, np.float64)
    filtered = partial(gaussian_filter1d, sigma=width, axis=0, mode="constant")
    known = filtered(mask)[:, None]
    inside = np.where(np.asarray(valid, bool)[:, None], values, 0.0)
    return np.divide(filtered(inside), known, out=np.zeros_like(inside), where=known > 0)


def head_signals(motion: Motion, valid: np.ndarray) -> np.ndarray:
    """(T, 7): high-passed rotation (3), its velocity (3, rad a frame) and their speed."""
    moving, velocity = _fast_part(np.asarray(motion.pose[:, :3], np.float64), valid)
    return np.concatenate([moving, velocity, np.linalg.norm(velocity, axis=1, keepdims=True)], axis=1)


def lid_signals(motion: Motion, valid: np.ndarray) -> np.ndarray:
    """(T, 2): high-passed blink and its velocity, a frame."""
    return np.concatenate(_fast_part(np.asarray(motion.blink, np.float64)[:, None], valid), axis=1)


def _fast_part(values: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values = values - values[np.asarray(valid, bool)].mean(axis=0) if np.any(valid) else values  # exact for a still one
    near = smooth(values, valid, SMOOTH)
    velocity = np.gradient(near, axis=0) if len(near) > 1 else np.zeros_like(near)
    return near - smooth(values, valid, SLOW), velocity


def contexts(audio: np.ndarray) -> np.ndarray:
    """(T, F) -> (T, 13 F): the smoothed audio at the offsets around each frame, the ends held."""
    audio = gaussian_filter1d(np.asarray(audio, np.float64), AUDIO_WIDTH, axis=0, mode="nearest")
    frames = np.arange(len(audio))
    return np.concatenate([audio[np.clip(frames + k, 0, len(audio) - 1)] for k in OFFSETS], axis=1)


def make_predictor(person: Person, signals: Signals) -> Predictor:
    """The ridge regression of a person's signals on audio, over the valid frames of the real training clips.

    Raises:
        ValueError: no valid frame of training.
    """
    known = [sample for sample in person.training if sample.valid.any()]
    if not known:
        raise ValueError("no valid training frame")
    heard = np.concatenate([contexts(sample.audio)[sample.valid] for sample in known])
    moved = [signals(sample.reference, sample.valid)[sample.valid] for sample in known]
    real = np.concatenate([own - own.mean(axis=0) for own in moved])
    mean, deviation = heard.mean(axis=0), heard.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    scale = real.std(axis=0)
    goal = np.divide(real, scale, out=np.zeros_like(real), where=scale > 0)
    weights = solve_ridge((heard - mean) / deviation, goal, PENALTY * len(heard))
    predictor = Predictor(mean, deviation, weights, scale, np.zeros((0, weights.shape[1])))
    others = np.concatenate([predictor(sample.audio) for sample in known])
    return Predictor(mean, deviation, weights, scale, others)


def solve_ridge(x: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """argmin_W |y - x W|^2 + penalty |W|^2: (N, P), (N, S) -> (P, S), by whichever normal equations are smaller."""
    if x.shape[1] <= len(x):
        return np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)
    return x.T @ np.linalg.solve(x @ x.T + penalty * np.eye(len(x)), y)


def coupling(sample: Sample, predictor: Predictor, signals: Signals) -> np.float64:
    """() share of the wrong audios that the right one beats, in 0..1; ties count half, so a still motion has 0.5.

    NaN where the clip has fewer than 100 valid frames, or its audio predicts no motion.
    """
    valid = np.asarray(sample.valid, bool)
    if valid.sum() < SHORTEST:
        return np.float64(np.nan)
    right = predictor(sample.audio)
    if not (right[valid].std(axis=0) > STILL).any():
        return np.float64(np.nan)
    moved = signals(sample.generated, valid)[valid]
    moved = np.where(moved.std(axis=0) > STILL * predictor.scale, moved, 0.0)
    wrong = np.array([mean_correlation(one[valid], moved) for one in wrong_predictions(right, predictor.others)])
    lead = mean_correlation(right[valid], moved) - wrong
    return np.float64(np.mean(np.where(np.abs(lead) <= TIE, 0.5, lead > 0)))


def wrong_predictions(right: np.ndarray, others: np.ndarray) -> Sequence[np.ndarray]:
    """40 predictions (T, S) of wrong audio, always the same ones for a clip: 20 circular shifts, evenly from 25 to
    T - 25 frames, and 20 stretches of the training audio, evenly begun and continued from its start."""
    shifts = np.linspace(NEAREST, len(right) - NEAREST, SHIFTED).astype(int)
    starts = (np.arange(OTHERS) * len(others)) // OTHERS
    return [
        *(np.roll(right, shift, axis=0) for shift in shifts),
        *(others[(start + np.arange(len(right))) % len(others)] for start in starts),
    ]


def mean_correlation(one: np.ndarray, two: np.ndarray) -> float:
    """Pearson correlation of (N, S) with (N, S), column by column, averaged; a column that does not move counts as 0.

    >>> mean_correlation(np.array([[0.0, 1], [1, 1]]), np.array([[0.0, 3], [2, 4]])).__round__(9)
    0.5
    """
    a, b = one - one.mean(axis=0), two - two.mean(axis=0)
    size = np.sqrt((a * a).sum(axis=0) * (b * b).sum(axis=0))
    return float(np.mean(np.divide((a * b).sum(axis=0), size, out=np.zeros(a.shape[1]), where=size > 0)))
