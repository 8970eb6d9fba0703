"""Motion that no face can make: bounds so generous that tracked people stay far inside them, checked before scoring.

What lies beyond them is no bad guess but a way out: at 1e12 cm from the camera a face has no size, and its distances
are not defined. Source: docs/protocol.md, "Failures".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from facial_bench.core.geometry import EYE_CORNERS, decode_face
from facial_bench.core.types import EXPRESSION_WIDTH, Camera, CorpusInfo, FaceModel, Motion

ROTATION = 2 * np.pi
"""rad: the largest pitch, yaw or roll, either way."""
TRANSLATION = 100.0
"""Distances between the outer eye corners (together about 9 m) from the person's mean training position."""
FACE = 2.0
"""Distances between the outer eye corners that a decoded landmark may lie from the neutral face."""
BLINK = 5.0
"""Times the full scale, either way."""
LANDMARKS = 100.0
"""Image diagonals that a given landmark may lie from the middle of the image."""
FULL_SCALE = {"closure": 1.0, "AU45": 5.0}
"""Blink scale -> the value of a closed eye."""


class _Part(NamedTuple):
    """How far a part goes in each frame, and how far it may."""

    what: str
    size: np.ndarray
    """(T,) float64, not negative."""
    limit: float
    unit: str


def beyond_bounds(
    motion: Motion, identity: str, state: np.ndarray, model: FaceModel, info: CorpusInfo, camera: Camera
) -> str:
    """Why a motion cannot be that of a face: its first frame beyond a bound, part, value and bound; empty where it can.

    Args:
        motion: what was generated, T frames; parts that it does not hold are not looked at.
        identity: whose motion was asked for.
        state: (71,) the person's mean training state; its position is the middle of the bound.
        model: the corpus's linear face.
        info: the corpus's, for its blink scale and length unit.
        camera: of the driving clip.

    Raises:
        FacialBenchError: the model has no such identity.
        ValueError: the expression has another width than the model.
    """
    broken: list[tuple[int, _Part]] = []
    for part in _parts(motion, identity, state, model, info, camera):
        frames = np.flatnonzero(~(part.size <= part.limit))
        broken += [(int(frames[0]), part)] if len(frames) else []
    if not broken:
        return ""
    frame, part = min(broken, key=lambda one: one[0])
    unit = f" {part.unit}" if part.unit else ""
    return f"frame {frame}: {part.what} {part.size[frame]:.4g}{unit}, beyond the bound of {part.limit:.4g}{unit}"


def _parts(
    motion: Motion, identity: str, state: np.ndarray, model: FaceModel, info: CorpusInfo, camera: Camera
) -> Iterator[_Part]:
    held = {name: None if part is None else np.asarray(part, np.float64) for name, part in vars(motion).items()}
    neutral = decode_face(model, identity, np.zeros((1, len(model.basis))))[0]
    eyes = float(np.linalg.norm(neutral[EYE_CORNERS[0]] - neutral[EYE_CORNERS[1]]))
    if (pose := held["pose"]) is not None:
        for axis, name in enumerate(("pitch", "yaw", "roll")):
            yield _Part(f"{name} is", np.abs(pose[:, axis]), ROTATION, "rad either way")
        middle = np.asarray(state, np.float64)[EXPRESSION_WIDTH + 3 : EXPRESSION_WIDTH + 6]
        away = np.linalg.norm(pose[:, 3:] - middle, axis=1)
        yield _Part("the distance from the person's usual place is", away, TRANSLATION * eyes, info.length_unit)
    if (expression := held["expression"]) is not None:
        moved = np.linalg.norm(decode_face(model, identity, expression) - neutral, axis=2).max(axis=1)
        yield _Part("the expression moves a landmark by", moved, FACE * eyes, info.length_unit)
    if (blink := held["blink"]) is not None:
        yield _Part("blink is", np.abs(blink), BLINK * FULL_SCALE[info.blink_scale], "either way")
    if (landmarks := held["landmarks"]) is not None:
        far = np.linalg.norm(landmarks - [camera.width / 2, camera.height / 2, 0.0], axis=2).max(axis=1)
        limit = LANDMARKS * float(np.hypot(camera.width, camera.height))
        yield _Part("the distance of a landmark from the middle of the image is", far, limit, "px")
