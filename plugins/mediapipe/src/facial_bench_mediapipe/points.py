"""From MediaPipe's face mesh to the 68 landmarks of iBUG, and its camera."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

MESH = 478
"""Points of the face mesh with irises."""
FIELD_OF_VIEW = math.radians(63.0)
"""Vertical field of view of the camera that its head matrix assumes."""
JAW = (127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356)
BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
NOSE = (168, 197, 5, 4, 75, 97, 2, 326, 305)
EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
LIPS = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91, 78, 81, 13, 311, 308, 402, 14, 178)
IBUG = JAW + BROWS + NOSE + EYES + LIPS
"""Points of the mesh that stand where the 68 landmarks stand, in iBUG order."""


def focal_length(height: int) -> float:
    """Focal length in pixels of MediaPipe's camera for an image of that height.

    >>> round(focal_length(256), 2)
    208.88
    """
    return height / 2 / math.tan(FIELD_OF_VIEW / 2)


def euler_angles(matrix: np.ndarray) -> np.ndarray:
    """(3, 3) rotation -> (3,) pitch, yaw, roll, rad: as scipy's `as_euler("xyz")`, without its cost for one matrix."""
    yaw = -math.asin(min(max(float(matrix[2, 0]), -1.0), 1.0))
    pitch = math.atan2(matrix[2, 1], matrix[2, 2])
    return np.array([pitch, yaw, math.atan2(matrix[1, 0], matrix[0, 0])])


class Point(Protocol):
    """A point of the face mesh: x and y as shares of the image, z on the scale of x."""

    x: float
    y: float
    z: float


def ibug_landmarks(mesh: Sequence[Point], width: int, height: int) -> np.ndarray:
    """The 478 points of a mesh -> (68, 3) float64 pixels, z growing away from the viewer.

    Raises:
        ValueError: another number of points.
    """
    if len(mesh) != MESH:
        raise ValueError(f"the face mesh has {len(mesh)} points, expected {MESH}")
    chosen = [mesh[number] for number in IBUG]  # an array of all of them takes six times as long
    return np.array([(point.x, point.y, point.z) for point in chosen], np.float64) * [width, height, width]
