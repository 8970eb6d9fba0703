"""What the network sees of a motion: maps drawn from projected landmarks and the closure of the lids.

It stands for the paper's rendered face with the eye region filled by the blink value. A mesh over the landmarks, the
upper head and the picture's border carries the coordinates of a person's average face to where they lie in a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.spatial import Delaunay

from facial_bench.rendering.null_renderers.warp import with_crown
from facial_bench_renderer.raster import filled, strokes, warped_coordinates

INNER_MOUTH = tuple(range(60, 68))
EYES = (tuple(range(36, 42)), tuple(range(42, 48)))
OPEN_LINES = (range(17), range(17, 22), range(22, 27), range(27, 31), range(31, 36))
"""Jaw, brows, ridge and base of the nose; iBUG order from 0."""
CLOSED_LINES = (range(36, 42), range(42, 48), range(48, 60), range(60, 68))
"""Eyes, outer and inner lips."""
GROWN = 1.6
"""Factor by which the outline of an eye is widened about its centre, to hold the lids."""
CHANNELS = 6
"""Two coordinates, inner mouth, lines, eyes, eyes times closure."""
BORDER = 4
"""Pieces into which the fixed points cut each side of the picture."""
FAR = 4.0
"""Sides of the picture by which a point may lie beside it; further off it is held there, where it is not seen."""


class Conditioner:
    """Draws the maps of one person.

    Args:
        average: (68, 2) pixels, the person's average landmarks in the picture; coordinates are of this face, and the
            mesh is the Delaunay triangulation of it.
        size: S, side of the picture, pixels.
    """

    def __init__(self, average: np.ndarray, size: int) -> None:
        self.average, self.size = np.asarray(average, dtype=np.float64), size
        points = with_crown(self.average)
        margin = 1e-3 * size
        self._inside = np.flatnonzero(((points > margin) & (points < size - margin)).all(axis=1))
        self._border = _border(size)
        self._canonical = self._corners(self.average[None])
        self._triangles = _triangulate(self._canonical[0])
        pairs = [pair for line in OPEN_LINES for pair in pairwise(line)]
        pairs += [pair for line in CLOSED_LINES for pair in zip(line, [*line[1:], line[0]], strict=True)]
        self._lines = np.array(pairs)

    def maps(self, landmarks: np.ndarray, closure: np.ndarray) -> np.ndarray:
        """Draw frames.

        Args:
            landmarks: (n, 68, 2) pixels of the picture, finite.
            closure: (n,) 0 open .. 1 closed.

        Returns:
            (n, 6, S, S) float32: coordinates x and y of the average face, -1..1 over the picture; inner mouth, lines,
            eye regions, eye regions times closure, 0..1.
        """
        size, bound = self.size, FAR * self.size
        seen = np.clip(landmarks, -bound, bound)
        drawn = np.empty((len(seen), CHANNELS, size, size), dtype=np.float32)
        coordinates = warped_coordinates(self._corners(seen), self._canonical, self._triangles, size)
        drawn[:, :2] = coordinates * np.float32(2 / size) - 1
        drawn[:, 2] = filled(seen[:, INNER_MOUTH], size)
        drawn[:, 3] = strokes(seen[:, self._lines[:, 0]], seen[:, self._lines[:, 1]], size)
        drawn[:, 4] = np.maximum(*(filled(_grown(seen, eye), size) for eye in EYES))
        drawn[:, 5] = drawn[:, 4] * np.asarray(closure, dtype=np.float32)[:, None, None]
        return drawn

    def sources(self, landmarks: np.ndarray) -> np.ndarray:
        """Of each pixel of the average face where it lies in frames with these landmarks (n, 68, 2), pixels:
        (n, 2, S, S) float32, -1..1 over the picture. The inverse of the coordinates that `maps` draws."""
        corners = self._corners(np.clip(landmarks, -FAR * self.size, FAR * self.size))
        still = np.broadcast_to(self._canonical, corners.shape)
        return warped_coordinates(still, corners, self._triangles, self.size) * np.float32(2 / self.size) - 1

    def _corners(self, landmarks: np.ndarray) -> np.ndarray:
        """(n, 68, 2) -> (n, P, 2): the points that the mesh joins."""
        border = np.broadcast_to(self._border, (len(landmarks), *self._border.shape))
        return np.concatenate([border, with_crown(landmarks)[:, self._inside]], axis=1)


def _border(size: int) -> np.ndarray:
    """(16, 2): corners and evenly spaced points of the picture's edges."""
    steps = np.linspace(0, size, BORDER + 1)
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    return grid[((grid == 0) | (grid == size)).any(axis=1)]


def _triangulate(points: np.ndarray) -> np.ndarray:
    """Delaunay triangles (M, 3) int of points (P, 2), all of positive signed area."""
    corners = Delaunay(points).simplices
    a, b, c = (points[corners[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    corners[area < 0] = corners[area < 0][:, ::-1]
    return corners


def _grown(landmarks: np.ndarray, eye: Sequence[int]) -> np.ndarray:
    """The widened outlines of an eye: (n, 68, 2) -> (n, 6, 2)."""
    outline = landmarks[:, list(eye)]
    middle = outline.mean(axis=1, keepdims=True)
    return middle + GROWN * (outline - middle)
