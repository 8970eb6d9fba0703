"""The five invented people: every number by which they differ (docs/synthetic.md lists and explains them)."""

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
    """One identity."""

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


def people() -> tuple[Person, ...]:
    """The five, in order."""
    return (
        Person(
            name="p1",
            tempo=0.92,
            articulation=1.05,
            brow=0.15,
            smile=0.2,
            size=1.02,
            build=(0.6, -0.5, 0.3, 0.8, -0.4, 0.2),
            head=HeadHabits(
                level=(-2.0, 3.0, 2.0),
                sway=(1.4, 2.4, 1.8),
                frequency=(0.35, 0.22, 0.2),
                damping=0.7,
                coupling=-0.5,
                beat=(4.2, 0.5, 0.4),
                beat_lag=0.08,
                beat_frequency=1.6,
                turn=(-1.2, 3.5, 0.6),
            ),
            blink=BlinkHabits(
                rate=24.0,
                refractory=0.35,
                regularity=1.2,
                duration=0.20,
                duration_spread=0.2,
                closing=0.38,
                depth=0.5,
                pause_gain=2.0,
                end_gain=15.0,
                stress_gain=0.0,
                baseline=0.13,
            ),
        ),
        Person(
            name="p2",
            tempo=1.05,
            articulation=0.85,
            brow=0.05,
            smile=-0.1,
            size=1.05,
            build=(-0.8, 0.9, -0.3, -0.2, 0.7, -0.6),
            head=HeadHabits(
                level=(-1.0, -3.0, -5.0),
                sway=(0.8, 1.2, 1.4),
                frequency=(0.5, 0.4, 0.35),
                damping=0.9,
                coupling=0.6,
                beat=(0.5, 0.6, 2.4),
                beat_lag=0.16,
                beat_frequency=1.0,
                turn=(0.6, -0.8, 2.4),
            ),
            blink=BlinkHabits(
                rate=32.0,
                refractory=0.3,
                regularity=2.0,
                duration=0.22,
                duration_spread=0.15,
                closing=0.4,
                depth=0.6,
                pause_gain=1.0,
                end_gain=0.0,
                stress_gain=1.0,
                baseline=0.20,
            ),
        ),
        Person(
            name="p3",
            tempo=1.0,
            articulation=1.2,
            brow=0.3,
            smile=0.4,
            size=0.93,
            build=(0.2, -0.9, -0.6, 0.1, 0.5, 0.8),
            head=HeadHabits(
                level=(1.5, 3.0, -3.5),
                sway=(1.3, 2.7, 2.2),
                frequency=(0.3, 0.15, 0.15),
                damping=0.8,
                coupling=0.3,
                beat=(0.9, 4.0, 1.0),
                beat_lag=0.04,
                beat_frequency=1.2,
                turn=(-1.8, -1.2, 3.6),
            ),
            blink=BlinkHabits(
                rate=14.0,
                refractory=0.6,
                regularity=1.5,
                duration=0.26,
                duration_spread=0.25,
                closing=0.33,
                depth=0.65,
                pause_gain=12.0,
                end_gain=10.0,
                stress_gain=0.0,
                baseline=0.06,
            ),
        ),
        Person(
            name="p4",
            tempo=1.0,
            articulation=0.95,
            brow=0.1,
            smile=0.0,
            size=1.0,
            build=(-0.4, 0.2, 0.9, -0.8, -0.6, -0.2),
            head=HeadHabits(
                level=(4.5, -1.0, 2.0),
                sway=(0.8, 0.9, 1.1),
                frequency=(0.6, 0.5, 0.3),
                damping=0.6,
                coupling=0.0,
                beat=(-2.2, 0.3, 0.3),
                beat_lag=0.12,
                beat_frequency=2.2,
                turn=(1.3, 0.4, -0.4),
            ),
            blink=BlinkHabits(
                rate=28.0,
                refractory=0.25,
                regularity=1.0,
                duration=0.18,
                duration_spread=0.2,
                closing=0.4,
                depth=0.5,
                pause_gain=0.0,
                end_gain=0.0,
                stress_gain=10.0,
                baseline=0.10,
            ),
        ),
        Person(
            name="p5",
            tempo=1.12,
            articulation=1.0,
            brow=0.2,
            smile=-0.3,
            size=0.97,
            build=(0.5, 0.5, 0.1, 0.5, 0.2, 0.9),
            head=HeadHabits(
                level=(-3.5, -4.0, 2.5),
                sway=(1.4, 1.7, 1.0),
                frequency=(0.7, 0.35, 0.4),
                damping=0.35,
                coupling=0.2,
                beat=(2.6, -2.2, -0.5),
                beat_lag=0.2,
                beat_frequency=2.0,
                turn=(2.6, -2.0, 0.0),
            ),
            blink=BlinkHabits(
                rate=20.0,
                refractory=0.4,
                regularity=1.0,
                duration=0.32,
                duration_spread=0.25,
                closing=0.3,
                depth=0.6,
                pause_gain=1.0,
                end_gain=8.0,
                stress_gain=0.0,
                baseline=0.17,
            ),
        ),
    )
