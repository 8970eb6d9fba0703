"""Curves that move with something: splines in the frame of a head or a trunk, as the camera sees them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facial_bench.core.geometry import project
from facial_bench.corpora.synthetic.speech import FRAME_RATE
from facial_bench.corpora.synthetic.tracks import Take

Curves = dict[str, np.ndarray]
"""Name -> (T, N, 2) points in pixels, x right, y down, the picture's corner at 0."""
Place = tuple[float, float, float]
"""x right, y up, z toward the viewer, cm, in the frame of a head or of where it rests."""


def spline(count: int, per: int = 4, closed: bool = False) -> np.ndarray:
    """(M, count) weights of a Catmull-Rom curve through `count` points, `per` samples from one to the next."""
    spans = count if closed else count - 1
    u = np.arange(per) / per
    basis = 0.5 * np.stack([-u + 2 * u**2 - u**3, 2 - 5 * u**2 + 3 * u**3, u + 4 * u**2 - 3 * u**3, u**3 - u**2], 1)
    weights = np.zeros((spans * per + (not closed), count))
    for span in range(spans):
        for k in range(4):
            at = (span + k - 1) % count if closed else np.clip(span + k - 1, 0, count - 1)
            weights[span * per : (span + 1) * per, at] += basis[:, k]
    if not closed:
        weights[-1, -1] = 1.0
    return weights


def both_sides(half: Sequence[Place], middle: Sequence[Place] = ()) -> np.ndarray:
    """(N, 3) cm: a half, the middle, and the half's mirror image backwards."""
    there = np.array(half, float)
    return np.concatenate([there, np.array(middle, float).reshape(-1, 3), (there * (-1, 1, 1))[::-1]])


class View:
    """A camera on something that moves with a pose (T, 6)."""

    def __init__(self, take: Take, pose: np.ndarray | None = None) -> None:
        self.take, self.frames = take, len(take.pose)
        self.pose = take.pose if pose is None else pose

    def see(self, points: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """(T, M, 2) px: points (N, 3) or (T, N, 3), cm, or the curve that weights (M, N) make of them."""
        moving = np.broadcast_to(points, (self.frames, *points.shape[-2:]))
        seen = project(moving, self.pose, self.take.camera)[..., :2]
        return seen if weights is None else weights @ seen

    def trunk(self, rng: np.random.Generator) -> View:
        """The trunk's camera: it follows the head by a third, and breathes."""
        rest = self.pose.mean(axis=0)
        pose = rest + 0.3 * (self.pose - rest)
        pose[:, :3] *= 0.3
        seconds = np.arange(self.frames) / FRAME_RATE
        pose[:, 4] += 0.12 * np.sin(2 * np.pi * (0.27 * seconds + rng.random()))
        return View(self.take, pose)
