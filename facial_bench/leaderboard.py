"""Results -> Markdown: one board per corpus and protocol, never two digests in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tabulate import tabulate

from facial_bench.errors import ResultError
from facial_bench.protocol import Protocol
from facial_bench.results import Result, find_results, read_result, skill
from facial_bench.storage import safe_name, write_bytes
from facial_bench.summary import summarise

MAIN = ("lmd", "lmd/canonical", "pose_accuracy", "blink_accuracy")
NOTE = """\
Each cell: value and 95 % interval (cluster bootstrap over clips within identity, and over training seeds). ↑ higher is
better, ↓ lower is better. *Ceiling*: real held-out motion (for a distance: after a passage through the face model).
*Chance*: 1/N for an accuracy, the identity's mean training state for a distance. Rows in *italics* are null models;
for accuracies `replay` copies what the classifiers were trained on: a copying reference, not one to beat. Rows are in
order of the first column; an order inside each other's intervals means nothing."""


def make_boards(folder: Path, protocol: Protocol) -> dict[str, str]:
    """File name -> Markdown of every board that the results below a folder give.

    Args:
        folder: of results, `<corpus>/<method>/seed-<n>/result.json`.
        protocol: for the resampling.

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
        boards[name] = _board(results, protocol)
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


def result_table(result: Result) -> str:
    """A result as a plain-text table."""
    rows = []
    for name, metric in result["metrics"].items():
        reference = result["references"][name]
        shown = _cell(metric, metric["unit"]) if metric["status"] != "refused" else "refused"
        failed = f"{metric['n_failed']} of {metric['n_clips']}" if metric["n_failed"] else ""
        rows.append([f"{name} {arrow(metric)}", metric["unit"], shown, _number(reference["chance"], metric["unit"]),
                     _number(reference["ceiling"]["value"], metric["unit"]), _number(metric["skill"], "skill"),
                     failed])  # fmt: skip
    headers = ["metric", "unit", "value [95 %]", "chance", "ceiling", "skill", "failed"]
    table = tabulate(rows, headers, tablefmt="simple", disable_numparse=True)
    reasons = {m["reason"] for m in result["metrics"].values() if m["status"] == "refused"}
    return "\n".join([table, *(f"refused: {reason}" for reason in sorted(reasons))])


def arrow(metric: Mapping[str, Any]) -> str:
    """↑, ↓, or nothing where only the distance to the real value means anything."""
    return {True: "↑", False: "↓"}.get(metric["higher_is_better"], "")


def _board(results: Sequence[Result], protocol: Protocol) -> str:
    first, methods, columns = results[0], _methods(results), _columns(results)
    extra = [name for name in columns if name not in MAIN]
    lines = [
        f"# {escape(first['corpus']['name'])}", "",
        f"Corpus {escape(first['corpus']['name'])} {escape(first['corpus']['version'])} "
        f"({len(first['corpus'].get('identities', []))} identities, audio {escape(str(first['corpus'].get('audio')))}, "
        f"digest `{escape(first['corpus']['digest'][:16])}`), protocol {escape(first['protocol']['name'])} "
        f"(digest `{escape(first['protocol']['digest'][:16])}`), "
        f"computed on {escape(', '.join(sorted({r['device'] for r in results})))}.", "", NOTE, "",
    ]  # fmt: skip
    notes: list[str] = []
    for title, metrics in (("Scores", MAIN), ("Other forms", extra)):
        shown = {name: columns[name] for name in metrics if name in columns}
        if shown:
            lines += [f"## {title}", "", _table(methods, shown, protocol, notes), ""]
    lines += ["## Skill", "", "(value - chance) / (ceiling - chance): 0 is chance, 1 the ceiling; not clipped.", "",
              _skill_table(methods, columns, protocol), ""]  # fmt: skip
    if notes:
        lines += ["## Notes", "", *(f"- {note}" for note in dict.fromkeys(notes)), ""]
    return "\n".join(lines)


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


@dataclass(frozen=True)
class _Column:
    """A metric of a board."""

    about: Mapping[str, Any]
    """Unit, direction and definition."""
    reference: Mapping[str, Any]
    """Ceiling and chance."""
    settled: bool
    """Whether every result has these very references."""


def _columns(results: Sequence[Result]) -> dict[str, _Column]:
    """metric -> column, over all results: a metric that only some of them hold has a column too."""
    found: dict[str, _Column] = {}
    for result in results:
        for name, metric in result["metrics"].items():
            known = found.setdefault(name, _Column(metric, result["references"][name], True))
            if metric["definition"] != known.about["definition"]:
                raise ResultError(f"Results below one folder define the metric {name} differently. Run them again.")
            if _ends(result["references"][name]) != _ends(known.reference):
                found[name] = replace(known, settled=False)
    return found


def _ends(reference: Mapping[str, Any]) -> tuple[str, str]:
    return _number(reference["ceiling"]["value"], ""), _number(reference["chance"], "")


def _is_refused(results: Sequence[Result], metric: str) -> str | None:
    """Why a method's results refuse a metric; None where they do not."""
    reasons = [
        r["metrics"][metric]["reason"] for r in results if r["metrics"].get(metric, {}).get("status") == "refused"
    ]
    return reasons[0] if reasons else None


