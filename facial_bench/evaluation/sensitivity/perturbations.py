"""Perturbations of real motion, in known doses.

All keep the length; the neutral dose gives the motion back, bit for bit.
A perturbation is (motion, dose, surroundings) -> motion; the surroundings hold what it draws from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from facial_bench.core.types import Motion
from facial_bench.metrics.blink_detector import Blinks, detect_blinks

MARGIN = 2
"""Frames to either side of a blink that belong to it."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a perturbation may draw from."""

    valid: np.ndarray
    """(T,) bool."""
    other: Motion
    """Real motion of someone else, T frames."""
    rng: np.random.Generator
    fps: float
    blink_scale: str


@dataclass(frozen=True)
class Perturbation:
    """A way to perturb motion."""

    name: str
    unit: str
    """Of the dose."""
    doses: tuple[float, ...]
    """In order."""
    neutral: float
    """The one of them that changes nothing."""
    spoil: Callable[[Motion, float, Surroundings], Motion]
    random: bool = False
    """Whether it draws; then several draws are averaged."""


def perturbations() -> tuple[Perturbation, ...]:
    """Every perturbation."""
    share, many = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0), (0.0, 0.25, 0.5, 0.75, 1.0)
    amplitudes, held = (0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2), (0, 0.1, 0.25, 0.5, 0.75)
    return (
        Perturbation("time shift", "frames", (-10, -6, -3, -1, 0, 1, 3, 6, 10), 0, time_shift),
        Perturbation("mouth amplitude", "of the real", amplitudes, 1, mouth_amplitude),
        Perturbation("head amplitude", "of the real", amplitudes, 1, head_amplitude),
        Perturbation("jitter", "frame differences", (0, 0.25, 0.5, 1, 2, 4), 0, jitter, random=True),
        Perturbation("smoothing", "frames", (0, 1, 2, 4, 8, 16), 0, smoothing),
        Perturbation("dropped frames", "share", held, 0, dropped_frames, random=True),
        Perturbation("repeated frames", "share", held, 0, repeated_frames, random=True),
        Perturbation("blinks deleted", "share", many, 0, blinks_deleted, random=True),
        Perturbation("blinks added", "of the real", many, 0, blinks_added, random=True),
        Perturbation("blinks stretched", "of the real", (0.5, 0.75, 1, 1.5, 2), 1, blinks_stretched),
        Perturbation("identity swapped", "share", share, 0, identity_swapped, random=True),
        Perturbation("frame rate", "fps", (25, 20, 15, 12.5, 10, 5), 25, frame_rate),
        Perturbation("speed", "of the real", (0.5, 0.8, 0.9, 1, 1.1, 1.25, 2), 1, speed),
    )


def time_shift(motion: Motion, dose: float, around: Surroundings) -> Motion:
    """All of the motion late (dose > 0) or early by so many frames; the end is held."""
    frames = np.clip(np.arange(motion.frames) - round(dose), 0, motion.frames - 1)
    return _at(motion, frames)


def mouth_amplitude(motion: Motion, dose: float, around: Surroundings) -> Motion:
    """Expression drawn towards its mean (dose < 1) or away from it."""
    return motion if dose == 1 else replace(motion, expression=_scaled(motion.expression, dose, around.valid))


def head_amplitude(motion: Motion, dose: float, around: Surroundings) -> Motion:
    """Pose drawn towards its mean (dose < 1) or away from it."""
    return motion if dose == 1 else replace(motion, pose=_scaled(motion.pose, dose, around.valid))


def jitter(motion: Motion, dose: float, around: Surroundings) -> Motion:
    """White noise on every channel, as large as so many of its own typical frame differences."""
    state = motion.state().astype(np.float64)
    typical = np.sqrt((np.diff(state, axis=0) ** 2).mean(axis=0)) if len(state) > 1 else np.zeros(state.shape[1])
    return (
        motion
        if dose == 0
        else Motion.from_state((state + dose * typical * around.rng.standard_normal(state.shape)).astype(np.float32))
    )


def smoothing(motion: Motion, dose: float, around: Surroundings) -> Motion:
    """A Gaussian of so many frames over every channel."""
    if dose == 0:
        return motion
    return Motion.from_state(gaussian_filter1d(motion.state(), dose, axis=0, mode="nearest"))


def dropped_frames(motion: Motion, dose: float, around: Surroundings) -> Motion:
    """A random share of the frames replaced by the line between those that are left."""
    kept = _kept(motion.frames, dose, around.rng)
    state, places = motion.state(), np.arange(motion.frames)
    return (
        motion
        if dose == 0
        else Motion.from_state(
            np.stack([np.interp(places, places[kept], column[kept]) for column in state.T], axis=1).astype(np.float32)
        )
    )


