"""The folder of a run: what an earlier run of the same key left is used again, and a finished result stays until the
next one is whole."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facial_bench.core.files import cannot_write, read_json, write_json
from facial_bench.core.progress import Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.core.unfinished import sweep
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.method import Method, Settings, method_label
from facial_bench.evaluation.run_key import what_changed
from facial_bench.evaluation.setup import corpus_label
from facial_bench_worker.errors import FacialBenchError

TICKET = "run.json"
"""Holds the key of the run that a folder's content comes from."""
FOLDERS = ("motions", "pictures", "videos", "sheets", "rows")
FILES = (TICKET, "fitted.safetensors", "result.json", "rendering.json", "error.log", "method.log")
"""What runs and renderings leave in their folders, besides the folders of folds."""

_ABOUT = {"corpus": "another corpus of this name", "options": "other options"}


@dataclass(frozen=True)
class RunFolder:
    """Where a run works, and where its result is looked for."""

    final: Path
    work: Path
    """`final` itself, unless the finished result of another key stands there; then a hidden folder beside it."""


def run_folder(out: Path, method: Method, corpus: Corpus, settings: Settings, protocol: Protocol) -> Path:
    """`<out>/<corpus>/<method>/seed-<n>`."""
    return out / corpus_label(corpus, protocol) / method_label(method.name, settings) / f"seed-{settings.seed}"


def require_own(final: Path, now: Mapping[str, Any], fresh: bool, result: str = "result.json") -> None:
    """Refuse to replace a finished result that is about something else: two corpora of one name meet in one folder,
    and so do two folders of outputs under one `name=`.

    Args:
        final: Where the result is to stand.
        now: What the result will be about, as its key has it: `corpus` and `options`.
        fresh: Whether the caller wants it replaced.
        result: Name of the file that a finished run holds.

    Raises:
        FacialBenchError: another one stands there; says how to keep both.
    """
    before = _read_ticket(final)
    if fresh or not isinstance(before, dict) or not (final / result).is_file():
        return
    changed = [name for name, value in now.items() if before.get(name) != value]
    if changed:
        raise FacialBenchError(
            f"{final} holds a result of {' and '.join(map(_ABOUT.__getitem__, changed))}. Keep both with --as NAME or "
            "another --out, or replace it with --fresh."
        )


def open_run(
    final: Path, key: Mapping[str, Any], fresh: bool, report: Reporter, result: str = "result.json"
) -> RunFolder:
    """Make the folder that a run works in; what a run of another key left unfinished there is thrown away.

    Args:
        final: Where the result is to stand.
        key: What a stored fit and stored motions depend on; see `evaluation.run_key`.
        fresh: Whether to reuse nothing.
        report: Told when a finished result will be replaced, and why.
        result: Name of the file that a finished run holds.

    Raises:
        FacialBenchError: the folder cannot be made.
    """
    beside, aside = _hidden(final, "next"), _hidden(final, "old")
    if aside.is_dir() and not final.is_dir():
        aside.rename(final)  # killed between the two renames of `finish`
    _empty(aside, final)
    ticket = _read_ticket(final)
    stays = (final / result).is_file() and (fresh or ticket != key)
    work = beside if stays else final
    if stays:
        report(f"{what_changed(ticket, key)}: the result in {final} will be replaced when the new one is complete")
    else:
        shutil.rmtree(beside, ignore_errors=True)
    for place in (work, *(path for path in work.rglob("*") if path.is_dir())):
        sweep(place)
    if fresh or _read_ticket(work) != key:
        _clear(work)
        write_json(work / TICKET, key)
    return RunFolder(final, work)


def finish(folder: RunFolder) -> None:
    """Put what was made in the place of what stood there; at every moment one of the two is whole."""
    if folder.work != folder.final:
        aside = _hidden(folder.final, "old")
        folder.final.rename(aside)
        folder.work.rename(folder.final)
        _empty(aside, folder.final)


def older_seeds(folder: Path, method: Method) -> list[Path]:
    """The finished seeds in the folder of a method that another version of its source made."""
    tickets = {file.parent: _read_ticket(file.parent) for file in sorted(folder.glob("seed-*/result.json"))}
    return [place for place, key in tickets.items() if isinstance(key, dict) and key.get("source") != method.source]


def _hidden(final: Path, what: str) -> Path:
    return final.with_name(f".{final.name}.{what}")  # not found by a search for `seed-*`


def _empty(aside: Path, final: Path) -> None:
    """Remove a folder that was put aside; what no run made there goes to its successor."""
    if aside.is_dir():
        _remove_own(aside)
        for path in aside.iterdir():
            if not (final / path.name).exists():
                path.rename(final / path.name)
        shutil.rmtree(aside, ignore_errors=True)


def _clear(folder: Path) -> None:
    """Make a run's folder; remove what a run leaves there, and nothing else."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise FacialBenchError(cannot_write(folder, problem, "with --out")) from None
    _remove_own(folder)


def _remove_own(folder: Path) -> None:
    for path in (*(folder / name for name in FOLDERS), *folder.glob("fold-*")):
        shutil.rmtree(path, ignore_errors=True)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)


def _read_ticket(folder: Path) -> Any:
    try:
        return read_json(folder / TICKET, FacialBenchError, "")
    except FacialBenchError:
        return None
