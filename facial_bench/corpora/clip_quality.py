"""What there is to know of a clip before anybody trains on it: how well it was tracked, how the person moves, whether
sound and picture fit. Estimates for the eye; no result is computed from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from facial_bench.core.geometry import outer_eye_distance
from facial_bench.core.types import Clip, CorpusInfo
from facial_bench.metrics.blink_detector import Blinks, detect_blinks

LIP_MIDDLES = (62, 66)
"""Middle of the upper and of the lower inner lip, iBUG order from 0."""
LARGEST_OFFSET = 0.4
"""Seconds that sound is looked for to either side."""
LEAD = 0.08
"""Seconds by which lips move before the sound rises: where the estimate lies on talking heads whose sound was set by
hand (0.05 to 0.10 in 11 of 14 clips)."""
CLEAR = 0.2
"""Correlation below which the estimate says nothing."""
DYNAMIC = 50.0
"""Decibels below the loud parts of a clip under which sound counts as silence."""


@dataclass(frozen=True)
class ClipFacts:
    """What `clip_facts` measures of a clip."""

    seconds: float
    tracked: float
    """Share of frames with a face."""
    blinks: Blinks
    blink_rate: float
    """Blinks a minute of frames with a face; NaN without any."""
    pose_spread: tuple[float, float, float]
    """Standard deviation of pitch, yaw, roll over frames with a face, degrees."""
    sound_offset: float
    """Seconds by which the sound comes late against the lips; NaN where nothing clear was found."""


def show_offset(seconds: float, unclear: str) -> str:
    """A sound offset as text, to a hundredth of a second.

    >>> show_offset(-0.0004, "unclear"), show_offset(float("nan"), "unclear")
    ('+0.00', 'unclear')
    """
    return unclear if math.isnan(seconds) else f"{round(seconds, 2) + 0.0:+.2f}"


def clip_facts(clip: Clip, info: CorpusInfo) -> ClipFacts:
    """Measure a clip: its tracking, its blinks, how far the head turns, whether sound and picture fit."""
    valid = np.asarray(clip.valid, bool)
    blinks = detect_blinks(clip.motion.blink, valid, info.fps, info.blink_scale)
    minutes = valid.sum() / info.fps / 60
    angles = np.degrees(np.unwrap(clip.motion.pose[valid, :3].astype(np.float64), axis=0))
    pitch, yaw, roll = (angles.std(axis=0) if len(angles) else np.full(3, np.nan)).tolist()
    loud = loudness(clip, info)
    offset = math.nan if loud is None else sound_offset(loud, lip_gap(clip.landmarks), valid, info.fps)
    rate = len(blinks.onsets) / minutes if minutes else math.nan
    return ClipFacts(clip.frames / info.fps, float(valid.mean()), blinks, rate, (pitch, yaw, roll), offset)


def loudness(clip: Clip, info: CorpusInfo) -> np.ndarray | None:
    """(T,) dB: what the builder kept, else the sum of the mel bands; None where there is neither."""
    if "loudness" in clip.extras:
        return np.asarray(clip.extras["loudness"], np.float64)
    if info.audio_kind == "mel29":
        return 10 * np.log10(np.exp(clip.audio.astype(np.float64)).sum(axis=1))
    return None


def lip_gap(landmarks: np.ndarray) -> np.ndarray:
    """(T,) distance between the inner lips in the image, in outer-eye distances; landmarks (T, 68, D) pixels."""
    upper, lower = LIP_MIDDLES
    opening = np.linalg.norm(landmarks[:, upper, :2].astype(np.float64) - landmarks[:, lower, :2], axis=1)
    return opening / np.maximum(outer_eye_distance(landmarks), 1e-9)


def sound_offset(loud: np.ndarray, opening: np.ndarray, valid: np.ndarray, fps: float) -> float:
    """Seconds by which sound comes late: the lag at which its rises correlate best with the opening of the mouth, less
    the LEAD that lips always have.

    Args:
        loud: (T,) loudness, dB.
        opening: (T,) of the mouth, any unit.
        valid: (T,) bool, frames with a face.
        fps: Frames per second.

    Returns:
        Seconds, finer than a frame by a parabola through the peak; NaN where the best correlation is below CLEAR or
        lies at the edge of what is looked at.
    """
    reach = round(LARGEST_OFFSET * fps)
    if len(loud) < 4 * reach or not valid.any():
        return math.nan
    audible = np.maximum(loud, np.percentile(loud, 95) - DYNAMIC)
    heard, seen = (np.gradient(gaussian_filter1d(np.asarray(x, np.float64), 1.0)) for x in (audible, opening))
    correlations = []
    for lag in range(-reach, reach + 1):
        late, early = (slice(lag, None), slice(0, len(seen) - lag)) if lag >= 0 else (slice(0, lag), slice(-lag, None))
        a, b = heard[late][valid[early]], seen[early][valid[early]]
        correlations.append(np.corrcoef(a, b)[0, 1] if len(a) > 2 and a.std() > 0 and b.std() > 0 else np.nan)
    values = np.array(correlations)
    if np.isnan(values).any():
        return math.nan
    best = int(values.argmax())
    if values[best] < CLEAR or best in (0, len(values) - 1):
        return math.nan
    before, peak, after = values[best - 1 : best + 2]
    vertex = 0.5 * (before - after) / (before - 2 * peak + after)
    return (best - reach + vertex) / fps - LEAD
