"""Drawing many small pictures at once with numpy: warped coordinates, filled outlines, lines.

Pixel k covers k .. k + 1 in either direction; its centre is at k + 1/2. B is a number of pictures, S their side in
pixels. Everything is float32 and costs well under a millisecond a picture of 128 pixels.
"""

from __future__ import annotations

import numpy as np

SUBROWS = 4
"""Lines within a row of pixels at which the coverage of an outline is measured."""
EDGE = 1e-3
"""Pixels by which triangles overlap, so that rounding leaves no crack."""
FLAT = 1e-3
"""Twice the area, in square pixels, below which a triangle is not drawn."""


def warped_coordinates(points: np.ndarray, values: np.ndarray, triangles: np.ndarray, size: int) -> np.ndarray:
    """Values of the corners of a triangle mesh, interpolated linearly over every triangle.

    Args:
        points: (B, P, 2) pixels, where the corners lie.
        values: (B or 1, P, 2), what each corner carries.
        triangles: (M, 3) int indices of corners, turning so that their signed area is positive. One that lies turned
            over in a picture is not drawn there.
        size: S.

    Returns:
        (B, 2, S, S) float32. Pixels without a triangle carry their own centre, in pixels.
    """
    count = len(points)
    a, b, c = (points[:, triangles[:, k]].reshape(-1, 2).astype(np.float32) for k in range(3))
    carried = np.broadcast_to(values, (count, *values.shape[1:]))
    u, v, w = (carried[:, triangles[:, k]].reshape(-1, 2).astype(np.float32) for k in range(3))
    picture = np.repeat(np.arange(count), len(triangles))
    twice = _cross(a, b, c)
    drawn = np.flatnonzero(twice > FLAT)
    a, b, c, u, v, w = (part[drawn] for part in (a, b, c, u, v, w))
    picture, twice = picture[drawn], twice[drawn]
    e, f, du, dv = b - a, c - a, v - u, w - u
    across = (du * f[:, 1:] - dv * e[:, 1:]) / twice[:, None]
    down = (dv * e[:, :1] - du * f[:, :1]) / twice[:, None]
    which, row, first, runs = _spans(a, b, c, size)
    start = u[which] + across[which] * (first + 0.5 - a[which, 0])[:, None]
    start += down[which] * (row + 0.5 - a[which, 1])[:, None]
    ends = np.cumsum(runs)
    along = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - runs, runs)
    place = np.repeat(picture[which] * (2 * size * size) + row * size + first, runs) + along
    maps = np.empty((count, 2, size, size), dtype=np.float32)
    centres = np.arange(size, dtype=np.float32) + 0.5
    maps[:, 0], maps[:, 1] = centres, centres[:, None]
    flat, step = maps.reshape(-1), along.astype(np.float32)
    for axis in range(2):
        slope = across[which, axis]
        flat[place + axis * size * size] = np.repeat(start[:, axis], runs) + np.repeat(slope, runs) * step
    return maps


