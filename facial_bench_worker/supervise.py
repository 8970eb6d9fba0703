"""Two processes for a method: one that works, and one that watches it and the harness.

When the harness goes, however it goes, all that the method started is killed. When the method's process ends, the
watcher ends as it did.
"""

from __future__ import annotations

import os
import select
import signal
import sys


def supervise() -> None:
    """Fork: returns in the process that works, and never in the one that watches."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    child = os.fork()
    if child == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(woken)
        os.close(wake)
        _die_with_parent()
        return
    os.close(1)  # only the process that works answers, so that the harness sees its end
    _watch(child, woken)


def _watch(child: int, woken: int) -> None:
    poll = select.poll()
    poll.register(0, 0)  # says when the harness has closed its end
    poll.register(woken, select.POLLIN)
    while True:
        if any(descriptor == 0 for descriptor, _ in poll.poll()):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.kill(0, signal.SIGKILL)  # the whole group, and this process last of all
        os.read(woken, 64)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))


def _die_with_parent() -> None:
    """Have the kernel kill this process when its watcher is gone, where it can."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
