"""Boards -> Markdown, and the folder they are kept in."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from facial_bench.core.errors import ResultError
from facial_bench.core.files import write_bytes
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Definition
from facial_bench.evaluation.result import Result
from facial_bench.reports.board import Board, assemble
from facial_bench.reports.board_notes import legend, notes
from facial_bench.reports.board_tables import (
    OTHER_COLUMNS,
    RANKED_COLUMNS,
    against_null,
    behaviour,
    score_tables,
    skills,
)
from facial_bench.reports.ledger import Entry, footer
from facial_bench.reports.tables import escape

SECTIONS = {
    **{"lips": "Lips", "head": "Head", "blinks": "Blinks", "pictures": "Pictures", "people": "People"},
    "other": "Other metrics",
}
"""Family -> title of its section."""
RENDERERS = ".renderers.md"
"""How the boards of renderers end, which may lie in the same folder."""
NOTHING: Mapping[str, str] = MappingProxyType({})


def make_boards(
    results: Sequence[Result],
    protocol: Protocol,
    definitions: Mapping[str, Definition],
    entries: Sequence[Entry] = (),
    weights: Mapping[str, str] = NOTHING,
) -> dict[str, str]:
    """File name -> Markdown of every board that the results give.

    Arguments and errors as in `board.assemble`, and:
        entries: the ledger that the results stand in, if they do.
        weights: digest of identity classifiers -> name of the file beside the board that holds them.
    """
    boards = assemble(results, protocol, definitions)
    return {name: write_board(board, entries, weights) for name, board in boards.items()}


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
    there = {path.name for path in folder.glob("*.md") if not path.name.endswith(RENDERERS)}
    orphans = there - set(boards) - {"README.md"}
    return f"{folder / min(orphans)} comes from no result" if orphans else None


def write_board(board: Board, entries: Sequence[Entry] = (), weights: Mapping[str, str] = NOTHING) -> str:
    """One board as Markdown; arguments as of `make_boards`."""
    ranked = [column for column in board.columns.values() if column.ranked]
    lines = [*_heading(board, weights), *legend(board), ""]
    lines += _section("Scores", score_tables(board, ranked, RANKED_COLUMNS))
    lines += [*skills(board, ranked), *against_null(board), *behaviour(board)]
    for family, title in SECTIONS.items():
        others = [column for column in board.columns.values() if column.family == family and not column.ranked]
        lines += _section(title, score_tables(board, others, OTHER_COLUMNS))
    said = notes(board)
    lines += ["## Notes", "", *(f"- {note}" for note in said), ""] if said else []
    lines += [footer(board.results, entries), ""] if entries else []
    return "\n".join(lines)


def _heading(board: Board, weights: Mapping[str, str]) -> list[str]:
    first = board.results[0]
    corpus, rules, classifiers = first.corpus, first.protocol, first.classifiers
    devices = sorted({result.device for result in board.results})
    file = f" ({escape(weights[classifiers])})" if classifiers in weights else ""
    judges = f"identity classifiers `{escape(classifiers[:16])}`{file}" if classifiers else "no identity classifiers"
    return [
        f"# {escape(corpus.label)}",
        "",
        f"Corpus {escape(corpus.name)} {escape(corpus.version)} "
        f"({len(corpus.identities)} identities, audio {escape(corpus.audio)}, "
        f"digest `{escape(corpus.digest[:16])}`), protocol {escape(rules.name)} "
        f"(digest `{escape(rules.digest[:16])}`), {judges}, "
        f"computed on {escape(', '.join(devices))}.",
        "",
    ]


def _section(title: str, tables: Sequence[str]) -> list[str]:
    return [f"## {title}", "", *(line for table in tables for line in (table, ""))] if tables else []
