"""One shot: what a tracker found in its frames, brought to the protocol's rate by their times."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facial_bench.errors import CorpusError
from facial_bench.geometry import interpolate_rotation
from facial_bench.types import LANDMARKS, Face

SAME_INSTANT = 1e-6
"""Seconds within which two times are one; containers keep times to a millisecond or better."""
LONGEST_GAP = 0.2
"""Seconds between two found faces over which motion is still interpolated as real."""


@dataclass(frozen=True, eq=False)
class Tracked:
    """The faces of one shot at a constant rate."""

    arrays: Mapping[str, np.ndarray]
    """`landmarks` (T, 68, 3) px, `rotation` (T, 3) rad, `translation` (T, 3) length unit, `blink` (T,), all float64
    and finite; what the tracker keeps besides, by its name."""
    valid: np.ndarray
    """(T,) bool: made of found faces only, no more than LONGEST_GAP apart."""


def output_times(times: np.ndarray, fps: float) -> np.ndarray:
    """(T,) the instants k / fps after the first of `times` (n,), seconds, none after the last.

    >>> output_times(np.array([1.0, 1.05, 1.13]), 25.0).round(2).tolist()
    [1.0, 1.04, 1.08, 1.12]
    """
    count = math.floor((times[-1] - times[0] + SAME_INSTANT) * fps) + 1
    return times[0] + np.arange(count) / fps


def resample_faces(times: Sequence[float], faces: Sequence[Face | None], fps: float) -> Tracked:
    """The faces found at some times, at the rate `fps`: linear in time, rotations along the shortest arc.

    Args:
        times: n, seconds, increasing, of any spacing.
        faces: n, None where no face was found.
        fps: The rate to bring them to.

    Raises:
        CorpusError: no face in any frame, or a face that is not what a tracker should give.
    """
    found = [k for k, face in enumerate(faces) if face is not None]
    if not found:
        raise CorpusError("no face was found in any frame")
    stamps = np.asarray(times, np.float64)
    known, at = stamps[found], output_times(stamps, fps)
    raw = _stack([face for face in faces if face is not None])
    after = np.clip(np.searchsorted(known, at - SAME_INSTANT), 0, len(known) - 1)
    met = np.abs(known[after] - at) <= SAME_INSTANT
    before = np.where(met, after, np.maximum(after - 1, 0))
    gap = known[after] - known[before]
    inside = (known[before] <= at + SAME_INSTANT) & (known[after] >= at - SAME_INSTANT)
    # Between two found faces there must be no frame without one.
    neighbours = np.asarray(found)[after] - np.asarray(found)[before] <= 1
    weight = np.where(gap > 0, np.clip((at - known[before]) / np.where(gap > 0, gap, 1.0), 0.0, 1.0), 0.0)
    arrays = {}
    for name, values in raw.items():
        shaped = weight.reshape(-1, *[1] * (values.ndim - 1))
        arrays[name] = np.where(shaped > 0, (1 - shaped) * values[before] + shaped * values[after], values[before])
    if len(known) > 1:
        arrays["rotation"] = interpolate_rotation(known, raw["rotation"], np.clip(at, known[0], known[-1]))
    return Tracked(arrays, inside & (neighbours & (gap <= LONGEST_GAP) | met))


def _stack(faces: Sequence[Face]) -> dict[str, np.ndarray]:
    """name -> (n, ...) float64 of all faces."""
    shapes = {"landmarks": (LANDMARKS, 3), "rotation": (3,), "translation": (3,), "blink": ()}
    try:
        raw = {name: np.array([getattr(face, name) for face in faces], dtype=np.float64) for name in shapes}
        raw |= {name: np.array([face.extras[name] for face in faces], np.float64) for name in faces[0].extras}
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise CorpusError(f"the tracker's faces do not fit together ({type(problem).__name__}: {problem})") from None
    for name, array in raw.items():
        if array.shape[1:] != shapes.get(name, array.shape[1:]):
            raise CorpusError(f"the tracker's {name} is {array.shape[1:]}, expected {shapes[name]}")
        if not np.isfinite(array).all():
            raise CorpusError(f"the tracker's {name} holds NaN or infinities")
    if not (raw["translation"][:, 2] < 0).all():
        raise CorpusError("the tracker's translation z is not negative, as it is in front of the camera")
    return raw
