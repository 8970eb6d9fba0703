"""What a process and those below it take, and their end."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
import subprocess
import time
from pathlib import Path

PATIENCE = 5.0
"""Seconds that a watcher has to end what it watches."""


def usage_below(pid: int) -> tuple[float, float]:
    """(largest memory that one of the processes from `pid` downward has had, MiB; their processor time, seconds).

    Zeros where the system does not say. Source: VmHWM of /proc/PID/status (`ru_maxrss` counts what the parent held when
    it started the process), and the times of /proc/PID/stat, which hold those of children that have ended.
    """
    peak, ticks, waiting = 0.0, 0, [pid]
    while waiting:
        place = Path("/proc", str(waiting.pop()))
        with contextlib.suppress(OSError, ValueError):
            known = re.search(r"VmHWM:\s*(\d+) kB", (place / "status").read_text())
            peak = max(peak, int(known[1]) / 1024 if known else 0.0)
            ticks += sum(map(int, (place / "stat").read_text().rpartition(")")[2].split()[11:15]))
            for thread in (place / "task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
    return peak, ticks / os.sysconf("SC_CLK_TCK")


class Child:
    """A process that was started as the leader of a group.

    Args:
        process: As it was started; nobody else may wait for it.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process, self._cpu_s = process, 0.0

    def status(self) -> int | None:
        """How it ended, as `subprocess` says it: negative for a signal; None while it runs."""
        if self._process.returncode is None:
            with contextlib.suppress(ChildProcessError):
                self._take(*os.wait4(self._process.pid, os.WNOHANG))
        return self._process.returncode

    def wait(self, seconds: float = PATIENCE) -> int | None:
        """How it ended, after some time at most; None where it still runs."""
        until = time.monotonic() + seconds
        while self.status() is None and time.monotonic() < until:
            time.sleep(0.002)
        return self.status()

    def end(self) -> float:
        """End it, where its watcher does not, and all of its group; returns its processor time, seconds."""
        if self.wait() is None:
            _kill_group(self._process.pid)
            self._take(*os.wait4(self._process.pid, 0))
        _kill_group(self._process.pid)
        return self._cpu_s

    def _take(self, ended: int, status: int, usage: resource.struct_rusage) -> None:
        if ended:
            self._process.returncode = os.waitstatus_to_exitcode(status)
            self._cpu_s = usage.ru_utime + usage.ru_stime


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
