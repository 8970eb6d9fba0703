"""A method that was fitted, and is asked: when its process dies, a new one takes its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import FacialBenchError, PluginError
from facial_bench.core.files import read_arrays, write_arrays
from facial_bench.core.progress import Reporter
from facial_bench.core.types import Clip, Request
from facial_bench.evaluation.method import Method, blamed
from facial_bench.isolation.door import Door, MethodDiedError, MethodRaisedError, Usage
from facial_bench_worker.motions import Outcome

MOST_DEATHS = 10
"""A method whose processes died so often is not asked again."""


class FittedMethod:
    """A method, fitted now or taken up from where an earlier run left its state.

    Args:
        method: Who is blamed.
        opening: Creates it, in a new process.
        training: What it is fitted to.
        folder: Of the fold: for its state, and for what it prints and raises.
        report: Is told of deaths.

    Raises:
        PluginError: it could not be created or fitted.
    """

    def __init__(
        self, method: Method, opening: Callable[[], Door], training: Sequence[Clip], folder: Path, report: Reporter
    ) -> None:
        self._method, self._opening, self._training, self._report = method, opening, training, report
        self._folder, self._stored = folder, folder / "fitted.safetensors"
        self._deaths, self._refitted, self._usage = 0, False, Usage()
        self._door = opening()
        self.reused = False
        """Whether the state of an earlier run was taken."""
        try:
            self.reused = self._take_state() or self._fit()
        except BaseException:
            self._door.close()
            raise

    def generate(self, requests: Sequence[Request]) -> list[Outcome]:
        """Outcomes of a batch; where the batch as a whole goes wrong, each request is asked for alone."""
        try:
            return self._door.generate(requests)
        except MethodRaisedError as problem:
            outcome = Outcome(None, str(problem), problem.trace)
        except MethodDiedError as problem:
            outcome = Outcome(None, str(problem))
            self._replace(problem)
        if len(requests) > 1:
            return [self.generate([request])[0] for request in requests]
        return [outcome]

    def notes(self) -> Mapping[str, Any]:
        """What was noticed while it ran; nothing where it is gone."""
        try:
            return self._door.notes()
        except (MethodRaisedError, MethodDiedError):
            return {}

    def close(self) -> Usage:
        """End it; returns what all of its processes took."""
        self._usage.add(self._door.close())
        return self._usage

    def _fit(self) -> bool:
        """Fit it, in a new process where the first one dies; says that no state was reused."""
        with blamed(self._method, self._folder, "fitted"):
            try:
                self._door.fit(self._training)
            except MethodDiedError as problem:
                if problem.silent:
                    raise
                self._report.warn(f"{self._method}: {problem}; it is fitted again, in a new process")
                self._usage.add(self._door.close())
                self._door = self._opening()
                self._door.fit(self._training)
            state = self._door.state() if self._door.stateful else None
        if state is not None:
            write_arrays(self._stored, state, error=PluginError)
        return False

    def _take_state(self) -> bool:
        """Whether the stored state could be loaded; one that is damaged is as good as none."""
        if not self._door.stateful or not self._stored.is_file():
            return False
        try:
            self._door.load_state(read_arrays(self._stored, FacialBenchError, "")[0])
        except MethodDiedError as problem:
            self._report(f"{self._stored} cannot be used ({problem}); fitting again")
            self._usage.add(self._door.close())
            self._door = self._opening()
            return False
        except FacialBenchError as problem:
            self._report(f"{self._stored} cannot be used ({problem}); fitting again")
            return False
        self._report(f"fitted already, taken from {self._stored.name}")
        return True

    def _replace(self, problem: MethodDiedError) -> None:
        """Put a new process in the place of one that died, with the state of the fit."""
        self._deaths += 1
        self._usage.add(self._door.close())
        if self._deaths >= MOST_DEATHS:
            self._door = Gone(f"not asked: its processes died {self._deaths} times; the last one: {problem}")
            return
        try:
            self._door = self._opening()
            if not self._take_state():
                if self._refitted:
                    raise PluginError("it has no state, and was fitted again once already")
                self._refitted = True
                self._fit()
        except FacialBenchError as again:
            self._door.close()
            self._door = Gone(f"not asked: {problem}, and a new process did not do: {again}")


class Gone:
    """What is left of a method that will not be asked again.

    Args:
        reason: Why.
    """

    stateful = False
    trackers: Mapping[str, str] = {}

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def generate(self, requests: Sequence[Request]) -> list[Outcome]:
        """The reason, for each request."""
        return [Outcome(None, self._reason) for _ in requests]

    def fit(self, clips: Sequence[Clip]) -> None:
        """Nothing."""

    def state(self) -> Mapping[str, np.ndarray]:
        """Nothing."""
        return {}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Nothing."""

    def keep_printed(self, path: Path) -> None:
        """Nothing."""

    def notes(self) -> Mapping[str, Any]:
        """Nothing."""
        return {}

    def close(self) -> Usage:
        """Nothing more was taken."""
        return Usage()
