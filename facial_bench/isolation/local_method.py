"""A method in the harness's own process: for a debugger, and for classes of a notebook. Nothing is kept from it."""

from __future__ import annotations

import resource
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.device import deterministic
from facial_bench.core.types import Clip, Context, Request
from facial_bench.isolation.door import MethodRaisedError, Usage
from facial_bench.isolation.method_code import MethodCode
from facial_bench_worker.host import Host
from facial_bench_worker.loading import load_method
from facial_bench_worker.motions import Outcome
from facial_bench_worker.problems import describe


class LocalMethod:
    """A method, created here.

    Args:
        code: What it is and where its code is.
        context: What it is told.

    Raises:
        MethodRaisedError: its code or `create` raised.
    """

    def __init__(self, code: MethodCode, context: Context) -> None:
        self._code, self._usage = code, Usage()
        self._changed: str | None = None
        with self._called():
            self._host = Host(code.spec or load_method(dict(code.origin), code.name), context)
        self.stateful = self._host.stateful
        self.trackers: Mapping[str, str] = self._host.trackers

    def keep_printed(self, path: Path) -> None:
        """What it prints goes where the harness prints."""

    def fit(self, clips: Sequence[Clip]) -> None:
        """Fit it to the training clips."""
        before = [clip.motion.state().copy() for clip in clips]
        with self._called():
            self._host.fit(clips)
        same = [np.array_equal(clip.motion.state(), state) for clip, state in zip(clips, before, strict=True)]
        self._changed = next((clip.id for clip, kept in zip(clips, same, strict=True) if not kept), None)

    def state(self) -> Mapping[str, np.ndarray]:
        """All that it learned."""
        with self._called():
            return self._host.state()

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Have it become what gave the state."""
        with self._called():
            self._host.load_state(state)

    def generate(self, requests: Sequence[Request]) -> list[Outcome]:
        """An outcome for each request, under ids that say nothing."""
        if not self._code.by_name:
            requests = [replace(request, id=secrets.token_hex(8)) for request in requests]
        with self._called():
            return self._host.generate(requests)

    def notes(self) -> Mapping[str, Any]:
        """What was noticed while it ran."""
        asked, changed = sorted(self._host.options.asked), self._host.changed_request
        return {"asked": asked, "changed_request": changed, "changed_clip": self._changed}

    def close(self) -> Usage:
        """What it took; the memory is the harness's."""
        self._usage.peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return self._usage

    @contextmanager
    def _called(self) -> Iterator[None]:
        """What it raises becomes words, with the traceback as its cause for a debugger."""
        start = time.process_time()
        try:
            with deterministic():
                yield
        except (Exception, SystemExit) as problem:
            told = describe(problem)
            raise MethodRaisedError(told.line, told.trace, told.kind) from problem
        finally:
            self._usage.cpu_s += time.process_time() - start
