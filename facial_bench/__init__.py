"""facial-bench: one protocol under which methods that turn speech into facial motion are compared."""

from __future__ import annotations

from typing import Any

from facial_bench.core.version import __version__

__all__ = ["__version__", "hookimpl"]


def __getattr__(name: str) -> Any:
    """`hookimpl`, imported when a plugin asks for it: `facial-bench --help` needs neither pluggy nor numpy."""
    if name == "hookimpl":
        from facial_bench.plugin_api.hookspecs import hookimpl

        return hookimpl
    raise AttributeError(f"module 'facial_bench' has no attribute {name!r}")
