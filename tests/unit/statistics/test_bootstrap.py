"""The bootstrap and the label permutation, against slow twins and worked values."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import binomtest

from facial_bench.statistics.bootstrap import Unit, bootstrap_draws, interval, label_permutation_p, point, ratio, spread


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def units(**people: list[tuple[float, float]]) -> list[Unit]:
    return [Unit(person, (total, weight)) for person, rows in people.items() for total, weight in rows]


def slow_ratio(rows: list[Unit], shares: dict[str, float]) -> float:
    value = 0.0
    for person, share in shares.items():
        top = bottom = 0.0
        for unit in rows:
            if unit.identity == person:
                top, bottom = top + unit.numbers[0], bottom + unit.numbers[1]
        value += share * top / bottom
    return value


def test_ratio_by_hand() -> None:
    rows = units(a=[(1, 4), (3, 4)], b=[(2, 2)])
    assert ratio("a", rows[:2], np.array([[1, 1], [2, 0]])).tolist() == [0.5, 0.25]
    assert point([rows], {"a": 0.5, "b": 0.5}) == 0.75
    assert point([rows], {"a": 0.25, "b": 0.75}) == 0.875


def test_ratio_equals_its_slow_twin() -> None:
    r = rng(1)
    rows = units(**{p: list(zip(r.random(4), 1 + r.random(4), strict=True)) for p in "abc"})
    shares = {"a": 0.2, "b": 0.3, "c": 0.5}
    assert point([rows], shares) == pytest.approx(slow_ratio(rows, shares), abs=1e-12)


def test_a_value_is_the_mean_over_the_seeds() -> None:
    one, two = units(a=[(1, 1), (2, 1)]), units(a=[(3, 1), (4, 1)])
    assert point([one, two], {"a": 1.0}) == 2.5


def slow_draws(groups: list[list[Unit]], shares: dict[str, float], count: int, r: np.random.Generator) -> np.ndarray:
    """Resample seeds and units in loops, in the same order of random numbers."""
    n_seeds = len(groups)
    chosen = r.integers(n_seeds, size=(count, max(n_seeds - 1, 1)))
    values = np.zeros(count)
    for person in shares:
        own = [[u for u in rows if u.identity == person] for rows in groups]
        picks = r.integers(len(own[0]), size=(count, len(own[0]) - 1))
        for k in range(count):
            for s in chosen[k]:
                top = sum(own[s][i].numbers[0] for i in picks[k])
                bottom = sum(own[s][i].numbers[1] for i in picks[k])
                values[k] += shares[person] * top / bottom / len(chosen[k])
    return values


@pytest.mark.parametrize("n_seeds", [1, 3])
def test_draws_equal_their_slow_twin(n_seeds: int) -> None:
    r = rng(2)
    groups = [
        units(**{p: list(zip(r.random(n), 1 + r.random(n), strict=True)) for p, n in {"a": 2, "b": 5}.items()})
        for _ in range(n_seeds)
    ]
    shares = {"a": 0.5, "b": 0.5}
    fast = bootstrap_draws(groups, shares, 50, rng(3))
    np.testing.assert_allclose(fast, slow_draws(groups, shares, 50, rng(3)), atol=1e-12)


def test_the_spread_of_the_draws_is_the_standard_error_of_a_stratified_mean() -> None:
    values = {p: rng(k).random(4) for k, p in enumerate("abc")}
    rows = units(**{p: [(v, 1) for v in found] for p, found in values.items()})
    draws = bootstrap_draws([rows], dict.fromkeys("abc", 1 / 3), 40000, rng())
    variance = sum(found.var(ddof=1) / 4 for found in values.values()) / 9
    assert draws.var() == pytest.approx(variance, rel=0.05)


def settings(**more: object) -> dict[str, object]:
    return {"resamples": 2000, "confidence": 0.95, "rng": rng(), "proportion": True, **more}


def test_one_unit_of_an_identity_gives_no_interval() -> None:
    assert interval([units(a=[(1, 2)], b=[(1, 2), (2, 2)])], {"a": 0.5, "b": 0.5}, **settings()) is None


def test_a_proportion_without_spread_takes_the_wilson_interval() -> None:
    rows = units(a=[(4, 4)] * 5, b=[(4, 4)] * 5)
    low, high = interval([rows], {"a": 0.5, "b": 0.5}, **settings())
    expected = binomtest(10, 10).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, 1.0))
    assert low < 0.8


def test_zero_distance_everywhere_is_zero_and_another_constant_has_no_interval() -> None:
    shares = {"a": 1.0}
    assert interval([units(a=[(0, 1)] * 3)], shares, **settings(proportion=False)) == (0.0, 0.0)
    assert interval([units(a=[(2, 1)] * 3)], shares, **settings(proportion=False)) is None


def test_the_interval_holds_the_value_and_scales_with_it() -> None:
    r = rng(5)
    values = r.random(8)
    one = units(a=[(v, 1) for v in values])
    ten = units(a=[(10 * v, 1) for v in values])
    low, high = interval([one], {"a": 1.0}, **settings(proportion=False))
    assert low < values.mean() < high
    assert interval([ten], {"a": 1.0}, **settings(proportion=False)) == pytest.approx((10 * low, 10 * high))


def test_few_units_widen_the_interval_as_students_t_does() -> None:
    """Of deviations -1 and 1: two units of one person have one degree of freedom, 12.706 against 1.960."""
    ends = np.repeat([-1.0, 1.0], 500)
    two, many = units(a=[(1, 1)] * 2), units(a=[(1, 1)] * 2000)
    assert spread(ends, two, 0.95) == pytest.approx((-12.7062 / 1.95996, 12.7062 / 1.95996), rel=1e-5)
    assert spread(ends, many, 0.95) == pytest.approx((-1, 1), rel=1e-3)
    assert spread(ends, units(a=[(1, 1)] * 2, b=[(1, 1)] * 2), 0.95)[1] == pytest.approx(4.30265 / 1.95996, rel=1e-5)


def test_a_proportion_stays_between_nothing_and_all() -> None:
    low, high = interval([units(a=[(1, 4), (4, 4), (4, 4)])], {"a": 1.0}, **settings())
    assert (low, high) == (0.0, 1.0)


def test_a_moved_distance_stays_a_distance() -> None:
    rows = units(a=[(5, 1), (1, 1), (3, 1)])
    assert interval([rows], {"a": 1.0}, **settings(proportion=False, value=0.5))[0] == 0.0


def test_a_second_seed_that_differs_widens_the_interval() -> None:
    r = rng(6)
    values = r.random(12)
    alone = interval([units(a=[(v, 1) for v in values])], {"a": 1.0}, **settings())
    both = interval([units(a=[(v + shift, 1) for v in values]) for shift in (-0.5, 0.0, 0.5)], {"a": 1.0}, **settings())
    assert both[1] - both[0] > 2 * (alone[1] - alone[0])


def slow_p(votes: np.ndarray, windows: np.ndarray, labels: np.ndarray) -> list[float]:
    def accuracy(m: int, order: tuple[int, ...]) -> float:
        shares = []
        for k in range(votes.shape[2]):
            mine = [c for c in range(len(order)) if order[c] == k]
            shares.append(sum(votes[m, c, k] for c in mine) / sum(windows[c] for c in mine))
        return sum(shares) / len(shares)

    models = range(len(votes))
    best = [max(accuracy(m, order) for m in models) for order in itertools.permutations(labels)]
    return [sum(b >= accuracy(m, tuple(labels)) - 1e-12 for b in best) / len(best) for m in models]


def test_the_exact_p_is_the_worked_value() -> None:
    perfect = np.diag([5.0, 4, 3, 2, 1])
    p = label_permutation_p(perfect[None], perfect.sum(1), np.arange(5), permutations=2000, rng=rng())
    assert p.tolist() == [1 / 120]


def test_the_exact_p_equals_its_slow_twin() -> None:
    windows = np.array([7.0, 3, 5, 6, 4])
    draws = [[rng(10 * m + c).multinomial(int(windows[c]), np.full(5, 0.2)) for c in range(5)] for m in range(3)]
    votes = np.array(draws)
    for order in ([0, 1, 2, 3, 4], [1, 0, 2, 4, 3], [4, 4, 1, 0, 0]):
        labels = np.unique(order, return_inverse=True)[1]
        some = votes[:, :, : labels.max() + 1].astype(float)
        p = label_permutation_p(some, windows, labels, permutations=2000, rng=rng())
        assert p.tolist() == pytest.approx(slow_p(some, windows, labels))


def test_a_blind_classifier_has_p_one_whatever_the_others_do() -> None:
    blind = np.tile([3.0, 0, 0], (6, 1))
    labels = np.array([0, 0, 1, 1, 2, 2])
    good = 3.0 * np.eye(3)[labels]
    p = label_permutation_p(np.stack([blind, good]), blind.sum(1), labels, permutations=720, rng=rng())
    assert p[0] == 1.0
    assert p[1] == pytest.approx(8 / 720)


def test_random_shuffles_agree_with_all_of_them() -> None:
    votes = np.stack([[rng(c).multinomial(5, np.full(3, 1 / 3)) for c in range(6)]]).astype(float)
    labels = np.array([0, 0, 1, 1, 2, 2])
    exact = label_permutation_p(votes, np.full(6, 5.0), labels, permutations=720, rng=rng())
    drawn = label_permutation_p(votes, np.full(6, 5.0), labels, permutations=719, rng=rng())
    assert drawn == pytest.approx(exact, abs=0.06)


def test_any_of_five_blind_classifiers_is_accepted_no_more_often_than_the_level() -> None:
    r = rng(9)
    labels = np.repeat(np.arange(5), 2)
    accepted = 0
    for _ in range(400):
        votes = r.dirichlet(np.full(5, 0.3), size=(5, 10)) * 8
        accepted += label_permutation_p(votes, np.full(10, 8.0), labels, permutations=199, rng=r).min() < 0.05
    assert accepted / 400 < 0.085
