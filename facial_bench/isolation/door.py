"""What the harness sees of a method, wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from facial_bench.core.errors import GenerationError, PluginError
from facial_bench.core.types import Clip, Motion, Request
from facial_bench_worker.motions import Outcome, check_motion


class MethodRaisedError(PluginError):
    """A method raised; the message is one line, and `trace` the traceback."""

    def __init__(self, line: str, trace: str = "", kind: str = "") -> None:
        super().__init__(line)
        self.trace = trace
        self.kind = kind
        """Name of the class, where it raised an error of facial-bench; such a one has no traceback."""


class MethodDiedError(PluginError):
    """The process of a method ended, or did not answer, or answered what is no answer."""

    def __init__(self, line: str, silent: bool = False) -> None:
        super().__init__(line)
        self.silent = silent
        """Whether it was ended because it did not answer in time."""


class Traceback(Exception):  # noqa: N818 - it stands for another one
    """The traceback of an exception that was raised in another process, as text."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


@dataclass
class Usage:
    """What a method took, over all of its processes."""

    processes: int = 0
    cpu_s: float = 0.0
    """Processor time, seconds."""
    peak_mib: float = 0.0
    """Largest memory of one process, MiB."""

    def add(self, other: Usage) -> None:
        """Count another process."""
        self.processes += other.processes
        self.cpu_s += other.cpu_s
        self.peak_mib = max(self.peak_mib, other.peak_mib)


class Asked(Protocol):
    """What answers requests."""

    def generate(self, requests: Sequence[Request]) -> list[Outcome]:
        """An outcome for each request, in order."""


class Door(Asked, Protocol):
    """A method that was created. Each call raises MethodRaisedError or MethodDiedError where it gives nothing."""

    stateful: bool
    """Whether its fit can be stored."""
    trackers: Mapping[str, str]
    """name -> digest of each face tracker that it took when it was created, and of its weights."""

    def keep_printed(self, path: Path) -> None:
        """Keep what it prints in a file, to which it is added when the method ends."""

    def fit(self, clips: Sequence[Clip]) -> None:
        """Fit it to the training clips."""

    def state(self) -> Mapping[str, np.ndarray]:
        """All that it learned."""

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Have it become what gave the state."""

    def notes(self) -> Mapping[str, Any]:
        """What was noticed while it ran: `asked`, `changed_request`, `changed_clip`, `torch`."""

    def close(self) -> Usage:
        """End it; may be called twice."""


def ask(method: Asked, request: Request) -> Motion:
    """One motion for one request.

    Raises:
        GenerationError: the method raised, or gave something else than such a motion. MethodDiedError: its process
            ended.
    """
    try:
        (outcome,) = method.generate([request])
    except MethodRaisedError as problem:
        raise GenerationError(str(problem)) from Traceback(problem.trace)
    if outcome.motion is None:
        raise GenerationError(str(outcome.reason)) from Traceback(outcome.trace)
    return check_motion(outcome.motion, request)  # of a partial method, it may lack what a state needs
