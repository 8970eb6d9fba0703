"""Head motion, the functions: how wide it is, how fast, and where it pauses.

Rotations are pitch, yaw, roll in rad (scipy's extrinsic "xyz"); what comes out is in degrees.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks
from scipy.spatial.transform import Rotation

SIGMA_SECONDS = 0.1
"""Width of the bell that an audio beat of `beat_align` is matched with."""
DANCE_SIGMA_SECONDS = 3 / 60
"""Width of the bell that a motion beat of `beat_align/dance` is matched with: 3 frames at the paper's 60 a second."""
SMOOTHING_SECONDS = 0.08
"""Width of the Gaussian that the angular speed is smoothed with before its minima are taken."""
PROMINENCE = 1.0
"""Least prominence of an audio beat, in standard deviations of the flux."""


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
    return _met(audio, motion, SIGMA_SECONDS * fps)


def dance_alignment(motion: np.ndarray, audio: np.ndarray, fps: float) -> np.float64:
    """`beat_align/dance`: () mean over MOTION beats of exp(-d^2 / (2 sigma^2)), d the seconds to the nearest audio
    beat; the arguments of `beat_alignment`. A head without a motion beat keeps to none: 0.

    >>> round(float(dance_alignment(np.array([10, 15]), np.array([10]), 100.0)), 4)
    0.8033
    """
    if not len(audio):
        return np.float64(np.nan)
    return _met(motion, audio, DANCE_SIGMA_SECONDS * fps)


def _met(beats: np.ndarray, others: np.ndarray, sigma: float) -> np.float64:
    """() mean over `beats` (frames) of the bell of width `sigma` (frames) at the nearest of the others; 0 where there
    are none of either."""
    if not len(beats) or not len(others):
        return np.float64(0.0)
    gap = np.abs(np.asarray(beats)[:, None] - np.asarray(others)).min(axis=1)
    return np.float64(np.exp(-(gap**2) / (2 * sigma**2)).mean())
