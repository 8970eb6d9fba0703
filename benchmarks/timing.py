"""Interleaved timing: what is compared runs in turns, so that a busy moment hits both."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Timing:
    """Seconds of repeated runs of one thing."""

    runs: tuple[float, ...]
    processor: tuple[float, ...] = ()
    """Processor seconds that this process spent on the same runs."""

    @property
    def median(self) -> float:
        """Seconds."""
        return median(self.runs)

    @property
    def best(self) -> float:
        """Seconds of the quickest run: what the machine does when nobody disturbs it."""
        return min(self.runs)


def interleaved(candidates: Mapping[str, Callable[[], object]], repetitions: int) -> dict[str, Timing]:
    """Run all candidates in turns, after one unmeasured turn."""
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in candidates}
    for turn in range(repetitions + 1):
        for name, call in candidates.items():
            start, spent = time.perf_counter(), time.process_time()
            call()
            if turn:
                runs[name].append((time.perf_counter() - start, time.process_time() - spent))
    return {name: Timing(*zip(*values, strict=True)) for name, values in runs.items()}


def peak_memory(code: str) -> float:
    """MiB of resident memory, at its peak, of a fresh Python process that runs `code` (Linux).

    Read from the process's own status: what `getrusage` gives counts the parent's memory from before the exec.
    """
    report = "\nprint(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1]) / 1024


def markdown(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as a table; numbers to three digits."""
    from tabulate import tabulate

    shown = [{k: f"{v:.3g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows]
    return tabulate(shown, headers="keys", tablefmt="github", disable_numparse=True)
