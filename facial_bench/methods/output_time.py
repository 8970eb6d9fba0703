"""The time of an output: brought to the rate of the clip, and refused with the count that would fit.

An output covers the clip's time if at most half a frame of the slower of the two rates is missing at its end: what
rounding seconds x rate leaves. Its last frame is held there. What is longer by more than SURPLUS frames is another
stretch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from facial_bench.core.errors import GenerationError
from facial_bench.core.resampling import fill_invalid, fill_invalid_rotation, interpolate_rotation

SURPLUS = 2
"""Frames of the clip that an output may be longer at its end: how containers and other rates round."""
COMMON = (15, 20, 24000 / 1001, 24, 25, 30000 / 1001, 30, 48, 50, 60000 / 1001, 60, 100, 120)
"""Rates, frames a second, that a count of frames may be of."""
MOST_LOST = 0.1
"""Share of an output's frames that may hold NaN, or no face."""


def fits(frames: int, rate: float, wanted: int, fps: float) -> bool:
    """Whether so many frames at a rate cover the time of `wanted` frames at `fps`, and not much more.

    >>> fits(566, 30, 472, 25), fits(565, 30, 472, 25), fits(471, 25, 472, 25)
    (True, False, False)
    """
    lacks = wanted / fps - frames / rate
    return -SURPLUS / fps - 1e-9 <= lacks <= 0.5 / min(rate, fps) + 1e-9


def require_fit(
    name: str, held: str, frames: int, rate: float, wanted: int, fps: float, rates: Sequence[float] = ()
) -> None:
    """Raise GenerationError where an output is too short or too long; says what is needed, and which rate would fit.

    Args:
        name: of the file.
        held: of the array that is counted, as the file calls it.
        frames: of the output.
        rate: of the output, frames a second.
        wanted: frames of the clip.
        fps: of the clip, frames a second.
        rates: that can be chosen instead.
    """
    if fits(frames, rate, wanted, fps):
        return
    needed, seconds = math.ceil(wanted * rate / fps - 1e-9), wanted / fps
    other = [one for one in rates if one != rate and fits(frames, one, wanted, fps)]
    best = min(other, key=lambda one: abs(frames - wanted * one / fps), default=0.0)
    hint = f": that is {best:.5g} frames a second, --option fps={best:.5g} would fit" if best else ""
    asked = f"{needed} were asked for ({seconds:.2f} s at {rate:.5g} frames a second)"
    raise GenerationError(f"{name} has {frames} frames of {held}, {asked}{hint}")


def brought_to(
    parts: Mapping[str, np.ndarray], rate: float, frames: int, fps: float
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Parts (n, ...) at one rate as (frames, ...) at another, linear in time, rotations along the shortest arc.

    Returns:
        The parts, finite, lost frames interpolated; and (frames,) bool, the frames that are made of such a one.
    """
    n = len(next(iter(parts.values())))
    seen = np.ones(n, bool)
    for part in parts.values():
        seen &= np.isfinite(part.reshape(n, -1)).all(axis=1)
    if not seen.any():
        return {}, np.ones(frames, bool)
    positions = np.minimum(np.arange(frames) / fps * rate, n - 1)
    low = np.floor(positions + 1e-9).astype(np.int64)
    weight = np.clip(positions - low, 0, None)
    weight[weight < 1e-9] = 0.0
    high = np.minimum(low + 1, n - 1)
    made = {}
    for name, part in parts.items():
        if name == "pose":
            continue
        whole = fill_invalid_rotation(part, seen) if name == "rotation" and not seen.all() else part
        whole = whole if seen.all() or name == "rotation" else fill_invalid(part, seen)
        if name == "rotation" and rate != fps and n > 1:
            made[name] = interpolate_rotation(np.arange(n, dtype=np.float64), whole, positions)
            continue
        share = weight.reshape(-1, *[1] * (part.ndim - 1))
        made[name] = np.where(share > 0, (1 - share) * whole[low] + share * whole[high], whole[low])
    if "pose" in parts:
        made["pose"] = np.concatenate([made["rotation"], made["translation"]], axis=1)
    return made, ~(seen[low] & (seen[high] | (weight == 0)))
