"""What a method raised, in words that cross a process: one line, and the whole traceback."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass

from facial_bench_worker.errors import FacialBenchError, one_line

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass(frozen=True)
class Problem:
    """Why a call of a method gave nothing."""

    line: str
    """One line: an error of ours as it is; any other with its type and where it was raised."""
    trace: str = ""
    """The traceback; empty for an error of ours, which says all."""
    kind: str = ""
    """Name of the class, of an error of ours."""


def describe(problem: BaseException) -> Problem:
    """One exception in words.

    >>> describe(FacialBenchError("no such file")).line
    'no such file'
    """
    if isinstance(problem, FacialBenchError):
        return Problem(one_line(problem, longest=2000), kind=type(problem).__name__)
    trace = "".join(traceback.format_exception(type(problem), problem, problem.__traceback__))
    frames = traceback.extract_tb(problem.__traceback__)
    where = ""
    if frames and os.path.dirname(os.path.abspath(frames[-1].filename)) != HERE:  # else it takes other arguments
        where = f" ({os.path.basename(frames[-1].filename)}, line {frames[-1].lineno})"
    return Problem(f"raised {type(problem).__name__}: {one_line(problem)}{where}", trace)
