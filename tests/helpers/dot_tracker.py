"""A tracker for tests, as a plugin file: the face is the bright square of `media.picture`, wherever it is.

Where DOT_TRACKER_LOG names a file, every call is noted there; DOT_TRACKER_WAIT slows it down, seconds a frame.
"""

from __future__ import annotations

import os
import time

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import Face, TrackerSpec

ANGLES = np.arange(68) * 2 * np.pi / 68
SHAPE = np.stack([np.cos(ANGLES), np.sin(ANGLES), 0.4 * np.cos(3 * ANGLES)], axis=1) * [7, 5, 3]


class Dot:
    def __init__(self):
        self.shot = os.urandom(4).hex()

    def track(self, image, seconds):
        if log := os.environ.get("DOT_TRACKER_LOG"):
            with open(log, "a", encoding="utf-8") as stream:
                stream.write(f"{os.getpid()} {self.shot} {seconds:.3f}\n")
        time.sleep(float(os.environ.get("DOT_TRACKER_WAIT", "0")))
        if image[:4].mean() > 200:
            raise RuntimeError("the sky is white")
        bright = np.argwhere(image.mean(axis=2) > 180)
        if len(bright) < 100:
            return None
        y, x = bright.mean(axis=0)
        mouth, grown = 1 + 0.5 * np.sin(8 * seconds), image.shape[0] / 64
        points = SHAPE * np.where(np.arange(68)[:, None] >= 48, [1, mouth, 1], 1) * grown + [x, y, 0]
        x, y = x / grown, y / grown
        return Face(
            points,
            np.array([0.002 * y, 0.002 * x, 0.1 * np.sin(seconds)]),
            np.array([x / 50, -y / 50, -30.0]),
            float(0.1 + 0.8 * (seconds % 2 < 0.2)),
            {"where": np.array([x, y])},
        )

    def close(self):
        pass


@hookimpl
def facial_bench_trackers():
    def focal(width, height):
        return 100.0

    return [TrackerSpec("dot", "the bright square", "tests", lambda model: None, lambda model: Dot(), focal)]
