"""How many threads, and how they wait: what the pools of a process's libraries read when they are loaded.

A waiting thread of OpenMP spins by default. On cores that others use as well it spins away the time that the threads
it waits for need, and a training step takes several times as long as its share of the processor explains.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

WAITING = {
    "OMP_WAIT_POLICY": "PASSIVE",  # libgomp (torch on Linux) sleeps at once
    "KMP_BLOCKTIME": "0",  # libomp and libiomp5 (torch on macOS, MKL) sleep at once
    "OPENBLAS_NUM_THREADS": "1",  # OpenBLAS (NumPy) can only spin: no thread that waits is the one way not to
}
"""Variable -> value. None changes a number that torch computes or how many threads it takes. OpenBLAS sums in another
order with another number of threads, so with one its numbers are the same on any number of cores."""


def usable_cpus(system: Path = Path("/")) -> int:
    """How many processors this process may keep busy, at least 1.

    The least of those of the machine, those that the process is bound to (where the system tells), and the quota of
    its control groups, rounded up.

    Args:
        system: The root of the file system in which `proc` and `sys` tell of control groups.
    """
    bound, quota = _bound_cpus(), _quota(system)
    return bound if quota is None else max(1, min(bound, math.ceil(quota)))


def thread_environment(environ: Mapping[str, str], system: Path = Path("/")) -> dict[str, str]:
    """The environment of a process whose waiting threads leave the processor to others; what was set stays.

    `OMP_NUM_THREADS` is added only where a quota allows less than the processors that the process is bound to: the
    libraries see those by themselves, and the number of threads decides the last digits of a training.

    Args:
        environ: The variables as they are.
        system: As for `usable_cpus`.
    """
    cpus = usable_cpus(system)
    threads = {"OMP_NUM_THREADS": str(cpus)} if cpus < _bound_cpus() else {}
    return {**WAITING, **threads, **environ}


def wait_passively() -> None:
    """Have the threads of this process, and of those that it starts, wait without spinning.

    Only libraries loaded later read it: the command line calls this before it imports NumPy or torch. In a process
    that has loaded them it changes nothing but what the processes started from it do.
    """
    for name, value in thread_environment(os.environ).items():
        os.environ.setdefault(name, value)


def _bound_cpus() -> int:
    """Processors that the process may run on: of its affinity where the system has one (not on macOS), else all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(system: Path) -> float | None:
    """Processors that the control groups of this process grant, the least of each group and those around it; None
    where nothing limits it or nothing can be read."""
    quotas, names = [], tuple[str, ...]()
    for line in _read(system / "proc/self/cgroup").splitlines():
        hierarchy, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if hierarchy == "0" and not controllers:  # version 2
            mount, names = system / "sys/fs/cgroup", ("cpu.max",)
        elif "cpu" in controllers.split(","):  # version 1
            mount, names = system / "sys/fs/cgroup/cpu", ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        else:
            continue
        own = PurePosixPath(path.lstrip("/"))
        if ".." in own.parts:  # a group outside of what is mounted here
            own = PurePosixPath()
        for group in (own, *own.parents):
            quotas.append(_processors(" ".join(_read(mount / group / name).strip() for name in names)))
    return min((quota for quota in quotas if quota is not None), default=None)


def _processors(text: str) -> float | None:
    """`<quota> <period>`, both in microseconds -> processors; None of `max`, -1 and what is no such pair."""
    try:
        quota, period = (int(part) for part in text.split())
    except ValueError:
        return None
    return quota / period if quota > 0 and period > 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
