"""Progress on standard error: bars with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from facial_bench.core.errors import printable
from facial_bench.core.progress import OutputClosed, Reporter

EVERY = 10.0
"""Seconds between two plain lines of one part of the work."""


class PlainReporter(Reporter):
    """Lines on standard error; how far a part of the work is at its start, now and then, and at its end.

    Args:
        show: Whether lines and progress are shown, or warnings alone.
        write: Takes a line.
        verbose: Whether tracebacks are shown.
    """

    def __init__(self, show: bool, write: Callable[[str], None], verbose: bool = False) -> None:
        self._show, self._line, self._verbose = show, write, verbose
        self._told = dict[str, float]()

    def _write(self, line: str) -> None:
        """The line; names in it come from files, and may hold what steers a terminal."""
        self._line(line if line.isprintable() else printable(line))

    def __call__(self, line: str) -> None:
        """The line as it is."""
        if self._show:
            self._write(line)

    def warn(self, line: str) -> None:
        """The line, marked as a warning; also where nothing else is shown."""
        self._write(f"warning: {line}")

    def detail(self, text: str) -> None:
        """The text, where the user wants to see tracebacks."""
        if self._verbose:
            for line in text.splitlines():
                self._write(line)

    def progress(self, done: float, total: float, text: str) -> None:
        """A line at the start of a part, every ten seconds, and at its end."""
        now = time.monotonic()
        if self._show and (done >= total or now - self._told.get(text, -EVERY) >= EVERY):
            self._told[text] = now
            self._write(f"{text}: {done:g}/{total:g}")


class BarReporter(PlainReporter):
    """Bars that move on standard error; lines appear above them. rich is imported when the first one is needed.

    Args:
        life: Ends the bars when it is closed.
        verbose: Whether tracebacks are shown.
    """

    def __init__(self, life: ExitStack, verbose: bool = False) -> None:
        super().__init__(True, self._above, verbose)
        self._life, self._started, self._tasks = life, None, dict[str, Any]()

    def progress(self, done: float, total: float, text: str) -> None:
        """A bar that goes when the part is done, and leaves a line."""
        bars = self._bars()
        if text not in self._tasks:
            self._tasks[text] = bars.add_task(text, total=total)
        bars.update(self._tasks[text], completed=done, total=total)
        if done >= total:
            bars.remove_task(self._tasks.pop(text))
            self(f"{text}: {total:g}")

    def _above(self, line: str) -> None:
        self._bars().console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _bars(self) -> Any:
        if self._started is None:
            self._started = self._life.enter_context(_make_bars())
        return self._started


@contextmanager
def reporting(quiet: bool = False, verbose: bool = False) -> Iterator[Reporter]:
    """A reporter for this terminal, or for none; its bars end with the block.

    Args:
        quiet: Whether to show warnings alone.
        verbose: Whether to show tracebacks.
    """
    with ExitStack() as life:
        bars = sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown") and not quiet
        yield BarReporter(life, verbose) if bars else PlainReporter(not quiet, _write, verbose)


def _make_bars() -> Any:
    """A `rich.progress.Progress` with the name of a part, how much of it is done, rate and time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Units of the work a second."""

        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:.3g}/s")

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), Rate())
    console = Console(stderr=True)
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True, redirect_stdout=False)


def _write(line: str) -> None:
    try:
        print(line, file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise OutputClosed from None
