"""Results -> Markdown: one board per corpus and protocol, never two digests in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from facial_bench.errors import ResultError
from facial_bench.protocol import Protocol
from facial_bench.results import Result, find_results, read_result, skill
from facial_bench.storage import safe_name, write_bytes
from facial_bench.summary import estimator, summarise
from facial_bench.tables import arrow, cell, escape, markdown, number
from facial_bench.types import Pool

MAIN = ("lmd", "lmd/canonical", "pose_accuracy", "blink_accuracy")
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
beat."""


def make_boards(folder: Path, protocol: Protocol, pools: Mapping[str, Pool]) -> dict[str, str]:
    """File name -> Markdown of every board that the results below a folder give.

    Args:
        folder: of results, `<corpus>/<method>/seed-<n>/result.json`.
        protocol: for the resampling.
        pools: metric -> its pool, of every pooled metric known here.

    Raises:
        ResultError: no results, a damaged one, or seeds of one method that were not asked for the same clips.
    """
    groups: dict[tuple[str, str, str], list[Result]] = {}
    for path in find_results(folder):
        result = read_result(path)
        label = safe_name(result["corpus"].get("label", result["corpus"]["name"]), "corpus label", ResultError)
        groups.setdefault((label, result["corpus"]["digest"], result["protocol"]["digest"]), []).append(result)
    names = [label for label, _, _ in groups]
    boards = {}
    for (label, corpus, rules), results in sorted(groups.items()):
        suffix = f"-{corpus[:8]}-{rules[:8]}" if names.count(label) > 1 else ""
        name = safe_name(f"{label}{suffix}.md", "board", ResultError, longest=160)
        if name in boards:
            raise ResultError(f"Two boards would be called {name}. Rename the corpus {label}.")
        boards[name] = _write(_board(results, protocol, pools))
    return boards


def write_boards(folder: Path, boards: Mapping[str, str]) -> None:
    """Write the boards into a folder."""
    for name, text in boards.items():
        write_bytes(folder / name, text.encode(), ResultError)


def stale_boards(folder: Path, boards: Mapping[str, str]) -> list[str]:
    """Names of the boards that are missing from a folder, differ from what the results give, or come from no result."""

    def found(path: Path) -> str | None:
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    orphans = {path.name for path in folder.glob("*.md")} - set(boards) - {"README.md"}
    return [name for name, text in boards.items() if found(folder / name) != text] + sorted(orphans)


@dataclass(frozen=True, eq=False)
class Column:
    """A metric of a board."""

    metric: str
    about: Mapping[str, Any]
    """Unit, direction and definition."""
    reference: Mapping[str, Any]
    """Ceiling and chance."""
    settled: bool
    """Whether every result has these very references."""
    cells: Mapping[str, Mapping[str, Any]]
    """label of a method -> summary over its seeds."""
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


def _board(results: Sequence[Result], protocol: Protocol, pools: Mapping[str, Pool]) -> Board:
    methods = _methods(results)
    columns: dict[str, Column] = {}
    for result in results:
        for name, metric in result["metrics"].items():
            known = columns.setdefault(name, Column(name, metric, result["references"][name], True, {}, {}))
            if metric["definition"] != known.about["definition"]:
                raise ResultError(f"Results below one folder define the metric {name} differently. Run them again.")
            if _ends(result["references"][name]) != _ends(known.reference):
                columns[name] = replace(known, settled=False)
    return Board(results, methods, {n: _filled(c, methods, protocol, pools) for n, c in columns.items()})


def _filled(
    column: Column, methods: Mapping[str, Sequence[Result]], protocol: Protocol, pools: Mapping[str, Pool]
) -> Column:
    """The column with its cells."""
    cells, refused, metric = {}, {}, column.metric
    for label, own in methods.items():
        groups = [result["clips"] for result in own]
        if len({tuple(sorted(row["request"] for row in rows)) for rows in groups}) > 1:
            raise ResultError(f"The seeds of {label} were asked for different clips. Run them again.")
        reasons = [r["metrics"][metric]["reason"] for r in own
                   if r["metrics"].get(metric, {}).get("status") == "refused"]  # fmt: skip
        if "parts" in column.reference and metric not in pools:
            reasons.append("no plugin here computes it from its parts")
        refused.update({label: reasons[0]} if reasons else {})
        estimate = estimator(pools.get(metric), column.reference)
        cells[label] = {"value": None, "n_failed": 0} if reasons else summarise(groups, metric, protocol, estimate)
    return replace(column, cells=cells, refused=refused)


