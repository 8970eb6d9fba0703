"""Blinks: a renewal process per person, hurried by pauses or by emphasis, and the shape of each blink."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facial_bench.corpora.synthetic.habits import BlinkHabits
from facial_bench.corpora.synthetic.speech import FRAME_RATE, RATE, Speech


@dataclass(frozen=True, eq=False)
class Blinks:
    """The blinks of one clip, E events."""

    onset: np.ndarray
    """(E,) s."""
    duration: np.ndarray
    """(E,) s."""
    depth: np.ndarray
    """(E,) 0..1, peak closure over the open eye."""


def draw_blinks(habits: BlinkHabits, speech: Speech, rng: np.random.Generator) -> Blinks:
    """The blinks that begin within a speech, by time rescaling.

    After the refractory time the hazard, raised by pauses, phrase ends and emphasis, is summed up until it passes a
    gamma number of mean 1. The hazard is scaled so that the clip's expected rate is the habit's.
    """
    modulation = (
        1 + habits.pause_gain * speech.pause + habits.end_gain * speech.phrase_end + habits.stress_gain * speech.stress
    )
    waiting = 60 / habits.rate - habits.refractory
    hazard = modulation / modulation.mean() / waiting
    summed = np.cumsum(hazard) / RATE
    onsets: list[float] = []
    durations: list[float] = []
    # The clip begins somewhere within an interval.
    now = -rng.uniform(0, 60 / habits.rate)
    while True:
        spent = np.interp(now, np.arange(1, len(summed) + 1) / RATE, summed, left=min(now, 0) / waiting)
        due = spent + rng.gamma(habits.regularity, 1 / habits.regularity)
        if due >= summed[-1]:
            return _with_depth(habits, np.array(onsets), np.array(durations), rng)
        onset = float(np.interp(due, summed, np.arange(1, len(summed) + 1) / RATE)) if due > 0 else due * waiting
        duration = float(np.clip(habits.duration * np.exp(habits.duration_spread * rng.standard_normal()), 0.1, 0.6))
        if onset >= 0:
            onsets.append(onset)
            durations.append(duration)
        now = onset + max(habits.refractory, duration)


def _with_depth(habits: BlinkHabits, onset: np.ndarray, duration: np.ndarray, rng: np.random.Generator) -> Blinks:
    depth = np.clip(habits.depth * np.exp(0.2 * rng.standard_normal(len(onset))), 0.2, 0.95)
    return Blinks(onset, duration, depth)


def closure(habits: BlinkHabits, blinks: Blinks, frames: int) -> np.ndarray:
    """(T,) closure over the open eye, 0..1: down in a raised cosine, up in a slower one that lingers at the end."""
    if not len(blinks.onset):
        return np.zeros(frames)
    times = np.arange(frames)[:, None] / FRAME_RATE
    phase = (times - blinks.onset) / blinks.duration
    down = 0.5 - 0.5 * np.cos(np.pi * phase / habits.closing)
    up = (0.5 + 0.5 * np.cos(np.pi * (phase - habits.closing) / (1 - habits.closing))) ** 1.3
    shape = np.where(phase < habits.closing, down, up)
    return np.where((phase > 0) & (phase < 1), shape * blinks.depth, 0.0).max(axis=1)
