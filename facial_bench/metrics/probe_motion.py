"""The fixed probe: two invented people, whose motion is written down in closed form.

Sums of sines and nothing drawn, so that it is the same everywhere but for last digits. It holds what definitions look
at: windows, a gap without a face, a rotation that passes pi, blinks of all lengths on both scales, a mouth that comes
late, speech with beats, a generated face that does not move. It never changes: another probe is another digest of every
metric, and the functions of no stored result could be looked at any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facial_bench.core.geometry import decode_face, project
from facial_bench.core.types import EXPRESSION_WIDTH, LANDMARKS, Camera, FaceModel, Motion, Person, Sample

FPS = 25.0
CAMERA = Camera(320, 240, 900.0)
AUDIO_WIDTH = 4
MOVING = 8
"""Expression coefficients that move; the others are still."""
FULL = {"closure": 1.0, "AU45": 5.0}
"""Scale -> a closed eye."""


@dataclass(frozen=True)
class Plan:
    """What is made of one person."""

    scale: str
    """Of the blinks."""
    training: int
    """Frames of the training clip."""
    clips: Mapping[int, Sequence[int]]
    """Frames of each held-out clip -> those of them without a face."""
    late: int
    """Frames by which the generated mouth is late."""
    lying: bool = False
    """The head lies on its side, so that its roll jumps by 2 pi."""
    still: int = 0
    """Frames of one more clip, in which the generated face does not move; 0 for none."""


PLANS = {
    "one": Plan("closure", 176, {216: (0, 1), 232: (230,)}, late=2, lying=True),
    "two": Plan("AU45", 140, {150: (40, 41, 42)}, late=3, still=60),
}
"""Identity -> plan. The first has windows enough for every distribution, the second none without a gap."""
LIDS = ((12, 4, 0.7), (47, 8, 0.55), (71, 5, 0.24), (98, 14, 0.6), (131, 6, 0.16), (160, 5, 0.65), (187, 7, 0.8))
"""First frame, frames and height (of a closed eye) of what the lids do."""
LOWER_LIP = (*range(55, 60), 65, 66, 67)
"""iBUG order from 0."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A person of the probe, with what was generated beside each held-out clip."""

    person: Person
    generated: Sequence[Sample]


def probe() -> tuple[Subject, ...]:
    """The people, made anew in each call: nobody can change them for the next one."""
    model = _face()
    return tuple(_subject(model, 100 * number, identity) for number, identity in enumerate(PLANS))


def _subject(model: FaceModel, key: int, identity: str) -> Subject:
    plan = PLANS[identity]
    training = _real(model, identity, plan.training, (3,), key)
    test = [_real(model, identity, frames, gone, key + frames) for frames, gone in plan.clips.items()]
    made = [_generated(model, identity, sample, key + 20 + k) for k, sample in enumerate(test)]
    if plan.still:
        test.append(_real(model, identity, plan.still, (), key + plan.still))
        pose = np.tile([0, 0, 0, 0, 0, -60.0], (plan.still, 1))
        still = Motion(np.zeros((plan.still, EXPRESSION_WIDTH)), pose, np.zeros(plan.still))
        made.append(_beside(model, identity, test[-1], still))
    return Subject(Person(identity, [training], test), made)


def _real(model: FaceModel, identity: str, frames: int, gone: Sequence[int], key: int) -> Sample:
    """A real clip: both sides are its motion."""
    plan = PLANS[identity]
    audio = waves(frames, AUDIO_WIDTH, key)
    expression = np.zeros((frames, EXPRESSION_WIDTH))
    expression[:, :MOVING] = 0.8 * waves(frames, MOVING, key + 1)
    expression[:, 0] = 0.6 * audio[:, 0] + 0.3 * audio[:, 1]
    pose = waves(frames, 6, key + 2) * [0.15, 0.3, 0.1, 2, 1, 4] - [0, 0, 0, 0, 0, 60]
    if plan.lying:
        pose[:, 2] = half_turn(pose[:, 2])
    motion = Motion(expression, pose, FULL[plan.scale] * lids(frames, key))
    face = decode_face(model, identity, expression)
    landmarks = project(face, pose, CAMERA)
    valid = np.ones(frames, bool)
    valid[list(gone)] = False
    return Sample(motion, motion, landmarks, landmarks, face, face, valid, FPS, CAMERA, audio, plan.scale)


