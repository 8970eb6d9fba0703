"""Results -> boards: which methods, which metrics, and who stands where. The text is made in `board_markdown`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facial_bench.core.errors import ResultError
from facial_bench.core.names import safe_name
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import FAMILIES, Definition
from facial_bench.evaluation.result import Result
from facial_bench.reports.board_columns import Column, Methods, make_column


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
    """Name -> board: one per corpus, protocol and trained classifiers, never two digests on one.

    Args:
        results: of any corpora and methods.
        protocol: for the resampling.
        definitions: id -> definition of every metric known here, in the order of columns; what a result holds besides
            is shown with the family `other`.

    Raises:
        ResultError: seeds of one method that were not asked for the same clips, or come from two versions of it.
    """
    return {name: _board(own, protocol, definitions) for name, own in divide(results).items()}


def divide(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Name of a board -> its results; raises as `assemble`."""
    groups: dict[tuple[str, str, str, str], list[Result]] = {}
    for result in results:
        label = safe_name(result.corpus.label, "corpus label", ResultError)
        digests = result.corpus.digest, result.protocol.digest, result.classifiers
        groups.setdefault((label, *digests), []).append(result)
    names, rounds = Counter(key[0] for key in groups), Counter(key[:3] for key in groups)
    boards: dict[str, list[Result]] = {}
    for key, own in sorted(groups.items()):
        label = key[0]
        parts: tuple[str, ...] = key[1:] if rounds[key[:3]] > 1 else key[1:3]
        suffix = "".join(f"-{one[:8] or 'none'}" for one in parts) if names[label] > 1 else ""
        name = safe_name(f"{label}{suffix}.md", "board", ResultError, longest=160)
        if name in boards:
            raise ResultError(f"Two boards would be called {name}. Rename the corpus {label}.")
        boards[name] = own
    return boards


def _board(results: Sequence[Result], protocol: Protocol, definitions: Mapping[str, Definition]) -> Board:
    methods = _methods(results)
    held = dict.fromkeys(metric for result in results for metric in result.metrics)
    order = [*(metric for metric in definitions if metric in held), *(m for m in held if m not in definitions)]
    columns = [make_column(metric, results, methods, protocol, definitions.get(metric)) for metric in order]
    columns.sort(key=lambda column: (not column.ranked, FAMILIES.index(column.family)))
    return Board(results, methods, {column.metric: column for column in columns})


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
