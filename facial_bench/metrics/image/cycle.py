"""Metrics of a rendered video that is tracked again: does the face in it do what it was asked to?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from facial_bench.core.geometry import MOUTH, outer_eye_distance
from facial_bench.core.types import LANDMARKS, Definition

LOST = 1.0
"""What a frame counts in which the tracker finds no face: a whole outer-eye distance, or a whole blink."""
_ORIGIN = "ours; a landmark distance of rendered video is in most papers of the field, under many names"
_PITFALLS = "a renderer may please the tracker and nobody else; read it beside psnr/face"


def cycle_distance(tracked: np.ndarray, wanted: np.ndarray, points: Sequence[int]) -> np.ndarray:
    """(T,) float64 mean distance of some landmarks from where they should be, over the outer-eye distance.

    mean_k |p^[t,k] - p[t,k]| / |p[t,36] - p[t,45]|; `LOST` where the tracked ones are not finite; NaN where the wanted
    ones are not, or the eyes coincide.

    Args:
        tracked: (T, 68, 2) landmarks found in the rendered pictures, pixels; NaN where no face was found.
        wanted: (T, 68, 2) landmarks that were asked for, pixels of the same pictures.
        points: Indices of the landmarks.

    Raises:
        ValueError: other shapes.
    """
    tracked, wanted = np.asarray(tracked, np.float64), np.asarray(wanted, np.float64)
    if tracked.shape != wanted.shape or tracked.shape[1:] != (LANDMARKS, 2):
        raise ValueError(f"landmarks are {tracked.shape} and {wanted.shape}, expected (T, {LANDMARKS}, 2) twice")
    chosen = list(points)
    size = outer_eye_distance(wanted)
    distance = np.linalg.norm(tracked[:, chosen] - wanted[:, chosen], axis=2).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = distance / size
    values = np.where(np.isfinite(tracked[:, chosen]).all(axis=(1, 2)), values, LOST)
    known = np.isfinite(wanted[:, chosen]).all(axis=(1, 2)) & (size > 0)
    return np.where(known, values, np.nan)


def cycle_blink(tracked: np.ndarray, wanted: np.ndarray, full: float = 1.0) -> np.ndarray:
    """(T,) float64 absolute difference of the closure, in shares of a full one: |b^[t] - b[t]| / full.

    Args:
        tracked: (T,) closure found in the rendered pictures; NaN where no face was found, which counts `LOST`.
        wanted: (T,) closure that was asked for.
        full: The scale's largest closure: 1, or 5 of AU45.

    Raises:
        ValueError: other shapes.
    """
    tracked, wanted = np.asarray(tracked, np.float64), np.asarray(wanted, np.float64)
    if tracked.shape != wanted.shape or tracked.ndim != 1:
        raise ValueError(f"closures are {tracked.shape} and {wanted.shape}, expected (T,) twice")
    return np.where(np.isfinite(tracked), np.abs(tracked - wanted) / full, LOST)


@cache
def cycle_definitions() -> tuple[Definition, ...]:
    """`cycle_lmd`, `cycle_lmd/mouth` and `cycle_blink`."""
    lost = "1 where the corpus's tracker finds no face in the rendered picture"
    return (
        *(
            Definition(
                f"cycle_lmd{variant}",
                1,
                "outer-eye distances",
                False,
                f"mean_t mean_k |p^[t,k] - p[t,k]| / |p[t,36] - p[t,45]|, k over the {name}; p^ tracked in the "
                f"rendered pictures, p asked for, in their pixels, not aligned; {lost}",
                meaning=f"how far the {name} of the rendered face are from where they should be",
                family="pictures",
                origin=_ORIGIN,
                pitfalls=_PITFALLS,
            )
            for variant, name in (("", "68 landmarks"), ("/mouth", f"landmarks {MOUTH[0]}..{MOUTH[-1]}"))
        ),
        Definition(
            "cycle_blink",
            1,
            "full closures",
            False,
            f"mean_t |b^[t] - b[t]| / b_full; b^ tracked in the rendered pictures, b asked for; {lost}",
            meaning="how far the rendered eyelids are from where they should be",
            family="pictures",
            origin=_ORIGIN,
            pitfalls="eyes that are open most of the time make a video without blinks look good; " + _PITFALLS,
        ),
    )
