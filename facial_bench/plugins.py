"""Finding plugins and asking them what they offer; one that fails is named and stops no other."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from facial_bench import __version__, builtin, hookspecs
from facial_bench.errors import PluginError, unknown_name


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
class Offer:
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

    def offers(self, kind: str) -> dict[str, Offer]:
        """Everything offered under a hook: name -> offer.

        Args:
            kind: `generators`, `corpora`, `importers` or `metrics`.

        Raises:
            PluginError: two plugins claim one name.
        """
        found: dict[str, Offer] = {}
        for source, spec in self._specs(kind):
            name = getattr(spec, "id", None) or spec.name
            if name in found:
                raise PluginError(
                    f"Two plugins register the {kind.rstrip('s')} '{name}': {found[name].source} and {source}. "
                    "Uninstall one, or rename it."
                )
            found[name] = Offer(spec, source)
        return found

    def get(self, kind: str, what: str, name: str) -> Offer:
        """One offer by name.

        Raises:
            FacialBenchError: nobody offers it; names the nearest match, what there is, and plugins that failed to load.
        """
        found = self.offers(kind)
        if name not in found:
            failed = "; ".join(f"{failure.source} failed to load: {failure.reason}" for failure in self.failures)
            raise unknown_name(what, name, found, failed)
        return found[name]

    def _specs(self, kind: str) -> Iterator[tuple[Source, Any]]:
        expected = hookspecs.spec_types()[kind]
        for hook in reversed(getattr(self.manager.hook, f"facial_bench_{kind}").get_hookimpls()):
            source = self.sources[hook.plugin_name]
            try:
                specs = list(hook.function())
                wrong = next((spec for spec in specs if not isinstance(spec, expected)), None)
                if wrong is not None:
                    raise TypeError(f"facial_bench_{kind} gave a {type(wrong).__name__}, expected {expected.__name__}")
            except Exception as problem:
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
    _register(plugins, builtin, Source("facial-bench", __version__))
    every = entry_points(group=hookspecs.PROJECT) if found is None else found
    for point in sorted(every, key=lambda point: (point.dist.name if point.dist else "", point.name)):
        source = Source(point.dist.name, point.dist.version) if point.dist else Source(point.value, "")
        failure = _attempt(plugins, source, point.load)
        if failure:
            plugins.failures.append(failure)
    for file in files:
        failure = _attempt(plugins, Source(file.name, ""), lambda file=file: _load_file(file))
        if failure:
            raise PluginError(f"Plugin {file} cannot be loaded: {failure.reason}")
    return plugins


def source_digest(spec: Any) -> str:
    """SHA-256 over the Python files of the package (or the single file) that a spec's function comes from."""
    factory = inspect.unwrap(getattr(spec, "create", None) or spec.make)
    module = inspect.getmodule(factory)
    file = Path(getattr(module, "__file__", None) or factory.__code__.co_filename)
    top = (module.__name__ if module else "").split(".")[0]
    root = file.parents[len(module.__name__.split(".")) - 2] if module and "." in module.__name__ else file
    root = root if root.is_file() or root.name == top else file
    paths = [root] if root.is_file() else sorted(root.rglob("*.py"))
    content = hashlib.sha256()
    for path in paths:
        content.update(str(path.relative_to(root.parent)).encode() + path.read_bytes())
    return content.hexdigest()


def _attempt(plugins: Plugins, source: Source, load: Callable[[], ModuleType]) -> Failure | None:
    """Load and register one plugin; what went wrong, if anything did."""
    try:
        _register(plugins, load(), source)
    except (Exception, SystemExit) as problem:
        return Failure(source, _one_line(problem))
    return None


def _register(plugins: Plugins, module: ModuleType, source: Source) -> None:
    name = plugins.manager.register(module, name=f"{source} ({getattr(module, '__name__', source)})")
    try:
        plugins.manager.check_pending()
    except pluggy.PluginValidationError:
        plugins.manager.unregister(name=name)
        known = ", ".join(f"facial_bench_{kind}" for kind in hookspecs.spec_types())
        marked = [key for key, value in vars(module).items() if hasattr(value, f"{hookspecs.PROJECT}_impl")]
        unknown = [key for key in marked if key not in known.split(", ")]
        raise PluginError(f"unknown hook {', '.join(unknown)}; the hooks are {known}") from None
    plugins.sources[name] = source


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise PluginError("no such file")
    name = f"facial_bench_plugin_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _one_line(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {' '.join(str(problem).split())[:300]}"
