"""Progress on standard error: bars with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from facial_bench.core.progress import OutputClosed, Reporter

EVERY = 10.0
"""Seconds between two plain lines of one part of the work."""


class PlainReporter(Reporter):
    """Lines on standard error; how far a part of the work is at its start, now and then, and at its end.

    Args:
        show: Whether lines and progress are shown, or warnings alone.
        write: Takes a line.
    """

    def __init__(self, show: bool, write: Callable[[str], None]) -> None:
        self._show, self._write, self._told = show, write, dict[str, float]()

    def __call__(self, line: str) -> None:
        """The line as it is."""
        if self._show:
            self._write(line)

    def warn(self, line: str) -> None:
        """The line, marked as a warning; also where nothing else is shown."""
        self._write(f"warning: {line}")

    def progress(self, done: float, total: float, text: str) -> None:
        """A line at the start of a part, every ten seconds, and at its end."""
        now = time.monotonic()
        if self._show and (done >= total or now - self._told.get(text, -EVERY) >= EVERY):
            self._told[text] = now
            self._write(f"{text}: {done:g}/{total:g}")


class BarReporter(PlainReporter):
    """Bars that move; lines appear above them.

    Args:
        bars: A `rich.progress.Progress` that is started.
    """

    def __init__(self, bars: Any) -> None:
        super().__init__(True, lambda line: bars.console.print(line, markup=False, highlight=False, soft_wrap=True))
        self._bars, self._tasks = bars, dict[str, Any]()

    def progress(self, done: float, total: float, text: str) -> None:
        """A bar that goes when the part is done, and leaves a line."""
        if text not in self._tasks:
            self._tasks[text] = self._bars.add_task(text, total=total)
        self._bars.update(self._tasks[text], completed=done, total=total)
        if done >= total:
            self._bars.remove_task(self._tasks.pop(text))
            self(f"{text}: {total:g}")


@contextmanager
def reporting(quiet: bool = False) -> Iterator[Reporter]:
    """A reporter for this terminal, or for none; its bars end with the block. rich is imported here and nowhere else.

    Args:
        quiet: Whether to show warnings alone.
    """
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

    console = Console(stderr=True)
    if quiet or not console.is_terminal or console.is_dumb_terminal:
        yield PlainReporter(not quiet, _write)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), Rate())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True, redirect_stdout=False) as bars:
        yield BarReporter(bars)


def _write(line: str) -> None:
    try:
        print(line, file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise OutputClosed from None
