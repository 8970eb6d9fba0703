"""Progress on standard error: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time

import click

from facial_bench.core.progress import Reporter

EVERY = 10.0
"""Seconds between two plain lines of one part of the work."""


class PlainReporter(Reporter):
    """Plain lines: what happens, and from time to time how far a part of the work is."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def __call__(self, line: str) -> None:
        """A line."""
        click.echo(line, err=True)

    def warn(self, line: str) -> None:
        """A line that begins with `warning`."""
        click.echo(f"warning: {line}", err=True)

    def progress(self, done: float, total: float, text: str) -> None:
        """A line at the start, every ten seconds, and at the end."""
        now = time.monotonic()
        if done >= total or now - self._told.get(text, -EVERY) >= EVERY:
            self._told[text] = now
            click.echo(f"{text}: {done:g}/{total:g}", err=True)


def make_reporter() -> Reporter:
    """The reporter for this terminal, or for none."""
    return PlainReporter()
