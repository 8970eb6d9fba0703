"""One metric of a board: the value of each method, who failed, and who is better than whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facial_bench.core.errors import ResultError
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Definition, MetricSpec
from facial_bench.evaluation.result import Metric, Reference, Result, disagreement
from facial_bench.methods import null_models
from facial_bench.metrics.identity import accuracies, judged_by_training
from facial_bench.metrics.shares import window_shares
from facial_bench.reports.tables import number
from facial_bench.statistics.aggregate import Summary, estimator, summarise
from facial_bench.statistics.ranks import Ranking, rank_methods
from facial_bench.statistics.rows import Row

Methods = Mapping[str, Sequence[Result]]
"""label -> its results, one per seed."""


@dataclass(frozen=True, eq=False)
class Column:
    """A metric of a board."""

    metric: str
    about: Metric
    """Unit, direction and definition, as the first result has them."""
    reference: Reference
    """Ceiling and chance, of the first result."""
    settled: bool
    """Whether every result has these very references."""
    family: str
    """One of `FAMILIES`; `other` where nobody here knows the metric."""
    ranked: bool
    """Whether methods get ranks on it."""
    cells: Mapping[str, Summary]
    """label of a method -> summary over its seeds."""
    ranking: Ranking | None
    """Who is better than whom; None where the metric ranks nothing, or a method is refused."""
    refused: Mapping[str, str]
    """label -> why its results give no number."""
    failed: Mapping[str, tuple[int, int]]
    """label -> clips that failed for this metric alone, of clips that it looks at, over the seeds; only methods with
    failures are there, also of whole clips. Such a method has a value, and no part in `ranking`."""


def make_column(
    metric: str, results: Sequence[Result], methods: Methods, protocol: Protocol, definition: Definition | None
) -> Column:
    """One metric of all methods."""
    holders = [result for result in results if metric in result.metrics]
    about, reference = holders[0].metrics[metric], holders[0].references[metric]
    several = disagreement(result.metrics[metric] for result in holders)
    if several:
        raise ResultError(f"Results below one folder share no board: {metric}: {several}. Run them again.")
    pool = definition.pool if isinstance(definition, MetricSpec) and reference.parts else None
    estimate = estimator(pool, reference.parts)
    refused = {label: reason for label, own in methods.items() if (reason := _refusal(own, metric))}
    if reference.parts and pool is None:
        refused = dict.fromkeys(methods, "no plugin here computes it from its parts") | refused
    rows = {label: [result.clips for result in own] for label, own in methods.items()}
    nothing = Summary(None, None, None, 0, 0)
    cells = {
        label: nothing if label in refused else summarise(groups, metric, protocol, estimate)
        for label, groups in rows.items()
    }
    ranked = definition is not None and definition.ranked
    failed = {label: count for label, groups in rows.items() if (count := _failures(groups, metric))}
    sound = {label: groups for label, groups in rows.items() if label not in failed}
    ranking = None
    if about.higher_is_better is not None and not refused:
        ranking = rank_methods(
            sound,
            {label: value for label in sound if (value := cells[label].value) is not None},
            [label for label in sound if is_null(methods[label]) and not _copies(methods[label], metric)],
            metric=metric,
            higher=about.higher_is_better,
            estimate=estimate,
            protocol=protocol,
            ranked=ranked,
        )
    return Column(
        metric=metric,
        about=about,
        reference=reference,
        settled=len({_ends(result.references[metric]) for result in holders}) == 1,
        family=definition.family if definition else "other",
        ranked=ranked,
        cells=cells,
        ranking=ranking,
        refused=refused,
        failed=failed,
    )


def _failures(groups: Sequence[Sequence[Row]], metric: str) -> tuple[int, int] | None:
    """(failed for this metric alone, looked at) of the clips of a method over its seeds; None where nothing failed."""
    rows = [row for own in groups for row in own]
    asked = [row for row in rows if metric in row.metrics]
    alone = sum(row.status == "ok" and row.metrics[metric].failed for row in asked)
    return (alone, len(asked)) if alone or any(row.status == "failed" for row in rows) else None


def _refusal(own: Sequence[Result], metric: str) -> str:
    """Why the results of a method give no number; empty where they do, or were not measured."""
    entries = (result.metrics[metric] for result in own if metric in result.metrics)
    return next((entry.reason for entry in entries if entry.status == "refused"), "")


def is_null(own: Sequence[Result]) -> bool:
    """Whether the results of a method are those of a null model."""
    return null_models.is_null(own[0].method.plugin, own[0].method.name)


def _copies(own: Sequence[Result], metric: str) -> bool:
    """Whether a null model is none for this metric: a copy of training motion is what the classifiers were trained on,
    or is itself real motion to those that tell real motion from generated."""
    copied = judged_by_training(metric) or metric in window_shares() - accuracies().keys()
    return copied and null_models.copies_training(own[0].method.plugin, own[0].method.name)


def _ends(reference: Reference) -> tuple[str, str]:
    return number(reference.ceiling.value, ""), number(reference.chance, "")
