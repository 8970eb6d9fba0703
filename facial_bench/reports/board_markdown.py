"""Boards -> Markdown, and the folder they are kept in."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

from facial_bench.core.errors import ResultError
from facial_bench.core.files import write_bytes
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Definition
from facial_bench.evaluation.result import Result, is_of_one_source
from facial_bench.reports.board import Board, Column, assemble
from facial_bench.reports.board_tables import against_null, behaviour, score_table, skills
from facial_bench.reports.ledger import Entry, footer
from facial_bench.reports.tables import escape

SECTIONS = {"lips": "Lips", "head": "Head", "blinks": "Blinks", "people": "People", "other": "Other metrics"}
"""Family -> title of its section."""
NOTE = """\
Each cell: value and 95 % interval (cluster bootstrap over clips within identity, and over training seeds). ↑ higher is
better, ↓ lower is better, ≈ only the distance to the real value (the ceiling) means anything. *Ceiling*: real held-out
motion (for a distance: after a passage through the face model; for a distance of distributions: the person's real
training motion). *Chance*: 1/N for an accuracy, the identity's mean training state for the others. Rows in *italics*
are null models; for accuracies `replay` copies what the classifiers were trained on: a copying reference, not one to
beat. After the dot the rank, as the interval that pairwise paired permutations over clips leave open (Holm-corrected):
where it is not a single number there is no winner. *(no better)*: than the strongest null model; *(better?)*: better,
but the paired permutation over clips (Holm-corrected) does not say so. Rows are in order of the first column. *No
interval*: all units are alike, or the value is defined in too few of them."""


def make_boards(
    results: Sequence[Result], protocol: Protocol, definitions: Mapping[str, Definition], entries: Sequence[Entry] = ()
) -> dict[str, str]:
    """File name -> Markdown of every board that the results give.

    Arguments and errors as in `board.assemble`; `entries` is the ledger that the results stand in, if they do.
    """
    return {name: write_board(board, entries) for name, board in assemble(results, protocol, definitions).items()}


def write_boards(folder: Path, boards: Mapping[str, str]) -> None:
    """Write the boards into a folder."""
    for name, text in boards.items():
        write_bytes(folder / name, text.encode(), ResultError)


def first_difference(folder: Path, boards: Mapping[str, str]) -> str | None:
    """Where a folder first differs from the boards that the results give: file and line; None where it does not.

    A board that is missing, or comes from no result, differs as a whole.
    """
    for name, text in boards.items():
        try:
            stored = (folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return f"{folder / name} cannot be read"
        if stored != text:
            lines = itertools.zip_longest(stored.split("\n"), text.split("\n"))
            return f"{folder / name}, line {next(n for n, (one, two) in enumerate(lines, start=1) if one != two)}"
    orphans = {path.name for path in folder.glob("*.md")} - set(boards) - {"README.md"}
    return f"{folder / min(orphans)} comes from no result" if orphans else None


def write_board(board: Board, entries: Sequence[Entry] = ()) -> str:
    """One board as Markdown."""
    notes: list[str] = []
    ranked = [column for column in board.columns.values() if column.ranked]
    lines = [*_heading(board), *(_section(board, "Scores", ranked, notes)), *skills(board, ranked)]
    lines += [*against_null(board), *behaviour(board)]
    for family, title in SECTIONS.items():
        others = [column for column in board.columns.values() if column.family == family and not column.ranked]
        lines += _section(board, title, others, notes)
    notes += _unequal_seeds(board)
    notes += [
        f"‡ {escape(label)}: its seeds come from different versions of {escape(own[0].method.plugin)}. Run them again."
        for label, own in board.methods.items()
        if not is_of_one_source(own)
    ]
    if notes:
        lines += ["## Notes", "", *(f"- {note}" for note in dict.fromkeys(notes)), ""]
    lines += [footer(board.results, entries), ""] if entries else []
    return "\n".join(lines)


def _heading(board: Board) -> list[str]:
    corpus, rules = board.results[0].corpus, board.results[0].protocol
    devices = sorted({result.device for result in board.results})
    return [
        f"# {escape(corpus.label)}",
        "",
        f"Corpus {escape(corpus.name)} {escape(corpus.version)} "
        f"({len(corpus.identities)} identities, audio {escape(corpus.audio)}, "
        f"digest `{escape(corpus.digest[:16])}`), protocol {escape(rules.name)} "
        f"(digest `{escape(rules.digest[:16])}`), "
        f"computed on {escape(', '.join(devices))}.",
        "",
        NOTE,
        "",
    ]


def _section(board: Board, title: str, columns: Sequence[Column], notes: list[str]) -> list[str]:
    return [f"## {title}", "", score_table(board, columns, notes), ""] if columns else []


def _unequal_seeds(board: Board) -> list[str]:
    """A note for each method whose training seeds are not those of the others."""
    usual = ", ".join(map(str, board.usual_seeds))
    return [
        f"‡ {escape(label)} has seeds {', '.join(map(str, board.seeds(label)))}; others {usual}. Two methods are "
        "compared on as many seeds as both have."
        for label in board.methods
        if board.seeds(label) != board.usual_seeds
    ]
