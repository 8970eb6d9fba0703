"""Head motion: the answer to emphasis and phrases, sway of its own, and a neck that the head turns on."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import fftconvolve, lfilter
from scipy.spatial.transform import Rotation

from facial_bench.corpora.synthetic.habits import HeadHabits
from facial_bench.corpora.synthetic.logits import at_frames
from facial_bench.corpora.synthetic.noise import smooth_noise
from facial_bench.corpora.synthetic.speech import FRAME_RATE, RATE, Speech

_NECK = np.array([0.0, -11.0, -9.0])
"""Where the head turns, cm in the head frame: typical of the upper neck."""

_LIVELINESS = 0.3
"""Standard deviation, over recordings, of the log of the factor on all rotation: a person is not always as lively."""


def move_head(
    habits: HeadHabits, speech: Speech, level: np.ndarray, place: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(T, 6) true pose: pitch, yaw, roll in rad, head to camera, and translation in cm.

    level (3,) deg and place (3,) cm are the recording's: how the head is held and where it is. The rest is the sum of

    - beats: emphasis convolved with a damped oscillation whose peak comes `beat_lag` after the syllable, times `beat`;
    - turns: a bump of `turn` around each phrase end;
    - sway: noise through a resonance per axis, independent of the speech.

    The first two can be predicted from prosody (but for a factor that wanders by 20 %), the third cannot. A factor of
    the recording multiplies all three.
    """
    frames = speech.frames
    liveliness = np.exp(_LIVELINESS * rng.standard_normal())
    degrees = level + liveliness * (coupled_rotation(habits, speech, rng) + _sway(habits, frames, rng))
    rotation = np.radians(degrees)
    turned = Rotation.from_euler("xyz", rotation).as_matrix() @ _NECK
    held = Rotation.from_euler("xyz", np.radians(level)).as_matrix() @ _NECK
    drift = np.stack([_resonance(frames, 0.12, 0.9, rng) for _ in range(3)], axis=1) * (0.35, 0.2, 0.2)
    return np.concatenate([rotation, place + held - turned + drift], axis=1)


def coupled_rotation(habits: HeadHabits, speech: Speech, rng: np.random.Generator) -> np.ndarray:
    """(T, 3) deg, the part of the rotation that follows the speech."""
    vigour = np.exp(0.2 * smooth_noise(len(speech.stress), 1.0, RATE, rng))
    beats = fftconvolve(speech.stress * vigour, _beat_kernel(habits), mode="same")
    turns = gaussian_filter1d(speech.phrase_end, 0.3 * RATE)
    turns /= 0.15 / np.hypot(0.15, 0.3)  # a lone phrase end peaks at 1
    curve = beats[:, None] * np.array(habits.beat) + turns[:, None] * np.array(habits.turn)
    return at_frames(curve, speech.frames)


def _beat_kernel(habits: HeadHabits) -> np.ndarray:
    """(2 n + 1,) damped oscillation; convolved with a lone syllable's bump it peaks at 1, `beat_lag` after it."""
    reach = int(2 * RATE)
    times = np.arange(-reach, reach + 1) / RATE
    f = habits.beat_frequency
    since = np.clip(times, 0, None)
    ring = np.where(times >= 0, np.sin(2 * np.pi * f * since) * np.exp(-1.5 * np.pi * f * since * 0.6), 0.0)
    answer = gaussian_filter1d(ring, 0.08 * RATE) * 0.08 * RATE * np.sqrt(2 * np.pi)
    shift = round(habits.beat_lag * RATE) - (int(np.argmax(answer)) - reach)
    return np.roll(ring / answer.max(), shift)


def _sway(habits: HeadHabits, frames: int, rng: np.random.Generator) -> np.ndarray:
    """(T, 3) deg."""
    own = np.stack([_resonance(frames, f, habits.damping, rng) for f in habits.frequency], axis=1)
    own[:, 2] = habits.coupling * own[:, 1] + np.sqrt(1 - habits.coupling**2) * own[:, 2]
    return own * np.array(habits.sway)


def _resonance(frames: int, frequency: float, damping: float, rng: np.random.Generator) -> np.ndarray:
    """(T,) noise of unit variance through a mass on a damped spring."""
    pole = np.exp((-damping + 1j * np.sqrt(max(1 - damping**2, 1e-6))) * 2 * np.pi * frequency / FRAME_RATE)
    recursion = [1.0, -2 * pole.real, abs(pole) ** 2]
    settle = int(6 * FRAME_RATE / (damping * frequency))
    length = settle + frames
    impulse = lfilter([1.0], recursion, np.eye(1, settle)[0])
    noise = lfilter([1.0], recursion, rng.standard_normal(length))
    return noise[settle:] / np.sqrt(np.sum(impulse**2))
