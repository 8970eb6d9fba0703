"""Moving a picture's face: a piecewise affine warp over one triangulation, by inverse mapping.

The border of the picture stays where it is, so that the triangles, whichever way they fold, cover every pixel at least
once with a triangle that is not turned over: those are drawn, and there are no holes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import Delaunay

BORDER = 4
"""Pieces into which the fixed points cut each side of the picture."""
FLAT = 1e-6
"""Twice the area, in square pixels, below which a triangle is not drawn."""
FAR = 10.0
"""Sides of the picture by which a point may lie beside it; further off it is held there, where it is not seen."""
EDGE = 1e-7
"""Pixels by which triangles overlap, so that rounding leaves no crack."""
RIGHT_EYE, LEFT_EYE, NOSE_BASE = 36, 45, 33
CROWN = ((-0.75, 0.3), (-0.72, 1.0), (-0.45, 1.6), (0.0, 1.8), (0.45, 1.6), (0.72, 1.0), (0.75, 0.3))
"""Points of the upper head, which has no landmarks: (across, up) from the middle of the eyes, in units of the way from
outer eye corner to outer eye corner and of that from the nose's base to the eyes."""


def with_crown(landmarks: np.ndarray) -> np.ndarray:
    """Landmarks (..., 68, 2) -> (..., 75, 2): and seven points around the upper head, moved by eyes and nose."""
    right, left, base = (landmarks[..., k, :] for k in (RIGHT_EYE, LEFT_EYE, NOSE_BASE))
    middle = (right + left) / 2
    crown = [middle + across * (left - right) + up * (middle - base) for across, up in CROWN]
    return np.concatenate([landmarks, np.stack(crown, axis=-2)], axis=-2)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Triangles drawn over a picture."""

    triangle: np.ndarray
    """(S * S,) int, which triangle covers each pixel, rows first."""
    weights: np.ndarray
    """(3, S * S) float64 barycentric coordinates of each pixel's centre in it."""


class Mesh:
    """One person's triangles: which points they join is fixed, where those lie is not.

    Args:
        landmarks: (68, 2) pixels of the crop, a typical face, on which the triangulation is made (Delaunay). Points
            outside of the picture are left out.
        size: Side of the picture, pixels.
    """

    def __init__(self, landmarks: np.ndarray, size: int) -> None:
        points = with_crown(np.asarray(landmarks, dtype=np.float64))
        margin = 1e-3 * size
        self._inside = np.flatnonzero(((points > margin) & (points < size - margin)).all(axis=1))
        self._border = _border(size)
        self.size = size
        typical = np.concatenate([self._border, points[self._inside]])
        corners = Delaunay(typical).simplices
        turned_over = _cross(*(typical[corners[:, k]] for k in range(3))) < 0
        corners[turned_over] = corners[turned_over][:, ::-1]
        self.triangles = corners
        """(M, 3) int indices of points, all turning one way."""

    def points(self, landmarks: np.ndarray) -> np.ndarray:
        """Landmarks (68, 2), pixels -> (P, 2) float64, the points that the triangles join."""
        inner = with_crown(np.asarray(landmarks, dtype=np.float64))[self._inside]
        return np.concatenate([self._border, np.clip(inner, -FAR * self.size, FAR * self.size)])

    def draw(self, landmarks: np.ndarray) -> Drawn:
        """Find the triangle over each pixel's centre when the landmarks (68, 2), pixels, lie so."""
        size = self.size
        a, b, c = (self.points(landmarks)[self.triangles[:, k]] for k in range(3))
        upright = np.flatnonzero(_cross(a, b, c) > FLAT)
        a, b, c = a[upright], b[upright], c[upright]
        first, last = _row_spans(a, b, c, size)
        lengths = np.maximum(last - first + 1, 0)
        which, row = np.nonzero(lengths)
        runs = lengths[which, row]
        ends = np.cumsum(runs)
        pixels = np.repeat(row * size + first[which, row] - (ends - runs), runs) + np.arange(ends[-1])
        cover = np.zeros(size * size, dtype=np.intp)
        cover[pixels] = np.repeat(which, runs)
        y, x = np.divmod(np.arange(size * size), size)
        twice = _cross(a, b, c)
        weights = np.empty((3, size * size))
        for k, (p, q) in enumerate(((b, c), (c, a))):
            # the part of the area on the far side of the edge p q, linear in the pixel's place
            dx, dy = -(q - p)[:, 1] / twice, (q - p)[:, 0] / twice
            offset = -(dx * p[:, 0] + dy * p[:, 1]) + (dx + dy) / 2
            weights[k] = dx[cover] * x + dy[cover] * y + offset[cover]
        weights[2] = 1 - weights[0] - weights[1]
        return Drawn(upright[cover], weights)

    def warp(self, picture: np.ndarray, landmarks: np.ndarray, drawn: Drawn) -> np.ndarray:
        """Move a picture whose landmarks lie at `landmarks` so that they come to lie where `drawn` has them.

        Args:
            picture: (S, S, 3) uint8.
            landmarks: (68, 2) pixels.
            drawn: From `draw`, of the landmarks to come.

        Returns:
            (S, S, 3) float32, 0..255, sampled bilinearly.
        """
        corners = self.points(landmarks)[self.triangles]
        w = drawn.weights
        x, y = (sum(w[k] * corners[:, k, axis][drawn.triangle] for k in range(3)) for axis in range(2))
        return sample(picture, x, y)


