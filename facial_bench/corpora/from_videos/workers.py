"""Several videos at once: worker processes that are told what to build, and tell how far they are.

A worker whose parent is gone ends by itself; one that dies costs its video and nothing else.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from facial_bench.core.errors import FacialBenchError
from facial_bench.corpora.from_videos.build_video import VideoTask, build_video
from facial_bench.corpora.from_videos.settings import Tools
from facial_bench.corpora.sources import Source


@dataclass
class _Worker:
    """A process, the connection to it, and what it works on."""

    process: SpawnProcess
    connection: Connection
    task: VideoTask

    def give(self, task: VideoTask) -> None:
        """Send it its next video."""
        self.task = task
        self.connection.send(task)

    def next_message(self) -> tuple[str, Any]:
        """(kind, value): `progress` with frames, `report` with a video's report, `error` with the end of all work."""
        try:
            return self.connection.recv()
        except EOFError:
            self.process.join()
            return "report", _died(self.task.source, self.process.exitcode)


def build_all(
    tasks: Sequence[VideoTask], tools: Tools, workers: int, progress: Callable[[int], None]
) -> Iterator[tuple[Source, dict[str, Any]]]:
    """(source, report) of every video, in the order in which they are finished.

    Args:
        tasks: the videos to build, all with the same settings.
        tools: what these name; other processes find it anew, once each.
        workers: processes; with one everything happens in this one.
        progress: as for `build_video`.

    Raises:
        FacialBenchError: the work cannot go on; what is finished stays finished.
    """
    if min(workers, len(tasks)) == 1:
        for task in tasks:
            yield task.source, build_video(task, tools, progress)
        return
    todo = list(reversed(tasks))
    busy: list[_Worker] = []
    try:
        busy.extend(_start(todo.pop()) for _ in range(min(workers, len(todo))))
        while busy:
            ready = wait([worker.connection for worker in busy])
            for worker in [worker for worker in busy if worker.connection in ready]:
                kind, value = worker.next_message()
                if kind == "progress":
                    progress(value)
                    continue
                if kind == "error":
                    raise FacialBenchError(value)
                yield worker.task.source, value
                if todo and worker.process.is_alive():
                    worker.give(todo.pop())
                    continue
                worker.connection.close()
                busy.remove(worker)
                if todo:
                    busy.append(_start(todo.pop()))
    finally:
        for worker in busy:
            worker.process.terminate()
            worker.process.join()
            worker.connection.close()


def _start(task: VideoTask) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    worker = _Worker(process, ours, task)
    worker.give(task)
    return worker


def _died(source: Source, code: int | None) -> dict[str, Any]:
    why = f"the process that tracked it died (exit code {code})"
    return {"key": "", "clips": [], "frames": 0, "rejected": [{"what": source.shown, "why": why}]}


def _work(connection: Connection) -> None:
    """The life of a worker: build what comes through the connection until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt ends the parent, which ends its workers
    tools: Tools | None = None
    while True:
        try:
            task = connection.recv()
            tools = tools or task.make_tools(task.settings)
            report = build_video(task, tools, lambda frames: connection.send(("progress", frames)))
            connection.send(("report", report))
        except FacialBenchError as problem:
            connection.send(("error", str(problem)))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return
