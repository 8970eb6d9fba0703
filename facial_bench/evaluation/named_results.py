"""Results by the paths that a user names them with. Looking at results needs no torch, so none is imported here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from facial_bench.core.errors import ResultError
from facial_bench.evaluation.result import Result, read_result, require_unchanged


def open_result(path: Path) -> tuple[Path, Result]:
    """The folder and the content of a result, named by its folder or by its result.json.

    Raises:
        ResultError: there is none, or it is damaged.
    """
    file = path / "result.json" if path.is_dir() else path
    return file.parent, read_result(file)


def expand(paths: Sequence[Path]) -> list[Path]:
    """The results that paths name: a result.json, a seed's folder, or a method's folder, which stands for all seeds.

    Raises:
        ResultError: a path without a result; names those that are near.
    """
    return [file for path in paths for file in _expand(path)]


def name_results(paths: Sequence[Path]) -> list[tuple[Path, Result]]:
    """The results that paths name, each with the path that named it.

    Raises:
        ResultError: as `expand`, `read_result` and `require_unchanged` do.
    """
    return [(path, require_unchanged(file, read_result(file))) for path in paths for file in _expand(path)]


def _expand(path: Path) -> list[Path]:
    files = sorted(path.glob("seed-*/result.json")) if path.is_dir() else [path] if path.is_file() else []
    if path.is_file() and path.suffix != ".json":
        raise ResultError(f"{path} is no result.json. Name that, or the folder of a seed or of a method.")
    if path.is_dir() and (path / "result.json").is_file():
        files.append(path / "result.json")
    if not files:
        near = next((place for place in (path, *path.parents[:3]) if place.is_dir()), Path())
        depths = ("", "*/", "*/*/")  # never a whole disk
        there = sorted({str(file.parent.parent) for d in depths for file in near.glob(f"{d}seed-*/result.json")})
        listed = f"There are: {', '.join(there[:12])}" if there else "Make one with `facial-bench run`"
        raise ResultError(f"No result in {path}. {listed}{' ...' if len(there) > 12 else '.'}")
    return files