def sample(picture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bilinear samples of a picture (S, S, 3) uint8 at S * S places (pixel k's centre at k + 1/2) -> (S, S, 3) float32.

    Places outside of the picture take its border.
    """
    size = len(picture)
    x, y = (np.clip(place - 0.5, 0, size - 1) for place in (x, y))
    left, top = x.astype(np.intp), y.astype(np.intp)
    right, bottom = np.minimum(left + 1, size - 1), np.minimum(top + 1, size - 1)
    fx, fy = (x - left).astype(np.float32)[:, None], (y - top).astype(np.float32)[:, None]
    flat = picture.reshape(-1, 3).astype(np.float32)
    upper = flat[top * size + left]
    upper += fx * (flat[top * size + right] - upper)
    lower = flat[bottom * size + left]
    lower += fx * (flat[bottom * size + right] - lower)
    upper += fy * (lower - upper)
    return upper.reshape(picture.shape)


def _border(size: int) -> np.ndarray:
    """(16, 2): corners and evenly spaced points of the picture's edges."""
    steps = np.linspace(0, size, BORDER + 1)
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    return grid[((grid == 0) | (grid == size)).any(axis=1)]


def _cross(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Twice the signed area of triangles with corners (M, 2): (M,)."""
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])


def _row_spans(a: np.ndarray, b: np.ndarray, c: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last pixel (M, S) int that each triangle (corners (M, 2)) covers of each row; none: first > last.

    A point is inside where every edge has it on the inner side: of a row each edge leaves all to one side of a place.
    """
    middle = np.arange(size) + 0.5
    low, high = np.full((len(a), size), -np.inf), np.full((len(a), size), np.inf)
    for p, q in ((a, b), (b, c), (c, a)):
        ex, ey = (q - p)[:, :1], (q - p)[:, 1:]
        level = np.abs(ey) < EDGE
        place = p[:, :1] + (middle - p[:, 1:]) * ex / np.where(level, 1.0, ey)
        outside = level & (ex * (middle - p[:, 1:]) < -EDGE * np.abs(ex))
        low = np.where((ey < 0) & ~level, np.maximum(low, place), low)
        high = np.where((ey > 0) & ~level, np.minimum(high, place), high)
        high = np.where(outside, -np.inf, high)
    first = np.ceil(np.clip(low - EDGE - 0.5, 0, size)).astype(np.intp)
    last = np.floor(np.clip(high + EDGE - 0.5, -1, size - 1)).astype(np.intp)
    return first, last
