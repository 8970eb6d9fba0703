"""Finding plugins and asking them what they offer; one that fails is named and stops no other."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from facial_bench.core.errors import FacialBenchError, PluginError, unknown_name
from facial_bench.core.files import file_digest
from facial_bench.core.types import MetricSpec
from facial_bench.core.version import DISTRIBUTION, __version__
from facial_bench.plugin_api import builtin, hookspecs

SPEC_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,79}")


@dataclass(frozen=True)
class Source:
    """Who registered something."""

    plugin: str
    """Distribution (or the name of a single file)."""
    version: str

    def __str__(self) -> str:
        return f"{self.plugin} {self.version}".strip()


@dataclass(frozen=True)
class Failure:
    """A plugin that could not be used, and why, in one line."""

    source: Source
    reason: str


@dataclass(frozen=True, eq=False)
class Registered:
    """Something a plugin offers (a spec), and who does."""

    spec: Any
    source: Source


@dataclass(frozen=True, eq=False)
class Plugins:
    """The plugins of this process. Built by `load_plugins`, passed to whoever needs it."""

    manager: pluggy.PluginManager
    sources: dict[str, Source]
    """Name within the manager -> source."""
    failures: list[Failure]

    def registered(self, kind: str) -> dict[str, Registered]:
        """Everything offered under a hook: name -> what is registered.

        Args:
            kind: `generators`, `corpora`, `importers` or `metrics`.

        Raises:
            PluginError: two plugins claim one name.
        """
        found: dict[str, Registered] = {}
        for source, spec in self._specs(kind):
            name = getattr(spec, "id", None) or spec.name
            if name in found:
                raise PluginError(
                    f"Two plugins register the {kind.rstrip('s')} '{name}': {found[name].source} and {source}. "
                    "Uninstall one, or rename it."
                )
            found[name] = Registered(spec, source)
        return found

    def get(self, kind: str, what: str, name: str) -> Registered:
        """One offer by name.

        Raises:
            FacialBenchError: nobody offers it; names the nearest match, what there is, and plugins that failed to load.
        """
        found = self.registered(kind)
        if name not in found:
            failed = "; ".join(f"{failure.source} failed to load: {failure.reason}" for failure in self.failures)
            raise unknown_name(what, name, found, failed)
        return found[name]

    def _specs(self, kind: str) -> Iterator[tuple[Source, Any]]:
        expected = hookspecs.spec_types()[kind]
        for hook in getattr(self.manager.hook, f"facial_bench_{kind}").get_hookimpls():
            source = self.sources[hook.plugin_name]
            try:
                specs = list(hook.function())
                for spec in specs:
                    _check_spec(spec, expected, f"facial_bench_{kind}")
            except (Exception, SystemExit) as problem:
                failure = Failure(source, _one_line(problem))
                if failure not in self.failures:
                    self.failures.append(failure)
                continue
            yield from ((source, spec) for spec in specs)


def load_plugins(files: Sequence[Path] = (), found: Sequence[EntryPoint] | None = None) -> Plugins:
    """Load the built-ins, the installed plugins one by one, and single files.

    Args:
        files: Python files to load as plugins (`--plugin`).
        found: entry points to load instead of the installed ones of the group `facial_bench`.

    Raises:
        PluginError: a FILE that cannot be loaded; an installed plugin that cannot is a `Failure` instead.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    plugins = Plugins(manager, {}, [])
    _register(plugins, builtin, Source(DISTRIBUTION, __version__))
    every = entry_points(group=hookspecs.PROJECT) if found is None else found
    for point in sorted(every, key=lambda point: (str(point.dist.name) if point.dist else "", point.name)):
        source = Source(point.dist.name, point.dist.version) if point.dist else Source(point.value, "")
        failure = _attempt(plugins, source, point.load)
        if failure:
            plugins.failures.append(failure)
    for file in files:
        failure = _attempt(plugins, Source(file.name, ""), lambda file=file: _load_file(file))
        if failure:
            raise PluginError(f"Plugin {file} cannot be loaded: {failure.reason}")
    return plugins


def call(registered: Registered, what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of a plugin's that makes or imports something; what it raises becomes one line.

    Raises:
        PluginError: the function raised; names the plugin, and the file and line. A FacialBenchError passes as it is.
    """
    try:
        return function(*arguments)
    except FacialBenchError:
        raise
    except (Exception, SystemExit) as problem:
        last = traceback.extract_tb(problem.__traceback__)[-1]
        where = f"{Path(last.filename).name}, line {last.lineno}"
        raise PluginError(f"{registered.source}: {what} failed: {_one_line(problem)} ({where}).") from problem


def source_digest(spec: Any) -> str:
    """SHA-256 over all files of the package (or over the single file) that a spec's function comes from."""
    return package_digest(getattr(spec, "create", None) or spec.make)


def package_digest(factory: Callable[..., Any]) -> str:
    """SHA-256 over all files of the package (or over the single file) that a function comes from."""
    while isinstance(factory, functools.partial):
        factory = factory.func
    factory = inspect.unwrap(factory)
    module = inspect.getmodule(factory) or inspect.getmodule(type(factory))
    package = sys.modules.get(module.__name__.partition(".")[0]) if module else None
    content = hashlib.sha256()
    for root in sorted(Path(folder) for folder in getattr(package, "__path__", ())):
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                content.update(str(path.relative_to(root)).encode() + b"\0" + file_digest(path).encode())
    file = getattr(module, "__file__", None)
    if file and not hasattr(package, "__path__"):
        content.update(file_digest(Path(file)).encode())
    return content.hexdigest()


def _attempt(plugins: Plugins, source: Source, load: Callable[[], ModuleType]) -> Failure | None:
    """Load and register one plugin; what went wrong, if anything did."""
    try:
        _register(plugins, load(), source)
    except (Exception, SystemExit) as problem:
        return Failure(source, _one_line(problem))
    return None


def _register(plugins: Plugins, module: ModuleType, source: Source) -> None:
    hooks = [f"facial_bench_{kind}" for kind in hookspecs.spec_types()]
    known = ", ".join(hooks)
    marked = [key for key in dir(module) if hasattr(getattr(module, key, None), f"{hookspecs.PROJECT}_impl")]
    unknown = [key for key in marked if key not in hooks]
    if unknown:
        raise PluginError(f"unknown hook {', '.join(unknown)}; the hooks are {known}")
    if not marked:
        raise PluginError(f"no function is marked with facial_bench.hookimpl; the hooks are {known}")
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


def _check_spec(spec: Any, expected: type, hook: str) -> None:
    """Raise TypeError or ValueError unless a hook's answer is what it should list, under a name that can be typed."""
    if not isinstance(spec, expected):
        raise TypeError(f"{hook} gave a {type(spec).__name__}, expected {expected.__name__}")
    name = spec.id if expected is MetricSpec else spec.name
    if not isinstance(name, str) or not SPEC_NAME.fullmatch(name):
        raise ValueError(f"{hook} gave the name {name!r}; names are letters, digits and . _ - and for metrics /")


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise PluginError("no such file")
    name = f"facial_bench_plugin_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _one_line(problem: BaseException) -> str:
    text = " ".join(str(problem).split())[:400]
    return text if isinstance(problem, PluginError) else f"{type(problem).__name__}: {text}"
