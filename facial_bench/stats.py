"""Uncertainty: a cluster bootstrap over clips within identity, and a permutation of the labels over clips.

Windows and frames of one clip are not independent, so the clip is the unit; the one clip of an identity
is cut into blocks of at least one window. The people are fixed: no claim is made beyond them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest


@dataclass(frozen=True)
class Unit:
    """A clip (or a block of an identity's only clip) as a sum and the weight that the sum is divided by."""

    identity: str
    total: float
    weight: float


def ratio(units: Sequence[Unit], shares: Mapping[str, float]) -> float:
    """Sum over identities of share * (sum of totals / sum of weights).

    >>> ratio([Unit("a", 1, 2), Unit("a", 2, 2), Unit("b", 0, 1)], {"a": 0.5, "b": 0.5})
    0.375
    """
    return float(
        sum(
            share * sum(u.total for u in units if u.identity == person)
            / sum(u.weight for u in units if u.identity == person)
            for person, share in shares.items()
        )
    )  # fmt: skip


def bootstrap_draws(
    groups: Sequence[Sequence[Unit]], shares: Mapping[str, float], resamples: int, rng: np.random.Generator
) -> np.ndarray | None:
    """Values of `ratio` over resampled units, (resamples,) float64; None where an identity has one unit only.

    Args:
        groups: one list of units per training seed, with the same units in each; a resample draws seeds, then units.
        shares: identity -> its share of the value; shares sum to 1.
        resamples: number of draws.
        rng: source of randomness.

    Of the n units of an identity, n - 1 are drawn with replacement: drawing n understates the variance of a mean by
    (n - 1) / n, which matters with the two to five clips a person has here (McCarthy and Snowden 1985; Rao and
    Wu 1988). Seeds are drawn likewise. A seed's draw is shared by all identities.
    """
    people = list(shares)
    total = {p: np.array([[u.total for u in units if u.identity == p] for units in groups]) for p in people}
    weight = {p: np.array([[u.weight for u in units if u.identity == p] for units in groups]) for p in people}
    if any(total[person].shape[1] < 2 for person in people):
        return None
    n_seeds = len(groups)
    chosen = rng.integers(n_seeds, size=(resamples, max(n_seeds - 1, 1)))
    # counts[r, s]: how often seed s was drawn in resample r
    counts = (chosen[:, :, None] == np.arange(n_seeds)).sum(axis=1)
    draws = np.zeros(resamples)
    for person in people:
        n = total[person].shape[1]
        picks = rng.integers(n, size=(resamples, n - 1))
        multiplicity = np.zeros((resamples, n))
        np.add.at(multiplicity, (np.arange(resamples)[:, None], picks), 1)
        sums = np.einsum("rn,sn,rs->r", multiplicity, total[person], counts, optimize=True)
        draws += shares[person] * sums / np.einsum("rn,sn,rs->r", multiplicity, weight[person], counts, optimize=True)
    return draws


def interval(
    groups: Sequence[Sequence[Unit]], shares: Mapping[str, float], *, resamples: int, confidence: float,
    rng: np.random.Generator, proportion: bool,
) -> tuple[float, float] | None:  # fmt: skip
    """Percentile interval of `ratio` (mean over seeds); None where it cannot be determined.

    Where every unit is alike the draws do not spread and say nothing; a proportion then takes the Wilson
    interval with the number of units as the number of trials, and another value takes none, unless it is
    exactly 0 everywhere (a distance of a thing to itself).
    """
    draws = bootstrap_draws(groups, shares, resamples, rng)
    if draws is None:
        return None
    value = float(np.mean([ratio(units, shares) for units in groups]))
    tail = (1 - confidence) / 2
    low, high = (float(end) for end in np.quantile(draws, [tail, 1 - tail]))
    if high - low > 1e-12:
        return min(low, value), max(high, value)
    if proportion:
        trials = len(groups[0])
        ends = binomtest(round(value * trials), trials).proportion_ci(confidence, method="wilson")
        return min(float(ends.low), value), max(float(ends.high), value)
    return (0.0, 0.0) if value == 0 else None


def label_permutation_p(
    votes: np.ndarray, windows: np.ndarray, labels: np.ndarray, *, permutations: int, rng: np.random.Generator
) -> np.ndarray:
    """How often shuffled labels give ANY of several classifiers the balanced accuracy of this one, or a better one.

    Args:
        votes: (M, C, N) float64, how many windows of clip c classifier m gave to class k.
        windows: (C,) float64, windows of each clip, > 0.
        labels: (C,) int, the true class of each clip; every class 0..N-1 occurs.
        permutations: most shuffles to draw; all of them are used where there are no more.
        rng: source of randomness.

    Returns:
        (M,) p in (0, 1]: exact over all shuffles, else (1 + hits) / (1 + shuffles).

    Where motion says nothing of the person the clips are exchangeable, so the chance that even one of the M
    classifiers gets p <= alpha is at most alpha: the single-step maximum test of Westfall and Young (1993). The
    shuffles are common to all classifiers, which share clips and so err together.
    """
    n_classes = votes.shape[2]

    def accuracy(order: np.ndarray) -> np.ndarray:
        """(R, C) labels -> (R, M) balanced accuracies."""
        member = (order[:, :, None] == np.arange(n_classes)).astype(float)
        right = np.einsum("mck,rck->rmk", votes, member)
        return (right / np.einsum("c,rck->rk", windows, member)[:, None, :]).mean(axis=2)

    observed = accuracy(labels[None])[0]
    exact = math.factorial(len(labels)) <= permutations
    if exact:
        shuffles = np.array(list(itertools.permutations(labels)))
    else:
        shuffles = rng.permuted(np.tile(labels, (permutations, 1)), axis=1)
    best = accuracy(shuffles).max(axis=1)
    hits = (best[:, None] >= observed - 1e-12).sum(axis=0)
    return hits / len(shuffles) if exact else (1 + hits) / (1 + len(shuffles))
