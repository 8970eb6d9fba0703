"""Pools against scipy and loops: values of a person from several clips, many resamplings at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.stats import wasserstein_distance

from facial_bench.metrics.pools import frechet_pool, mean_pool, rate_distance_pool, ratio_pool, wasserstein_pool
from facial_bench.types import Pool

WIDTH = 3


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def resample(pool: Pool, clips: list[np.ndarray], real: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return pool.estimate([pool.reduce(clip) for clip in clips], counts, pool.reduce(real))


def taken(clips: list[np.ndarray], row: np.ndarray) -> np.ndarray:
    return np.concatenate([clip for clip, count in zip(clips, row, strict=True) for _ in range(count)])


def slow_frechet(items: np.ndarray, real: np.ndarray) -> float:
    one, two = np.cov(items, rowvar=False), np.cov(real, rowvar=False)
    root = sqrtm(one @ two)
    gap = items.mean(0) - real.mean(0)
    return float(gap @ gap + np.trace(one + two - 2 * root.real))


TWINS: dict[str, tuple[Pool, int, Callable[[np.ndarray, np.ndarray], float]]] = {
    "mean": (mean_pool(), 0, lambda items, real: sum(items) / len(items)),
    "rate": (rate_distance_pool(), 0, lambda items, real: abs(sum(items) / len(items) - sum(real) / len(real))),
    "ratio": (ratio_pool(), 2, lambda items, real: sum(items[:, 0]) / sum(items[:, 1])),
    "wasserstein": (wasserstein_pool(), 0, wasserstein_distance),
    "frechet": (frechet_pool(WIDTH), WIDTH, slow_frechet),
}


@pytest.mark.parametrize("name", TWINS)
def test_every_resampling_equals_the_slow_twin_on_the_items_taken(name: str, rng: np.random.Generator) -> None:
    pool, width, slow = TWINS[name]
    clips = [rng.random((n, width) if width else n).round(2) for n in (9, 5, 12)]
    real = rng.random((15, width) if width else 15).round(2)
    counts = rng.integers(1, 4, size=(20, 3))
    expected = [slow(taken(clips, row), real) for row in counts]
    np.testing.assert_allclose(resample(pool, clips, real, counts), expected, atol=1e-9)


@pytest.mark.parametrize("name", ["rate", "wasserstein", "frechet"])
def test_real_against_itself_is_zero(name: str, rng: np.random.Generator) -> None:
    pool, width, _ = TWINS[name]
    clips = [rng.random((n, width) if width else n) for n in (9, 6)]
    value = resample(pool, clips, np.concatenate(clips), np.array([[1, 1], [3, 3]]))
    assert value[0] == pytest.approx(0, abs=1e-12)
    assert value[1] == pytest.approx(0, abs=0.1 if name == "frechet" else 1e-12), "unbiased covariances of 3 n items"


@pytest.mark.parametrize("name", TWINS)
def test_without_items_nothing_is_defined(name: str, rng: np.random.Generator) -> None:
    pool, width, _ = TWINS[name]
    empty, some = (np.zeros((0, width) if width else 0), rng.random((8, width) if width else 8))
    assert all(np.isfinite(number) for number in pool.reduce(empty))
    values = resample(pool, [empty, some], some, np.array([[1, 0], [1, 1], [0, 1]]))
    assert np.isnan(values[0])
    assert values[1] == pytest.approx(values[2])


@pytest.mark.parametrize("name", ["rate", "wasserstein", "frechet"])
def test_without_real_items_nothing_is_defined(name: str, rng: np.random.Generator) -> None:
    pool, width, _ = TWINS[name]
    some = rng.random((8, width) if width else 8)
    assert np.isnan(resample(pool, [some], some[:0], np.array([[1], [2]]))).all()


def test_wasserstein_by_hand_and_shifted_together(rng: np.random.Generator) -> None:
    pool = wasserstein_pool()
    one = np.array([[1]])
    assert resample(pool, [np.array([0.0, 1.0])], np.array([0.0, 3.0]), one) == pytest.approx(1.0)
    a, b = rng.random(7), rng.random(9)
    assert resample(pool, [a + 5], b + 5, one) == pytest.approx(resample(pool, [a], b, one))


def test_frechet_by_hand() -> None:
    """Unit circle against twice its size: means (0, 0) and (1, 0), covariances s I and 4 s I: 1 + 2 s (1 - 2)^2."""
    circle = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    s = 2 / 3
    found = resample(frechet_pool(2), [circle], 2 * circle + [1, 0], np.array([[1]]))
    assert found == pytest.approx(1 + 2 * s)


def test_frechet_is_blind_to_a_rotation_of_both(rng: np.random.Generator) -> None:
    a, b = rng.random((30, WIDTH)), rng.random((25, WIDTH))
    turn = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0]
    one = np.array([[1]])
    pool = frechet_pool(WIDTH)
    assert resample(pool, [a @ turn], b @ turn, one) == pytest.approx(resample(pool, [a], b, one))


def test_frechet_needs_more_items_than_dimensions(rng: np.random.Generator) -> None:
    pool, real = frechet_pool(WIDTH), rng.random((9, WIDTH))
    assert np.isnan(resample(pool, [rng.random((3, WIDTH))], real, np.array([[1]])))
    assert np.isfinite(resample(pool, [rng.random((4, WIDTH))], real, np.array([[1]])))
