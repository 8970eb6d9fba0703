"""A result and the motions beside it, read back: rows again, without generating anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from facial_bench.core.errors import ResultError
from facial_bench.core.files import file_digest
from facial_bench.evaluation.generate import load_motion, motion_path
from facial_bench.evaluation.requests import Task
from facial_bench.evaluation.result import Metric, Result
from facial_bench.evaluation.run import fold_tasks, make_metrics, make_rows
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.statistics.rows import Row
from facial_bench_worker.motions import Outcome


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
    if row.status == "failed" and not row.motion:
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


def rescore_metrics(setup: EvaluationSetup, folder: Path, result: Result, names: Sequence[str]) -> dict[str, Metric]:
    """What some metrics say of the stored motions.

    Args:
        setup: as of `rescore`.
        folder: of the result.
        result: its content.
        names: of the metrics.

    Raises:
        ResultError: motion that is missing, or not what was scored.
    """
    rows, problems = rescore(setup, folder, result)
    require_whole(problems)
    return {name: entry for name, entry in make_metrics(rows, setup).items() if name in names}


def require_whole(problems: Sequence[str]) -> None:
    """Raise ResultError, naming the first problem, unless there is none."""
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ResultError(f"{problems[0]}{more}. Run the method again.")
