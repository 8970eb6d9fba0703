"""Where methods stand on one metric: ranks as intervals, and who beats the strongest null model."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from facial_bench.core.protocol import Protocol
from facial_bench.statistics.aggregate import common_rows, count_failed, is_pooled
from facial_bench.statistics.bootstrap import Estimate
from facial_bench.statistics.compare import holm
from facial_bench.statistics.permutation import Groups, permute


def mean_ranks(methods: Mapping[str, Groups], metric: str, higher: bool) -> dict[str, float] | None:
    """label -> mean over clips of its rank among the methods, 1 the best, ties sharing the mean of their ranks.

    None where a method has no value for each clip (a pooled metric, a failure).
    """
    common = common_rows([rows for groups in methods.values() for rows in groups], metric)
    if not common[0] or is_pooled(common[0], metric):
        return None
    requests = [row.request for row in common[0] if metric in row.metrics]
    table = np.array(
        [
            [
                np.mean([row.metrics[metric].value for rows in groups for row in rows if row.request == name])
                for name in requests
            ]
            for groups in methods.values()
        ]
    )
    ranks = rankdata(-table if higher else table, axis=0)
    return dict(zip(methods, ranks.mean(axis=1).tolist(), strict=True))


@dataclass(frozen=True)
class Ranking:
    """Where the methods of a board stand on one metric."""

    ranks: Mapping[str, tuple[int, int]]
    """label -> best and worst rank that the tests leave open; methods without a value, or with a clip that failed, have
    none."""
    strongest: str | None
    """The null model with the best value, of those that failed on no clip."""
    against: Mapping[str, str]
    """label of a method with a rank that is no null -> `beats`, `undecided` (better, but the test does not say so) or
    `not`."""
    smallest_p: float
    """Of the pair with the fewest clips."""


def rank_methods(
    methods: Mapping[str, Groups],
    values: Mapping[str, float],
    nulls: Sequence[str],
    *,
    metric: str,
    higher: bool,
    estimate: Estimate,
    protocol: Protocol,
    ranked: bool = True,
) -> Ranking:
    """Compare all methods pairwise on one metric, or only each with the strongest null; Holm-corrected over the pairs.

    A method's rank interval runs from 1 + the number of methods that are significantly better to the number of methods
    - those that are significantly worse: simultaneous confidence for ranks (Mohamad, Goeman and van Zwet 2019). Who is
    better of two is read from the difference that was tested, on the clips that both have.

    A method that failed on a clip is in no pair: what is said of the others is what a board without it says.

    Args:
        methods: label -> rows per seed.
        values: label -> value on the board, of the methods that have one.
        nulls: labels of the null models that count.
        metric: its id.
        higher: whether a higher value is better.
        estimate: of one identity.
        protocol: for resampling and significance.
        ranked: whether ranks are asked for, which takes all pairs.
    """
    whole = {label for label, groups in methods.items() if not any(count_failed(rows, metric) for rows in groups)}
    labels, sign = [label for label in values if label in whole], 1 if higher else -1
    strongest = max((n for n in nulls if n in labels), key=lambda n: sign * values[n], default=None)
    pairs = list(itertools.combinations(labels, 2))
    if not ranked:
        pairs = [] if strongest is None else [(label, strongest) for label in labels if label not in nulls]
    tests = [permute(methods[one], methods[two], metric, estimate) for one, two in pairs]
    adjusted = holm([1.0 if test is None else test.p for test in tests])
    ahead: dict[str, set[str]] = {label: set() for label in labels}  # label -> who is worse where the two are compared
    better: dict[str, set[str]] = {label: set() for label in labels}  # and so much that the test says so
    for (one, two), test, p in zip(pairs, tests, adjusted, strict=True):
        if test is not None and test.difference != 0:
            winner, loser = (one, two) if sign * test.difference > 0 else (two, one)
            ahead[winner].add(loser)
            if p < protocol.significance:
                better[winner].add(loser)
    ranks, against = {}, {}
    for label in labels if ranked and len(labels) > 1 else ():  # one method alone has no rank
        worst = len(labels) - len(better[label])
        ranks[label] = (1 + sum(label in beaten for beaten in better.values()), worst)
    for label in labels:
        if strongest is not None and label not in nulls:
            mark = "beats" if strongest in better[label] else "undecided" if strongest in ahead[label] else "not"
            against[label] = mark
    return Ranking(ranks, strongest, against, max((test.smallest_p for test in tests if test is not None), default=0.0))
