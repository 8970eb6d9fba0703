"""What a board says about itself: how to read it, and what has to be said of some of its cells."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from facial_bench.evaluation.result import is_of_one_source
from facial_bench.reports.board import Board
from facial_bench.reports.board_columns import Column
from facial_bench.reports.tables import escape

First = TypeVar("First", bound=Hashable)
LEGEND = (
    "**Cells** are value, 95 % interval over the clips of the people and over training seeds, and in the first tables "
    "the rank. ↑ higher is better, ↓ lower is better, ≈ only the distance to the real value (the ceiling) means "
    "anything.",
    "**Ranks** are intervals: those that the paired tests leave open (permutation over clips, Holm-corrected over the "
    "pairs of one metric). Where a rank is not a single number there is no winner. *(no better)*: than the strongest "
    "null model; *(better?)*: better, but the test does not say so.",
    "**Rows** are in order of the first column; *italics* are null models. `replay` copies real motion: on "
    "realism and the paper's accuracies it is a copying reference, not one to beat. A method that failed on clips (†) "
    "stands below the others with its value, and has no rank; nobody's rank, mark or strongest null model depends on "
    "it.",
    "**Ceiling**: real motion (for a distance: after a passage through the face model; for accuracies and realism: "
    "clips that the classifiers have not seen; for a distance of distributions: the person's real training motion). "
    "**Chance**: 1/N for an accuracy, 0.5 for speech coupling, the person's mean training state for the others.",
)
ONE_SEED = "with one training seed what is said is about the trained model, not about the method"
FAILED = "; they count as chance or worse; no rank."
SEVERAL = "the tests include the variance of training seeds"


def legend(board: Board) -> list[str]:
    """How to read the board, as a list."""
    return [f"- {line}" for line in (*LEGEND, f"**Training seeds**: {_about_seeds(board)}.")]


def _about_seeds(board: Board) -> str:
    """What the tests can say with so many training seeds."""
    single = [label for label, own in board.methods.items() if len(own) == 1]
    if len(single) == len(board.methods):
        return "every method has one, so all claims are about these trained models and not about the methods"
    if not single:
        return SEVERAL
    return f"{SEVERAL} where both methods have several; {ONE_SEED} ({', '.join(map(escape, single))})"


def notes(board: Board) -> list[str]:
    """One line for each thing to know of some cells or methods, the same thing of several metrics in one line."""
    return [
        *_refusals(board),
        *_failures(board),
        *_undefined(board),
        *_without_interval(board),
        *_differing_references(board),
        *_unequal_seeds(board),
        *_mixed_versions(board),
    ]


def _refusals(board: Board) -> list[str]:
    told = ((reason, column) for column in board.columns.values() for reason in dict.fromkeys(column.refused.values()))
    return [f"{metrics} refused: {escape(reason)}." for reason, metrics in _by_first(told)]


def _failures(board: Board) -> list[str]:
    """Clips that failed as a whole, and those that failed for some metrics alone."""
    lines = []
    for label, own in board.methods.items():
        rows = [row for result in own for row in result.clips]
        whole = sum(row.status == "failed" for row in rows)
        if whole:
            lines.append(f"† {escape(label)}: {whole} of {len(rows)} clips failed{FAILED}")
        counts = ((column.failed[label], column) for column in board.columns.values() if label in column.failed)
        for (alone, asked), metrics in _by_first(pair for pair in counts if pair[0][0]):
            lines.append(f"† {escape(label)}: {alone} of {asked} clips failed for {metrics} alone{FAILED}")
    return lines


def _undefined(board: Board) -> list[str]:
    told: list[tuple[str, Column]] = []
    for column in board.columns.values():
        labels: dict[str, list[str]] = {}
        for label, entry in column.cells.items():
            clips = f"{entry.n_undefined} of {entry.n_clips * len(board.methods[label])} clips"
            if entry.undefined_people:
                labels.setdefault(f"for {_people(entry.undefined_people)}", []).append(escape(label))
            elif entry.n_undefined:
                labels.setdefault(f"in {clips}", []).append(escape(label))
        told += [(f"{where} ({', '.join(names)})", column) for where, names in labels.items()]
    lines = [f"§ {metrics}: not defined {where}." for where, metrics in _by_first(told)]
    out = (
        (people, column)
        for column in board.columns.values()
        for people in dict.fromkeys(entry.left_out_people for entry in column.cells.values() if entry.left_out_people)
    )
    lines += [
        f"§ {metrics}: without {_people(people)}, whose real motion has none." for people, metrics in _by_first(out)
    ]
    return lines


def _without_interval(board: Board) -> list[str]:
    """Why values have no interval."""
    told: list[tuple[tuple[str, str], Column]] = []
    for column in board.columns.values():
        labels: dict[str, list[str]] = {}
        for label, entry in column.cells.items():
            if entry.no_interval:
                labels.setdefault(entry.no_interval, []).append(escape(label))
        told += [((reason, ", ".join(names)), column) for reason, names in labels.items()]
    return [f"No interval of {metrics} ({names}): {escape(reason)}." for (reason, names), metrics in _by_first(told)]


def _people(names: Sequence[str]) -> str:
    return ", ".join(map(escape, names))


def _by_first(pairs: Iterable[tuple[First, Column]]) -> list[tuple[First, str]]:
    """Each first element once, with the metrics of the columns that came with it."""
    groups: dict[First, list[str]] = {}
    for first, column in pairs:
        groups.setdefault(first, []).append(escape(column.metric))
    return [(first, ", ".join(metrics)) for first, metrics in groups.items()]


def _differing_references(board: Board) -> list[str]:
    names = [escape(column.metric) for column in board.columns.values() if not column.settled]
    if not names:
        return []
    return [f"{', '.join(names)}: the results differ in ceiling or chance (other devices?); the first is shown."]


def _unequal_seeds(board: Board) -> list[str]:
    """A note for each method whose training seeds are not those of the others."""
    usual = ", ".join(map(str, board.usual_seeds))
    return [
        f"‡ {escape(label)} has seeds {', '.join(map(str, board.seeds(label)))}; others {usual}. Two methods are "
        "compared on as many seeds as both have."
        for label in board.methods
        if board.seeds(label) != board.usual_seeds
    ]


def _mixed_versions(board: Board) -> list[str]:
    return [
        f"‡ {escape(label)}: its seeds come from different versions of {escape(own[0].method.plugin)}. Run them again."
        for label, own in board.methods.items()
        if not is_of_one_source(own)
    ]
