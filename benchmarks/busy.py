"""Work beside two processes that keep a processor each: how much longer than alone, and how much longer with the
libraries' own ways of waiting."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from statistics import median

from facial_bench.core.threads import WAITING, thread_environment

Row = dict[str, object]
BUSY = 2
"""Processes that compute without end."""
TIMED = """
from time import perf_counter
{prepare}
work()
start = perf_counter()
for _ in range({times}):
    work()
print(perf_counter() - start)
"""
WORK = {
    "5 training steps, generator-only, batch 16": (
        "from benchmarks.facial import data, trainers\n"
        "ours, batch = trainers()[0], data()\n"
        "def work(): ours.generator_step(batch)",
        5,
    ),
    "300 products of 300 x 300, NumPy": (
        "import numpy\nmatrix = numpy.random.default_rng(0).standard_normal((300, 300))\ndef work(): matrix @ matrix",
        300,
    ),
}
"""What -> how it is made ready, as Python, and how often it is done."""


def busy_rows(repetitions: int) -> list[Row]:
    """Each piece of work in fresh processes: alone and beside the two, with our environment and without; in turns."""
    ours = thread_environment(os.environ)
    environments = {"ours": ours, "plain": {name: value for name, value in os.environ.items() if name not in WAITING}}
    rows = []
    for what, (prepare, times) in WORK.items():
        code = TIMED.format(prepare=prepare, times=times)
        seconds: dict[tuple[str, int], list[float]] = {(name, n): [] for name in environments for n in (0, BUSY)}
        for _ in range(repetitions):
            for (name, others), runs in seconds.items():
                with busy(others):
                    runs.append(_measure(code, environments[name]))
        middle = {key: median(runs) for key, runs in seconds.items()}
        rows.append(
            {
                "what": f"{what}, beside {BUSY} busy processes",
                "alone, ms": middle["ours", 0] * 1e3,
                "beside, ms": middle["ours", BUSY] * 1e3,
                "beside / alone": middle["ours", BUSY] / middle["ours", 0],
                "plain alone, ms": middle["plain", 0] * 1e3,
                "plain beside, ms": middle["plain", BUSY] * 1e3,
                "plain beside / alone": middle["plain", BUSY] / middle["plain", 0],
            }
        )
    return rows


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Processes that compute, for the time of a block."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def _measure(code: str, environment: Mapping[str, str]) -> float:
    """Seconds of the work of a fresh process, its imports and its first turn not counted."""
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)
