"""The mark that makes a function of a plugin a hook; what pluggy reads, without pluggy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PROJECT = "facial_bench"
MARK = PROJECT + "_impl"
HOOKS = ("generators", "corpora", "importers", "metrics", "trackers", "audio_features", "renderers", "picture_metrics")
"""What the hooks `facial_bench_...` list."""


def hookimpl(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Mark a function as the implementation of the hook of its name: `@hookimpl`, or `@hookimpl(specname=...)`.

    Args:
        function: Of a plugin's module.
        options: What pluggy takes: `tryfirst`, `trylast`, `specname` ...
    """

    def mark(marked: Callable[..., Any]) -> Callable[..., Any]:
        setattr(marked, MARK, options)
        return marked

    return mark if function is None else mark(function)


def is_marked(thing: object) -> bool:
    """Whether something is marked with `hookimpl`."""
    return isinstance(getattr(thing, MARK, None), dict)
