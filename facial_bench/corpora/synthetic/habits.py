"""What makes an invented person: records of shape, speech, head and blinks (docs/synthetic.md explains them)."""

from __future__ import annotations

from dataclasses import dataclass

Triple = tuple[float, float, float]
"""Pitch, yaw, roll."""


@dataclass(frozen=True)
class HeadHabits:
    """How a person moves the head. Angles in degrees."""

    level: Triple
    """Habitual pose."""
    sway: Triple
    """Standard deviation of the autonomous motion of each axis."""
    frequency: Triple
    """Hz, resonance of the autonomous motion of each axis."""
    damping: float
    """Of that resonance: 0.3 swings, 1 does not."""
    coupling: float
    """Correlation -1..1 of the autonomous yaw and roll."""
    beat: Triple
    """Peak of the head's answer to a fully emphasised syllable."""
    beat_lag: float
    """s, from the middle of the syllable to the peak."""
    beat_frequency: float
    """Hz, the rate at which that answer rings."""
    turn: Triple
    """Angle by which the head is offset at the end of a phrase, before it comes back in the pause."""


@dataclass(frozen=True)
class BlinkHabits:
    """How a person blinks."""

    rate: float
    """Blinks a minute on average."""
    refractory: float
    """s, least time from onset to onset."""
    regularity: float
    """Shape of the gamma distribution of the waiting time: 1 random, more is more regular."""
    duration: float
    """s, mean time from onset to end."""
    duration_spread: float
    """Standard deviation of log duration."""
    closing: float
    """Share of the duration until the lid is lowest."""
    depth: float
    """Peak closure, 0..1, mean."""
    pause_gain: float
    """Factor on the hazard in a pause, less 1."""
    end_gain: float
    """Factor on the hazard at the end of a phrase, less 1; it adds to the pause's."""
    stress_gain: float
    """Factor on the hazard at an emphasised syllable, less 1."""
    baseline: float
    """Closure of the open eye, 0..1."""


@dataclass(frozen=True)
class Person:
    """One identity: shape of the face, way of speaking, habits of head and lids."""

    name: str
    tempo: float
    """Factor on the duration of every phone."""
    articulation: float
    """Factor on the excursions of jaw and lips."""
    brow: float
    """cm, brow raise at a fully emphasised syllable."""
    smile: float
    """-1..1, habitual lift of the mouth corners."""
    size: float
    """Factor on the whole face."""
    build: tuple[float, float, float, float, float, float]
    """Shape of the neutral face, in units of the six directions of `face.build_directions`."""
    head: HeadHabits
    blink: BlinkHabits
