"""Head motion: how wide it is, how fast, and whether it moves on the beat of the speech.

Source: docs/metrics.md; rotations are pitch, yaw, roll in rad (scipy's extrinsic "xyz"), reported in degrees.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks
from scipy.spatial.transform import Rotation

from facial_bench.core.types import MetricSpec, Motion, Sample

AXES = ("pitch", "yaw", "roll")
SIGMA_SECONDS = 0.1
"""Width of the bell that a beat is matched with (docs/metrics.md)."""
SMOOTHING_SECONDS = 0.08
"""Width of the Gaussian that the angular speed is smoothed with before its minima are taken."""
PROMINENCE = 1.0
"""Least prominence of an audio beat, in standard deviations of the flux."""


def head_metrics() -> tuple[MetricSpec, ...]:
    """The definitions of this family."""
    head = partial(MetricSpec, version=1, higher_is_better=False, family="head", needs=("pose",))
    spread = partial(
        head,
        unit="degrees",
        origin="standard deviation of head pose, reported by many talking-head papers without a formula",
        pitfalls="how wide the head moves over a clip, nothing of how or when: wrong motion of the right size scores 0",
        perturbations=("head amplitude",),
    )
    speed = partial(head, unit="degrees/frame", perturbations=("jitter", "smoothing"), every_run=True)
    beat = partial(
        head,
        unit="1",
        origin="beat alignment of dance generation (AI Choreographer, ICCV 2021), used for heads since",
        perturbations=("time shift",),
        every_run=True,
    )
    angle = (
        "|.| the angle of the rotation from frame t-1 to t, degrees; both frames valid; R from pitch, yaw, roll as "
        "extrinsic xyz angles"
    )
    beats = (
        f"mean over audio beats a of exp(-min_m (t_m - t_a)^2 / (2 sigma^2)), sigma {SIGMA_SECONDS:g} s; motion beats "
        f"m: local minima of the head's angular speed after a Gaussian of {SMOOTHING_SECONDS:g} s; audio beats a: "
        "local maxima of sum_f max(audio[t,f] - audio[t-1,f], 0) with a prominence of "
        f"{PROMINENCE:g} standard deviation or more; "
        "0 without a motion beat, not defined without an audio beat"
    )
    return (
        spread(
            id="pose_std_distance",
            meaning="whether the head moves as widely as the real one",
            formula="mean over pitch, yaw, roll of abs(std_t generated - std_t real), degrees, valid t",
            compute=lambda s: _spreads(s).mean(),
            every_run=True,
        ),
        *(
            spread(
                id=f"pose_std_distance/{name}",
                meaning=f"whether the head moves as widely as the real one, {name} alone",
                formula=f"abs(std_t generated - std_t real) of {name}, degrees, valid t",
                compute=partial(_spread_of, k),
            )
            for k, name in enumerate(AXES)
        ),
        speed(
            id="pose_speed",
            higher_is_better=None,
            meaning="how fast the head turns",
            formula=f"mean_t |^R[t-1]^T ^R[t]|, {angle}",
            compute=lambda s: angular_speed(s.generated.pose[:, :3], s.valid),
            origin="mean absolute frame difference of head rotation",
            pitfalls="jitter raises it as much as motion does",
        ),
        speed(
            id="pose_speed/distance",
            meaning="whether the head turns as fast as the real one",
            formula=f"abs(mean_t |^R[t-1]^T ^R[t]| - mean_t |R[t-1]^T R[t]|), {angle}",
            compute=lambda s: np.abs(
                mean_speed(s.reference.pose[:, :3], s.valid) - mean_speed(s.generated.pose[:, :3], s.valid)
            ),
            origin="pose_speed against the real clip's own",
            pitfalls="jitter on a still head can hit the right mean speed",
        ),
        beat(
            id="beat_align",
            higher_is_better=None,
            meaning="whether the head pauses on the beats of the speech",
            formula=beats,
            compute=lambda s: _alignment(s, s.generated),
            pitfalls="real motion scores BELOW generators in public tables, and more motion beats always help: jitter "
            "is rewarded",
        ),
        beat(
            id="beat_align/distance",
            meaning="whether the head keeps to the beats as much as the real one",
            formula=f"abs(generated - real) of: {beats}",
            compute=lambda s: np.abs(_alignment(s, s.reference) - _alignment(s, s.generated)),
            pitfalls="a clip has few audio beats: differences below a tenth are noise",
        ),
    )


def _spreads(sample: Sample) -> np.ndarray:
    return std_distance(sample.reference.pose[:, :3], sample.generated.pose[:, :3], sample.valid)


def _spread_of(axis: int, sample: Sample) -> np.float64:
    return np.float64(_spreads(sample)[axis])


def std_distance(reference: np.ndarray, generated: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """`pose_std_distance`: (3,) |std generated - std real| of each axis, degrees, over the valid frames.

    Args:
        reference: (T, 3) real pitch, yaw, roll, rad; jumps of 2 pi are undone.
        generated: (T, 3) generated.
        valid: (T,) bool.

    Returns:
        (3,) float64; NaN with fewer than two valid frames.

    Raises:
        ValueError: Unequal lengths.
    """
    if np.shape(reference) != np.shape(generated) or len(reference) != len(valid):
        raise ValueError(f"rotations {np.shape(reference)} and {np.shape(generated)} for {len(valid)} frames")
    valid = np.asarray(valid, dtype=bool)
    if valid.sum() < 2:
        return np.full(3, np.nan)
    stds = [np.degrees(np.unwrap(np.asarray(r, np.float64)[valid], axis=0)).std(axis=0) for r in (reference, generated)]
    return np.abs(stds[1] - stds[0])


def angular_speed(rotation: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """`pose_speed`: (T,) degrees turned since the frame before; NaN in the first frame and next to an invalid one.

    >>> angular_speed(np.radians([[0, 0, 0], [0, 5, 0], [0, 5, 3]]), np.ones(3, bool)).round(6).tolist()
    [nan, 5.0, 3.0]
    """
    valid = np.asarray(valid, dtype=bool)
    speed = np.full(len(valid), np.nan)
    if len(valid) > 1:
        turned = Rotation.from_euler("xyz", np.where(valid[:, None], np.asarray(rotation, dtype=np.float64), 0.0))
        angle = np.degrees((turned[:-1].inv() * turned[1:]).magnitude())
        speed[1:] = np.where(valid[1:] & valid[:-1], angle, np.nan)
    return speed


def mean_speed(rotation: np.ndarray, valid: np.ndarray) -> np.float64:
    """() mean of `angular_speed` over the frames that have one, degrees a frame; NaN where none has."""
    speed = angular_speed(rotation, valid)
    known = speed[~np.isnan(speed)]
    return np.float64(known.mean() if len(known) else np.nan)


def motion_beats(rotation: np.ndarray, valid: np.ndarray, fps: float) -> np.ndarray:
    """(m,) int frames in which the head pauses: local minima of its smoothed angular speed between valid frames."""
    speed = angular_speed(rotation, valid)
    if not np.isfinite(speed).any():
        return np.zeros(0, np.int64)
    known = np.flatnonzero(np.isfinite(speed))
    filled = np.interp(np.arange(len(speed)), known, speed[known])
    smooth = gaussian_filter1d(filled, SMOOTHING_SECONDS * fps)
    pauses = find_peaks(-smooth)[0]
    return pauses[np.asarray(valid, bool)[pauses]]


def audio_beats(audio: np.ndarray) -> np.ndarray:
    """(a,) int frames in which the audio features (T, F) rise most: peaks of their positive flux."""
    if len(audio) < 3:
        return np.zeros(0, np.int64)
    flux = np.concatenate([[0.0], np.maximum(np.diff(np.asarray(audio, np.float64), axis=0), 0).sum(axis=1)])
    if flux.std() == 0:
        return np.zeros(0, np.int64)
    return find_peaks(flux, prominence=PROMINENCE * flux.std())[0]


def beat_alignment(motion: np.ndarray, audio: np.ndarray, fps: float) -> np.float64:
    """`beat_align`: () mean over audio beats of exp(-d^2 / (2 sigma^2)), d the seconds to the nearest motion beat.

    Args:
        motion: (m,) frames of the motion beats; none gives 0, the limit of d to infinity.
        audio: (a,) frames of the audio beats; none gives NaN.
        fps: Frames per second.

    >>> round(float(beat_alignment(np.array([10]), np.array([10, 20]), 100.0)), 4)
    0.8033
    """
    if not len(audio):
        return np.float64(np.nan)
    if not len(motion):
        return np.float64(0.0)
    gap = np.abs(np.asarray(audio)[:, None] - np.asarray(motion)).min(axis=1) / fps
    return np.float64(np.exp(-(gap**2) / (2 * SIGMA_SECONDS**2)).mean())


def _alignment(sample: Sample, motion: Motion) -> np.float64:
    heard = audio_beats(sample.audio)
    heard = heard[sample.valid[heard]]
    return beat_alignment(motion_beats(motion.pose[:, :3], sample.valid, sample.fps), heard, sample.fps)
