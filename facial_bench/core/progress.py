"""Where work says what it does: lines, and how far a long part of it is."""

from __future__ import annotations


class OutputClosed(BaseException):
    """Nobody reads what the work says any more (`| head`). Not an Exception, so that no method is blamed for it."""


class Reporter:
    """Says nothing; the command line's reporter draws bars, a notebook may bring its own."""

    def __call__(self, line: str) -> None:
        """One line of what happens."""

    def warn(self, line: str) -> None:
        """One line that the user should see even where other lines are not shown."""

    def detail(self, text: str) -> None:
        """What only somebody who looks for a defect wants to see: a traceback, some lines."""

    def progress(self, done: float, total: float, text: str) -> None:
        """So much of a part of the work is done; `text` names the part and is the same from call to call."""


QUIET = Reporter()
"""Says nothing."""
