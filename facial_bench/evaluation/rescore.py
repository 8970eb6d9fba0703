"""A result and the motions beside it, read back: rows again, without generating anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from facial_bench.core.errors import ResultError
from facial_bench.core.files import file_digest
from facial_bench.evaluation.generate import Outcome, load_motion, motion_path
from facial_bench.evaluation.requests import Task
from facial_bench.evaluation.result import Result, read_result, require_unchanged
from facial_bench.evaluation.run import fold_tasks, make_rows
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.statistics.rows import Row


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


def rescore(setup: EvaluationSetup, folder: Path, result: Result) -> tuple[list[Row], list[str]]:
    """Rows of the stored motions under the definitions of a setup, and what is wrong with the motions.

    Args:
        setup: of the result's corpus; its definitions need not be the result's.
        folder: of the result; motions are looked for within it and nowhere else.
        result: its content.

    Returns:
        One row per request, and one line per motion that is missing, unasked for, or not the one that was scored; such
        a motion has no row.
    """
    rows: list[Row] = []
    problems: list[str] = []
    known = {row.request: row for row in result.clips}
    for fold in setup.folds:
        motions = folder / fold.name / "motions"
        tasks = fold_tasks(fold, result.seed)
        outcomes = {
            task.request.id: _outcome(task, known.pop(task.request.id, None), motions, problems) for task in tasks
        }
        kept = [task for task in tasks if outcomes[task.request.id] is not None]
        rows += make_rows(
            fold, kept, {name: outcome for name, outcome in outcomes.items() if outcome is not None}, motions
        )
    problems += [f"clips: {name} is no request of this corpus and protocol" for name in known]
    return rows, problems


def _outcome(task: Task, row: Row | None, motions: Path, problems: list[str]) -> Outcome | None:
    """The stored outcome of a request; None where it cannot be trusted."""
    name = task.request.id
    if row is None:
        problems.append(f"clips: {name} is missing")
        return None
    if row.status == "failed":
        return Outcome(None, row.reason)
    path = motion_path(motions, name)
    motion = load_motion(motions, task.request)
    if motion is None:
        problems.append(f"{path}: missing, or no motion of {task.request.frames} frames")
        return None
    if file_digest(path) != row.motion:
        problems.append(f"{path}: not the motion that was scored (its SHA-256 is another)")
        return None
    return Outcome(motion)


def require_whole(problems: Sequence[str]) -> None:
    """Raise ResultError, naming the first problem, unless there is none."""
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ResultError(f"{problems[0]}{more}. Run the method again.")
