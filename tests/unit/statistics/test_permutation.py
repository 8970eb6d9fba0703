"""The test of a difference with training seeds, and the interval that inverts it: loops and worked values."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import norm, t

from facial_bench.core.protocol import Protocol
from facial_bench.metrics.pools import frechet_pool, rate_distance_pool, wasserstein_pool
from facial_bench.statistics.aggregate import estimator
from facial_bench.statistics.bootstrap import Estimate, ratio
from facial_bench.statistics.compare import compare
from facial_bench.statistics.permutation import permute
from facial_bench.statistics.rows import Entry, Row
from tests.helpers.results import make_row

RULES = Protocol()


def rows(table: np.ndarray, metric: str = "lmd", weights: np.ndarray | None = None) -> list[Row]:
    """(people, clips) values -> one row each."""
    weights = np.ones(table.shape) if weights is None else weights
    return [
        make_row(str(p), f"{p}-{k}", {metric: Entry(value=float(v), weight=float(weights[p, k]))})
        for (p, k), v in np.ndenumerate(table)
    ]


def seeds(rng: np.random.Generator, count: int, shape: tuple[int, int] = (2, 4), spread: float = 0.5) -> np.ndarray:
    """(S, people, clips) values: seeds are off by something, and by something else in each clip."""
    return 2 + spread * rng.standard_normal((count, 1, 1)) + 0.3 * rng.standard_normal((count, *shape))


def groups(values: np.ndarray, metric: str = "lmd", weights: np.ndarray | None = None) -> list[list[Row]]:
    return [rows(table, metric, weights) for table in values]


def slow_p(a: np.ndarray, b: np.ndarray, weights: np.ndarray, assumed: float) -> float:
    """The definition in loops, for (S, people, clips) values of a mean over clips."""
    a, weights = a.reshape(len(a), -1) - assumed, weights.ravel() / weights.sum()
    b = b.reshape(len(b), -1)

    def gap(swapped: tuple[bool, ...]) -> float:
        return float(
            np.mean(
                [
                    sum(w * (y - x if swap else x - y) for x, y, w, swap in zip(*pair, weights, swapped, strict=True))
                    for pair in zip(a, b, strict=True)
                ]
            )
        )

    every = list(itertools.product((False, True), repeat=len(weights)))
    gaps = [gap(swapped) for swapped in every]
    away = gaps[0]
    clips = np.mean([abs(one) >= abs(away) - 1e-12 for one in gaps])
    if len(a) == 1:
        return float(clips)
    parts = [a @ weights, b @ weights]
    noise = [part.var(ddof=1) / len(a) for part in parts]
    z = norm.isf(clips / 2)
    s = abs(away) / np.sqrt(sum(noise))
    if z == 0 or s == 0:
        return 1.0
    middle = [w * np.mean(x - y) for w, x, y in zip(weights, a.T, b.T, strict=True)]
    alike = [m - away * w for m, w in zip(middle, weights, strict=True)]
    spread = np.mean([sum(-x if swap else x for x, swap in zip(alike, one, strict=True)) ** 2 for one in every])
    spread = max(spread, (away / norm.isf(1 / len(every))) ** 2)
    freedom = (spread + sum(noise)) ** 2 / (sum(noise) ** 2 / (len(a) - 1))  # seeds: the least that Welch's can be
    return float(max(2 * t.sf(1 / np.sqrt(1 / z**2 + 1 / s**2), freedom), clips))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_p_of_every_assumed_difference_equals_its_slow_twin(count: int) -> None:
    rng = np.random.default_rng(count)
    for _ in range(4):
        a, b = seeds(rng, count, (2, 3)), seeds(rng, count, (2, 3))
        weights = np.where(rng.random((2, 3)) < 0.5, 1.0, 0.4)
        found = permute(groups(a, weights=weights), groups(b, weights=weights), "lmd", ratio)
        for assumed in (0.0, found.difference, found.difference + 0.1, -1.0, 0.7):
            assert found.test.p(assumed) == pytest.approx(slow_p(a, b, weights, assumed), abs=1e-9), assumed


def test_p_of_two_seeds_by_hand() -> None:
    """Eight clips, A's seeds 1 and 3, B's 0: D = 2, s = 2 / sqrt(2 / 2), p of the clips 2 / 256, so z = 2.66 and
    t = 1 / sqrt(1 / 2.66^2 + 1 / 4) = 1.599. The clips' variance is no less than (2 / 2.66)^2 = 0.565, so there are
    2.45 degrees of freedom."""
    a, b = np.stack([np.full((1, 8), 1.0), np.full((1, 8), 3.0)]), np.zeros((2, 1, 8))
    found = permute(groups(a), groups(b), "lmd", ratio)
    z = norm.isf(1 / 256)
    assert (found.difference, found.smallest_p, found.seeds) == (2.0, 2 / 256, 2)
    assert z == pytest.approx(2.66, abs=0.001)
    assert found.p == pytest.approx(2 * t.sf(1.5989, 2.4504), rel=1e-3)
    assert found.p > 0.2 > 0.05 > found.test.p_clips(0.0), "what clips alone call certain, two seeds do not"


def test_seeds_that_are_alike_add_no_variance() -> None:
    rng = np.random.default_rng(0)
    a, b = (np.repeat(seeds(rng, 1), 3, axis=0) for _ in "ab")
    one, three = permute(groups(a[:1]), groups(b[:1]), "lmd", ratio), permute(groups(a), groups(b), "lmd", ratio)
    assert three.p == pytest.approx(one.p)
    assert three.test.interval(0.95) == pytest.approx(one.test.interval(0.95))


def test_a_great_difference_is_found_however_few_the_seeds() -> None:
    """The resolution of the swaps does not pass for a variance that three seeds would have to estimate."""
    rng = np.random.default_rng(0)
    a, b = seeds(rng, 3, (5, 5), 1.0), 1000 + seeds(rng, 3, (5, 5), 1.0)
    found = permute(groups(a), groups(b), "lmd", ratio)
    assert found.p < 2 * found.smallest_p


def test_the_interval_by_hand() -> None:
    """Differences 1 to 6: outside their range all have one sign, which 2 of 64 swaps match (p = 0.03); inside some
    other swap is as extreme (p >= 4 / 64)."""
    a, b = np.arange(1.0, 7.0)[None, None], np.zeros((1, 1, 6))
    found = compare(groups(a), groups(b), "lmd", ratio, RULES)
    assert (found.low, found.high) == pytest.approx((1.0, 6.0))
    assert found.p == 2 / 64


def test_a_method_and_itself_differ_by_nothing() -> None:
    same = groups(seeds(np.random.default_rng(0), 1))
    found = compare(same, same, "lmd", ratio, RULES)
    assert (found.difference, found.p) == (0.0, 1.0)
    assert (found.low, found.high) == pytest.approx((0.0, 0.0), abs=1e-9)
    none = groups(np.zeros((1, 2, 4)))
    found = compare(none, none, "lmd", ratio, RULES)
    assert (found.low, found.high, found.p) == (0.0, 0.0, 1.0)


def test_where_so_few_clips_reject_nothing_there_is_no_interval() -> None:
    rng = np.random.default_rng(0)
    for clips, some in ((5, False), (6, True)):
        a, b = seeds(rng, 1, (1, clips)), seeds(rng, 1, (1, clips))
        assert (permute(groups(a), groups(b), "lmd", ratio).test.interval(0.95) is not None) == some


def parts(values: np.ndarray, rng: np.random.Generator, kind: str) -> list[list[Row]]:
    """Rows of a pooled metric around (S, people, clips) values."""
    made = []
    for table in values:
        own = []
        for (p, k), value in np.ndenumerate(table):
            items = value + rng.standard_normal(5)
            part = items.tolist() if kind == "w1" else [5.0, float(items.sum())]
            if kind == "frechet":
                part.append(float((items**2).sum()))
            own.append(make_row(str(p), f"{p}-{k}", {kind: Entry(part=tuple(part), items=5)}))
        made.append(own)
    return made


def estimates() -> dict[str, Estimate]:
    real = np.random.default_rng(9).standard_normal(20) + 2
    moments = [20.0, float(real.sum()), float((real**2).sum())]
    people = "01"
    return {
        "w1": estimator(wasserstein_pool(), dict.fromkeys(people, real.tolist())),
        "rate": estimator(rate_distance_pool(), dict.fromkeys(people, moments[:2])),
        "frechet": estimator(frechet_pool(1), dict.fromkeys(people, moments)),
    }


@pytest.mark.parametrize("kind", ["lmd", "pose_accuracy", "w1", "rate", "frechet"])
def test_interval_and_p_agree_in_every_case(kind: str) -> None:
    """0 lies outside exactly where p < 0.05."""
    rng, told = np.random.default_rng(0), set()
    for case in range(120):
        count, spread, shape = 1 + case % 3, (0.0, 0.1, 1.0)[case % 5 % 3], ((2, 3), (2, 4), (2, 7))[case % 7 % 3]
        a = seeds(rng, count, shape, spread)
        b = seeds(rng, count, shape, spread) + rng.choice([0, 0.2, 0.4, 1.0])
        if kind == "pose_accuracy":  # shares of eight windows: many ties
            a, b = (np.clip(np.round(4 * values), 0, 16) / 16 for values in (a, b))
        pair = [parts(one, rng, kind) if kind in estimates() else groups(one, kind) for one in (a, b)]
        found = compare(*pair, kind, estimates().get(kind, ratio), RULES)
        assert found.low <= found.difference <= found.high
        assert (found.low <= 0 <= found.high) == (found.p >= 0.05), case
        told.add(found.p < 0.05)
    assert told == {True, False}, "the cases are of both kinds"


def test_swapped_shifted_and_scaled() -> None:
    rng = np.random.default_rng(4)
    a, b = seeds(rng, 3), seeds(rng, 3) + 0.4
    one = compare(groups(a), groups(b), "lmd", ratio, RULES)
    two = compare(groups(b), groups(a), "lmd", ratio, RULES)
    assert (two.p, two.difference) == pytest.approx((one.p, -one.difference))
    assert (two.low, two.high) == pytest.approx((-one.high, -one.low))
    more = compare(groups(a + 7), groups(b + 7), "lmd", ratio, RULES)
    assert (more.p, more.low, more.high) == pytest.approx((one.p, one.low, one.high))
    tiny = compare(groups(1e-9 * a), groups(1e-9 * b), "lmd", ratio, RULES)
    assert (tiny.p, tiny.low * 1e9, tiny.high * 1e9) == pytest.approx((one.p, one.low, one.high))


def test_a_constant_added_to_one_method_moves_the_interval() -> None:
    rng = np.random.default_rng(5)
    a, b = seeds(rng, 2), seeds(rng, 2)
    one = permute(groups(a), groups(b), "lmd", ratio).test
    two = permute(groups(a + 0.5), groups(b), "lmd", ratio).test
    assert two.p(0.5) == pytest.approx(one.p(0.0))
    assert np.array(two.interval(0.95)) - 0.5 == pytest.approx(one.interval(0.95))


def test_as_many_seeds_as_both_have() -> None:
    rng = np.random.default_rng(6)
    a, b = seeds(rng, 3), seeds(rng, 1)
    found = compare(groups(a), groups(b), "lmd", ratio, RULES)
    assert found.about_trained_models and found.seeds == 1
    assert found == compare(groups(a[:1]), groups(b), "lmd", ratio, RULES)
    assert not compare(groups(a), groups(a), "lmd", ratio, RULES).about_trained_models
