"""Results -> boards: which methods, which metrics, and who stands where. The text is made in `board_markdown`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facial_bench.core.errors import ResultError
from facial_bench.core.files import safe_name
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import FAMILIES, Definition, MetricSpec
from facial_bench.evaluation.result import Metric, Reference, Result, disagreement
from facial_bench.methods import null_models
from facial_bench.metrics.identity import accuracies
from facial_bench.reports.tables import number
from facial_bench.statistics.aggregate import Summary, estimator, summarise
from facial_bench.statistics.ranks import Ranking, rank_methods

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


@dataclass(frozen=True, eq=False)
class Board:
    """All that stands on a board."""

    results: Sequence[Result]
    methods: Methods
    columns: Mapping[str, Column]
    """metric -> column, the ranked ones first, then family by family."""

    @property
    def usual_seeds(self) -> tuple[int, ...]:
        """The training seeds that most methods have."""
        counts = Counter(self.seeds(label) for label in self.methods)
        return max(counts, key=lambda seeds: (counts[seeds], len(seeds), seeds))

    def seeds(self, label: str) -> tuple[int, ...]:
        """The training seeds of a method, in order."""
        return tuple(sorted(result.seed for result in self.methods[label]))


def assemble(results: Sequence[Result], protocol: Protocol, definitions: Mapping[str, Definition]) -> dict[str, Board]:
    """Name -> board: one per corpus and protocol, never two digests on one.

    Args:
        results: of any corpora and methods.
        protocol: for the resampling.
        definitions: id -> definition of every metric known here, in the order of columns; what a result holds besides
            is shown with the family `other`.

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
        boards[name] = _board(own, protocol, definitions)
    return boards


def _board(results: Sequence[Result], protocol: Protocol, definitions: Mapping[str, Definition]) -> Board:
    methods = _methods(results)
    held = dict.fromkeys(metric for result in results for metric in result.metrics)
    order = [*(metric for metric in definitions if metric in held), *(m for m in held if m not in definitions)]
    columns = [_column(metric, results, methods, protocol, definitions.get(metric)) for metric in order]
    columns.sort(key=lambda column: (not column.ranked, FAMILIES.index(column.family)))
    return Board(results, methods, {column.metric: column for column in columns})


def _column(
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
    ranking = None
    if about.higher_is_better is not None and not refused:
        ranking = rank_methods(
            rows,
            {label: entry.value for label, entry in cells.items() if entry.value is not None},
            [label for label, own in methods.items() if is_null(own) and not _copies(own, metric)],
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
    )


def _refusal(own: Sequence[Result], metric: str) -> str:
    """Why the results of a method give no number; empty where they do, or were not measured."""
    entries = (result.metrics[metric] for result in own if metric in result.metrics)
    return next((entry.reason for entry in entries if entry.status == "refused"), "")


def is_null(own: Sequence[Result]) -> bool:
    """Whether the results of a method are those of a null model."""
    return null_models.is_null(own[0].method.plugin, own[0].method.name)


def _copies(own: Sequence[Result], metric: str) -> bool:
    """Whether a null model is none for this metric: it copies what the classifiers were trained on."""
    return metric in accuracies() and null_models.copies_training(own[0].method.plugin, own[0].method.name)


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
        if len({frozenset(row.request for row in result.clips) for result in own}) > 1:
            raise ResultError(f"The seeds of {label} were asked for different clips. Run them again.")
    return methods


def _ends(reference: Reference) -> tuple[str, str]:
    return number(reference.ceiling.value, ""), number(reference.chance, "")
