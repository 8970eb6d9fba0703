"""facial-bench: one protocol under which methods that turn speech into facial motion are compared.

From Python: `facial_bench.evaluate(facial_bench.RunConfig("mean-motion"))`. README.md shows the rest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from facial_bench.core.version import __version__

if TYPE_CHECKING:
    from facial_bench.api import Session, compare, evaluate, load_corpus, load_results, rescore, verify
    from facial_bench.evaluation.config import RunConfig
    from facial_bench.plugin_api.hookspecs import hookimpl

__all__ = [
    "RunConfig",
    "Session",
    "__version__",
    "compare",
    "evaluate",
    "hookimpl",
    "load_corpus",
    "load_results",
    "rescore",
    "verify",
]


def __getattr__(name: str) -> Any:
    """A name of the front, imported when it is asked for: `facial-bench --help` needs neither pluggy nor numpy."""
    if name not in __all__:
        raise AttributeError(f"module 'facial_bench' has no attribute {name!r}")
    rooms = {"hookimpl": "plugin_api.hookspecs", "RunConfig": "evaluation.config"}
    return getattr(import_module(f"facial_bench.{rooms.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return __all__
