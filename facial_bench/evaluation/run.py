"""One evaluation, from a method and a corpus to a result. Knows nothing of plugins or the command line."""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec.structs import replace

from facial_bench.core.device import describe_device
from facial_bench.core.errors import GenerationError, printable
from facial_bench.core.files import file_digest
from facial_bench.core.progress import Reporter
from facial_bench.core.version import __version__
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.behaviour import describe_behaviour, pool_behaviour
from facial_bench.evaluation.clip_scores import PARTS, Fold, score_row
from facial_bench.evaluation.compact import without_spare_blocks
from facial_bench.evaluation.failed_clips import causes, no_better_than_elsewhere
from facial_bench.evaluation.fitted_method import FittedMethod
from facial_bench.evaluation.generate import generate, motion_path
from facial_bench.evaluation.method import Method, Settings, create, method_label
from facial_bench.evaluation.realism import with_realism
from facial_bench.evaluation.requests import Task, make_tasks, mean_states, own_cameras, with_clip_cameras
from facial_bench.evaluation.result import (
    SCHEMA,
    Behaviour,
    CorpusName,
    MethodName,
    Metric,
    ProtocolName,
    Result,
    make_metric,
    write_result,
)
from facial_bench.evaluation.run_folder import finish, open_run, run_folder
from facial_bench.evaluation.run_key import run_key
from facial_bench.evaluation.setup import EvaluationSetup, corpus_label, timed
from facial_bench.isolation.door import Door, Usage
from facial_bench.metrics.catalog import network_definitions
from facial_bench.statistics.aggregate import estimator, summarise
from facial_bench.statistics.rows import Row
from facial_bench_worker.motions import Outcome

VERSIONS = ("python", "numpy", "torch")
"""What a result says of the method's environment."""
FINISHED = Behaviour(reason="its outputs were made before: nothing can be asked of it")
"""Of finished outputs."""


def evaluate(
    method: Method, setup: EvaluationSetup, settings: Settings, out: Path, report: Reporter, first: Door | None = None
) -> Result:
    """Fit a method, ask it for motion, score it, write `<out>/<corpus>/<method>/seed-<n>/result.json`.

    Args:
        method: What is evaluated.
        setup: A corpus made ready.
        settings: The caller's choices.
        out: Folder of results.
        report: Told what happens.
        first: The method, created already with these settings, for the first fold; None to create it. Each further
            fold makes its own.

    Raises:
        PluginError: the method could not be created or fitted, or failed for every clip.
        FacialBenchError: the folder cannot be written.
    """
    corpus, protocol = setup.corpus, setup.protocol
    final = run_folder(out, method, corpus, settings, protocol)
    timing: dict[str, Any] = dict(setup.timing)
    inputs = method.fingerprint(settings.options) if method.fingerprint else ""
    first = first or create(method, corpus, settings, final, report)
    key = run_key(method, setup, settings, first.trackers) | ({"inputs": inputs} if inputs else {})
    rows: list[Row] = []
    conduct: dict[str, tuple[Behaviour, float | None]] = {}
    versions: dict[str, str] = {}
    opened = [first]
    try:
        place = open_run(final, key, settings.fresh, report)
        folder = place.work

        def opening(own: Path) -> Door:
            if not opened:
                return create(method, corpus, settings, own, report)
            opened[0].keep_printed(own / "method.log")
            return opened.pop()

        for fold in setup.folds:
            own, conduct[fold.name] = _evaluate_fold(
                method,
                partial(opening, folder / fold.name),
                fold,
                settings,
                folder / fold.name,
                timing,
                versions,
                report,
            )
            rows += own
    finally:
        for door in opened:
            door.close()
    if all(row.status == "failed" for row in rows):
        raise GenerationError(f"{method} failed on all {len(rows)} clips; {rows[0].request}: {rows[0].reason}.")
    behaviour, timing["real_time_factor"] = pool_behaviour(conduct)
    timing["peak_memory_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    result = Result(
        schema=SCHEMA,
        protocol=ProtocolName(name=protocol.name, digest=protocol.digest(), folds=protocol.folds),
        corpus=_corpus_name(setup),
        method=MethodName(
            name=method.name,
            label=method_label(method.name, settings),
            reference=method.reference,
            plugin=method.plugin,
            version=method.version,
            budget=settings.budget,
            options=dict(sorted(settings.options.items())),
            inputs=inputs or "",
            isolation=settings.conditions.isolation,
        ),
        seed=settings.seed,
        device=describe_device(settings.device),
        classifiers=setup.classifiers,
        behaviour=behaviour,
        environment={**_environment(corpus), "method_source": method.source, **versions},
        timing=timing,
        digest="",
        metrics=make_metrics(rows, setup),
        references=setup.references,
        clips=without_spare_blocks(rows),
    )
    written = write_result(folder / "result.json", result)
    finish(place)
    return written


