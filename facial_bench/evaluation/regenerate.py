"""Is the motion of a result what its method gives? The method is asked again, from the fit that was stored with it.

What was deleted afterwards and claimed to have failed comes back so, and what was put in a motion's place does not.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.device import describe_device
from facial_bench.core.errors import ResultError
from facial_bench.core.progress import Reporter
from facial_bench.core.types import Motion
from facial_bench.evaluation.clip_scores import Fold
from facial_bench.evaluation.fitted_method import FittedMethod
from facial_bench.evaluation.generate import generate, load_motion
from facial_bench.evaluation.method import Method, Settings, create
from facial_bench.evaluation.requests import Task
from facial_bench.evaluation.result import Result
from facial_bench.evaluation.run import fold_tasks
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.isolation.door import Door
from facial_bench.statistics.rows import Row
from facial_bench_worker.motions import Outcome

TOLERANCE = 1e-3
"""Change of a motion, as a share of a channel's largest value, below which it is put down to another machine or number
of threads. On the machine that made the result, with as many threads, motion is to be the same to the last bit."""


@dataclass(frozen=True)
class Regenerated:
    """What came of asking a method again."""

    requests: int
    """Asked again."""
    changed: int
    """Those whose motion is not the stored one to the last bit."""
    largest: float
    """The largest change of any, as a share of its channel's largest value."""
    differences: tuple[str, ...]
    """A line for each thing that the method does not give."""
    notes: tuple[str, ...]
    """What else is to be known: that it was fitted again, that it runs otherwise than then."""

    def summary(self) -> str:
        """One line over all of it."""
        same = f"{self.changed} of {self.requests} motions differ, by {self.largest:.2g} of a channel's largest value"
        return (
            f"asked again: {same} at most" if self.changed else f"asked again: {self.requests} requests, all the same"
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values: `requests`, `changed`, `largest`, `tolerance`, `notes`."""
        return {
            **{"requests": self.requests, "changed": self.changed, "largest": self.largest},
            **{"tolerance": TOLERANCE, "notes": list(self.notes)},
        }


def regenerate(
    method: Method, setup: EvaluationSetup, settings: Settings, folder: Path, result: Result, report: Reporter
) -> Regenerated:
    """Ask a method again for all that a result asked it for, from its stored fit; nothing in the folder is changed.

    A method that keeps no state is fitted again, with the seed of the run.

    Args:
        method: of the result.
        setup: of the result's corpus.
        settings: of the run that made the result.
        folder: of the result, with its fits and its motions.
        result: its content.
        report: is told what happens.

    Raises:
        ResultError: a fit that was stored is not there any more, or cannot be loaded. PluginError: the method could not
            be created or fitted.
    """
    rows = {row.request: row for row in result.clips}
    notes, differences, changes = _changed_since(method, settings, result), list[str](), dict[str, float]()
    asked = 0
    with tempfile.TemporaryDirectory(prefix="facial-bench-") as scratch:
        for fold in setup.folds:
            tasks = [task for task in fold_tasks(fold, result.seed) if task.request.id in rows]
            own = Path(scratch) / fold.name
            outcomes, refitted = _ask(method, setup, settings, fold, tasks, folder / fold.name, own, report)
            if refitted and refitted not in notes:
                notes.append(refitted)
            for task in tasks:
                name, motions = task.request.id, folder / fold.name / "motions"
                asked += 1
                line, change = _compare(rows[name], load_motion(motions, task.request), outcomes[name])
                differences += [f"clips: {name} {line}"] if line else []
                changes[name] = change
    largest = max(changes, key=lambda name: changes[name], default="")
    changed = sum(change > 0 for change in changes.values())
    beyond = sum(change > TOLERANCE for change in changes.values())
    if beyond:
        differences.append(
            f"motions: {beyond} of {asked} are not what the method gives, {largest} differs most, by "
            f"{changes[largest]:.2g} of a channel's largest value"
        )
    return Regenerated(asked, changed, changes.get(largest, 0.0), tuple(differences), tuple(notes))


def largest_change(one: Motion, other: Motion) -> float:
    """The largest difference of two motions of one length, as a share of the largest value of its channel; infinite
    where one lacks a part that the other has, 0 only where they are the same to the last bit."""
    held = [{name for name, part in vars(motion).items() if part is not None} for motion in (one, other)]
    if held[0] != held[1]:
        return float("inf")
    largest = 0.0
    for name in held[0]:
        a, b = (np.asarray(getattr(motion, name), np.float64) for motion in (one, other))
        a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
        scale = np.maximum(np.maximum(np.abs(a).max(axis=0), np.abs(b).max(axis=0)), 1e-3)
        largest = max(largest, float((np.abs(a - b) / scale).max()))
    return largest


def _ask(
    method: Method,
    setup: EvaluationSetup,
    settings: Settings,
    fold: Fold,
    tasks: list[Task],
    stored: Path,
    own: Path,
    report: Reporter,
) -> tuple[Mapping[str, Outcome], str]:
    """The outcomes of a fold, made in a folder of their own; and a note where the method was fitted again."""
    own.mkdir(parents=True, exist_ok=True)
    fit = stored / "fitted.safetensors"
    opened = [create(method, setup.corpus, settings, own, report)]
    stateful = opened[0].stateful
    try:
        if stateful and not fit.is_file():
            raise ResultError(
                f"{fit} is missing: without its stored fit the method cannot be asked as it was. Put the file back, or "
                "run the method again and verify that result."
            )
        if stateful:
            shutil.copy(fit, own)

        def opening() -> Door:
            return opened.pop() if opened else create(method, setup.corpus, settings, own, report)

        fitted = FittedMethod(method, opening, fold.training, own, report)
    finally:
        for door in opened:
            door.close()
    try:
        if stateful and not fitted.reused:
            raise ResultError(
                f"{fit} cannot be loaded by the method that is here: it is damaged, or of another version. Run the "
                "method again and verify that result."
            )
        outcomes = generate(fitted, tasks, own / "motions", report=report)
    finally:
        fitted.close()
    again = "the method keeps no state: it was fitted again, with the seed of the run"
    return outcomes, "" if stateful else again


def _compare(row: Row, stored: Motion | None, now: Outcome) -> tuple[str, float]:
    """(what is wrong with a request, by how much its motion differs)."""
    if not row.motion:
        return ("" if now.motion is None else f"is said to have failed ({row.reason}), and gives motion now"), 0.0
    if now.motion is None:
        return f"has motion, and fails now: {now.reason}", 0.0
    return "", 0.0 if stored is None else largest_change(stored, now.motion)  # what is missing is told by `verify`


def _changed_since(method: Method, settings: Settings, result: Result) -> list[str]:
    """What is not as it was when the result was made, in words."""
    then, notes = result.method, []
    if (then.plugin, then.version) != (method.plugin, method.version):
        notes.append(f"the result is of {then.plugin} {then.version}, asked now is {method.plugin} {method.version}")
    elif result.environment.get("method_source") != method.source:
        notes.append(f"the source of {method.plugin} has changed since the result was made")
    if then.isolation != settings.conditions.isolation:
        notes.append(f"isolation: {then.isolation or 'not noted'} then, {settings.conditions.isolation} now")
    if result.device != describe_device(settings.device):
        notes.append(f"device: {result.device} then, {describe_device(settings.device)} now")
    return notes