def repeated_frames(motion: Motion, dose: float, around: Surroundings) -> Motion:
    """A random share of the frames replaced by the one before: what a conversion of frame rates leaves behind."""
    kept = _kept(motion.frames, dose, around.rng)
    return _at(motion, np.maximum.accumulate(np.where(kept, np.arange(motion.frames), 0)))


def blinks_deleted(motion: Motion, dose: float, around: Surroundings) -> Motion:
    """A random share of the blinks replaced by the line between the frames around them."""
    blink = motion.blink.copy()
    for first, last in _chosen(_spans(motion, around), dose, around.rng):
        blink[first:last] = np.linspace(blink[first], blink[last - 1], last - first)
    return replace(motion, blink=blink)


def blinks_added(motion: Motion, dose: float, around: Surroundings) -> Motion:
    """Copies of the clip's own blinks at random places: a dose of 1 doubles them."""
    spans = _spans(motion, around)
    if not spans or dose == 0:
        return motion
    blink, base = motion.blink.copy(), np.median(motion.blink[around.valid])
    for first, last in _chosen(spans, dose, around.rng):
        place = int(around.rng.integers(max(motion.frames - (last - first), 0) + 1))
        blink[place : place + last - first] = np.maximum(
            blink[place : place + last - first], base + (motion.blink[first:last] - base)
        )
    return replace(motion, blink=blink)


def blinks_stretched(motion: Motion, dose: float, around: Surroundings) -> Motion:
    """Every blink so many times as long, around its onset; what it grows over is hidden by it."""
    if dose == 1:
        return motion
    blink = motion.blink.copy()
    spans = _spans(motion, around)
    for first, last in spans:
        blink[first:last] = np.linspace(blink[first], blink[last - 1], last - first)
    for first, last in spans:
        length = max(round((last - first) * dose), 2)
        shape = np.interp(np.linspace(0, last - first - 1, length), np.arange(last - first), motion.blink[first:last])
        end = min(first + length, motion.frames)
        blink[first:end] = np.maximum(blink[first:end], shape[: end - first])
    return replace(motion, blink=blink)


def identity_swapped(motion: Motion, dose: float, around: Surroundings) -> Motion:
    """One stretch of that share of the clip, at a random place, from someone else; expression and all."""
    length = round(dose * motion.frames)
    first = int(around.rng.integers(motion.frames - length + 1))
    state = motion.state()
    state[first : first + length] = around.other.state()[first : first + length]
    return motion if length == 0 else Motion.from_state(state)


def frame_rate(motion: Motion, dose: float, around: Surroundings) -> Motion:
    """Sampled at so many frames a second and held, as a player does that cannot keep up."""
    step = around.fps / dose
    return _at(motion, (np.floor(np.arange(motion.frames) / step + 1e-9) * step + 1e-9).astype(np.int64))


def speed(motion: Motion, dose: float, around: Surroundings) -> Motion:
    """Played so many times as fast from the beginning; where it ends, it goes back the way it came."""
    if dose == 1:
        return motion
    places, last = np.arange(motion.frames) * dose, max(motion.frames - 1, 1)
    places = last - np.abs(last - places % (2 * last))
    low = np.clip(np.floor(places).astype(np.int64), 0, motion.frames - 1)
    weight = (places - low)[:, None]
    state = motion.state()
    mixed = (1 - weight) * state[low] + weight * state[np.minimum(low + 1, motion.frames - 1)]
    return Motion.from_state(mixed.astype(np.float32))


def _at(motion: Motion, frames: np.ndarray) -> Motion:
    return Motion(motion.expression[frames], motion.pose[frames], motion.blink[frames])


def _scaled(values: np.ndarray, dose: float, valid: np.ndarray) -> np.ndarray:
    mean = values[valid].mean(axis=0) if valid.any() else 0.0
    return (mean + dose * (values - mean)).astype(np.float32)


def _kept(frames: int, dose: float, rng: np.random.Generator) -> np.ndarray:
    """(T,) bool, the frames that stay; the first always does, so that there is something to hold."""
    kept = rng.random(frames) >= dose
    kept[:1] = True
    return kept


def _spans(motion: Motion, around: Surroundings) -> list[tuple[int, int]]:
    """First frame and end of each blink, with its margin."""
    blinks: Blinks = detect_blinks(motion.blink, around.valid, around.fps, around.blink_scale)
    ends = np.minimum(blinks.ends + MARGIN, motion.frames)
    return list(zip(np.maximum(blinks.onsets - MARGIN, 0).tolist(), ends.tolist(), strict=True))


def _chosen(spans: Sequence[tuple[int, int]], dose: float, rng: np.random.Generator) -> list[tuple[int, int]]:
    """A random share of the spans, to the nearest whole number."""
    order = rng.permutation(len(spans))[: round(dose * len(spans))]
    return [spans[k] for k in sorted(order)]
