"""A method opened under its conditions: in a process, or here."""

from __future__ import annotations

from facial_bench.core.progress import Reporter
from facial_bench.core.types import Context
from facial_bench.isolation.conditions import Conditions
from facial_bench.isolation.door import Door
from facial_bench.isolation.method_code import MethodCode
from facial_bench.isolation.start import Worker
from facial_bench.isolation.worker_method import WorkerMethod, start_loading


def start_early(code: MethodCode, conditions: Conditions, report: Reporter) -> Worker | None:
    """A process that loads a method's code while the harness gets ready itself; None where it must wait: what a
    sandbox lets in depends on the device, which is not known yet.

    Raises:
        FacialBenchError: it could not be started.
    """
    return start_loading(code, conditions, "cpu", report) if conditions.isolation == "process" else None


def open_method(
    code: MethodCode, context: Context, conditions: Conditions, report: Reporter, started: Worker | None = None
) -> Door:
    """Create a method.

    Args:
        code: What it is and where its code is.
        context: What it is told.
        conditions: How far it is kept apart.
        report: Is told what it says.
        started: Its process, where `start_early` gave one.

    Raises:
        MethodRaisedError: its code or `create` raised. MethodDiedError: its process ended. FacialBenchError: no process
            could be started.
    """
    if conditions.isolation == "in-process":
        from facial_bench.isolation.local_method import LocalMethod  # imports torch

        return LocalMethod(code, context)
    return WorkerMethod(code, context, conditions, report, started)
