"""Paired permutation and Holm: against scipy, loops and worked values."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import permutation_test, wilcoxon

from facial_bench.core.protocol import Protocol
from facial_bench.metrics.pools import wasserstein_pool
from facial_bench.statistics.aggregate import estimator
from facial_bench.statistics.bootstrap import ratio
from facial_bench.statistics.compare import compare, holm
from facial_bench.statistics.permutation import permute
from facial_bench.statistics.rows import Entry, Row
from tests.helpers.results import make_row

RULES = Protocol(resamples=400)


def rows(values: dict[str, Sequence[float | None]], metric: str = "lmd", weight: float = 1.0) -> list[Row]:
    """One row a value: identity -> values of its clips."""

    def entry(value: float | None) -> Entry:
        if value is None:
            return Entry(value=None, reason="no")
        return Entry(value=value, weight=weight, blocks=((value * weight * 0.5, weight / 2),) * 2)

    return [
        make_row(person, f"{person}{k}", {metric: entry(value)})
        for person, own in values.items()
        for k, value in enumerate(own)
    ]


def draw(seed: int, shift: float = 0.0, clips: int = 2, people: str = "abcd") -> dict[str, list[float]]:
    rng = np.random.default_rng(seed)
    return {person: (rng.random(clips) + shift).tolist() for person in people}


def flat(values: dict[str, Sequence[float]]) -> np.ndarray:
    return np.array([value for own in values.values() for value in own])


def test_p_equals_scipys_for_a_mean_over_clips() -> None:
    a, b = draw(0), draw(1, 0.3)
    expected = permutation_test(
        (flat(a), flat(b)), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    )
    assert permute([rows(a)], [rows(b)], "lmd", ratio).p == pytest.approx(expected.pvalue, abs=1e-12)


def slow_p(a: dict[str, list[float]], b: dict[str, list[float]]) -> float:
    """Balanced over people, by a loop over all swaps."""
    places = [(person, k) for person in a for k in range(len(a[person]))]

    def gap(swapped: tuple[bool, ...]) -> float:
        total = 0.0
        for person in a:
            pairs = [
                (b[person][k], a[person][k]) if swap else (a[person][k], b[person][k])
                for (who, k), swap in zip(places, swapped, strict=True)
                if who == person
            ]
            total += np.mean([x - y for x, y in pairs]) / len(a)
        return total

    every = [abs(gap(swapped)) for swapped in itertools.product((False, True), repeat=len(places))]
    return float(np.mean([value >= every[0] - 1e-12 for value in every]))


def test_p_of_an_accuracy_is_balanced_over_people() -> None:
    a, b = draw(2), draw(3)
    a["a"], b["a"] = a["a"] * 2, b["a"] * 2
    found = permute([rows(a, "pose_accuracy", 7)], [rows(b, "pose_accuracy", 7)], "pose_accuracy", ratio)
    assert found.p == pytest.approx(slow_p(a, b))


def test_a_constant_difference_has_the_smallest_p() -> None:
    """Five clips, all better by one: 2 / 2^5, which cannot be significant."""
    a = {p: [float(k)] for k, p in enumerate("abcde")}
    b = {p: [k + 1.0] for k, p in enumerate("abcde")}
    found = compare([rows(a)], [rows(b)], "lmd", ratio, RULES)
    assert (found.p, found.smallest_p, found.clips) == (0.0625, 0.0625, 5)
    assert (found.a, found.b, found.a_higher) == (2.0, 3.0, 0.0)
    assert found.effect is None, "differences that do not spread have no standard deviation to divide by"
    assert (found.low, found.high) == (None, None), "five clips reject no difference"
    assert wilcoxon(flat(a), flat(b)).pvalue == 0.0625, "scipy's rank test agrees that this is all five pairs can say"


def test_the_same_method_twice_has_p_one() -> None:
    a = [rows(draw(0))]
    found = compare(a, a, "lmd", ratio, RULES)
    assert (found.p, found.a - found.b, found.a_higher) == (1.0, 0.0, 0.5)


def test_random_swaps_agree_with_all_of_them() -> None:
    a, b = draw(4, clips=4), draw(5, 0.25, clips=4)
    expected = permutation_test(
        (flat(a), flat(b)), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    )
    found = permute([rows(a)], [rows(b)], "lmd", ratio)
    assert found.clips == 16
    assert found.p == pytest.approx(expected.pvalue, abs=0.015)
    assert found.smallest_p == pytest.approx(1 / 10001)


def test_effect_by_hand() -> None:
    """Differences 1, 2, 3: mean 2, standard deviation 1."""
    a, b = {"a": [2.0, 4.0, 6.0]}, {"a": [1.0, 2.0, 3.0]}
    found = compare([rows(a)], [rows(b)], "lmd", ratio, RULES)
    assert found.effect == pytest.approx(2.0)
    assert found.a_higher == 1.0


def test_a_unit_of_measurement_changes_no_p_and_no_effect() -> None:
    a, b = draw(6), draw(7, 0.2)
    ten = [{p: [10 * v + 3 for v in own] for p, own in values.items()} for values in (a, b)]
    one, two = (compare([rows(x)], [rows(y)], "lmd", ratio, RULES) for x, y in ((a, b), ten))
    assert (one.p, one.a_higher) == (two.p, two.a_higher)
    assert one.effect == pytest.approx(two.effect)


def test_seeds_are_swapped_together() -> None:
    """Three seeds of the same values are one method, not three times the evidence."""
    a, b = rows(draw(8)), rows(draw(9, 0.2))
    assert permute([a] * 3, [b] * 3, "lmd", ratio).p == permute([a], [b], "lmd", ratio).p


def test_clips_that_one_of_the_two_failed_on_are_left_out_and_counted() -> None:
    a, b = draw(10), draw(11)
    b["a"][0] = None
    found = compare([rows(a)], [rows(b)], "lmd", ratio, RULES)
    assert (found.clips, found.left_out) == (7, 1)
    assert compare([rows(a)], [rows({p: [None, None] for p in a})], "lmd", ratio, RULES) is None


def test_pooled_metrics_are_estimated_anew_after_each_swap() -> None:
    rng = np.random.default_rng(0)

    def parts(shift: float) -> list[Row]:
        made = []
        for person in "ab":
            for k in range(3):
                part = tuple((rng.random(4) + shift).tolist())
                entry = Entry(part=part, blocks=(part[:2], part[2:]), items=4)
                made.append(make_row(person, f"{person}{k}", {"w1": entry}))
        return made

    real = {person: rng.random(12).tolist() for person in "ab"}
    estimate = estimator(wasserstein_pool(), real)
    a, b = parts(0.0), parts(1.0)
    found = compare([a], [b], "w1", estimate, RULES)
    assert found.p == pytest.approx(2 / 64)
    assert (found.effect, found.a_higher) == (None, None)
    assert found.low <= found.a - found.b <= found.high < 0


def test_holm_by_hand() -> None:
    """Holm (1979): 4 * 0.005, 3 * 0.01, 2 * 0.03, 1 * 0.04, made monotone."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.7, 0.9]) == [1.0, 1.0]


def slow_holm(p: list[float]) -> list[float]:
    """The largest of (m - rank + 1) p over all that are no larger."""
    return [min(max((len(p) - sum(other < q for other in p)) * q for q in p if q <= own), 1.0) for own in p]


def test_holm_equals_its_definition() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        p = rng.random(6).tolist()
        assert holm(p) == pytest.approx(slow_holm(p))
