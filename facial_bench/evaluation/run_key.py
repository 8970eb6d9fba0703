"""What a stored fit and stored motions depend on: whatever changes of it, nothing of the older run is used again."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import facial_bench_worker
from facial_bench.core.device import describe_device
from facial_bench.core.digests import canonical_json
from facial_bench.core.files import file_digest
from facial_bench.core.threads import usable_cpus
from facial_bench.core.version import __version__
from facial_bench.evaluation.method import Method, Settings
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.isolation.worker_process import worker_environment

ROOMS = ("facial_bench_worker", "facial_bench/core", "facial_bench/isolation")
"""Packages in which every file may change what a method is given, how it runs, or what is taken of its answers."""
MODULES = (
    *("corpora/corpus", "corpora/gap", "corpora/rotated_split", "corpora/schema", "corpora/split"),
    *("evaluation/fitted_method", "evaluation/generate", "evaluation/method", "evaluation/requests"),
)
"""Modules of `facial_bench` that do the same in rooms which otherwise score and report."""


def run_key(
    method: Method, setup: EvaluationSetup, settings: Settings, trackers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What a stored fit and stored motions depend on.

    Args:
        method: that is run.
        setup: of the corpus.
        settings: of the run.
        trackers: name -> digest of each face tracker that the method took, and of its weights.
    """
    return {
        "core": __version__,
        "core_source": core_source(),
        "protocol": setup.protocol.training_digest(),
        "corpus": setup.corpus.info.digest,
        "method": method.name,
        "source": method.source,
        "version": method.version,
        "seed": settings.seed,
        "device": describe_device(settings.device),
        "threads": method_threads(settings),
        "budget": settings.budget,
        "options": canonical_json(dict(settings.options)),
        "torch": torch.__version__,
        "plugin": method.plugin,
        "isolation": settings.conditions.isolation,
        "python": settings.conditions.python or "",
        **({"trackers": dict(trackers)} if trackers else {}),
    }


def core_source() -> str:
    """SHA-256 over the sources of this distribution that decide fits and motions."""
    return _digest_of(Path(__file__).parents[2], Path(facial_bench_worker.__file__).parents[1])


@functools.cache
def _digest_of(root: Path, worker_root: Path) -> str:
    """As `core_source`, of the packages in these folders; a process reads its own sources once."""
    content = hashlib.sha256()
    for name, path in source_files(root, worker_root):
        content.update(f"{name}\0{file_digest(path)}\0".encode())
    return content.hexdigest()


def source_files(root: Path, worker_root: Path) -> list[tuple[str, Path]]:
    """(name, file) of every source that `core_source` looks at, in a fixed order.

    Args:
        root: folder that `facial_bench` lies in.
        worker_root: folder that `facial_bench_worker` lies in.
    """
    files = []
    for room in ROOMS:
        base = worker_root if room == "facial_bench_worker" else root
        files += [(path.relative_to(base).as_posix(), path) for path in (base / room).rglob("*.py")]
    files += [(f"facial_bench/{name}.py", root / "facial_bench" / f"{name}.py") for name in MODULES]
    return sorted(files)


def method_threads(settings: Settings) -> int:
    """Threads that torch takes where the method runs: they decide the last digits of a training."""
    if settings.conditions.isolation == "in-process":
        return torch.get_num_threads()
    named = worker_environment(settings.conditions.python).get("OMP_NUM_THREADS", "")
    return int(named) if named.isdecimal() and int(named) > 0 else usable_cpus()


def what_changed(before: Any, now: Mapping[str, Any]) -> str:
    """Why an earlier run cannot be used again, in words.

    Args:
        before: the key of the earlier run, as read.
        now: the key of this one.
    """
    if not isinstance(before, dict) or before == now:
        return "nothing is reused" if before == now else "the earlier run does not say what it was made with"
    named = {
        "source": f"{now['plugin']} changed",
        "version": f"{now['plugin']} changed",
        "core": "facial-bench changed",
        "core_source": "facial-bench changed",
        "protocol": "the protocol changed",
        "corpus": "the corpus changed",
        "threads": f"it takes {now.get('threads')} threads now",
        "torch": f"torch is {now['torch']} now",
        "inputs": "the outputs to score changed",
        "isolation": "it runs under other conditions",
        "python": "it runs under another interpreter",
        "trackers": "its tracker or the weights of it changed",
    }
    names = [*now, *(name for name in before if name not in now)]
    changed = dict.fromkeys(
        named.get(name, f"{name} changed") for name in names if before.get(name, "") != now.get(name, "")
    )
    return " and ".join(changed) or "the earlier run was another one"
