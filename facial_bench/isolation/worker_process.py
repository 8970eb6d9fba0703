"""A process that runs a method: started, talked to, and ended with all that it started.

Nothing that it says is trusted: sizes are checked before memory is taken, text is made printable, and an answer that
is none ends it.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import facial_bench_worker
from facial_bench.core import errors
from facial_bench.core.errors import FacialBenchError, printable
from facial_bench.core.progress import Reporter
from facial_bench.core.threads import thread_environment
from facial_bench.isolation.door import MethodDiedError, MethodRaisedError, Usage
from facial_bench.isolation.printed import Printed
from facial_bench.isolation.process_tree import Child, usage_below
from facial_bench_worker.pipe import GarbageError, Message, Pipe, PipeClosedError, SilenceError

PROGRAM = Path(facial_bench_worker.__file__).with_name("__main__.py")
STARTING = 120.0
"""Seconds for what needs no training: starting, loading, listing."""
MOST_PARTS = 100
"""Names of parts of the work that a method may show progress of."""


class WorkerProcess:
    """A process of a method, or of plugins to be listed.

    Args:
        command: What runs it, from `worker_command`.
        environment: Of the process.
        printed: A file for what it prints.
        report: Is told what it prints, and its progress.

    Raises:
        FacialBenchError: there is no such interpreter, or the file cannot be written.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], printed: Path, report: Reporter) -> None:
        self._report, self._parts, self._usage = report, set[str](), Usage(processes=1)
        self._asked, self._seconds, self._deadline = "", STARTING, 0.0
        try:
            self._printed = Printed(printed, report)
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._printed.sink,
                start_new_session=True,
                env=environment,
                bufsize=0,
            )
        except OSError as problem:
            raise FacialBenchError(f"Cannot start {problem.filename}: {problem.strerror}. Correct the path.") from None
        self._child, self._closed = Child(self._process), False
        source, sink = (pipe.fileno() for pipe in (self._process.stdout, self._process.stdin) if pipe is not None)
        os.set_blocking(source, False)
        os.set_blocking(sink, False)
        self._pipe = Pipe(source, sink, self._tick)

    def keep_printed(self, path: Path) -> None:
        """Keep what it prints in a file, to which it is added when the process ends."""
        self._printed.kept = path

    def call(
        self,
        kind: str,
        values: Mapping[str, Any] | None = None,
        arrays: Mapping[str, np.ndarray] | None = None,
        *,
        limit: int = 0,
        seconds: float = STARTING,
    ) -> Message:
        """Have something done.

        Args:
            kind: Of the call: `fit`, `generate` ...
            values: That it needs.
            arrays: That it needs.
            limit: Most bytes of arrays that the answer may have.
            seconds: Until it must be there.

        Raises:
            MethodRaisedError: the method raised. MethodDiedError: no answer, and the process is gone.
        """
        self.post(kind, values, arrays, seconds=seconds)
        return self.collect(limit)

    def post(
        self,
        kind: str,
        values: Mapping[str, Any] | None = None,
        arrays: Mapping[str, np.ndarray] | None = None,
        *,
        seconds: float = STARTING,
    ) -> None:
        """Ask for something, and do not wait for it; `call` says what is what."""
        self._asked, self._seconds, self._deadline = kind, seconds, time.monotonic() + seconds
        with self._blaming():
            self._pipe.send(kind, values, arrays, self._deadline)

    def collect(self, limit: int = 0) -> Message:
        """The answer to what was asked for last; raises as `call` does."""
        with self._blaming():
            while True:
                message = self._pipe.receive(limit, self._deadline)
                if message.kind in ("answer", "error"):
                    break
                self._tell(message)
        if message.kind == "error":
            raise _raised(message.values)
        return message

    def close(self) -> Usage:
        """End the process and all that it started; returns what it took."""
        if not self._closed:
            self._closed = True
            self._look()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()  # its watcher ends it
            self._usage.cpu_s = max(self._usage.cpu_s, self._child.end())  # a sandbox does not pass its own on
            self._printed.close()
        return self._usage

    @contextmanager
    def _blaming(self) -> Iterator[None]:
        """What goes wrong with the process ends it, and becomes one line."""
        try:
            yield
        except SilenceError:
            how = f"gave no answer to `{self._asked}` within {self._seconds:g} s (--timeout)"
            raise self._died(how, silent=True) from None
        except PipeClosedError:
            raise self._died(self._ending()) from None
        except GarbageError as problem:
            raise self._died(f"answered what is no answer to `{self._asked}`: {problem}") from None
        finally:
            self._look()

    def _tick(self) -> None:
        """While it is waited for."""
        self._look()
        self._printed.read()
        if self._printed.too_much():
            raise GarbageError("it printed more than is kept")
        if self._child.status() is not None and not _readable(self._process):
            raise PipeClosedError("it has ended")

    def _look(self) -> None:
        peak, cpu = usage_below(self._process.pid)
        self._usage.peak_mib, self._usage.cpu_s = max(self._usage.peak_mib, peak), max(self._usage.cpu_s, cpu)

    def _tell(self, message: Message) -> None:
        """Pass on a line or progress."""
        values = message.values
        if message.kind == "log":
            self._report(printable(str(values.get("line", ""))[:2000]))
        elif message.kind == "progress":
            done, total, text = (values.get(name) for name in ("done", "total", "text"))
            if isinstance(done, (int, float)) and isinstance(total, (int, float)) and isinstance(text, str):
                if len(self._parts) < MOST_PARTS:
                    self._parts.add(text)
                if text in self._parts:
                    self._report.progress(done, total, printable(text)[:80])
        else:
            raise GarbageError(f"a message of the kind {printable(message.kind)[:40]!r}")

    def _ending(self) -> str:
        """How the process ended, in words."""
        status = self._child.wait()
        if status is None:
            return "closed its end of the pipe"
        number = -status if status < 0 else status - 128
        if number in set(signal.Signals):
            hint = " (out of memory, or killed by somebody)" if number == signal.SIGKILL else ""
            return f"was ended by {signal.Signals(number).name}{hint}"
        return f"ended with status {status}"

    def _died(self, how: str, silent: bool = False) -> MethodDiedError:
        last = self._printed.last()
        self.close()
        said = f"; the last it printed: {last}" if last else ""
        return MethodDiedError(f"its process {how}{said}", silent)