def _generated(model: FaceModel, identity: str, real: Sample, key: int) -> Sample:
    """What a method could have made of a clip: a mouth that is late and too small, another head, other blinks."""
    plan, frames, own = PLANS[identity], len(real.valid), real.reference
    other = waves(frames, MOVING + 6, key)
    expression = 0.8 * np.roll(own.expression, plan.late, axis=0)
    expression[:, :MOVING] += 0.2 * other[:, :-6]
    pose = own.pose.copy()
    if plan.lying:
        pose[:, 2] = half_turn(pose[:, 2])
    pose = 0.7 * pose + other[:, -6:] * [0.05, 0.1, 0.08, 1, 1, 2]
    if plan.lying:
        pose[:, 2] = half_turn(pose[:, 2])
    return _beside(model, identity, real, Motion(expression, pose, FULL[plan.scale] * lids(frames, key)))


def _beside(model: FaceModel, identity: str, real: Sample, motion: Motion) -> Sample:
    face = decode_face(model, identity, motion.expression)
    return Sample(
        real.reference,
        motion,
        real.reference_landmarks,
        project(face, motion.pose, CAMERA),
        real.reference_face,
        face,
        real.valid,
        FPS,
        CAMERA,
        real.audio,
        real.blink_scale,
    )


def _face() -> FaceModel:
    """A linear face of scattered points; the first direction lowers the lower lip."""
    mean = scattered(LANDMARKS * 3, 1).reshape(LANDMARKS, 3) * [5.0, 6.0, 3.0]
    basis = 0.05 * scattered(EXPRESSION_WIDTH * LANDMARKS * 3, 2).reshape(EXPRESSION_WIDTH, LANDMARKS, 3)
    basis[0] = 0
    basis[0, list(LOWER_LIP), 1] = -1.0
    neutral = {name: mean + 0.3 * scattered(mean.size, 3 + k).reshape(mean.shape) for k, name in enumerate(PLANS)}
    return FaceModel(mean, basis, neutral)


def waves(frames: int, width: int, key: int) -> np.ndarray:
    """(frames, width) in about -1..1: two sines of 0.25 to 2 Hz in each column, the second one swelling.

    Args:
        frames: T.
        width: number of columns.
        key: which columns: other keys are other frequencies and phases.
    """
    seconds = np.arange(frames)[:, None] / FPS
    column = np.arange(width) + 64 * key + 1
    rates = [0.25 + 1.75 * np.mod(column * step, 1) for step in (0.6180339887, 0.4142135623)]
    phases = [2 * np.pi * np.mod(column * step, 1) for step in (0.7320508075, 0.2360679774, 0.3166247903)]
    turns = 2 * np.pi * seconds
    swell = 1 + 0.6 * np.sin(0.11 * turns + phases[2])
    return 0.5 * np.sin(rates[0] * turns + phases[0]) + 0.35 * swell * np.sin(rates[1] * turns + phases[1])


def half_turn(angles: np.ndarray) -> np.ndarray:
    """Angles (T,) of -pi..pi after half a turn, in -pi..pi again; twice is as before."""
    return np.mod(angles + 2 * np.pi, 2 * np.pi) - np.pi


def scattered(size: int, key: int) -> np.ndarray:
    """(size,) values all over -1..1, without a pattern that matters."""
    return 2 * np.mod(np.arange(1, size + 1) * 0.7548776662 * (key + 1) + np.arange(size) ** 2 * 0.5698402910, 1) - 1


def lids(frames: int, key: int) -> np.ndarray:
    """(frames,) 0..1 eye closure: `LIDS`, otherwise spaced, long and high for each key, on a base that hardly moves."""
    closed = 0.1 + 0.02 * waves(frames, 1, key)[:, 0]
    for number, (begin, shortest, height) in enumerate(LIDS):
        first, length = begin + 3 * (key % 7) + number * (key % 5 - 2), shortest + (key + number) % 2
        inside = np.arange(first, min(first + length, frames))
        closed[inside] += height * (1 - 0.01 * (key % 9)) * np.sin(np.pi * (inside - first + 0.5) / length)
    return closed