def filled(outlines: np.ndarray, size: int) -> np.ndarray:
    """The share of each pixel that a closed outline covers.

    Args:
        outlines: (B, N, 2) pixels, N corners in order.
        size: S.

    Returns:
        (B, S, S) float32 in 0..1: exact along rows, sampled at four lines of a row. Where an outline crosses itself
        its parts count by how often it winds around them.
    """
    count = len(outlines)
    start = outlines.astype(np.float32)
    stop = np.roll(start, -1, axis=1)
    lines = (np.arange(size * SUBROWS, dtype=np.float32) + 0.5) / SUBROWS
    low, high = start[..., 1], stop[..., 1]
    crosses = (np.minimum(low, high)[..., None] <= lines) & (lines < np.maximum(low, high)[..., None])
    picture, edge, line = np.nonzero(crosses)
    p, q = start[picture, edge], stop[picture, edge]
    x = p[:, 0] + (lines[line] - p[:, 1]) * (q[:, 0] - p[:, 0]) / (q[:, 1] - p[:, 1])
    x = np.clip(x, 0, size)
    left = np.minimum(x.astype(np.int64), size - 1)
    part = x - left
    place = (picture * size + line // SUBROWS) * (size + 1) + left
    amount = np.where(q[:, 1] > p[:, 1], 1.0, -1.0) / SUBROWS
    length = count * size * (size + 1)
    steps = np.bincount(place, amount * (1 - part), length) + np.bincount(place + 1, amount * part, length)
    covered = np.cumsum(steps.reshape(count, size, size + 1)[..., :size].astype(np.float32), axis=2)
    return np.minimum(np.abs(covered), np.float32(1))


def strokes(starts: np.ndarray, stops: np.ndarray, size: int) -> np.ndarray:
    """Lines about a pixel wide.

    Args:
        starts: (B, N, 2) pixels, one end of each of N lines.
        stops: (B, N, 2), the other.
        size: S.

    Returns:
        (B, S, S) float32 in 0..1: the length of line that falls to each pixel, at most 1. Spread bilinearly.
    """
    count = len(starts)
    starts, stops = starts.astype(np.float32), stops.astype(np.float32)
    lengths = np.linalg.norm(stops - starts, axis=-1)
    pieces = int(np.clip(np.ceil(2 * lengths.max(initial=0.0)), 1, 2 * size))
    along = ((np.arange(pieces, dtype=np.float32) + 0.5) / pieces)[:, None]
    spots = starts[:, :, None] + (stops - starts)[:, :, None] * along - 0.5
    weight = np.broadcast_to((lengths / pieces)[:, :, None], spots.shape[:3])
    inside = ((spots > -1) & (spots < size)).all(axis=-1)
    spots, weight = spots[inside], weight[inside]
    picture = np.nonzero(inside)[0]
    corner = np.floor(spots)
    part = spots - corner
    corner = corner.astype(np.int64) + 1  # a margin of one pixel takes what falls beside the picture
    side = size + 2
    place = picture * side * side + corner[:, 1] * side + corner[:, 0]
    length, total = count * side * side, np.zeros(count * side * side)
    for dy, share in ((0, 1 - part[:, 1]), (1, part[:, 1])):
        total += np.bincount(place + dy * side, weight * share * (1 - part[:, 0]), length)
        total += np.bincount(place + dy * side + 1, weight * share * part[:, 0], length)
    drawn = total.reshape(count, side, side)[:, 1:-1, 1:-1].astype(np.float32)
    return np.minimum(drawn, np.float32(1))


def _cross(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Twice the signed area of triangles with corners (M, 2): (M,)."""
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])


def _spans(
    a: np.ndarray, b: np.ndarray, c: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The runs of pixels that triangles cover, one a row: which triangle, row, first pixel and length, each (R,) int.

    A point is inside where it lies on the inner side of every edge: of a row each edge leaves all to one side.
    """
    height = np.stack([a[:, 1], b[:, 1], c[:, 1]])
    top = np.ceil(np.clip(height.min(axis=0) - EDGE - 0.5, 0, size)).astype(np.int64)
    bottom = np.floor(np.clip(height.max(axis=0) + EDGE - 0.5, -1, size - 1)).astype(np.int64)
    rows = np.maximum(bottom - top + 1, 0)
    which = np.repeat(np.arange(len(a)), rows)
    ends = np.cumsum(rows)
    row = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - rows - top, rows)
    low, high = np.full(len(row), -np.inf, np.float32), np.full(len(row), np.inf, np.float32)
    for p, q in ((a, b), (b, c), (c, a)):
        ex, ey = (q - p).T
        level = np.abs(ey) < EDGE
        slope = np.where(level, 0, ex / np.where(level, 1, ey))
        place = (p[:, 0] - slope * (p[:, 1] - 0.5))[which] + slope[which] * row
        low = np.where((ey < -EDGE / 2)[which] & ~level[which], np.maximum(low, place), low)
        high = np.where((ey > EDGE / 2)[which] & ~level[which], np.minimum(high, place), high)
    first = np.ceil(np.clip(low - EDGE - 0.5, 0, size)).astype(np.int64)
    last = np.floor(np.clip(high + EDGE - 0.5, -1, size - 1)).astype(np.int64)
    runs = np.maximum(last - first + 1, 0)
    kept = runs > 0
    return which[kept], row[kept], first[kept], runs[kept]
