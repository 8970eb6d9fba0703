"""Two processes for a method: one that works, and one that watches it and the harness.

When the harness goes, however it goes, all that the method started is killed. When the method's process ends, what it
started is killed, and the watcher ends as it did.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time

SET_PDEATHSIG, SET_CHILD_SUBREAPER = 1, 36
"""Options of prctl(2)."""


def supervise() -> None:
    """Fork: returns in the process that works, and never in the one that watches."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    _prctl(SET_CHILD_SUBREAPER, 1)  # a process that left its parent becomes the watcher's
    child = os.fork()
    if child == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(woken)
        os.close(wake)
        _prctl(SET_PDEATHSIG, signal.SIGKILL)
        return
    os.close(1)  # only the process that works answers, so that the harness sees its end
    _watch(child, woken)


def _watch(child: int, woken: int) -> None:
    poll = select.poll()
    poll.register(0, 0)  # says when the harness has closed its end
    poll.register(woken, select.POLLIN)
    while True:
        if any(descriptor == 0 for descriptor, _ in poll.poll()):
            _kill_all(child)
            os.kill(0, signal.SIGKILL)  # the whole group, and this process last of all
        os.read(woken, 64)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            _kill_all()
            os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))


def _kill_all(*known: int) -> None:
    """Kill every process below this one, until there is none; each killed one hands its own to the watcher."""
    until = time.monotonic() + 3
    while time.monotonic() < until:
        for pid in {*known, *_children()}:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def _children() -> list[int]:
    """The processes whose parent is this one, where the system says."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(pid) for pid in file.read().split()]
    except (OSError, ValueError):
        return []


def _prctl(option: int, value: int) -> None:
    """Ask the kernel, where it is Linux, to look after this process."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
