"""Boards in a folder: Markdown, the results that each rests on, their identity classifiers, and the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from facial_bench.core.errors import ResultError
from facial_bench.core.files import require_writable
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Definition
from facial_bench.core.unfinished import sweep
from facial_bench.evaluation.result import Result, result_digest
from facial_bench.reports.admission import Verify, admit
from facial_bench.reports.archive import archived, collect, read_archive, write_archives
from facial_bench.reports.board import divide
from facial_bench.reports.board_classifiers import check_beside, write_beside
from facial_bench.reports.board_markdown import first_difference, make_boards, write_boards
from facial_bench.reports.ledger import read_ledger, write_ledger


@dataclass(frozen=True)
class Published:
    """What stands in a folder of boards now."""

    boards: Sequence[Path]
    notes: Sequence[str]
    """What was left out and why, and what was kept; one line each."""


def publish(
    paths: Sequence[Path],
    out: Path,
    definitions: Mapping[str, Definition],
    protocol: Protocol,
    verify: Verify | None,
    places: Sequence[Path] = (),
) -> Published:
    """Make the boards that results give, and write them; or, without `verify`, look whether they stand there already.

    Args:
        paths: Folders of results, result.json files or archives.
        out: The folder of the boards.
        definitions: Of every metric known here.
        protocol: For resampling.
        verify: Computes a result again that the ledger does not know.
        places: Where identity classifiers may be: files, and folders of files.

    Raises:
        ResultError: no result that may stand on a board; or the first place where the folder differs.
    """
    if verify is not None:
        require_writable(out, "with --out")
        sweep(out)
    admission = admit(collect(paths), read_ledger(out), verify, partial(write_ledger, out))
    if not admission.results:
        first = f" {admission.left_out[0]}" if admission.left_out else ""
        raise ResultError(f"No verified result in {', '.join(map(str, paths))}.{first}")
    notes = [f"left out: {line}" for line in admission.left_out]
    divided = divide(admission.results)
    if verify is None:
        weights, wrong_weights = check_beside(out, divided)
    else:
        weights, kept = write_beside(out, divided, places)
        notes += kept
    boards = make_boards(admission.results, protocol, definitions, admission.entries, weights)
    if verify is None:
        wrong = first_difference(out, boards) or _wrong_archive(out, admission.results) or wrong_weights
        if wrong:
            raise ResultError(f"Not what {', '.join(map(str, paths))} gives: {wrong}. Run without --check.")
    else:
        notes += write_archives(out, admission.results)
        write_boards(out, boards)
    return Published([out / name for name in boards], notes)


def _wrong_archive(out: Path, results: Sequence[Result]) -> str | None:
    """The first file beside the boards that does not hold the results that they rest on; None where all do."""
    for path, own in archived(out, results).items():
        try:
            held = {result_digest(result) for result in read_archive(path)}
        except ResultError as problem:
            return str(problem).removesuffix(".")
        if held != {result.digest for result in own}:
            return f"{path} holds other results"
    return None
