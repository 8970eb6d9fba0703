"""What the plugins of a process register, and who did; one that fails is named and stops no other."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pluggy

from facial_bench.core.errors import FacialBenchError, PluginError, one_line, unknown_name
from facial_bench.plugin_api import hookspecs
from facial_bench_worker.loading import checked_offers, spec_name


@dataclass(frozen=True)
class Source:
    """Who registered something."""

    plugin: str
    """Distribution (or the name of a single file)."""
    version: str
    """Of the distribution; empty for a file."""
    origin: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Where its code is (`MethodCode.origin`); empty of a module that was made in this process."""

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
            name = spec_name(spec)
            if name in offers:
                raise two_claim(kind, name, offers[name].source, source)
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
            raise nobody_offers(what, name, offers, self.failures)
        return offers[name]

    def _specs(self, kind: str) -> Iterator[tuple[Source, Any]]:
        expected = hookspecs.spec_types()[kind]
        for hook in getattr(self.manager.hook, f"facial_bench_{kind}").get_hookimpls():
            source = self.sources[hook.plugin_name]
            try:
                specs = checked_offers(hook.function(), f"facial_bench_{kind}", expected)
            except (Exception, SystemExit) as problem:
                failure = Failure(source, reason_of(problem))
                if failure not in self.failures:
                    self.failures.append(failure)
                continue
            yield from ((source, spec) for spec in specs)


def nobody_offers(what: str, name: str, offered: Iterable[str], failures: Sequence[Failure]) -> FacialBenchError:
    """The error for a name that nothing has: the nearest match, what there is, and plugins that failed to load.

    Args:
        what: How a user calls that kind: `method`.
        name: That was looked for.
        offered: The names that there are.
        failures: Of plugins.
    """
    own = f"Own file? --plugin {name if name.endswith('.py') else 'FILE.py'}."
    return unknown_name(what, name, offered, " ".join([own, *(f"{failure}." for failure in failures)]))


def two_claim(kind: str, name: str, one: Source, other: Source) -> PluginError:
    """The error for a name that two plugins register."""
    return PluginError(
        f"Two plugins register the {kind.rstrip('s')} '{name}': {one} and {other}. Uninstall one, or rename it."
    )


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
