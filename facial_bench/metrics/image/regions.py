"""Which pixels of a frame are the face, the mouth and the eyes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from facial_bench.core.geometry import MOUTH
from facial_bench.core.types import LANDMARKS


class Region(NamedTuple):
    """A box around landmarks."""

    points: tuple[int, ...]
    """Landmarks, iBUG order from 0."""
    wider: float
    """How much the width of their bounding box grows, about its centre."""
    taller: float
    """How much its height grows."""


REGIONS: Mapping[str, Region] = MappingProxyType(
    {
        "face": Region(tuple(range(LANDMARKS)), 1.2, 1.2),
        "mouth": Region(MOUTH, 1.5, 1.5),
        "eyes": Region(tuple(range(36, 48)), 1.3, 2.0),
    }
)


def whole_picture(frames: int, size: int) -> np.ndarray:
    """(n, 4) int64 boxes, as of `region_boxes`, that hold every pixel."""
    return np.tile(np.array([0, 0, size, size], np.int64), (frames, 1))


def region_boxes(landmarks: np.ndarray, region: Region, size: int) -> np.ndarray:
    """The pixels of a region, frame by frame: those whose centre lies in the grown box, left and top edge included.

    >>> corners = np.tile([[10.0, 20.0]], (1, 68, 1))
    >>> corners[0, 1] = [30, 60]
    >>> region_boxes(corners, REGIONS["face"], 50)
    array([[ 8, 16, 32, 50]])

    Args:
        landmarks: (n, 68, 2) x and y, pixels; pixel k covers k..k+1, so that its centre is k + 0.5.
        region: Which landmarks, and how the box grows.
        size: S, side of the picture, pixels.

    Returns:
        (n, 4) int64 left, top, right, bottom, pixels, clipped to the picture; right and bottom are the first pixels
        outside. All 0 where no pixel of the region lies in the picture, or a landmark of it is not finite.

    Raises:
        ValueError: Landmarks of another shape.
    """
    landmarks = np.asarray(landmarks, np.float64)
    if landmarks.ndim != 3 or landmarks.shape[1:] != (LANDMARKS, 2):
        raise ValueError(f"landmarks are {landmarks.shape}, not (n, {LANDMARKS}, 2)")
    points = landmarks[:, region.points]
    known = np.isfinite(points).all(axis=(1, 2))
    points = np.where(known[:, None, None], points, 0.0)
    low, high = points.min(axis=1), points.max(axis=1)
    centre, half = (low + high) / 2, (high - low) / 2 * (region.wider, region.taller)
    edges = np.concatenate([centre - half, centre + half], axis=1)
    boxes = np.ceil(np.clip(edges, 0, size) - 0.5).astype(np.int64)
    empty = ~known | (boxes[:, 2:] <= boxes[:, :2]).any(axis=1)
    boxes[empty] = 0
    return boxes


def region_sum(values: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Sum of a map over a region, frame by frame.

    Args:
        values: (n, S, S) a value a pixel, rows from the top.
        boxes: (n, 4) left, top, right, bottom, as of `region_boxes`, pixels.

    Returns:
        (n,) float64 in the unit of the map; NaN where the box holds no pixel.

    Raises:
        ValueError: Not as many boxes as maps.
    """
    if values.ndim != 3 or boxes.shape != (len(values), 4):
        raise ValueError(f"maps are {values.shape} and boxes {boxes.shape}, not (n, S, S) and (n, 4)")
    sums = np.full(len(values), np.nan)
    for t, (left, top, right, bottom) in enumerate(boxes):
        if right > left and bottom > top:
            sums[t] = values[t, top:bottom, left:right].sum(dtype=np.float64)
    return sums


def region_mean(values: np.ndarray, boxes: np.ndarray, margin: int = 0) -> np.ndarray:
    """Mean of a map over a region, frame by frame.

    Args:
        values: (n, S, S) a value a pixel, rows from the top.
        boxes: (n, 4) left, top, right, bottom, as of `region_boxes`, pixels.
        margin: Pixels at each edge of the picture where the map says nothing: they belong to no region.

    Returns:
        (n,) float64 in the unit of the map; NaN where no pixel is left.

    Raises:
        ValueError: Not as many boxes as maps.
    """
    size = values.shape[-1]
    boxes = np.clip(boxes, margin, max(size - margin, margin)) if margin else boxes
    pixels = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return region_sum(values, boxes) / np.where(pixels > 0, pixels, 1)
