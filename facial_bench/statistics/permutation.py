"""The test of a difference: clips are swapped between two methods; training seeds are a second source of chance.

The p of an assumed difference is defined for every number, so that the interval of a difference is the set of
those that the test does not reject: p and interval cannot contradict each other. Source: docs/protocol.md,
"differences".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr

from facial_bench.core.digests import derive_seed
from facial_bench.statistics.aggregate import common_rows, make_shares, make_whole_units
from facial_bench.statistics.bootstrap import Estimate, Unit, ratio
from facial_bench.statistics.rows import Row

Groups = Sequence[Sequence[Row]]
"""The rows of a method, one list per training seed."""
People = Mapping[str, Sequence[Unit]]
"""identity -> one unit a clip."""
EXACT_CLIPS = 13
"""Up to so many clips every one of the 2^n swaps is looked at."""
SWAPS = 10_000
"""How many random swaps are drawn where there are more."""
ROUNDING = 1e-12
"""Differences closer than this part of the largest number in a test are one."""


@dataclass(frozen=True, eq=False)
class DifferenceTest:
    """p of every assumed difference of A and B.

    Swap number s gives the difference D(s), and takes the part B(s) of an assumed difference with it: under the
    assumption d what is compared is |D(s) - d B(s)| with |D - d|. That the former is no less holds for d between two
    roots, which enclose D, so p falls to both sides of D.
    """

    difference: float
    """D, of A - B as observed."""
    lower: np.ndarray
    """(R,) sorted; of each swap, the least assumed difference under which it is as extreme as what was observed."""
    upper: np.ndarray
    """(R,) sorted; the greatest one."""
    clip_variance: float
    """Of D over swaps, when A and B differ by D."""
    seed_variances: tuple[float, float]
    """Of A's and of B's mean over training seeds; 0 with one seed."""
    seeds: int
    rounding: float
    """Differences closer than this are one."""

    def p(self, assumed: float = 0.0) -> float:
        """Two-sided p of the assumption that A - B is so much.

        With one seed it is the share of swaps that are as extreme, p_clips. With S seeds, clips and seeds are crossed:
        p_clips becomes a normal deviate z, the seeds' means give s = (D - d) / sqrt(var_A / S + var_B / S), and
        1 / t^2 = 1 / z^2 + 1 / s^2 adds up the two variances (the quasi-F and min F' of Clark 1973) with the degrees
        of freedom of Satterthwaite (1946): those of the clips are infinite, those of the seeds S - 1, the least that
        Welch's can be (with his own a share with three seeds was found to differ in 5.5 % of pairs of one process).
        p is never less than p_clips.
        """
        swapped, noise, away = self.p_clips(assumed), sum(self.seed_variances), abs(self.difference - assumed)
        if noise == 0 or away == 0 or swapped >= 1:
            return swapped
        t = (ndtri(swapped / 2) ** -2 + noise / away**2) ** -0.5
        clips = max(self.clip_variance, (away / ndtri(self.smallest_p / 2)) ** 2)  # no less than so few swaps can show
        freedom = (self.seeds - 1) * (clips / noise + 1) ** 2
        return max(float(2 * stdtr(min(freedom, 1e9), -t)), swapped)

    def p_clips(self, assumed: float) -> float:
        """Share of the swaps that are no less extreme: the p of these very trained models."""
        if assumed >= self.difference:
            hits = len(self.upper) - np.searchsorted(self.upper, assumed - self.rounding, side="left")
        else:
            hits = np.searchsorted(self.lower, assumed + self.rounding, side="right")
        return float(hits / len(self.upper))

    @property
    def smallest_p(self) -> float:
        """What p falls to far away from D."""
        return float(np.isinf(self.upper).mean())

    def interval(self, confidence: float) -> tuple[float, float] | None:
        """All assumed differences whose p is no less than 1 - confidence; None where so few clips reject none."""
        if self.smallest_p >= 1 - confidence:
            return None
        return self._end(-1.0, 1 - confidence), self._end(1.0, 1 - confidence)

    def _end(self, side: float, level: float) -> float:
        """The last difference to one side of D that is not rejected: by bisection, since p only falls."""
        kept, gone = 0.0, max(abs(self.difference), self.clip_variance**0.5, 1e-300)
        while gone < 1e300 and self.p(self.difference + side * gone) >= level:
            kept, gone = gone, 2 * gone
        while kept < (middle := (kept + gone) / 2) < gone:
            if self.p(self.difference + side * middle) >= level:
                kept = middle
            else:
                gone = middle
        return self.difference + side * kept


@dataclass(frozen=True, eq=False)
class Permutation:
    """Two methods on the clips that both have scored."""

    values: tuple[float, float]
    """Of A and B on these clips, each the mean over its seeds."""
    test: DifferenceTest
    p: float
    """Two-sided, that there is no difference."""
    smallest_p: float
    """What p could be at best with so many clips."""
    clips: int
    seeds: int
    """Training seeds of each that were used. With one, p is about these two trained models and not about methods."""
    a: Sequence[People]
    """What was compared of A, per seed."""
    b: Sequence[People]

    @property
    def difference(self) -> float:
        """A - B on the clips compared: the sign of everything that is said of the pair."""
        return self.test.difference


def permute(a: Groups, b: Groups, metric: str, estimate: Estimate) -> Permutation | None:
    """Swap A and B clip by clip, all seeds of a clip together, on the clips that both have scored in every seed.

    Args:
        a, b: rows, one list per training seed; as many of the seeds as both have are used, in order.
        metric: its id.
        estimate: of one identity; see `aggregate.estimator`.

    Returns:
        The test over all 2^n swaps for up to 13 clips, else over 10,000 drawn ones and none; None where there is
        nothing to compare.
    """
    seeds = min(len(a), len(b))
    kept = common_rows([*a[:seeds], *b[:seeds]], metric)
    shares = make_shares([row for rows in kept for row in rows], metric, estimate)
    if not shares:
        return None
    whole = [_by_person(rows, metric, shares) for rows in kept]
    count = sum(map(len, whole[0].values()))
    swaps = _swaps(count, np.random.default_rng(derive_seed(0, "swaps", metric)))
    pairs = list(zip(whole[:seeds], whole[seeds:], strict=True))
    sides = np.array([_swapped(one, two, shares, swaps, estimate) for one, two in pairs])  # (S, 2, R)
    if np.isnan(sides[..., 0]).any():
        return None
    weights = {p: _weights([people[p] for people in whole], estimate) for p in shares}
    test = _make_test(sides, _taken_along(weights, shares, swaps))
    values = float(sides[:, 0, 0].mean()), float(sides[:, 1, 0].mean())
    smallest = max(2.0 ** (1 - count), 1 / len(swaps))
    return Permutation(values, test, test.p(), smallest, count, seeds, whole[:seeds], whole[seeds:])


def _make_test(sides: np.ndarray, taken: np.ndarray) -> DifferenceTest:
    """From (S, 2, R) values of both sides after each swap, the first swap none, and (R,) B(s)."""
    differences = (sides[:, 0] - sides[:, 1]).mean(axis=0)
    defined = ~np.isnan(differences)
    after, taken, observed = differences[defined], taken[defined], float(differences[0])
    seeds = len(sides)
    spread = sides[..., 0].var(axis=0, ddof=1) / seeds if seeds > 1 else np.zeros(2)
    scale = max(np.abs(after).max(), np.abs(sides[..., 0]).max())
    with np.errstate(divide="ignore", invalid="ignore"):  # all swapped, or none: as extreme whatever is assumed
        one = np.where(1 - taken > ROUNDING, (observed - after) / (1 - taken), -np.inf)
        two = np.where(1 + taken > ROUNDING, (observed + after) / (1 + taken), np.inf)
    whole = 1 - np.abs(taken) <= ROUNDING
    return DifferenceTest(
        observed,
        np.sort(np.where(whole, -np.inf, np.minimum(one, two))),
        np.sort(np.where(whole, np.inf, np.maximum(one, two))),
        float(((after - observed * taken) ** 2).mean()),
        (float(spread[0]), float(spread[1])),
        seeds,
        ROUNDING * float(scale),
    )


def _by_person(rows: Sequence[Row], metric: str, shares: Mapping[str, float]) -> dict[str, list[Unit]]:
    """identity -> one unit a clip, in the order of the rows."""
    units = make_whole_units(rows, metric)
    return {person: [unit for unit in units if unit.identity == person] for person in shares}


def _weights(groups: Sequence[Sequence[Unit]], estimate: Estimate) -> np.ndarray:
    """(n,) how much each clip of a person counts: its weight in a mean, else alike."""
    if estimate is not ratio:
        return np.ones(len(groups[0]))
    return np.mean([[unit.numbers[1] for unit in units] for units in groups], axis=0)


def _taken_along(weights: Mapping[str, np.ndarray], shares: Mapping[str, float], swaps: np.ndarray) -> np.ndarray:
    """(R,) B(s): what a difference that is the same in every clip becomes after each swap, as a part of it."""
    every = np.concatenate([share * weights[person] / weights[person].sum() for person, share in shares.items()])
    return (1.0 - 2.0 * swaps) @ every


def _swaps(count: int, rng: np.random.Generator) -> np.ndarray:
    """(R, n) of 0 and 1, the clips to swap; the first row swaps none."""
    if count <= EXACT_CLIPS:
        return (np.arange(2**count)[:, None] >> np.arange(count)) & 1
    drawn = rng.integers(2, size=(SWAPS, count))
    return np.concatenate([np.zeros((1, count), drawn.dtype), drawn])


def _swapped(
    a: People, b: People, shares: Mapping[str, float], swaps: np.ndarray, estimate: Estimate
) -> tuple[np.ndarray, np.ndarray]:
    """(R,) value of A and of B after each swap."""
    left, right, first = np.zeros(len(swaps)), np.zeros(len(swaps)), 0
    for person, share in shares.items():
        mine = swaps[:, first : first + len(a[person])].astype(np.float64)
        first += len(a[person])
        units = [*a[person], *b[person]]
        left += share * estimate(person, units, np.concatenate([1 - mine, mine], axis=1))
        right += share * estimate(person, units, np.concatenate([mine, 1 - mine], axis=1))
    return left, right
