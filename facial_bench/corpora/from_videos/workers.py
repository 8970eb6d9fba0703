"""Several videos at once: worker processes that are told what to build, and tell how far they are.

A worker whose parent is gone ends by itself; one that dies costs its video and nothing else.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from facial_bench.core.errors import FacialBenchError
from facial_bench.corpora.find_videos import Source
from facial_bench.corpora.from_videos.build_video import build_video
from facial_bench.corpora.from_videos.settings import BuildSettings


def build_all(
    sources: Sequence[Source],
    videos: Path,
    work: Path,
    settings: BuildSettings,
    workers: int,
    progress: Callable[[int], None],
) -> Iterator[tuple[Source, dict[str, Any]]]:
    """(source, report) of every video, in the order in which they are finished.

    Args:
        sources, videos, work, settings, progress: as for `build_video`.
        workers: processes; with one everything happens in this one.

    Raises:
        FacialBenchError: the work cannot go on; what is finished stays finished.
    """
    if min(workers, len(sources)) == 1:
        for source in sources:
            yield source, build_video(source, videos, work, settings, progress)
        return
    todo = list(reversed(sources))
    context = multiprocessing.get_context("spawn")
    busy: dict[Connection, tuple[Any, Source]] = {}
    try:
        for _ in range(min(workers, len(todo))):
            _start(context, busy, todo.pop(), videos, work, settings)
        while busy:
            for connection in wait(list(busy)):
                worker, source = busy[connection]
                try:
                    kind, value = connection.recv()
                except EOFError:
                    worker.join()
                    kind, value = "report", _died(source, worker.exitcode)
                if kind == "progress":
                    progress(value)
                    continue
                if kind == "error":
                    raise FacialBenchError(value)
                yield source, value
                del busy[connection]
                if todo and worker.is_alive():
                    busy[connection] = (worker, todo.pop())
                    connection.send((busy[connection][1], videos, work, settings))
                elif todo:
                    connection.close()
                    _start(context, busy, todo.pop(), videos, work, settings)
                else:
                    connection.close()
    finally:
        for connection, (worker, _) in busy.items():
            worker.terminate()
            worker.join()
            connection.close()


def _start(context: Any, busy: dict[Connection, tuple[Any, Source]], source: Source, *task: Any) -> None:
    ours, theirs = context.Pipe()
    worker = context.Process(target=_work, args=(theirs,), daemon=True)
    worker.start()
    theirs.close()
    ours.send((source, *task))
    busy[ours] = (worker, source)


def _died(source: Source, code: int | None) -> dict[str, Any]:
    return {
        "key": "",
        "clips": [],
        "frames": 0,
        "rejected": [{"what": source.file, "why": f"the process that tracked it died (exit code {code})"}],
    }


def _work(connection: Connection) -> None:
    """The life of a worker: build what comes through the connection until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt ends the parent, which ends its workers
    while True:
        try:
            source, videos, work, settings = connection.recv()
            report = build_video(source, videos, work, settings, lambda frames: connection.send(("progress", frames)))
            connection.send(("report", report))
        except FacialBenchError as problem:
            connection.send(("error", str(problem)))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return