def _methods(results: Sequence[Result]) -> dict[str, list[Result]]:
    """label -> its results, one per seed."""
    methods: dict[str, list[Result]] = {}
    for result in results:
        methods.setdefault(result["method"]["label"], []).append(result)
    for label, own in methods.items():
        if len({result["seed"] for result in own}) < len(own):
            raise ResultError(f"{label} has two results of one seed, which would count as two. Remove one.")
        versions = sorted({f"{result['method']['plugin']} {result['method']['version']}" for result in own})
        if len(versions) > 1:
            raise ResultError(f"The seeds of {label} come from {' and '.join(versions)}. Run them again with one.")
    return methods


def _ends(reference: Mapping[str, Any]) -> tuple[str, str]:
    return number(reference["ceiling"]["value"], ""), number(reference["chance"], "")


def _write(board: Board) -> str:
    first, notes = board.results[0], list[str]()
    corpus, rules = first["corpus"], first["protocol"]
    devices = sorted({result["device"] for result in board.results})
    lines = [
        f"# {escape(corpus['label'])}", "",
        f"Corpus {escape(corpus['name'])} {escape(corpus['version'])} "
        f"({len(corpus.get('identities', []))} identities, audio {escape(str(corpus.get('audio')))}, "
        f"digest `{escape(corpus['digest'][:16])}`), protocol {escape(rules['name'])} "
        f"(digest `{escape(rules['digest'][:16])}`), "
        f"computed on {escape(', '.join(devices))}.", "", NOTE, "",
    ]  # fmt: skip
    left = [name for name in board.columns if name not in MAIN]
    parts = {"Scores": [name for name in MAIN if name in board.columns]}
    for title, prefixes in SECTIONS.items():
        parts[title] = [name for name in left if name.startswith(prefixes)]
        left = [name for name in left if name not in parts[title]]
    for title, metrics in parts.items():
        if metrics:
            lines += [f"## {title}", "", _table(board, metrics, notes), ""]
        if title == "Scores":
            lines += ["## Skill", "", "(value - chance) / (ceiling - chance): 0 is chance, 1 the ceiling; not clipped.",
                      "", _skill_table(board), ""]  # fmt: skip
    if notes:
        lines += ["## Notes", "", *(f"- {note}" for note in dict.fromkeys(notes)), ""]
    return "\n".join(lines)


def _order(board: Board) -> list[str]:
    """Labels by the first column, best first; a refused number orders nothing."""
    column = board.columns[next((m for m in MAIN if m in board.columns), next(iter(board.columns)))]
    values = {label: entry["value"] for label, entry in column.cells.items()}
    sign = -1 if column.about["higher_is_better"] else 1
    return sorted(board.methods, key=lambda label: (values[label] is None, sign * (values[label] or 0), label))


def _name(board: Board, label: str) -> str:
    null = board.methods[label][0]["method"].get("reference") == "null model"
    return f"*{escape(label)}*" if null else escape(label)


def _table(board: Board, metrics: Sequence[str], notes: list[str]) -> str:
    headers, columns = ["method", "seeds"], []
    for metric in metrics:
        column = board.columns[metric]
        unit = column.about["unit"]
        if not column.settled:
            notes.append(
                f"{escape(metric)}: the results differ in ceiling or chance (other devices?); the first is shown."
            )
        headers.append(f"{escape(metric)} {arrow(column.about)} ({escape(unit)})")
        shown = {"ceiling": cell(column.reference["ceiling"], unit), "chance": number(column.reference["chance"], unit)}
        for label, entry in column.cells.items():
            if label in column.refused:
                shown[label] = "refused"
                notes.append(f"{escape(metric)} is refused: {escape(column.refused[label])}.")
                continue
            shown[label] = cell(entry, unit)
            if entry["n_failed"]:
                shown[label] += " †"
                notes.append(f"† {escape(label)}, {escape(metric)}: {entry['n_failed']} clips failed (of "
                             f"{entry['n_clips'] * len(board.methods[label])}); in an accuracy they count as wrong, "
                             "the others are over what is left.")  # fmt: skip
        columns.append(shown)
    rows = [["**ceiling**", "", *(column["ceiling"] for column in columns)]]
    for label in _order(board):
        seeds = str(len(board.methods[label]))
        rows.append([_name(board, label), seeds, *(column[label] for column in columns)])
    rows.append(["**chance**", "", *(column["chance"] for column in columns)])
    return markdown(rows, headers)


def _skill_table(board: Board) -> str:
    shown = [board.columns[m] for m in MAIN if m in board.columns and not board.columns[m].refused]
    rows = []
    for label in _order(board):
        values = [column.cells[label]["value"] for column in shown]
        skills = [None if v is None else skill(v, column.reference) for v, column in zip(values, shown, strict=True)]
        rows.append([_name(board, label), *(number(value, "skill") for value in skills)])
    return markdown(rows, ["method", *(escape(column.metric) for column in shown)])
