"""What the plugins of a process register, and who did; one that fails is named and stops no other."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pluggy

from facial_bench.core.errors import FacialBenchError, PluginError, one_line, unknown_name
from facial_bench.core.types import GeneratorSpec
from facial_bench.plugin_api import hookspecs

SPEC_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,79}")
OPTION_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True)
class Source:
    """Who registered something."""

    plugin: str
    """Distribution (or the name of a single file)."""
    version: str
    """Of the distribution; empty for a file."""

    def __str__(self) -> str:
        return f"{self.plugin} {self.version}".strip()


@dataclass(frozen=True)
class Failure:
    """A plugin that could not be used."""

    source: Source
    reason: str
    """One line."""

    def __str__(self) -> str:
        return f"{self.source} failed to load: {self.reason}"


@dataclass(frozen=True, eq=False)
class Registered:
    """Something that a plugin offers."""

    spec: Any
    """Of the type that its hook lists: a `GeneratorSpec`, a `MetricSpec` ..."""
    source: Source


@dataclass(frozen=True, eq=False)
class Plugins:
    """The plugins of this process. Built by `load_plugins`, passed to whoever needs it."""

    manager: pluggy.PluginManager
    sources: dict[str, Source]
    """Name within the manager -> source."""
    failures: list[Failure]
    """What could not be loaded, and the hooks that went wrong when they were called."""

    def registered(self, kind: str) -> dict[str, Registered]:
        """Everything offered under a hook: name -> what is registered.

        Args:
            kind: of `hookspecs.spec_types`: `generators`, `corpora`, `importers`, `metrics` ...

        Raises:
            PluginError: two plugins claim one name.
        """
        offers: dict[str, Registered] = {}
        for source, spec in self._specs(kind):
            name = _name(spec)
            if name in offers:
                raise PluginError(
                    f"Two plugins register the {kind.rstrip('s')} '{name}': {offers[name].source} and {source}. "
                    "Uninstall one, or rename it."
                )
            offers[name] = Registered(spec, source)
        return offers

    def get(self, kind: str, what: str, name: str) -> Registered:
        """One offer by name.

        Args:
            kind: as in `registered`.
            what: how a user calls that kind: `method`.
            name: that is looked for.

        Raises:
            FacialBenchError: nobody offers it; names the nearest match, what there is, and plugins that failed to load.
        """
        offers = self.registered(kind)
        if name not in offers:
            own = f"Own file? --plugin {name if name.endswith('.py') else 'FILE.py'}."
            raise unknown_name(what, name, offers, " ".join([own, *(f"{failure}." for failure in self.failures)]))
        return offers[name]

    def _specs(self, kind: str) -> Iterator[tuple[Source, Any]]:
        expected = hookspecs.spec_types()[kind]
        for hook in getattr(self.manager.hook, f"facial_bench_{kind}").get_hookimpls():
            source = self.sources[hook.plugin_name]
            try:
                specs = _listed(hook.function(), f"facial_bench_{kind}")
                for spec in specs:
                    _check_spec(spec, expected, f"facial_bench_{kind}")
            except (Exception, SystemExit) as problem:
                failure = Failure(source, reason_of(problem))
                if failure not in self.failures:
                    self.failures.append(failure)
                continue
            yield from ((source, spec) for spec in specs)


def call(registered: Registered, what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of a plugin's that makes or imports something; what it raises becomes one line.

    Raises:
        PluginError: the function raised; names the plugin, and the file and line. A FacialBenchError passes as it is,
            and so does BrokenPipeError: whoever read our lines has gone, and no plugin is to blame.
    """
    try:
        return function(*arguments)
    except (FacialBenchError, BrokenPipeError):
        raise
    except (Exception, SystemExit) as problem:
        last = traceback.extract_tb(problem.__traceback__)[-1]
        where = f"{Path(last.filename).name}, line {last.lineno}"
        raise PluginError(f"{registered.source}: {what} failed: {reason_of(problem)} ({where}).") from problem


def reason_of(problem: BaseException) -> str:
    """What went wrong, on one line, with the exception's type where it is not an error of ours."""
    text = one_line(problem, longest=400)
    return text if isinstance(problem, PluginError) else f"{type(problem).__name__}: {text}"


def _listed(answer: Any, hook: str) -> list[Any]:
    """What a hook returned, as a list; raises TypeError for what is none, as of a forgotten `return`."""
    if not isinstance(answer, Iterable):
        raise TypeError(f"{hook} returned {'None' if answer is None else type(answer).__name__}, expected a list")
    return list(answer)


def _name(spec: Any) -> Any:
    return getattr(spec, "id", None) or getattr(spec, "name", None)


def _check_spec(spec: Any, expected: type, hook: str) -> None:
    """Raise TypeError or ValueError unless a hook's answer is what it should list, under a name that can be typed."""
    if not isinstance(spec, expected):
        raise TypeError(f"{hook} gave a {type(spec).__name__}, expected {expected.__name__}")
    name = _name(spec)
    if not isinstance(name, str) or not SPEC_NAME.fullmatch(name):
        raise ValueError(f"{hook} gave the name {name!r}; names are letters, digits and . _ - and for metrics /")
    if isinstance(spec, GeneratorSpec):
        _check_options(spec)


def _check_options(spec: GeneratorSpec) -> None:
    if not isinstance(spec.options, Mapping):
        raise TypeError(f"{spec.name}: options is a {type(spec.options).__name__}, expected a mapping of text to text")
    for option, meaning in spec.options.items():
        if not isinstance(option, str) or not OPTION_NAME.fullmatch(option):
            raise ValueError(f"{spec.name}: the option {option!r} cannot be typed as --option K=V")
        if not isinstance(meaning, str) or not meaning.strip() or "\n" in meaning:
            raise ValueError(f"{spec.name}: say in one line what the option {option} means")