def _corpus_name(setup: EvaluationSetup) -> CorpusName:
    info = setup.corpus.info
    return CorpusName(
        name=info.name,
        version=info.version,
        digest=info.digest,
        label=corpus_label(setup.corpus, setup.protocol),
        identities=tuple(info.identities),
        audio=info.audio_kind,
        blink_scale=info.blink_scale,
        length_unit=info.length_unit,
        split=dict(setup.folds[0].split.notes),
    )


def _evaluate_fold(
    method: Method,
    opening: Callable[[], Door],
    fold: Fold,
    settings: Settings,
    folder: Path,
    timing: dict[str, Any],
    versions: dict[str, str],
    report: Reporter,
) -> tuple[list[Row], tuple[Behaviour, float | None]]:
    """The rows of one fold, and how the method behaves, with its speed."""
    tasks = fold_tasks(fold, settings.seed)
    asked = with_clip_cameras(tasks) if method.code.by_name else tasks
    with timed(timing, "fit_s"):
        fitted = FittedMethod(method, opening, fold.training, folder, report)
    timing["fit_reused"] = fitted.reused and timing.get("fit_reused", True)
    try:
        with timed(timing, "generate_s"):
            outcomes = generate(fitted, asked, folder / "motions", report=report)
        conduct = (FINISHED, None) if method.code.by_name else describe_behaviour(fitted, asked)
        notes = fitted.notes()
        versions.update({f"method_{name}": printable(notes.get(name, "")) for name in VERSIONS})
    finally:
        _add_usage(timing, fitted.close())
    with timed(timing, "score_s"):
        rows = make_rows(fold, tasks, outcomes, folder / "motions")
    for reason, (first, *others) in causes(rows).items():
        names = f"{first} and {len(others)} more" if others else first
        traced, printed = any(outcomes[name].trace for name in (first, *others)), folder / "method.log"
        where = f"; traceback in {folder / 'error.log'}" if traced else ""
        where = where or (f"; what it printed is in {printed}" if printed.is_file() else "")
        report.warn(f"{method} failed on {names}: {reason}{where}")
    return rows, conduct


def _add_usage(timing: dict[str, Any], usage: Usage) -> None:
    """What the processes of a method took, over all folds."""
    timing["method_cpu_s"] = round(timing.get("method_cpu_s", 0.0) + usage.cpu_s, 3)
    timing["method_peak_memory_mib"] = max(timing.get("method_peak_memory_mib", 0), round(usage.peak_mib))
    timing["method_processes"] = timing.get("method_processes", 0) + usage.processes


def make_rows(fold: Fold, tasks: Sequence[Task], outcomes: Mapping[str, Outcome], motions: Path) -> list[Row]:
    """The rows of one fold from its motions; each carries the digest of the motion that it scores."""
    rows = []
    held = set[str]().union(*(one.motion.parts for one in outcomes.values() if one.motion is not None)) or set(PARTS)
    for task in tasks:
        outcome = outcomes[task.request.id]
        stored = "" if outcome.motion is None else file_digest(motion_path(motions, task.request.id))
        rows.append(replace(score_row(task, outcome, fold, held), fold=fold.name, motion=stored))
    rows = no_better_than_elsewhere(rows, tasks, fold.metric_set)
    return with_realism(rows, tasks, outcomes, fold, held)


def fold_tasks(fold: Fold, seed: int) -> list[Task]:
    """What a method is asked for in one fold."""
    people, fps = fold.classifiers.identities, fold.metric_set.info.fps
    return make_tasks(fold.test, people, mean_states(fold.training), fps, seed, own_cameras(fold.training))


def make_metrics(rows: Sequence[Row], setup: EvaluationSetup) -> dict[str, Metric]:
    """metric id -> value, interval, skill and definition, over all rows of one run."""
    pools, metrics = {spec.id: spec.pool for spec in setup.specs}, {}
    for one in (*setup.specs, *network_definitions()):
        reference = setup.references[one.id]
        summary = summarise([rows], one.id, setup.protocol, estimator(pools.get(one.id), reference.parts))
        entries = (row.metrics.get(one.id) for row in rows)
        absent = next((entry.reason for entry in entries if entry is not None and entry.absent), "")
        metrics[one.id] = make_metric(summary, reference, one, absent)
    return metrics


def _environment(corpus: Corpus) -> dict[str, Any]:
    return {
        "facial_bench": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "corpus_path": os.path.abspath(corpus.path),
    }
