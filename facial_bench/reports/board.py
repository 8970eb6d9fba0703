"""Results -> boards: which methods, which metrics, and who stands where. The text is made in `leaderboard`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from facial_bench.core.errors import ResultError
from facial_bench.core.files import safe_name
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Pool
from facial_bench.evaluation.result import Metric, Reference, Result
from facial_bench.metrics.identity import accuracies
from facial_bench.reports.tables import number
from facial_bench.statistics.aggregate import Summary, estimator, summarise
from facial_bench.statistics.compare import Ranking, rank_methods

MAIN = ("lmd", "lmd/canonical", "pose_accuracy", "blink_accuracy")
"""The metrics that methods are ranked on."""


@dataclass(frozen=True, eq=False)
class Column:
    """A metric of a board."""

    metric: str
    about: Metric
    """Unit, direction and definition."""
    reference: Reference
    """Ceiling and chance."""
    settled: bool
    """Whether every result has these very references."""
    cells: Mapping[str, Summary]
    """label of a method -> summary over its seeds."""
    ranking: Ranking | None
    """Who is better than whom; None where the metric ranks nothing, or a method is refused."""
    refused: Mapping[str, str]
    """label -> why its results give no number."""


@dataclass(frozen=True, eq=False)
class Board:
    """All that stands on a board."""

    results: Sequence[Result]
    methods: Mapping[str, Sequence[Result]]
    """label -> its results, one per seed."""
    columns: Mapping[str, Column]
    """metric -> column."""


def assemble(results: Sequence[Result], protocol: Protocol, pools: Mapping[str, Pool]) -> dict[str, Board]:
    """Name -> board: one per corpus and protocol, never two digests on one.

    Args:
        results: of any corpora and methods.
        protocol: for the resampling.
        pools: metric -> its pool, of every pooled metric known here.

    Raises:
        ResultError: seeds of one method that were not asked for the same clips, or come from two versions of it.
    """
    groups: dict[tuple[str, str, str], list[Result]] = {}
    for result in results:
        label = safe_name(result.corpus.label, "corpus label", ResultError)
        groups.setdefault((label, result.corpus.digest, result.protocol.digest), []).append(result)
    names = [label for label, _, _ in groups]
    boards = {}
    for (label, corpus, rules), own in sorted(groups.items()):
        suffix = f"-{corpus[:8]}-{rules[:8]}" if names.count(label) > 1 else ""
        name = safe_name(f"{label}{suffix}.md", "board", ResultError, longest=160)
        if name in boards:
            raise ResultError(f"Two boards would be called {name}. Rename the corpus {label}.")
        boards[name] = _board(own, protocol, pools)
    return boards


def _board(results: Sequence[Result], protocol: Protocol, pools: Mapping[str, Pool]) -> Board:
    methods = _methods(results)
    columns: dict[str, Column] = {}
    for result in results:
        for name, metric in result.metrics.items():
            known = columns.setdefault(name, Column(name, metric, result.references[name], True, {}, None, {}))
            if metric.definition != known.about.definition:
                raise ResultError(f"Results below one folder define the metric {name} differently. Run them again.")
            if _ends(result.references[name]) != _ends(known.reference):
                columns[name] = replace(known, settled=False)
    return Board(results, methods, {n: _filled(c, methods, protocol, pools) for n, c in columns.items()})


def _filled(
    column: Column, methods: Mapping[str, Sequence[Result]], protocol: Protocol, pools: Mapping[str, Pool]
) -> Column:
    """The column with its cells."""
    cells, refused, metric = {}, {}, column.metric
    estimate = estimator(pools.get(metric), column.reference.parts)
    for label, own in methods.items():
        groups = [result.clips for result in own]
        if len({tuple(sorted(row.request for row in rows)) for rows in groups}) > 1:
            raise ResultError(f"The seeds of {label} were asked for different clips. Run them again.")
        entries = [result.metrics[metric] for result in own if metric in result.metrics]
        reasons = [entry.reason for entry in entries if entry.status == "refused"]
        if column.reference.parts and metric not in pools:
            reasons.append("no plugin here computes it from its parts")
        refused.update({label: reasons[0]} if reasons else {})
        cells[label] = Summary(None, None, None, 0, 0) if reasons else summarise(groups, metric, protocol, estimate)
    ranking = None
    if column.about.higher_is_better is not None and not refused:
        ranking = rank_methods(
            {label: [result.clips for result in own] for label, own in methods.items()},
            {label: entry.value for label, entry in cells.items() if entry.value is not None},
            [label for label, own in methods.items() if is_null(own) and not _is_copy(label, metric)],
            metric=metric,
            higher=column.about.higher_is_better,
            estimate=estimate,
            protocol=protocol,
            ranked=metric in MAIN,
        )
    return replace(column, cells=cells, refused=refused, ranking=ranking)


def is_null(own: Sequence[Result]) -> bool:
    """Whether the results of a method are those of a null model."""
    return own[0].method.reference == "null model"


def _is_copy(label: str, metric: str) -> bool:
    """Whether a null is no null for this metric: replay copies what the classifiers were trained on."""
    return label == "replay" and metric in accuracies()


def _methods(results: Sequence[Result]) -> dict[str, list[Result]]:
    """label -> its results, one per seed."""
    methods: dict[str, list[Result]] = {}
    for result in results:
        methods.setdefault(result.method.label, []).append(result)
    for label, own in methods.items():
        if len({result.seed for result in own}) < len(own):
            raise ResultError(f"{label} has two results of one seed, which would count as two. Remove one.")
        versions = sorted({f"{result.method.plugin} {result.method.version}" for result in own})
        if len(versions) > 1:
            raise ResultError(f"The seeds of {label} come from {' and '.join(versions)}. Run them again with one.")
    return methods


def _ends(reference: Reference) -> tuple[str, str]:
    return number(reference.ceiling.value, ""), number(reference.chance, "")
