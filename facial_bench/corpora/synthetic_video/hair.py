"""Hair: its two edges, and strands between them that sway by themselves and lag behind the head."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from facial_bench.corpora.synthetic.noise import smooth_noise
from facial_bench.corpora.synthetic.speech import FRAME_RATE
from facial_bench.corpora.synthetic_video.curves import Curves, View, both_sides, spline

# From the right end up to the parting, cm in the frame of an average head.
_SHORT_OUTER = [(7.35, 0.8, -8.0), (7.9, 3.2, -8.0), (7.8, 6.8, -7.4), (6.4, 10.4, -6.6), (3.4, 12.6, -5.8)]
_SHORT_INNER = [(6.95, 1.0, -7.4), (6.75, 3.0, -6.6), (6.3, 5.4, -4.4), (5.2, 7.3, -2.8), (2.6, 8.0, -1.4)]
_LONG_OUTER = [
    (6.6, -14.5, -4.6),
    (8.4, -10.5, -6.0),
    (8.7, -5.0, -7.4),
    (8.9, 0.4, -7.8),
    (8.4, 5.6, -7.4),
    (6.9, 10.0, -6.6),
    (3.8, 12.6, -5.6),
]
_LONG_INNER = [
    (6.0, -14.0, -4.4),
    (6.0, -10.0, -5.0),
    (6.55, -5.0, -5.6),
    (6.75, -0.6, -5.6),
    (6.4, 3.4, -4.2),
    (4.9, 6.8, -2.4),
    (2.4, 9.0, -1.4),
]
_PER = 5
"""Samples of an edge from one point to the next."""


def add_hair(shape: Curves, head: View, scale: np.ndarray, long_hair: bool, rng: np.random.Generator) -> None:
    """Add `hair outer` and `hair inner` (T, N, 2), `strands` (T, S * 7, 2) of seven points each, and `tufts`, px.

    Args:
        shape: what they are added to.
        head: the view of the head's frame.
        scale: (3,) this head against the average one.
        long_hair: with a parting, to the shoulders; else short.
        rng: of the strands and of how they sway.
    """
    if long_hair:
        edges = both_sides(_LONG_OUTER, [(0.3, 13.3, -5.0)]), both_sides(_LONG_INNER, [(0.9, 10.2, -1.4)])
    else:
        edges = both_sides(_SHORT_OUTER, [(0.2, 13.2, -5.4)]), both_sides(_SHORT_INNER, [(0, 7.7, -1.0)])
    line = spline(len(edges[0]), _PER)
    sway = _sway(head, rng)
    hang = np.clip((3.0 - line @ edges[0][:, 1]) / 17, 0, 1)[:, None]
    left = (line @ edges[0][:, 0] < 0).astype(int)
    outer, inner = (head.see(edge * scale, line) + hang * sway[:, left] for edge in edges)
    shape["hair outer"], shape["hair inner"] = outer, inner
    strands = _long_strands if long_hair else _short_strands
    shape["strands"] = strands(outer, inner, rng)


def _sway(head: View, rng: np.random.Generator) -> np.ndarray:
    """(T, 2, 2) px, of the hair's ends right and left: the air, and inertia against the head's moves."""
    centre = head.see(np.array([[0.0, -6.0, -6.0]]))
    late = lfilter([0.22], [1, -0.78], centre - centre[:1], axis=0) + centre[:1]
    air = smooth_noise(head.frames, 0.45, FRAME_RATE, rng, (2, 2)) * (1.6, 0.3)
    return air + 0.6 * (late - centre)


def _long_strands(outer: np.ndarray, inner: np.ndarray, rng: np.random.Generator, count: int = 22) -> np.ndarray:
    """Along the hair, from the parting down either side: (T, count * 7, 2)."""
    frames, points, _ = outer.shape
    middle, strands = points // 2, []
    for number in range(count):
        share, side = rng.uniform(0.08, 0.92), number % 2
        start, stop = rng.integers(0, 5), middle - rng.integers(1, 4)
        at = np.linspace(start, stop, 7).round().astype(int)
        at = at if side else points - 1 - at
        wave = smooth_noise(frames, 0.4, FRAME_RATE, rng, (2,))[:, None] * np.linspace(0.9, 0, 7)[:, None]
        bend = share + 0.1 * np.sin(np.linspace(0, 5, 7) + rng.uniform(0, 6))
        strands.append(outer[:, at] * (1 - bend[:, None]) + inner[:, at] * bend[:, None] + wave)
    return np.concatenate(strands, axis=1)


def _short_strands(outer: np.ndarray, inner: np.ndarray, rng: np.random.Generator, count: int = 34) -> np.ndarray:
    """From the crown forward to the hairline, ends a little over it: (T, count * 7, 2)."""
    frames, points, _ = outer.shape
    strands = []
    for root in np.linspace(4, points - 5, count):
        low, end = int(root), int(np.clip(root + rng.normal(-1.5, 1.0), 2, points - 3))
        along = np.linspace(rng.uniform(0.1, 0.35), rng.uniform(0.9, 1.07), 7)[:, None]
        path = outer[:, low, None] * (1 - along) + inner[:, end, None] * along
        wave = smooth_noise(frames, 0.5, FRAME_RATE, rng, (2,))[:, None] * np.linspace(0, 0.8, 7)[:, None]
        lift = np.sin(np.pi * np.linspace(0, 1, 7))[:, None] * (rng.uniform(-1.5, 1.5), -1.5)
        strands.append(path + lift + wave)
    return np.concatenate(strands, axis=1)
