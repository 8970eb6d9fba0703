"""The run that made a result, asked for again: on other clips, or to see whether it gives the same motion."""

from __future__ import annotations

from collections.abc import Collection
from importlib import metadata
from typing import Any

from facial_bench.core.errors import ResultError
from facial_bench.evaluation.config import RunConfig, make_config
from facial_bench.evaluation.result import Result

FINISHED_OUTPUTS = "precomputed"
"""The built-in method that reads motion which was made before."""
SCRIPT = ".py:"
TAKEN = ("method", "plugins", "isolation", "python", "timeout", "readable", "device")
"""What is taken from the run that finds the method."""


def same_run(result: Result, like: RunConfig | None, **place: Any) -> RunConfig:
    """The run that made a result: its options, budget, training seed, folds and kind of device.

    Args:
        result: that is done again.
        like: a run that finds the method: its `method` (FILE.py:CLASS, where it is a class of a script) and how it is
            kept apart are taken.
        place: what else the run is asked for: `corpus`, `out`, `identities`.

    Raises:
        FacialBenchError: the result holds what no run can be asked for.
    """
    given: dict[str, Any] = {} if like is None else {name: getattr(like, name) for name in TAKEN}
    chosen: dict[str, Any] = {
        **{"method": result.method.name, "device": "cpu" if result.device == "cpu" else "cuda"},
        **{"seeds": (result.seed,), "budget": result.method.budget, "options": dict(result.method.options)},
        **{"folds": result.protocol.folds},
        **place,
    }
    if given.get("device") == "auto":
        del given["device"]
    return make_config({**chosen, **given})


def require_findable(result: Result, like: RunConfig | None, built_in: Collection[str]) -> None:
    """Raise ResultError where it is known beforehand that the method cannot be found; says what to name.

    Args:
        result: whose method is looked for.
        like: see `same_run`.
        built_in: methods that need no finding.
    """
    name, plugin = result.method.name, result.method.plugin
    asked = like.method if like else name
    if asked.rpartition(SCRIPT)[2] != name:
        raise ResultError(f"The result is of the method {name}, not of {asked}.")
    if name == FINISHED_OUTPUTS:
        raise ResultError(f"{result.method.label} is motion that was made before: there is nothing to run again.")
    if name in built_in or SCRIPT in asked or (like and (like.plugins or like.python)):
        return
    if plugin.endswith(".py"):
        raise ResultError(f"{name} comes from a file: name it with --method-plugin {plugin}, or {plugin}:{name}.")
    if plugin == "notebook":
        raise ResultError(f"{name} is a class of a notebook: put it into a file, and run it from there.")
    try:
        metadata.distribution(plugin)
    except (metadata.PackageNotFoundError, ValueError):
        raise ResultError(
            f"{name} comes from the plugin {plugin}, which is not installed here: install it, name the interpreter "
            "that has it with --python, or its file with --method-plugin FILE.py."
        ) from None