def _summaries(
    methods: Mapping[str, Sequence[Result]], metric: str, protocol: Protocol
) -> dict[str, Mapping[str, Any]]:
    """label -> summary of a metric over its seeds."""
    found = {}
    for label, results in methods.items():
        groups = [result["clips"] for result in results]
        if len({tuple(sorted(row["request"] for row in rows)) for rows in groups}) > 1:
            raise ResultError(f"The seeds of {label} were asked for different clips. Run them again.")
        found[label] = summarise(groups, metric, protocol)
    return found


def _order(methods: Mapping[str, Sequence[Result]], shown: Mapping[str, _Column], protocol: Protocol) -> list[str]:
    """Labels by the first column, best first; a refused number orders nothing."""
    metric, column = next(iter(shown.items()))
    values = {
        label: None if _is_refused(methods[label], metric) else summary["value"]
        for label, summary in _summaries(methods, metric, protocol).items()
    }
    sign = -1 if column.about["higher_is_better"] else 1
    return sorted(methods, key=lambda label: (values[label] is None, sign * (values[label] or 0), label))


def _name(label: str, results: Sequence[Result]) -> str:
    return f"*{escape(label)}*" if results[0]["method"].get("reference") == "null model" else escape(label)


def _table(
    methods: Mapping[str, Sequence[Result]], shown: Mapping[str, _Column], protocol: Protocol, notes: list[str]
) -> str:
    headers = ["method", "seeds"]
    columns: list[dict[str, str]] = []
    for metric, (about, reference, settled) in ((m, (c.about, c.reference, c.settled)) for m, c in shown.items()):
        if not settled:
            notes.append(
                f"{escape(metric)}: the results differ in ceiling or chance (other devices?); the first is shown."
            )
        headers.append(f"{escape(metric)} {arrow(about)} ({escape(about['unit'])})")
        column = {
            "ceiling": _cell(reference["ceiling"], about["unit"]),
            "chance": _number(reference["chance"], about["unit"]),
        }
        for label, summary in _summaries(methods, metric, protocol).items():
            refused = _is_refused(methods[label], metric)
            if refused:
                column[label] = "refused"
                notes.append(f"{escape(metric)} is refused: {escape(refused)}.")
            else:
                column[label] = _cell(summary, about["unit"])
                if summary["n_failed"]:
                    column[label] += " †"
                    notes.append(f"† {escape(label)}, {escape(metric)}: {summary['n_failed']} clips failed (of "
                                 f"{summary['n_clips'] * len(methods[label])}); in an accuracy they count as wrong, "
                                 "a distance is over the others alone.")  # fmt: skip
        columns.append(column)
    rows = [["**ceiling**", "", *(column["ceiling"] for column in columns)]]
    for label in _order(methods, shown, protocol):
        rows.append([_name(label, methods[label]), str(len(methods[label])), *(column[label] for column in columns)])
    rows.append(["**chance**", "", *(column["chance"] for column in columns)])
    return tabulate(rows, headers, tablefmt="pipe", disable_numparse=True)


def _skill_table(methods: Mapping[str, Sequence[Result]], columns: Mapping[str, _Column], protocol: Protocol) -> str:
    shown = [m for m in MAIN if m in columns and not any(_is_refused(own, m) for own in methods.values())]
    rows = []
    for label in _order(methods, {m: columns[m] for m in shown} or columns, protocol):
        cells = []
        for metric in shown:
            value = _summaries({label: methods[label]}, metric, protocol)[label]["value"]
            cells.append(_number(None if value is None else skill(value, columns[metric].reference), "skill"))
        rows.append([_name(label, methods[label]), *cells])
    return tabulate(rows, ["method", *(escape(metric) for metric in shown)], tablefmt="pipe", disable_numparse=True)


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if unit == "skill" else f"{value:.3f}" if unit == "share" else f"{value:.3g}"


def _cell(entry: Mapping[str, Any], unit: str) -> str:
    if entry["value"] is None:
        return "–"
    if entry["low"] is None:
        return f"{_number(entry['value'], unit)} [no interval]"
    return f"{_number(entry['value'], unit)} [{_number(entry['low'], unit)}, {_number(entry['high'], unit)}]"


def escape(text: str) -> str:
    """Text from a result file, harmless in a Markdown table: no markup, no HTML, one line."""
    plain = "".join(mark if mark.isprintable() else "\ufffd" for mark in " ".join(str(text).split())).replace(
        "&", "&amp;"
    )
    return "".join(f"&#{ord(mark)};" if mark in "\\`*[]<>|~" else mark for mark in plain)