def worker_command(python: str | None) -> list[str]:
    """What starts a process: under the harness's interpreter with its module path, or under another one.

    Raises:
        FacialBenchError: no such interpreter.
    """
    if python is None:
        return [sys.executable, str(PROGRAM), *(place or os.getcwd() for place in sys.path)]
    if not (os.path.isfile(python) and os.access(python, os.X_OK)):
        raise FacialBenchError(f"No Python interpreter at {python}. Correct --python, for example ENV/bin/python.")
    return [os.path.abspath(python), str(PROGRAM)]


def worker_environment(python: str | None) -> dict[str, str]:
    """The environment variables of a process: the user's, waiting threads that do not spin, deterministic cuBLAS."""
    environment = thread_environment(os.environ)
    environment.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if python is not None:  # they are of the harness's interpreter
        for name in ("PYTHONPATH", "PYTHONHOME"):
            environment.pop(name, None)
    return environment


def _raised(values: Mapping[str, Any]) -> MethodRaisedError:
    """The error of an answer, which is not trusted either."""
    line, trace, kind = (str(values.get(name, "")) for name in ("line", "trace", "kind"))
    known = kind if isinstance(getattr(errors, kind, None), type) else ""
    return MethodRaisedError(printable(line)[:2000] or "raised", trace[: 1 << 20], known)


def _readable(process: subprocess.Popen[bytes]) -> bool:
    """Whether something is left to be read of an ended process."""
    poll = select.poll()
    poll.register(process.stdout, select.POLLIN)  # type: ignore[arg-type]
    return any(event & select.POLLIN for _, event in poll.poll(0))
