"""Results of a leaderboard in one compressed file for each corpus; and results from wherever they are.

The file is lines of JSON in a `.jsonl.xz`: what it holds, then ceilings and chances once (all results of a corpus have
the same), then a result a line, which names its references by number.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from facial_bench.core.compressed import decode_line, read_lines, write_lines
from facial_bench.core.errors import FacialBenchError, ResultError, one_line
from facial_bench.core.names import safe_name
from facial_bench.evaluation.earlier_results import EarlierResultError
from facial_bench.evaluation.result import Result, decode_result, find_results, read_result, require_unchanged
from facial_bench.rendering.result import Rendering

SCHEMA = "facial-bench results 1"
SUFFIX = ".results.jsonl.xz"
HINT = "Restore it from where it was published, or make it again with `facial-bench leaderboard`."
FOLDERS = ("", "seed-*/", "*/seed-*/", "*/*/seed-*/")
"""Where results lie in the folder of a seed, a method, a corpus, a run."""
Kept = TypeVar("Kept", Result, Rendering)
Named = tuple[Path, Result | FacialBenchError]
"""Where a result is, or would be if it stood in a folder; and the result, or why it cannot be read."""


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line."""

    schema: str
    references: int
    """Lines of references."""
    results: int
    """Lines of results."""


class _Filed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a result."""

    references: int
    """Which of the references are its own, from 0."""
    result: msgspec.Raw
    """The result without its references."""


def without_place(result: Kept) -> Kept:
    """A result that does not say where its corpus lies on this machine: that is published nowhere."""
    noted = result.environment.get("corpus_path")
    if not isinstance(noted, str) or not os.path.isabs(noted):
        return result
    said = {name: value for name, value in result.environment.items() if name != "corpus_path"}
    return msgspec.structs.replace(result, environment=said)


def write_archive(path: Path, results: Iterable[Result]) -> None:
    """Write results into one file, atomically: the same file for the same results, whatever their order."""
    numbers: dict[bytes, int] = {}
    lines = []
    for result in sorted(results, key=lambda one: (*_place(one), one.digest)):
        content: dict[str, Any] = msgspec.to_builtins(without_place(result))
        number = numbers.setdefault(_json(content.pop("references")), len(numbers))
        lines.append(_json({"references": number, "result": content}))
    header = _Header(SCHEMA, len(numbers), len(lines))
    write_lines(path, (_json(msgspec.to_builtins(header)), *numbers, *lines), ResultError)


def _json(value: Any) -> bytes:
    """One line; keys stay in their order, which is that of the columns of a board."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def read_archive(path: Path) -> list[Result]:
    """The results in a file that `write_archive` wrote, each checked as one in a file of its own.

    Raises:
        ResultError: no such file, or a damaged one; names the line. `EarlierResultError` where it holds results of an
            earlier protocol.
    """
    first, *others = read_lines(path, ResultError, HINT)
    header = decode_line(first, _Header, f"{path}, line 1", ResultError, HINT)
    if header.schema != SCHEMA:
        raise ResultError(f"{path}: schema {one_line(header.schema, 80)!r}, this version reads {SCHEMA!r}. {HINT}")
    if header.references < 0 or header.results < 0 or len(others) != header.references + header.results:
        raise ResultError(f"{path}: {len(others)} lines after the first, which is not what it announces. {HINT}")
    references, results = others[: header.references], []
    for number, line in enumerate(others[header.references :], start=2 + header.references):
        where = f"{path}, line {number}"
        filed = decode_line(line, _Filed, where, ResultError, HINT)
        if not 0 <= filed.references < len(references):
            raise ResultError(f"{where}: references {filed.references} are not in the file. {HINT}")
        whole = b'{"references":' + references[filed.references] + b"," + bytes(filed.result)[1:]
        try:
            results.append(decode_result(whole, where))
        except EarlierResultError as problem:
            raise EarlierResultError(str(path), problem.protocol, header.results) from None
    return results


def write_archives(folder: Path, results: Iterable[Result]) -> list[str]:
    """Write results into a folder, one file for each label of a corpus. A file that holds results of a method and seed
    that are not among them is moved to the folder `replaced` first.

    Returns:
        One line for each file that was kept.
    """
    kept = []
    for path, own in archived(folder, results).items():
        if path.is_file() and _loses(path, own):
            aside = _free(folder / "replaced", path.name.removesuffix(SUFFIX))
            aside.parent.mkdir(exist_ok=True)
            path.replace(aside)
            kept.append(f"{aside} keeps results that were not given now; add --results {aside} to have them again")
        write_archive(path, own)
    return kept


def _free(folder: Path, label: str) -> Path:
    return next(p for n in itertools.count(1) if not (p := folder / f"{label}-{n}{SUFFIX}").exists())


def _loses(path: Path, results: Sequence[Result]) -> bool:
    """Whether a file holds results that others would not replace; one that cannot be read may."""
    try:
        before = read_archive(path)
    except ResultError:
        return True
    return bool({_place(result) for result in before} - {_place(result) for result in results})


def archived(folder: Path, results: Iterable[Result]) -> dict[Path, list[Result]]:
    """Which file of a folder each result belongs in, in order of the files."""
    groups: dict[Path, list[Result]] = {}
    for result in results:
        label = safe_name(result.corpus.label, "corpus label", ResultError)
        groups.setdefault(folder / f"{label}{SUFFIX}", []).append(result)
    return dict(sorted(groups.items()))


def collect(paths: Iterable[Path]) -> list[Named]:
    """The results that paths name, in order of the paths; the same result in two places is given once.

    Args:
        paths: archives, result.json files, and folders with any of these: of results, of a method, of boards.

    Raises:
        ResultError: a path that names no result at all.
    """
    named: list[Named] = []
    seen: dict[str, Result] = {}
    for path in paths:
        for where, result in _look(path):
            if isinstance(result, FacialBenchError) or seen.get(result.digest) != without_place(result):
                named.append((where, result))
            if isinstance(result, Result):
                seen.setdefault(result.digest, without_place(result))
    return named


def read_every(paths: Iterable[Path]) -> list[Result]:
    """The results that paths name, as `collect` does.

    Raises:
        ResultError: no result there, or one that cannot be read or was edited.
    """
    results = []
    for where, result in collect(paths):
        if isinstance(result, FacialBenchError):
            raise result
        results.append(require_unchanged(where, result))
    return results


def _look(path: Path) -> Iterator[Named]:
    """The results that one path names."""
    archives = [path] if path.name.endswith(SUFFIX) else sorted(path.glob(f"*{SUFFIX}"))
    for archive in archives:
        try:
            for result in read_archive(archive):
                yield archive / result.method.label / f"seed-{result.seed}" / "result.json", result
        except ResultError as problem:
            yield archive, problem
    if path in archives:
        return
    own = [path] if path.is_file() else sorted(file for folder in FOLDERS for file in path.glob(f"{folder}result.json"))
    for file in own if own or archives else find_results(path):
        try:
            yield file, read_result(file)
        except ResultError as problem:
            yield file, problem


def _place(result: Result) -> tuple[str, str, str, str, int]:
    return (result.corpus.label, result.corpus.digest, result.protocol.digest, result.method.label, result.seed)
