"""A method opened under its conditions: in a process, or here."""

from __future__ import annotations

from facial_bench.core.progress import Reporter
from facial_bench.core.types import Context
from facial_bench.isolation.conditions import Conditions
from facial_bench.isolation.door import Door
from facial_bench.isolation.method_code import MethodCode
from facial_bench.isolation.worker_method import WorkerMethod


def open_method(code: MethodCode, context: Context, conditions: Conditions, report: Reporter) -> Door:
    """Create a method.

    Raises:
        MethodRaisedError: its code or `create` raised. MethodDiedError: its process ended. FacialBenchError: no process
            could be started.
    """
    if conditions.isolation == "in-process":
        from facial_bench.isolation.local_method import LocalMethod  # imports torch

        return LocalMethod(code, context)
    return WorkerMethod(code, context, conditions, report)
