"""facial-bench: one protocol under which methods that turn speech into facial motion are compared."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "hookimpl"]


def __getattr__(name: str) -> Any:
    """`hookimpl`, imported when a plugin asks for it: `facial-bench --help` needs neither pluggy nor numpy."""
    if name == "hookimpl":
        from facial_bench.hookspecs import hookimpl

        return hookimpl
    raise AttributeError(f"module 'facial_bench' has no attribute {name!r}")
