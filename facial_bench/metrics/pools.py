"""Pools: how one value of a person comes from what its clips hold, for many resamplings at once.

Notation: a person has U clips (or blocks); counts (R, U) say how often each is taken in each of R resamplings.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facial_bench.core.types import Pool

Parts = Sequence[Sequence[float]]
CELLS = 2**23
"""Resamples x items that are looked at together: 64 MiB of float64."""


def mean_pool() -> Pool:
    """The mean of all items; the person's real items are not looked at. NaN without an item.

    >>> mean_pool().estimate([[2, 3.0], [0, 0.0]], np.array([[1, 1], [0, 1]]), [1, 9.0]).tolist()
    [1.5, nan]
    """
    return Pool(_sums, lambda parts, counts, reference: _means(parts, counts))


def rate_distance_pool() -> Pool:
    """|mean of all items - mean of the person's real items|: of a rate, where an item is a frame.

    >>> rate_distance_pool().estimate([[2, 3.0]], np.array([[1]]), [1, 2.5]).tolist()
    [1.0]
    """

    def estimate(parts: Parts, counts: np.ndarray, reference: Sequence[float]) -> np.ndarray:
        return np.abs(_means(parts, counts) - _means([reference], np.ones((1, 1)))[0])

    return Pool(_sums, estimate)


def ratio_pool() -> Pool:
    """Sum of the first column of the items / sum of the second; NaN where the latter is not positive."""

    def estimate(parts: Parts, counts: np.ndarray, reference: Sequence[float]) -> np.ndarray:
        above, below = (counts @ np.array(parts, dtype=np.float64)).T
        return np.divide(above, below, out=np.full(len(counts), np.nan), where=below > 0)

    return Pool(lambda values: values.reshape(-1, 2).sum(axis=0).tolist(), estimate)


def wasserstein_pool() -> Pool:
    """Wasserstein-1 distance between the items and the person's real items: the area between the two distribution
    functions (Villani 2003, 2.18). NaN where either has no item.

    >>> wasserstein_pool().estimate([[1.0, 2.0], [5.0]], np.array([[1, 0], [1, 1]]), [2.0, 3.0]).round(4).tolist()
    [1.0, 1.1667]
    """

    def estimate(parts: Parts, counts: np.ndarray, reference: Sequence[float]) -> np.ndarray:
        own = [np.sort(np.asarray(part, np.float64)) for part in parts]
        real = np.sort(np.asarray(reference, np.float64))
        grid = np.sort(np.concatenate([*own, real]))
        distances = np.full(len(counts), np.nan)
        if len(grid) == len(real) or not len(real):
            return distances
        below = np.array([np.searchsorted(part, grid[:-1], side="right") for part in own], dtype=np.float64)
        sizes = np.array([len(part) for part in own], dtype=np.float64)
        theirs = np.searchsorted(real, grid[:-1], side="right") / len(real)
        for some in np.array_split(np.arange(len(counts)), 1 + len(counts) * len(grid) // CELLS):
            taken = np.asarray(counts[some], np.float64)
            total = (taken @ sizes)[:, None]
            mass = taken @ below
            ours = np.divide(mass, total, out=np.full(mass.shape, np.nan), where=total > 0)
            distances[some] = np.abs(ours - theirs) @ np.diff(grid)
        return distances

    return Pool(lambda values: np.sort(values.ravel()).tolist(), estimate)


def frechet_pool(width: int) -> Pool:
    """Frechet distance between Gaussians fitted to the items (n, width) and to the person's real items:
    |m - m'|^2 + tr(S + S' - 2 (S S')^1/2), S unbiased (Dowson and Landau 1982, eq. 4). NaN unless both sides have more
    items than dimensions.

    tr (S S')^1/2 is the sum of the square roots of the eigenvalues of S'^1/2 S S'^1/2, which is symmetric.
    """

    def reduce(values: np.ndarray) -> list[float]:
        items = values.reshape(-1, width)
        return [float(len(items)), *items.sum(axis=0), *(items.T @ items)[np.triu_indices(width)]]

    def estimate(parts: Parts, counts: np.ndarray, reference: Sequence[float]) -> np.ndarray:
        n, mean, spread = _moments(counts @ np.array(parts, dtype=np.float64), width)
        real_n, real_mean, real_spread = _moments(np.array([reference], dtype=np.float64), width)
        enough = (n > width) & (real_n[0] > width)
        if not enough.any():
            return np.full(len(counts), np.nan)
        values, vectors = np.linalg.eigh(real_spread[0])
        root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
        crossed = np.linalg.eigvalsh(root @ spread[enough] @ root)
        overlap = np.sqrt(np.clip(crossed, 0, None)).sum(axis=1)
        distances = np.full(len(counts), np.nan)
        traces = np.trace(spread[enough], axis1=1, axis2=2) + np.trace(real_spread[0])
        distances[enough] = ((mean[enough] - real_mean[0]) ** 2).sum(axis=1) + traces - 2 * overlap
        return np.clip(distances, 0, None)  # rounding; the distance is not negative

    return Pool(reduce, estimate)


def _sums(values: np.ndarray) -> list[float]:
    return [float(values.size), float(values.sum())]


def _means(parts: Parts, counts: np.ndarray) -> np.ndarray:
    sizes, sums = np.array(parts, dtype=np.float64).T
    n = counts @ sizes
    return np.divide(counts @ sums, n, out=np.full(len(counts), np.nan), where=n > 0)


def _moments(sums: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(R, 1 + d + d (d + 1) / 2) sums -> n (R,), means (R, d), unbiased covariances (R, d, d); NaN where n < 2."""
    n = sums[:, 0]
    safe = np.where(n > 1, n, np.nan)[:, None]
    mean = sums[:, 1 : 1 + width] / safe
    products = np.zeros((len(sums), width, width))
    above, right = np.triu_indices(width)
    products[:, above, right] = products[:, right, above] = sums[:, 1 + width :]
    spread = (products - safe[..., None] * mean[:, :, None] * mean[:, None, :]) / (safe[..., None] - 1)
    return n, mean, spread
