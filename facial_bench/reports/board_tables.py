"""The tables of a board, in Markdown: scores, skill, skill against the strongest null model, behaviour."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from facial_bench.evaluation.result import is_of_one_source, skill
from facial_bench.metrics.identity import accuracies
from facial_bench.reports.board import Board, Column, is_null
from facial_bench.reports.tables import arrow, cell, escape, markdown, number, unscored

MARKS = {"beats": "", "undecided": " (better?)", "not": " (no better)"}
"""After a value: how it stands against the strongest null model."""
AGAINST_NULL = """\
(value - strongest null model) / (ceiling - strongest null model), where the strongest is the null model with the best
value. A dash: it reaches the ceiling, so this metric alone can be gamed, or the method has no value."""
BEHAVIOUR = """\
Look-ahead: how far before a change of the sound the motion changes, the greatest of three places in one test sequence.
Real-time factor: seconds of motion made in a second, one sequence at a time, on the machine of the run."""


def _order(board: Board) -> list[str]:
    """Labels by the first column, best first; a refused number orders nothing."""
    column = next(iter(board.columns.values()))
    values = {label: entry.value for label, entry in column.cells.items()}
    sign = -1 if column.about.higher_is_better else 1
    return sorted(board.methods, key=lambda label: (values[label] is None, sign * (values[label] or 0), label))


def _name(board: Board, label: str) -> str:
    return f"*{escape(label)}*" if is_null(board.methods[label]) else escape(label)


def _seeds(board: Board, label: str) -> str:
    """How many training seeds a method has, marked where others have others, or they are of two versions of it."""
    alike = board.seeds(label) == board.usual_seeds and is_of_one_source(board.methods[label])
    mark = "" if alike else " ‡"
    return f"{len(board.methods[label])}{mark}"


def score_table(board: Board, columns: Sequence[Column], notes: list[str]) -> str:
    """Methods down, metrics across; what has to be said of a cell is added to `notes`."""
    order = _order(board)
    headers = ["method", "seeds"]
    rows = [["**ceiling**", ""], *([_name(board, label), _seeds(board, label)] for label in order), ["**chance**", ""]]
    for column in columns:
        metric, unit, reference = escape(column.metric), column.about.unit, column.reference
        headers.append(f"{metric} {arrow(column.about.higher_is_better)} ({escape(unit)})")
        shown = [_shown(board, column, label, notes) for label in order]
        cells = [cell(reference.ceiling, unit), *shown, number(reference.chance, unit)]
        for row, text in zip(rows, cells, strict=True):
            row.append(text)
        if not column.settled:
            notes.append(f"{metric}: the results differ in ceiling or chance (other devices?); the first is shown.")
    return markdown(rows, headers)


def _shown(board: Board, column: Column, label: str, notes: list[str]) -> str:
    """A cell: value, interval, rank interval, and the marks."""
    entry, metric, ranking = column.cells[label], escape(column.metric), column.ranking
    if label in column.refused:
        notes.append(f"{metric} is refused: {escape(column.refused[label])}.")
        return "refused"
    text = cell(entry, column.about.unit)
    if ranking:
        text += f" · {ranks(ranking.ranks[label])}" if label in ranking.ranks else ""
        text += "" if is_null(board.methods[label]) else MARKS[ranking.against.get(label, "beats")]
    if entry.n_failed:
        text += " †"
        missing = unscored(entry.n_failed - entry.n_undefined, entry.n_undefined)
        whole = entry.n_clips * len(board.methods[label])
        notes.append(f"† {escape(label)}, {metric}: {missing} of {whole} clips{_without_them(column, label)}.")
    return text


def _without_them(column: Column, label: str) -> str:
    """What clips without a value do to the value."""
    if column.cells[label].value is None:
        return ""
    return "; failed ones count as wrong" if column.metric in accuracies() else "; the value is of the rest"


def ranks(interval: tuple[int, int]) -> str:
    """A rank interval: `2–5`, or `1` where the tests leave one rank only."""
    return str(interval[0]) if interval[0] == interval[1] else f"{interval[0]}–{interval[1]}"


def skills(board: Board, ranked: Sequence[Column]) -> list[str]:
    """The section of skills on the ranked metrics; no lines where there is none."""
    columns = [column for column in ranked if not column.refused]
    if not columns:
        return []
    rows = [
        [_name(board, label), *(number(_skill(column, label, column.reference.chance), "skill") for column in columns)]
        for label in _order(board)
    ]
    text = "(value - chance) / (ceiling - chance): 0 is chance, 1 the ceiling; not clipped."
    table = markdown(rows, ["method", *(escape(column.metric) for column in columns)])
    return ["## Skill", "", text, "", table, ""]


def _skill(column: Column, label: str, zero: float | None) -> float | None:
    """The skill of a method where some value is taken for zero."""
    return skill(column.cells[label].value, zero, column.reference.ceiling.value)


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
            mark = "" if column.cells[label].value is None else MARKS[column.ranking.against.get(label, "beats")]
            value = None if _reaches_ceiling(column, zero) else _skill(column, label, zero)
            shown.append(number(value, "skill") + mark)
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
