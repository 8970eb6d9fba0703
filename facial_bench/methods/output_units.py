"""The units of an output: what is in another one is named before it can become a number.

Rotation is in rad, translation in the corpus's length unit with z negative in front of the camera, blinks on the
corpus's scale, landmarks in pixels of the clip's own view. What is surely something else is not used; what only looks
like it is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from facial_bench.core.geometry import EYE_CORNERS
from facial_bench.core.types import EXPRESSION_WIDTH, Camera, CorpusInfo
from facial_bench.corpora.units import ANGLES, DEPTH, TURN, in_front, within_turn

ORDER = 5.0
"""Times farther or nearer than the person usually is, from which a translation is in another unit."""
LENGTHS = {"mm": 0.1, "cm": 1.0, "m": 100.0, "in": 2.54}
"""Unit of length -> cm."""
FULL_SCALE = {"closure": 1.0, "AU45": 5.0}
"""Blink scale -> the value of a closed eye."""
OTHER_SCALES = ((1.5, "closure 0..1"), (5.5, "AU45, 0..5"), (110.0, "percent"), (260.0, "0..255"))
"""Largest value -> what it looks like."""
SIZE = 0.15
"""Share by which landmarks may be larger or smaller than expected and still be of the same picture."""


class Wrong(NamedTuple):
    """A part that is not, or may not be, in its unit."""

    part: str
    why: str
    """Without the name of the file."""
    sure: bool
    """Whether it is surely something else."""


def wrong_units(
    parts: Mapping[str, np.ndarray], state: np.ndarray, info: CorpusInfo, camera: Camera | None
) -> list[Wrong]:
    """The parts of an output that are in another unit, or look like it.

    Args:
        parts: part -> (T, ...) of a motion; only finite frames.
        state: (71,) the person's mean training state.
        info: the corpus's.
        camera: the view that landmarks are in; None where it is not known.
    """
    found: list[Wrong] = []
    usual = np.asarray(state, np.float64)
    if "rotation" in parts:
        found += _rotation(parts["rotation"], usual[EXPRESSION_WIDTH : EXPRESSION_WIDTH + 3])
    if "translation" in parts:
        found += _translation(parts["translation"], -usual[EXPRESSION_WIDTH + 5], info.length_unit)
    if "blink" in parts:
        found += _blink(parts["blink"], float(usual[-1]), info.blink_scale)
    if "landmarks" in parts:
        found += _landmarks(parts["landmarks"][:, :, :2], camera)
    return found


def _rotation(rotation: np.ndarray, usual: np.ndarray) -> Iterator[Wrong]:
    largest = float(np.abs(rotation).max())
    if not within_turn(rotation).all():
        yield Wrong("rotation", f"rotation reaches {largest:.3g}, which is beyond 2 pi: {ANGLES} (degrees?)", True)
    elif np.median(np.abs(rotation - usual).max(axis=1)) > np.pi / 4:
        yield Wrong("rotation", f"rotation reaches {largest:.3g} of at most {TURN:.3g}, {ANGLES}: degrees?", False)


def _translation(translation: np.ndarray, usual: float, unit: str) -> Iterator[Wrong]:
    depth = -translation[:, 2]
    if not in_front(translation).all():
        turned = ", in OpenCV and OpenFace positive" if (depth < 0).all() else ""
        span = f"{-depth.max():.4g} to {-depth.min():.4g}"
        yield Wrong("translation", f"translation z is not negative ({span}): {DEPTH}{turned}", True)
        return
    times = float(np.median(depth)) / usual if usual > 0 else 1.0
    if not 1 / ORDER < times < ORDER:
        told = f"the head is {np.median(depth):.3g} away, this person's usually {usual:.3g} {unit}"
        yield Wrong("translation", f"{told}{_length(times, unit)}", True)


def is_turned(translation: np.ndarray, state: np.ndarray) -> bool:
    """Whether a translation would be where the person usually is if z had the other sign."""
    times = np.median(translation[:, 2]) / -float(state[EXPRESSION_WIDTH + 5])
    return bool((translation[:, 2] > 0).all() and 1 / ORDER < times < ORDER)


def _length(times: float, unit: str) -> str:
    """The unit of length in which a distance would be the usual one, as a question."""
    if unit not in LENGTHS:
        return ""
    near = min(LENGTHS, key=lambda name: abs(np.log(times * LENGTHS[name] / LENGTHS[unit])))
    return f": {near}?" if near != unit and abs(np.log(times * LENGTHS[near] / LENGTHS[unit])) < np.log(2.5) else ""


def _blink(blink: np.ndarray, usual: float, scale: str) -> Iterator[Wrong]:
    full, low, high = FULL_SCALE[scale], float(blink.min()), float(blink.max())
    if low < -0.5 * full or high > 1.5 * full:
        like = next((name for most, name in OTHER_SCALES if high <= most and not name.startswith(scale)), "")
        reached = high if high > 1.5 * full else low
        asked = f": {like}?" if like and low >= -0.5 * full else ""
        yield Wrong("blink", f"blink reaches {reached:.3g}, this corpus is 0..{full:g} ({scale}){asked}", True)
    elif scale == "closure" and np.median(blink) > 0.5 > usual and abs(np.median(blink) - 1 + usual) < 0.25:
        told = f"blink is {np.median(blink):.2g} most of the time, this person's usually {usual:.2g}"
        yield Wrong("blink", f"{told}: upside down? 0 is an open eye, 1 a closed one", False)


def _landmarks(points: np.ndarray, camera: Camera | None) -> Iterator[Wrong]:
    if np.abs(points).max() <= 2:
        yield Wrong(
            "landmarks", f"landmarks lie within {points.min():.2g}..{points.max():.2g}, pixels are wanted", True
        )
        return
    if camera is None:
        return
    middle = np.median(points.mean(axis=1), axis=0)
    if not ((middle > 0) & (middle < (camera.width, camera.height))).all():
        where = f"the face is at {middle[0]:.0f}, {middle[1]:.0f}, the picture is {camera.width} x {camera.height}"
        yield Wrong("landmarks", f"landmarks are not in the picture: {where}: of another picture size?", True)


def other_picture(points: np.ndarray, real: np.ndarray, camera: Camera) -> str:
    """Which size of picture landmarks seem to be of, against the real ones; empty where they are of the same.

    Args:
        points: (T, 68, 2 or 3) pixels.
        real: (T', 68, 2 or 3) pixels, of the same clip.
        camera: the view of the real ones.
    """
    sizes = [float(np.median(np.linalg.norm(_across(one), axis=1))) for one in (points, real)]
    places = [np.median(one[:, :, :2].mean(axis=1), axis=0) for one in (points, real)]
    times = sizes[0] / sizes[1] if sizes[1] > 0 else 1.0
    moved = places[0] / places[1]
    if abs(np.log(times)) < np.log(1 + 2 * SIZE) or (np.abs(moved / times - 1) > SIZE).any():
        return ""
    seems = f"{camera.width * times:.0f} x {camera.height * times:.0f}"
    return f"landmarks look like those of a picture of {seems}, this clip's is {camera.width} x {camera.height}"


def _across(points: np.ndarray) -> np.ndarray:
    """(T, 2) from one outer eye corner to the other."""
    return np.asarray(points[:, EYE_CORNERS[1], :2] - points[:, EYE_CORNERS[0], :2], np.float64)
