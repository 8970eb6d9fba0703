"""One evaluation, from a method and a corpus to a result. Knows nothing of plugins or the command line."""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facial_bench import __version__
from facial_bench.bench import Bench, corpus_label, timed
from facial_bench.corpus import Corpus
from facial_bench.device import describe_device, deterministic
from facial_bench.driving import make_tasks, mean_states
from facial_bench.errors import GenerationError
from facial_bench.generation import generate
from facial_bench.metrics import definition_digest
from facial_bench.protocol import digest
from facial_bench.results import SCHEMA, Result, make_metric, write_result
from facial_bench.scoring import accuracies, score_row
from facial_bench.summary import summarise
from facial_bench.workspace import Method, Settings, claim, fitted, make_context, method_label, run_folder, run_key

BATCH = 64
"""Requests handed to a method at once."""


def evaluate(method: Method, bench: Bench, settings: Settings, out: Path, log: Callable[[str], None]) -> Result:
    """Fit a method, ask it for motion, score it, write `<out>/<corpus>/<method>/seed-<n>/result.json`.

    Raises:
        PluginError: the method could not be created or fitted, or failed for every clip.
        FacialBenchError: the folder cannot be written.
    """
    corpus, protocol = bench.corpus, bench.protocol
    folder = run_folder(out, method, corpus, settings)
    timing: dict[str, Any] = dict(bench.timing)
    context = make_context(corpus, settings, log)
    claim(folder, run_key(method, bench, settings), settings.fresh)
    tasks = make_tasks(bench.test, corpus.info.identities, mean_states(bench.training), protocol.fps, settings.seed)
    with deterministic():
        generator = fitted(method, context, bench.training, folder, timing)
        with timed(timing, "generate_s"):
            outcomes = generate(generator, tasks, folder / "motions", batch=BATCH, log=log)
    failed = {name: outcome.reason for name, outcome in outcomes.items() if outcome.motion is None}
    for name, reason in failed.items():
        log(f"warning: {method.plugin}: method {method.spec.name} failed on {name}: {reason}")
    if len(failed) == len(tasks):
        name, reason = next(iter(failed.items()))
        blamed = f"{method.plugin}: method {method.spec.name}"
        raise GenerationError(f"{blamed} failed on all {len(tasks)} clips; {name}: {reason}.")
    with timed(timing, "score_s"):
        rows = [
            score_row(task, outcomes[task.request.id], model=corpus.face_model, judges=bench.judges,
                      distances=bench.distances)
            for task in tasks
        ]  # fmt: skip
        metrics = _metrics(rows, bench)
    result = {
        "schema": SCHEMA, "protocol": {"name": protocol.name, "digest": protocol.digest()},
        "corpus": {"name": corpus.info.name, "version": corpus.info.version, "digest": corpus.info.digest,
                   "label": corpus_label(corpus), "identities": list(corpus.info.identities),
                   "audio": corpus.info.audio_kind, "blink_scale": corpus.info.blink_scale,
                   "length_unit": corpus.info.length_unit, "split": dict(bench.split.notes)},
        "method": {"name": method.spec.name, "label": method_label(method.spec.name, settings),
                   "reference": method.spec.reference, "plugin": method.plugin, "version": method.version,
                   "budget": settings.budget, "options": dict(sorted(settings.options.items()))},
        "seed": settings.seed, "device": describe_device(settings.device), "metrics": metrics,
        "references": bench.references, "clips": rows, "environment": _environment(corpus), "timing": timing,
    }  # fmt: skip
    timing["peak_memory_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    write_result(folder / "result.json", result)
    return result


def _metrics(rows: Sequence[Mapping[str, Any]], bench: Bench) -> dict[str, Any]:
    about = {
        spec.id: {"unit": spec.unit, "higher_is_better": spec.higher_is_better, "definition": definition_digest(spec)}
        for spec in bench.distances
    }
    judge = digest([bench.protocol.digest(), "accuracy"])
    about.update({
        metric: {"unit": "share", "higher_is_better": True, "definition": judge} for metric in accuracies()
    })  # fmt: skip
    return {
        metric: make_metric(summarise([rows], metric, bench.protocol), bench.references[metric], known)
        for metric, known in about.items()
    }


def _environment(corpus: Corpus) -> dict[str, Any]:
    return {
        "facial_bench": __version__, "python": platform.python_version(), "torch": torch.__version__,
        "numpy": np.__version__, "platform": f"{platform.system()} {platform.machine()}", "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(), "corpus_path": os.path.relpath(corpus.path),
    }  # fmt: skip
