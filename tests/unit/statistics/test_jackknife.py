"""Intervals of pooled metrics, against Student's t, loops and worked values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from facial_bench.metrics.pools import frechet_pool, mean_pool, wasserstein_pool
from facial_bench.statistics.aggregate import estimator
from facial_bench.statistics.bootstrap import Estimate, Unit, point, ratio
from facial_bench.statistics.jackknife import RESAMPLES, jackknife_interval, left_out_values, paired_interval


def means(**people: list[float]) -> list[Unit]:
    """Clips of one item each."""
    return [Unit(person, (1.0, value)) for person, own in people.items() for value in own]


MEAN = estimator(mean_pool(), {person: (1.0, 1.0) for person in "ab"})


def found(groups: list[list[Unit]], shares: dict[str, float], estimate: Estimate = MEAN) -> tuple[float, float] | None:
    value = point(groups, shares, estimate)
    return jackknife_interval(groups, shares, confidence=0.95, estimate=estimate, value=value)


def test_of_a_mean_of_alike_clips_it_is_students_interval() -> None:
    """1, 3, 8: mean 4, standard error sqrt(13 / 3), two degrees of freedom."""
    assert left_out_values("a", means(a=[1.0, 3.0, 8.0]), MEAN).tolist() == [5.5, 4.5, 2.0]
    expected = t.interval(0.95, 2, 4, np.sqrt(13 / 3))
    assert expected == pytest.approx((-4.96, 12.96), abs=0.01)
    low, high = found([means(a=[1.0, 3.0, 8.0])], {"a": 1.0})
    assert (low, high) == pytest.approx((0.0, expected[1]), rel=0.03), "what is never negative ends at 0"
    low, high = found([means(a=[-1.0, -3.0, -8.0])], {"a": 1.0})
    assert (low, high) == pytest.approx((-expected[1], -expected[0]), rel=0.05)


def slow(groups: list[list[Unit]], shares: dict[str, float], estimate: Estimate) -> tuple[float, float]:
    """Everything in loops; a value without a unit is estimated of a shorter list."""
    variance, drawn, units, values, rng = 0.0, 0.0, 0, [], np.random.default_rng(0)
    for person, share in shares.items():
        own = [[u for u in group if u.identity == person] for group in groups]
        n, left = len(own[0]), []
        for k in range(n):
            rest = [seed[:k] + seed[k + 1 :] for seed in own]
            left.append(np.mean([estimate(person, r, np.ones((1, n - 1)))[0] for r in rest]))
        variance += share**2 * (n - 1) / n * sum((one - np.mean(left)) ** 2 for one in left)
        picked = rng.multinomial(n - 1, np.full(n, 1 / n), size=RESAMPLES)
        taken = [[[unit for unit, c in zip(s, row, strict=True) for _ in range(c)] for s in own] for row in picked]
        again = [np.mean([estimate(person, some, np.ones((1, n - 1)))[0] for some in row]) for row in taken]
        drawn += share**2 * np.var(again)
        units += n - 1
    for group in groups:
        values.append(point([group], shares, estimate))
    variance = min(variance, (variance + drawn) / 2)
    noise = np.var(values, ddof=1) / len(values) if len(values) > 1 else 0.0
    freedom = units
    if noise > 0:
        freedom = (variance + noise) ** 2 / (variance**2 / units + noise**2 / (len(values) - 1))
    reach = t.ppf(0.975, freedom) * np.sqrt(variance + noise)
    return np.mean(values) - reach, np.mean(values) + reach


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("kind", ["w1", "frechet"])
def test_it_equals_its_slow_twin(seeds: int, kind: str) -> None:
    rng = np.random.default_rng(seeds)
    pool = wasserstein_pool() if kind == "w1" else frechet_pool(2)
    shape = (9,) if kind == "w1" else (9, 2)
    estimate = estimator(pool, {p: pool.reduce(rng.standard_normal((20, *shape[1:]))) for p in "ab"})
    groups = [
        [
            Unit(p, tuple(pool.reduce(3 + off + rng.standard_normal(shape))))
            for p, n in (("a", 3), ("b", 5))
            for _ in range(n)
        ]
        for off in rng.standard_normal(seeds)
    ]
    shares = {"a": 0.5, "b": 0.5}
    low, high = slow(groups, shares, estimate)
    assert found(groups, shares, estimate) == pytest.approx((max(low, 0), high))


def test_at_zero_and_where_nothing_differs_there_is_none() -> None:
    assert found([means(a=[2.0, 2.0, 2.0])], {"a": 1.0}) is None
    assert found([means(a=[0.0, 0.0])], {"a": 1.0}) == (0.0, 0.0), "a face that never blinks"
    assert found([means(a=[1.0, 2.0], b=[1.0])], {"a": 0.5, "b": 0.5}) is None, "one unit has no spread"


def test_a_value_that_hangs_on_one_clip_has_none() -> None:
    """The only blinks of a person are in one clip."""
    units = [Unit("a", (3.0, 9.0)), Unit("a", (0.0, 0.0))]
    assert point([units], {"a": 1.0}, MEAN) == 3.0
    assert found([units], {"a": 1.0}) is None


def test_it_scales_and_does_not_depend_on_the_order_of_clips() -> None:
    one = found([means(a=[5.0, 7.0, 8.0, 6.5])], {"a": 1.0})
    assert found([means(a=[6.5, 8.0, 5.0, 7.0])], {"a": 1.0}) == pytest.approx(one, rel=0.02)
    assert found([means(a=[50.0, 70.0, 80.0, 65.0])], {"a": 1.0}) == pytest.approx((10 * one[0], 10 * one[1]))


def test_seeds_that_differ_widen_it() -> None:
    values = [5.0, 7.0, 8.0, 6.5]
    alone = found([means(a=values)] * 3, {"a": 1.0})
    apart = found([means(a=[v + off for v in values]) for off in (-2, 0, 2)], {"a": 1.0})
    assert alone == pytest.approx(found([means(a=values)], {"a": 1.0}))
    assert apart[1] - apart[0] > 1.5 * (alone[1] - alone[0])


def test_a_mean_with_weights_is_left_out_by_its_weight() -> None:
    units = [Unit("a", (1.0, 1.0)), Unit("a", (1.0, 0.5)), Unit("a", (3.0, 1.0))]
    assert left_out_values("a", units, ratio) == pytest.approx([4 / 1.5, 2.0, 2 / 1.5])


def test_of_paired_alike_clips_it_is_students_interval() -> None:
    """Differences 1, 2, 6: mean 3, standard error sqrt(7 / 3), two degrees of freedom."""
    a, b = means(a=[2.0, 5.0, 14.0]), means(a=[1.0, 3.0, 8.0])
    ends = paired_interval([a], [b], {"a": 1.0}, confidence=0.95, estimate=MEAN, difference=3.0)
    assert ends == pytest.approx(t.interval(0.95, 2, 3, np.sqrt(7 / 3)))


def test_a_paired_difference_of_the_same_is_nothing_and_of_a_constant_is_sure() -> None:
    a, more = means(a=[1.0, 3.0, 8.0], b=[2.0, 2.5]), means(a=[2.0, 4.0, 9.0], b=[3.0, 3.5])
    shares = {"a": 0.5, "b": 0.5}
    pair = {"confidence": 0.95, "estimate": MEAN}
    assert paired_interval([a], [a], shares, difference=0.0, **pair) == (0.0, 0.0)
    assert paired_interval([more], [a], shares, difference=1.0, **pair) == pytest.approx((1.0, 1.0))


def test_a_paired_interval_is_that_of_the_left_out_differences() -> None:
    """Against loops over shorter lists, with a pool that is no mean and two draws of the second side."""
    rng, shares = np.random.default_rng(1), {"a": 0.25, "b": 0.75}
    estimate = estimator(wasserstein_pool(), {"a": (0.0, 1.0, 2.0), "b": (1.0, 1.5)})

    def side() -> list[Unit]:
        return [
            Unit(p, tuple(sorted(rng.normal(k, 1, 4)))) for p, k in (("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 3))
        ]

    a, b = [side()], [side(), side()]
    variance = 0.0
    for person, share in shares.items():
        own = [[[u for u in seed if u.identity == person] for seed in part] for part in (a, b)]
        n, away = len(own[0][0]), []
        for k in range(n):
            values = [np.mean([estimate(person, s[:k] + s[k + 1 :], np.ones((1, n - 1)))[0] for s in p]) for p in own]
            away.append(values[0] - values[1])
        variance += share**2 * (n - 1) / n * sum((one - np.mean(away)) ** 2 for one in away)
    ends = paired_interval(a, b, shares, confidence=0.95, estimate=estimate, difference=0.3)
    assert ends == pytest.approx(t.interval(0.95, 3, 0.3, np.sqrt(variance)))


def test_a_paired_interval_needs_two_units_of_everyone() -> None:
    one = means(a=[1.0, 2.0], b=[3.0])
    pair = {"confidence": 0.95, "estimate": MEAN, "difference": 0.0}
    assert paired_interval([one], [one], {"a": 0.5, "b": 0.5}, **pair) is None
