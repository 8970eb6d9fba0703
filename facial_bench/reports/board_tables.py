"""The tables of a board, in Markdown: scores, skill, skill against the strongest null model, behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec import UNSET

from facial_bench.evaluation.result import is_of_one_source, skill
from facial_bench.reports.board import Board
from facial_bench.reports.board_columns import Column, is_null
from facial_bench.reports.tables import arrow, cell, escape, markdown, number

MARKS = {"beats": "", "undecided": " (better?)", "not": " (no better)"}
"""After a value: how it stands against the strongest null model."""
FAILED, UNDEFINED = " †", " §"
"""After a value: clips failed; the metric is not defined everywhere."""
RANKED_COLUMNS, OTHER_COLUMNS = 4, 5
"""Most columns of one table, with ranks and without: what a page shows side by side."""
AGAINST_NULL = """\
(value - strongest null model) / (ceiling - strongest null model), where the strongest is the null model with the best
value. A dash: it reaches the ceiling, so this metric alone can be gamed, or the method has no value."""
BEHAVIOUR = """\
Look-ahead: how far before a change of the sound the motion changes, the greatest of three places in one test sequence.
Real-time factor: seconds of motion made in a second, one sequence at a time, on the machine of the run."""


def _order(board: Board) -> list[str]:
    """Labels by the first column, best first, and after them those that failed on clips; a refused number orders
    nothing."""
    column = next(iter(board.columns.values()))
    values = {label: entry.value for label, entry in column.cells.items()}
    sign = -1 if column.about.higher_is_better else 1

    def place(label: str) -> tuple[bool, bool, float, str]:
        return label in column.failed, values[label] is None, sign * (values[label] or 0), label

    return sorted(board.methods, key=place)


def _name(board: Board, label: str) -> str:
    return f"*{escape(label)}*" if is_null(board.methods[label]) else escape(label)


def _seeds(board: Board, label: str) -> str:
    """How many training seeds a method has, marked where others have others, or they are of two versions of it."""
    alike = board.seeds(label) == board.usual_seeds and is_of_one_source(board.methods[label])
    mark = "" if alike else " ‡"
    return f"{len(board.methods[label])}{mark}"


def score_tables(board: Board, columns: Sequence[Column], most: int) -> list[str]:
    """Methods down, metrics across, in as few tables of at most so many metrics as it takes, all about as wide."""
    count = -(-len(columns) // most)
    ends = [k * len(columns) // count for k in range(count + 1)] if count else []
    return [_score_table(board, columns[first:last]) for first, last in pairwise(ends)]


def _score_table(board: Board, columns: Sequence[Column]) -> str:
    order = _order(board)
    headers = ["method", "seeds"]
    rows = [["**ceiling**", ""], *([_name(board, label), _seeds(board, label)] for label in order), ["**chance**", ""]]
    for column in columns:
        unit, reference = column.about.unit, column.reference
        mark = UNDEFINED if any(entry.left_out_people for entry in column.cells.values()) else ""
        headers.append(f"{escape(column.metric)} {arrow(column.about.higher_is_better)} ({escape(unit)}){mark}")
        shown = (_score(board, column, label) for label in order)
        for row, text in zip(
            rows, [cell(reference.ceiling, unit), *shown, number(reference.chance, unit)], strict=True
        ):
            row.append(text)
    return markdown(rows, headers)


def _score(board: Board, column: Column, label: str) -> str:
    """`0.812 [0.790, 0.834] · 2–3 (better?)`; of a method with failures `0.812 [0.790, 0.834] · – †`."""
    if label in column.refused:
        return "refused"
    text = cell(column.cells[label], column.about.unit)
    if column.ranking and column.ranking.ranks:
        rank = column.ranking.ranks.get(label)
        text += f" · {rank_text(rank)}" if rank else " · –" if label in column.failed else ""
    return text + against_mark(board, column, label) + footmarks(column, label)


def against_mark(board: Board, column: Column, label: str) -> str:
    """How a method stands against the strongest null model; empty of one that beats it, and of one outside ranking."""
    if column.ranking is None or is_null(board.methods[label]):
        return ""
    return MARKS[column.ranking.against.get(label, "beats")]


def footmarks(column: Column, label: str) -> str:
    """Marks that the notes explain."""
    entry = column.cells[label]
    undefined = entry.n_undefined or entry.undefined_people
    return (FAILED if label in column.failed else "") + (UNDEFINED if undefined else "")


def rank_text(interval: tuple[int, int]) -> str:
    """A rank interval: `2–5`, or `1` where the tests leave one rank only."""
    return str(interval[0]) if interval[0] == interval[1] else f"{interval[0]}–{interval[1]}"


def skills(board: Board, ranked: Sequence[Column]) -> list[str]:
    """The section of skills on the ranked metrics; no lines where there is none."""
    columns = [column for column in ranked if not column.refused]
    if not columns:
        return []
    rows = [
        [_name(board, label), *(_skill_text(column, label, column.reference.chance) for column in columns)]
        for label in _order(board)
    ]
    text = "(value - chance) / (ceiling - chance): 0 is chance, 1 the ceiling; not clipped."
    table = markdown(rows, ["method", *(escape(column.metric) for column in columns)])
    return ["## Skill", "", text, "", table, ""]


def _skill(column: Column, label: str, zero: float | None) -> float | None:
    """The skill of a method where some value is taken for zero."""
    return skill(column.cells[label].value, zero, column.reference.ceiling.value)


def _skill_text(column: Column, label: str, zero: float | None) -> str:
    return number(_skill(column, label, zero), "skill") + (FAILED if label in column.failed else "")


def against_null(board: Board) -> list[str]:
    """What is left of each method where the best null model is taken for zero."""
    labels = [label for label in _order(board) if not is_null(board.methods[label])]
    rows, smallest = [], 0.0
    for column in board.columns.values():
        if column.ranking is None or column.ranking.strongest is None:
            continue
        best, smallest = column.ranking.strongest, max(smallest, column.ranking.smallest_p)
        zero = column.cells[best].value
        shown = []
        for label in labels:
            mark = "" if column.cells[label].value is None else against_mark(board, column, label)
            shown.append(_skill_text(column, label, None if _reaches_ceiling(column, zero) else zero) + mark)
        about = column.about
        name = f"{escape(column.metric)} {arrow(about.higher_is_better)}"
        rows.append([name, f"*{escape(best)}*", number(zero, about.unit), *shown])
    if not rows or not labels:
        return []
    return [
        "## Skill against the strongest null model",
        "",
        f"{AGAINST_NULL} The smallest p that the fewest clips can give is {smallest:.3g}.",
        "",
        markdown(rows, ["metric", "strongest null model", "its value", *map(escape, labels)]),
        "",
    ]


def _reaches_ceiling(column: Column, value: float | None) -> bool:
    """Whether a value is as good as the ceiling, or better: nothing lies between the two then."""
    ceiling = column.reference.ceiling.value
    if value is None or ceiling is None:
        return False
    return value >= ceiling if column.about.higher_is_better else value <= ceiling


def behaviour(board: Board) -> list[str]:
    """How the methods behave: measured by the harness on one test sequence."""
    rows = []
    for label in _order(board):
        own = board.methods[label]
        uses, ahead = own[0].behaviour.uses_audio, own[0].behaviour.look_ahead_ms
        factors = (result.timing.get("real_time_factor") for result in own)
        speeds = sorted(float(factor) for factor in factors if isinstance(factor, (int, float)))
        rows.append(
            [
                _name(board, label),
                "–" if uses is UNSET else "yes" if uses else "no",
                f"{ahead:.0f}" if isinstance(ahead, (int, float)) else "–",
                f"{speeds[len(speeds) // 2]:.2g}" if speeds else "–",
            ]
        )
    headers = ["method", "motion follows the audio", "look-ahead (ms)", "real-time factor"]
    return ["## Behaviour", "", BEHAVIOUR, "", markdown(rows, headers), ""]
