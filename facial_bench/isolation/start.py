"""Starting a process for a method, in a sandbox where that was asked for, with a folder of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from facial_bench.core.progress import Reporter
from facial_bench.isolation.conditions import Conditions
from facial_bench.isolation.door import Usage
from facial_bench.isolation.sandbox import sandbox_environment, sandboxed
from facial_bench.isolation.scratch import Scratch
from facial_bench.isolation.worker_process import PROGRAM, WorkerProcess, worker_command, worker_environment


@dataclass(frozen=True)
class Worker:
    """A process and its folder; they end together."""

    process: WorkerProcess
    scratch: Scratch

    def close(self) -> Usage:
        """End both."""
        usage = self.process.close()
        self.scratch.close()
        return usage


def start_worker(conditions: Conditions, origins: Iterable[Mapping[str, str]], device: str, report: Reporter) -> Worker:
    """Start a process that loads code of these origins.

    Raises:
        FacialBenchError: no such interpreter, no bubblewrap, or no space.
    """
    command, environment = worker_command(conditions.python), worker_environment(conditions.python)
    scratch = Scratch()
    try:
        if conditions.isolation == "sandbox":
            readable = [*_interpreter(conditions.python), *_code(origins), *conditions.readable]
            command = sandboxed(command, scratch.folder, readable, conditions.hidden, device)
            environment = sandbox_environment(environment)
        return Worker(WorkerProcess(command, environment, scratch.folder / "printed.txt", report), scratch)
    except BaseException:
        scratch.close()
        raise


def _interpreter(python: str | None) -> list[Path]:
    """The folders of an interpreter and of our own packages."""
    own = [PROGRAM.parent]
    if python is None:
        own += _package("facial_bench")
        return [*own, *(Path(place) for place in (sys.prefix, sys.base_prefix, sys.exec_prefix))]
    places = [Path(os.path.abspath(python)), Path(python).resolve()]
    return [*own, *(place.parents[1] for place in places)]


def _code(origins: Iterable[Mapping[str, str]]) -> list[Path]:
    """The files and packages of plugins; a package is found without importing it."""
    places: list[Path] = []
    for origin in origins:
        if "file" in origin:
            places.append(Path(origin["file"]).resolve())
        elif "module" in origin:
            places += _package(origin["module"].partition(".")[0])
    return places


def _package(name: str) -> list[Path]:
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    return [Path(place) for place in spec.submodule_search_locations or ([spec.origin] if spec.origin else [])]
