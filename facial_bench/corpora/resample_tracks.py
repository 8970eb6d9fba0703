"""Tracks at the times that their frames were with_face -> tracks at a constant rate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from facial_bench.core.resampling import interpolate_rotation

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


def resample_tracks(times: np.ndarray, faces: np.ndarray, arrays: Mapping[str, np.ndarray], fps: float) -> Tracked:
    """Bring arrays to the rate `fps`: linear in time, `rotation` along the shortest arc.

    Args:
        times: (n,) seconds, increasing, of any spacing.
        faces: (n,) bool, whether a face was found; one at least. What the arrays hold in other frames is not looked at.
        arrays: name -> (n, ...) numbers, finite where there is a face.
        fps: The rate to bring them to.

    Raises:
        ValueError: no frame has a face.
    """
    stamps, with_face = np.asarray(times, np.float64), np.flatnonzero(faces)
    if not len(with_face):
        raise ValueError("no frame has a face")
    known, at = stamps[with_face], output_times(stamps, fps)
    after = np.clip(np.searchsorted(known, at - SAME_INSTANT), 0, len(known) - 1)
    met = np.abs(known[after] - at) <= SAME_INSTANT
    before = np.where(met, after, np.maximum(after - 1, 0))
    gap = known[after] - known[before]
    inside = (known[before] <= at + SAME_INSTANT) & (known[after] >= at - SAME_INSTANT)
    neighbours = with_face[after] - with_face[before] <= 1  # none without a face between them
    weight = np.where(gap > 0, np.clip((at - known[before]) / np.where(gap > 0, gap, 1.0), 0.0, 1.0), 0.0)
    made = {}
    for name, values in arrays.items():
        seen = np.asarray(values, np.float64)[with_face]
        share = weight.reshape(-1, *[1] * (seen.ndim - 1))
        made[name] = np.where(share > 0, (1 - share) * seen[before] + share * seen[after], seen[before])
    if "rotation" in arrays and len(known) > 1:
        turned = np.asarray(arrays["rotation"], np.float64)[with_face]
        made["rotation"] = interpolate_rotation(known, turned, np.clip(at, known[0], known[-1]))
    return Tracked(made, inside & (neighbours & (gap <= LONGEST_GAP + SAME_INSTANT) | met))
