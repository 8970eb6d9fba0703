"""`facial_bench` where it is not installed: what a method imports of it, and nothing else."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from facial_bench_worker import errors, face, hooks, method, renderer, specs
from facial_bench_worker.errors import FacialBenchError

METRIC_NAMES = frozenset(["FAMILIES", "Definition", "Items", "MetricSpec", "Person", "Pool", "Sample"])
"""Of `facial_bench.types`, what only metrics need: the harness computes those, in its own process."""


class _HarnessOnly:
    """A name that can be imported here, so that a file may hold a metric as well; it cannot be used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *arguments: Any, **named: Any) -> None:
        raise FacialBenchError(f"{self._name} is of use in the harness only: make metrics inside their hook")


def put_stand_ins() -> None:
    """Make `facial_bench`, `facial_bench.types` and `facial_bench.errors` importable in this process."""
    front = ModuleType("facial_bench", "What a method needs of facial-bench.")
    types = ModuleType("facial_bench.types", "The records that cross to a method.")
    front.__path__ = []
    for room in (face, method, renderer, specs):
        own = {name: value for name, value in vars(room).items() if getattr(value, "__module__", None) == room.__name__}
        sizes = {name: value for name, value in vars(room).items() if name.isupper()}
        vars(types).update({name: value for name, value in {**own, **sizes}.items() if not name.startswith("_")})

    def harness_only(name: str) -> _HarnessOnly:
        if name not in METRIC_NAMES:
            raise AttributeError(f"module 'facial_bench.types' has no attribute {name!r}")
        return _HarnessOnly(name)

    vars(types)["__getattr__"] = harness_only
    vars(front).update(hookimpl=hooks.hookimpl, types=types, errors=errors)
    sys.modules.update({"facial_bench": front, "facial_bench.types": types, "facial_bench.errors": errors})
