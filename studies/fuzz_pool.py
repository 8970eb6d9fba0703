"""Tasks in processes that may hang, crash or fill memory: each is cut short, told, and the next one goes on."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

MEMORY = 8 * 2**30
"""Bytes of address space that a process may take."""
CONTEXT = multiprocessing.get_context("spawn")


@dataclass
class _Worker:
    """A process, and what it is at."""

    process: SpawnProcess
    pipe: Connection
    task: int | None = None
    since: float = 0.0


def run_guarded(
    make: Callable[[], Callable[[int], Any]], tasks: Sequence[int], workers: int, patience: float
) -> Iterator[tuple[int, Any, float]]:
    """(task, its answer, seconds) of each task as it is done; of one that hangs or kills its process "hang" or "died".

    Args:
        make: Called once in each process, of the top level of a module; what it gives answers a task.
        tasks: Numbers.
        workers: Processes at once.
        patience: Seconds that a task may take.
    """
    left = list(reversed(tasks))
    at_work = [_start(make) for _ in range(min(workers, len(tasks)))]
    try:
        while at_work:
            for worker in at_work:
                if worker.task is None and left:
                    worker.task, worker.since = left.pop(), time.monotonic()
                    worker.pipe.send(worker.task)
            at_work = [worker for worker in at_work if worker.task is not None or not _end(worker)]
            ready = wait([worker.pipe for worker in at_work], timeout=0.2)
            for place, worker in enumerate(at_work):
                task, seconds, answer = worker.task, time.monotonic() - worker.since, None
                if worker.pipe in ready:
                    try:
                        answer = worker.pipe.recv()
                    except EOFError:
                        answer = "died"
                elif seconds > patience:
                    answer = "hang"
                if answer is not None and task is not None:
                    yield task, answer, seconds
                    worker.task = None
                    if answer in ("died", "hang"):
                        _end(worker)
                        at_work[place] = _start(make)
    finally:
        for worker in at_work:
            _end(worker)


def _start(make: Callable[[], Callable[[int], Any]]) -> _Worker:
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_serve, args=(make, theirs), daemon=True)
    process.start()
    theirs.close()
    ours.recv()  # it is ready: what it takes to start is no part of a task
    return _Worker(process, ours)


def _end(worker: _Worker) -> bool:
    worker.pipe.close()
    worker.process.kill()
    worker.process.join()
    return True


def _serve(make: Callable[[], Callable[[int], Any]], pipe: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer = make()
    pipe.send("ready")
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        pipe.send(answer(task))
