"""What a pixel metric is, and how the values of frames make that of a clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from facial_bench.core.types import Definition
from facial_bench.metrics.image.maps import Maps
from facial_bench.metrics.image.pair import Pair


@dataclass(frozen=True)
class ImageMetric(Definition):
    """A definition with the functions that compute it: block by block, then the value of a clip."""

    measure: Callable[[Pair, Maps], np.ndarray]
    """measure(block, its maps) -> (n, k) float64, a row a frame; NaN where a frame has no value, which the real video
    alone decides."""
    value: Callable[[np.ndarray], float]
    """(T, k) rows of a clip's scored frames -> its value, over the rows that are defined; NaN where there is none."""
    absent: str = field(default="", kw_only=True)
    """Why it cannot be measured here; empty where it can."""
    same_moment: bool = field(default=True, kw_only=True)
    """Whether it compares with what the real picture shows at the very same moment."""
    source: str = field(default="", kw_only=True)
    """Digest of the plugin's code that brought it; empty of those that come with facial-bench."""


def mean_of_rows(rows: np.ndarray) -> float:
    """Mean of (T, 1) rows, in their unit, over those that are defined; NaN where none is.

    Raises:
        ValueError: Rows of another width.
    """
    return float(_defined(rows, 1).mean()) if len(_defined(rows, 1)) else float("nan")


def ratio_of_sums(rows: np.ndarray) -> float:
    """Sum of the first column of (T, 2) rows over the sum of the second, of the rows that are defined; no unit.

    NaN where none is, or where the second sum is 0.

    Raises:
        ValueError: Rows of another width.
    """
    above, below = _defined(rows, 2).sum(axis=0)
    return float(above / below) if below > 0 else float("nan")


def _defined(rows: np.ndarray, width: int) -> np.ndarray:
    rows = np.asarray(rows, np.float64)
    if rows.ndim != 2 or rows.shape[1] != width:
        raise ValueError(f"rows are {rows.shape}, not (T, {width})")
    return rows[~np.isnan(rows).any(axis=1)]
