"""Finding and loading plugins: the built-in one, the installed ones one by one, and single files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

import pluggy

from facial_bench.core.errors import PluginError, unknown_name
from facial_bench.core.version import DISTRIBUTION, __version__
from facial_bench.plugin_api import builtin, hookspecs
from facial_bench.plugin_api.registry import Failure, Plugins, Registered, Source, call, reason_of
from facial_bench_worker.loading import load_file, require_hooks

__all__ = ["Failure", "Plugins", "Registered", "Source", "call", "load_named", "load_plugins"]


def load_plugins(
    files: Sequence[Path] = (), installed: Sequence[EntryPoint] | None = None, modules: Sequence[ModuleType] = ()
) -> Plugins:
    """Load the built-ins, the installed plugins one by one, and single files, into this process.

    Args:
        files: Python files to load as plugins (`--plugin`).
        installed: entry points to load instead of those of the group `facial_bench` in this environment.
        modules: modules that are imported already, of a notebook or a test; they are called by their names.

    Raises:
        PluginError: a file or module that cannot be loaded; an installed plugin that cannot is a `Failure` instead.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    plugins = Plugins(manager, {}, [])
    _register(plugins, builtin, Source(DISTRIBUTION, __version__, {"module": builtin.__name__}))
    points = entry_points(group=hookspecs.PROJECT) if installed is None else installed
    for point in sorted(points, key=lambda point: (str(point.dist.name) if point.dist else "", point.name)):
        source = Source(*_distribution(point), {"module": point.value})
        failure = _attempt(plugins, source, point.load)
        if failure:
            plugins.failures.append(failure)
    for file in files:
        failure = _attempt(plugins, Source(file.name, "", {"file": str(file.resolve())}), partial(load_file, file))
        if failure:
            raise PluginError(f"Plugin {file} cannot be loaded: {failure.reason}")
    for module in modules:
        _register(plugins, module, Source(module.__name__, ""))
    return plugins


def load_named(names: Sequence[str | Path]) -> Plugins:
    """Load the built-ins and these plugins, into this process: what computes metrics must be trusted.

    Args:
        names: Python files, and installed distributions.

    Raises:
        PluginError: no such distribution, or a plugin that cannot be loaded, or that changed one of the protocol's own
            metrics.
    """
    from facial_bench.metrics.probe import built_in_behaviour, changed_by

    files = [Path(name) for name in names if str(name).endswith(".py")]
    wanted = [str(name) for name in names if not str(name).endswith(".py")]
    every = list(entry_points(group=hookspecs.PROJECT)) if wanted else []
    installed = {_distribution(point)[0]: point for point in every}
    for name in wanted:
        if name not in installed:
            raise PluginError(str(unknown_name("plugin", name, installed, "Name a FILE.py or a distribution.")))
    before = built_in_behaviour() if names else {}
    plugins = load_plugins(files, [point for point in every if _distribution(point)[0] in wanted])
    for failure in plugins.failures:
        raise PluginError(f"Plugin {failure.source} cannot be loaded: {failure.reason}")
    changed = changed_by(before, built_in_behaviour()) if names else ()
    if changed:
        raise PluginError(
            f"Loading {', '.join(map(str, names))} changed what {', '.join(changed[:3])} compute: a plugin must not. "
            "Do not use it."
        )
    return plugins


def _distribution(point: EntryPoint) -> tuple[str, str]:
    """Name and version of what an entry point comes from."""
    return (point.dist.name, point.dist.version) if point.dist else (point.value, "")


def _attempt(plugins: Plugins, source: Source, load: Callable[[], ModuleType]) -> Failure | None:
    """Load and register one plugin; what went wrong, if anything did."""
    try:
        _register(plugins, load(), source)
    except (Exception, SystemExit) as problem:
        return Failure(source, reason_of(problem))
    return None


def _register(plugins: Plugins, module: ModuleType, source: Source) -> None:
    require_hooks(module)
    name = f"{source} ({getattr(module, '__name__', source)})"
    if plugins.manager.has_plugin(name):
        raise PluginError("it is loaded already")
    try:
        plugins.manager.register(module, name=name)
        plugins.manager.check_pending()
    except pluggy.PluginValidationError as problem:
        plugins.manager.unregister(name=name)  # pluggy leaves the hooks that came before the bad one
        raise PluginError(str(problem).rpartition("\n")[2] or str(problem)) from None
    plugins.sources[name] = source
