"""The identity classifiers beside a board: the very ones that judged its results."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

from facial_bench.core.errors import ResultError
from facial_bench.evaluation.result import Result
from facial_bench.metrics.classifier_files import SUFFIX, find_file, read_classifiers, write_file


def beside(out: Path, board: str) -> Path:
    """Where the classifiers of a board belong.

    >>> beside(Path("boards"), "synthetic.md").name
    'synthetic.classifiers.safetensors'
    """
    return out / f"{board.removesuffix('.md')}{SUFFIX}"


def write_beside(
    out: Path, boards: Mapping[str, Sequence[Result]], places: Sequence[Path]
) -> tuple[dict[str, str], list[str]]:
    """Write the classifiers of each board beside it, from wherever they are; a file of others is moved to the folder
    `replaced` first.

    Args:
        out: folder of the boards.
        boards: name of a board -> its results, which one set of classifiers judged.
        places: files, and folders of files, of classifiers.

    Returns:
        Digest of classifiers -> name of their file; and one line for each board that has none, or whose file was moved.
    """
    found, notes = {}, []
    for board, results in boards.items():
        digest, path = results[0].classifiers, beside(out, board)
        held = find_file(digest, [path, out, *places, out / "replaced"]) if digest else None
        if path.is_file() and _other(path, digest):
            notes.append(f"{_move_aside(path)} keeps classifiers that judged none of the results given now")
        if held is not None:
            write_file(path, held)
            found[digest] = path.name
        elif digest:
            notes.append(
                f"{board}: its identity classifiers ({digest[:12]}) are not at hand, so none are published; name their "
                "file with --classifiers"
            )
    return found, notes


def check_beside(out: Path, boards: Mapping[str, Sequence[Result]]) -> tuple[dict[str, str], str]:
    """Digest of classifiers -> name of their file beside a board; and the first file that holds others, with the
    reason; empty where there is none."""
    found, wrong = {}, ""
    expected = {beside(out, board): results[0].classifiers for board, results in boards.items()}
    for path in sorted(out.glob(f"*{SUFFIX}")):
        why = _other(path, expected[path]) if path in expected else f"{path} belongs to no board"
        wrong = wrong or why
        if not why:
            found[expected[path]] = path.name
    return found, wrong


def _other(path: Path, digest: str) -> str:
    """Why a file does not hold the classifiers of a digest; empty where it does."""
    try:
        held = read_classifiers(path)
    except ResultError as problem:
        return str(problem).removesuffix(".")
    return "" if held.digest == digest else f"{path} holds other classifiers than those that judged the results"


def _move_aside(path: Path) -> Path:
    folder = path.parent / "replaced"
    folder.mkdir(exist_ok=True)
    label = path.name.removesuffix(SUFFIX)
    aside = next(p for n in itertools.count(1) if not (p := folder / f"{label}-{n}{SUFFIX}").exists())
    return path.replace(aside)
