"""A method in a process of its own, as the harness talks to it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import GenerationError, printable
from facial_bench.core.progress import Reporter
from facial_bench.core.types import Clip, Context, Motion, Request
from facial_bench.isolation.conditions import Conditions
from facial_bench.isolation.door import MethodDiedError, Usage
from facial_bench.isolation.method_code import MethodCode
from facial_bench.isolation.start import Worker, start_worker
from facial_bench_worker.motions import PARTS, Outcome, check_motion, part_shapes
from facial_bench_worker.pipe import Message
from facial_bench_worker.records import context_message, requests_message

MOST_STATE = 8 << 30
"""Bytes that a stored fit may have."""


class WorkerMethod:
    """A method, created in a process of its own.

    Args:
        code: What it is and where its code is.
        context: What it is told; its lines and progress go to the report.
        conditions: How far it is kept apart.
        report: Is told what it says.
        started: Its process, loading its code already; None to start one.

    Raises:
        MethodRaisedError: its code or `create` raised. MethodDiedError: its process ended. FacialBenchError: it could
            not be started.
    """

    def __init__(
        self,
        code: MethodCode,
        context: Context,
        conditions: Conditions,
        report: Reporter,
        started: Worker | None = None,
    ) -> None:
        self._code, self._conditions, self._changed = code, conditions, None
        self._worker = started or start_loading(code, conditions, context.device, report)
        try:
            self._worker.process.collect()
            values, arrays = context_message(context)
            created = self._worker.process.call("create", values, arrays, seconds=conditions.timeout)
        except BaseException:
            self.close()
            raise
        self.stateful = created.values.get("stateful") is True
        self.trackers: Mapping[str, str] = _digests(created.values.get("trackers"))

    def keep_printed(self, path: Path) -> None:
        """Keep what it prints in a file."""
        self._worker.process.keep_printed(path)

    def fit(self, clips: Sequence[Clip]) -> None:
        """Fit it to copies of the training clips."""
        folder = self._worker.scratch.write(clips)
        values = {"folder": str(folder), "inspect": self._conditions.inspect}
        self._changed = self._call("fit", values).values.get("changed")

    def state(self) -> Mapping[str, np.ndarray]:
        """All that it learned."""
        return self._call("state", limit=MOST_STATE).arrays

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Have it become what gave the state."""
        self._call("load_state", arrays=state)

    def generate(self, requests: Sequence[Request]) -> list[Outcome]:
        """An outcome for each request, under ids that say nothing."""
        if not self._code.by_name:
            requests = [replace(request, id=secrets.token_hex(8)) for request in requests]
        shapes = [part_shapes(request.frames, self._code.partial) for request in requests]
        limit = 4 * sum(int(np.prod(shape)) for own in shapes for shape in own.values())
        message = self._call("generate", *requests_message(requests), limit=limit)
        try:
            return _read_outcomes(message, requests, self._code.partial)
        except GenerationError as problem:
            self.close()
            raise MethodDiedError(f"its process answered what is no answer to `generate`: {problem}") from None

    def notes(self) -> Mapping[str, Any]:
        """What was noticed while it ran."""
        return {**self._call("notes").values, "changed_clip": self._changed}

    def close(self) -> Usage:
        """End its process."""
        return self._worker.close()

    def _call(self, kind: str, values: Any = None, arrays: Any = None, limit: int = 0) -> Message:
        return self._worker.process.call(kind, values, arrays, limit=limit, seconds=self._conditions.timeout)


def start_loading(code: MethodCode, conditions: Conditions, device: str, report: Reporter) -> Worker:
    """Start a process that loads the code of a method, and do not wait for it.

    Raises:
        FacialBenchError: it could not be started. MethodDiedError: its process ended at once.
    """
    worker = start_worker(conditions, [code.origin], device, report)
    try:
        worker.process.post("load", {"origin": dict(code.origin), "name": code.name})
    except BaseException:
        worker.close()
        raise
    return worker


def _digests(told: Any) -> dict[str, str]:
    """name -> digest of trackers, as far as the process tells such a thing."""
    named = told if isinstance(told, dict) else {}
    return {printable(str(name))[:100]: printable(str(one))[:64] for name, one in sorted(named.items())[:20]}


def _read_outcomes(message: Message, requests: Sequence[Request], partial: bool) -> list[Outcome]:
    """The outcomes of an answer, checked again: the process may have been the method's to command.

    Raises:
        GenerationError: an answer that leaves out a request, or is to one that was not asked.
    """
    told = message.values.get("outcomes")
    listed = told if isinstance(told, list) else []
    rows = {row["id"]: row for row in listed if isinstance(row, dict) and isinstance(row.get("id"), str)}
    ids = {request.id for request in requests}
    if set(rows) != ids or len(listed) != len(ids):
        raise GenerationError("it is not to the requests that were asked")
    if not {name.rpartition("/")[0] for name in message.arrays} <= ids:
        raise GenerationError("it holds motion for requests that were not asked")
    outcomes = []
    for request in requests:
        reason, trace = rows[request.id].get("reason"), str(rows[request.id].get("trace", ""))[: 1 << 20]
        if reason is not None:
            outcomes.append(Outcome(None, printable(str(reason))[:2000], trace))
            continue
        motion = Motion.from_parts({name: message.arrays.get(f"{request.id}/{name}") for name in PARTS})
        try:
            outcomes.append(Outcome(check_motion(motion, request, partial)))
        except GenerationError as problem:
            outcomes.append(Outcome(None, str(problem)))
    return outcomes
