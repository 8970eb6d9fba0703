"""Boards -> Markdown, and the folder they are kept in."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import UNSET

from facial_bench.core.errors import ResultError
from facial_bench.core.files import write_bytes
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Pool
from facial_bench.evaluation.result import Result, skill
from facial_bench.reports.board import MAIN, Board, Column, assemble, is_null
from facial_bench.reports.ledger import Entry, footer
from facial_bench.reports.tables import arrow, cell, escape, markdown, number

SECTIONS = {
    "Other forms of the accuracies": ("pose_accuracy", "blink_accuracy"),
    "Lips": ("lmd", "lvd", "lve", "mve", "fdd", "mouth_", "sync_", "frechet/mouth"),
    "Head": ("pose_", "beat_", "frechet/pose"),
    "Blinks": ("blink_",),
    "Other metrics": ("",),
}
"""Title -> how the ids of its metrics begin; a metric stands in the first that fits."""
NOTE = """\
Each cell: value and 95 % interval (cluster bootstrap over clips within identity, and over training seeds). ↑ higher is
better, ↓ lower is better, ≈ only the distance to the real value (the ceiling) means anything. *Ceiling*: real held-out
motion (for a distance: after a passage through the face model; for a distance of distributions: the person's real
training motion). *Chance*: 1/N for an accuracy, the identity's mean training state for the others. Rows in *italics*
are null models; for accuracies `replay` copies what the classifiers were trained on: a copying reference, not one to
beat. After the dot the rank, as the interval that pairwise paired permutations over clips leave open (Holm-corrected):
where it is not a single number there is no winner. Rows are in order of the first column. *No interval*: all units are
alike, or the value is defined in too few of them."""


MARKS = {"beats": "", "undecided": " ?", "not": " ▽"}
"""After a value: how it stands against the strongest null model."""
NULL_SKILL = """\
(value - strongest null) / (ceiling - strongest null), where the strongest null is the null model with the best value. ▽
does not beat it; ? is better, but the paired permutation over clips (Holm-corrected over the methods) does not say so.
A dash: the null reaches the ceiling, so this metric alone can be gamed, or the method has no value."""
CONDUCT = """\
Look-ahead: how far before a change of the sound the motion changes, the greatest of three places in one test sequence.
Real-time factor: seconds of motion made in a second, one sequence at a time, on the machine of the run."""


def make_boards(
    results: Sequence[Result], protocol: Protocol, pools: Mapping[str, Pool], entries: Sequence[Entry] = ()
) -> dict[str, str]:
    """File name -> Markdown of every board that the results give.

    Arguments and errors as in `boards.assemble`; `entries` is the ledger that the results stand in, if they do.
    """
    return {name: _write(board, entries) for name, board in assemble(results, protocol, pools).items()}


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
            found = (folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return f"{folder / name} cannot be read"
        if found != text:
            lines = itertools.zip_longest(found.split("\n"), text.split("\n"))
            return f"{folder / name}, line {next(n for n, (one, two) in enumerate(lines, start=1) if one != two)}"
    orphans = {path.name for path in folder.glob("*.md")} - set(boards) - {"README.md"}
    return f"{folder / min(orphans)} comes from no result" if orphans else None


def _write(board: Board, entries: Sequence[Entry]) -> str:
    first, notes = board.results[0], list[str]()
    corpus, rules = first.corpus, first.protocol
    devices = sorted({result.device for result in board.results})
    lines = [
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
    left = [name for name in board.columns if name not in MAIN]
    parts = {"Scores": [name for name in MAIN if name in board.columns]}
    for title, prefixes in SECTIONS.items():
        parts[title] = [name for name in left if name.startswith(prefixes)]
        left = [name for name in left if name not in parts[title]]
    for title, metrics in parts.items():
        if metrics:
            lines += [f"## {title}", "", _table(board, metrics, notes), ""]
        if title == "Scores":
            lines += [*_skills(board), *_null_skills(board), *_conduct(board)]
    if notes:
        lines += ["## Notes", "", *(f"- {note}" for note in dict.fromkeys(notes)), ""]
    lines += [footer(board.results, entries), ""] if entries else []
    return "\n".join(lines)


def _order(board: Board) -> list[str]:
    """Labels by the first column, best first; a refused number orders nothing."""
    column = board.columns[next((m for m in MAIN if m in board.columns), next(iter(board.columns)))]
    values = {label: entry.value for label, entry in column.cells.items()}
    sign = -1 if column.about.higher_is_better else 1
    return sorted(board.methods, key=lambda label: (values[label] is None, sign * (values[label] or 0), label))


def _name(board: Board, label: str) -> str:
    return f"*{escape(label)}*" if is_null(board.methods[label]) else escape(label)


def _table(board: Board, metrics: Sequence[str], notes: list[str]) -> str:
    headers, columns = ["method", "seeds"], []
    for metric in metrics:
        column = board.columns[metric]
        unit = column.about.unit
        if not column.settled:
            notes.append(
                f"{escape(metric)}: the results differ in ceiling or chance (other devices?); the first is shown."
            )
        headers.append(f"{escape(metric)} {arrow(column.about.higher_is_better)} ({escape(unit)})")
        shown = {"ceiling": cell(column.reference.ceiling, unit), "chance": number(column.reference.chance, unit)}
        for label in column.cells:
            shown[label] = _shown(board, column, label, notes)
        columns.append(shown)
    rows = [["**ceiling**", "", *(column["ceiling"] for column in columns)]]
    for label in _order(board):
        seeds = str(len(board.methods[label]))
        rows.append([_name(board, label), seeds, *(column[label] for column in columns)])
    rows.append(["**chance**", "", *(column["chance"] for column in columns)])
    return markdown(rows, headers)


def _shown(board: Board, column: Column, label: str, notes: list[str]) -> str:
    """A cell: value, interval, rank interval, and the marks."""
    entry, metric = column.cells[label], escape(column.metric)
    if label in column.refused:
        notes.append(f"{metric} is refused: {escape(column.refused[label])}.")
        return "refused"
    text = cell(entry, column.about.unit)
    ranking = column.ranking
    if ranking:
        text += f" · {ranks(ranking.ranks[label])}" if label in ranking.ranks else ""
        text += "" if is_null(board.methods[label]) else MARKS[ranking.against.get(label, "beats")]
    if entry.n_failed:
        text += " †"
        whole = entry.n_clips * len(board.methods[label])
        notes.append(
            f"† {escape(label)}, {metric}: {entry.n_failed} of {whole} clips have no value (failed, or not "
            "defined); in an accuracy they count as wrong, the others are over what is left."
        )
    return text


def ranks(interval: tuple[int, int]) -> str:
    """A rank interval: `2–5`, or `1` where the tests leave one rank only."""
    return str(interval[0]) if interval[0] == interval[1] else f"{interval[0]}–{interval[1]}"


def _skills(board: Board) -> list[str]:
    shown = [board.columns[m] for m in MAIN if m in board.columns and not board.columns[m].refused]
    rows = []
    for label in _order(board):
        values = [column.cells[label].value for column in shown]
        skills = [
            skill(v, column.reference.chance, column.reference.ceiling.value)
            for v, column in zip(values, shown, strict=True)
        ]
        rows.append([_name(board, label), *(number(value, "skill") for value in skills)])
    table = markdown(rows, ["method", *(escape(column.metric) for column in shown)])
    return [
        "## Skill",
        "",
        "(value - chance) / (ceiling - chance): 0 is chance, 1 the ceiling; not clipped.",
        "",
        table,
        "",
    ]


def _null_skills(board: Board) -> list[str]:
    """What is left of each method where the best null model is taken for zero."""
    labels = [label for label in _order(board) if not is_null(board.methods[label])]
    rows, smallest = [], 0.0
    for column in board.columns.values():
        if column.ranking is None or column.ranking.strongest is None:
            continue
        best, smallest = column.ranking.strongest, max(smallest, column.ranking.smallest_p)
        base, ceiling = column.cells[best].value, column.reference.ceiling.value
        passed = base is None or _beyond(column, base)
        shown = []
        for label in labels:
            value = column.cells[label].value
            mark = MARKS[column.ranking.against.get(label, "beats")]
            shown.append(
                "–" if value is None else number(None if passed else skill(value, base, ceiling), "skill") + mark
            )
        rows.append(
            [
                f"{escape(column.metric)} {arrow(column.about.higher_is_better)}",
                f"*{escape(best)}*",
                number(base, column.about.unit),
                *shown,
            ]
        )
    if not rows or not labels:
        return []
    return [
        "## Null skill",
        "",
        f"{NULL_SKILL} The smallest p that the fewest clips can give is {smallest:.3g}.",
        "",
        markdown(rows, ["metric", "strongest null", "its value", *map(escape, labels)]),
        "",
    ]


def _beyond(column: Column, value: float) -> bool:
    """Whether a value is as good as the ceiling, or better: nothing lies between the two then."""
    ceiling = column.reference.ceiling.value
    return ceiling is not None and (value >= ceiling if column.about.higher_is_better else value <= ceiling)


def _conduct(board: Board) -> list[str]:
    """How the methods behave: measured by the harness on one test sequence."""
    rows = []
    for label in _order(board):
        behaviour = board.methods[label][0].behaviour
        speeds = [result.timing.get("real_time_factor") for result in board.methods[label]]
        known = [float(speed) for speed in speeds if isinstance(speed, (int, float))]
        ahead, uses = behaviour.look_ahead_ms, behaviour.uses_audio
        rows.append(
            [
                _name(board, label),
                "–" if uses is UNSET else "yes" if uses else "no",
                f"{ahead:.0f}" if isinstance(ahead, (int, float)) else "–",
                f"{sorted(known)[len(known) // 2]:.2g}" if known else "–",
            ]
        )
    headers = ["method", "motion follows the audio", "look-ahead (ms)", "real-time factor"]
    return ["## Conduct", "", CONDUCT, "", markdown(rows, headers), ""]
