"""What plugins offer, learned without loading them here: a process of its own lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from facial_bench.core.errors import PluginError, printable
from facial_bench.core.progress import Reporter
from facial_bench.core.version import DISTRIBUTION
from facial_bench.isolation.conditions import Conditions
from facial_bench.isolation.door import MethodDiedError, MethodRaisedError
from facial_bench.isolation.method_code import MethodCode
from facial_bench.isolation.start import start_worker
from facial_bench.plugin_api import hookspecs
from facial_bench.plugin_api.registry import Failure, Source, nobody_offers, two_claim
from facial_bench_worker.loading import SPEC_NAME

Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Name = Annotated[str, msgspec.Meta(pattern=SPEC_NAME.pattern + r"\Z", max_length=80)]


class _Offer(msgspec.Struct, forbid_unknown_fields=True):
    """As a process lists it; nothing in it is trusted."""

    kind: Literal["generators", "corpora", "renderers"]
    name: Name
    summary: str
    source: Digest
    origin: dict[str, str]
    reference: str = ""
    partial: bool = False
    options: dict[str, str] = {}
    version: str = ""
    fingerprint: bool = False


class _Failed(msgspec.Struct):
    plugin: str
    version: str
    line: str


class _Listing(msgspec.Struct):
    offers: list[_Offer]
    failures: list[_Failed]


@dataclass(frozen=True)
class Offer:
    """A method or corpus that a plugin offers."""

    name: str
    by: Source
    summary: str
    reference: str
    partial: bool
    options: Mapping[str, str]
    version: str
    """Of a corpus."""
    source: str
    """Digest of the code that it comes from."""
    fingerprint: bool
    """Whether a digest of the files that its options name can be asked for."""


@dataclass(frozen=True)
class Discovered:
    """What is on offer besides the built-ins, and what failed to load."""

    kind: str
    offers: Mapping[str, Offer]
    failures: Sequence[Failure]

    def get(self, what: str, name: str, built_in: Sequence[str]) -> Offer:
        """One offer by name.

        Args:
            what: How a user calls that kind: `method`.
            name: That is looked for.
            built_in: Names that there are besides.

        Raises:
            FacialBenchError: nobody offers it; names the nearest match, what there is, and plugins that failed to load.
        """
        if name not in self.offers:
            raise nobody_offers(what, name, [*built_in, *self.offers], self.failures)
        return self.offers[name]


def discover(
    kind: str, files: Sequence[Path], conditions: Conditions, report: Reporter, script: Mapping[str, str] | None = None
) -> Discovered:
    """Have a process load the plugins, and list what they offer.

    Args:
        kind: `generators`, `corpora` or `renderers`.
        files: Single files to load besides what is installed.
        conditions: Under which they are loaded; the interpreter decides what is installed.
        report: Is told what they print.
        script: The origin of a class to list instead of all that.

    Raises:
        PluginError: a file that cannot be loaded, two plugins that claim one name, or a process that died. What is
            installed and cannot be loaded is a failure instead.
    """
    named = [_origin(file.name, "", file=str(file.resolve())) for file in files]
    if script:
        named = [_origin(Path(script["file"]).name, "", **script)]
    elif conditions.python is None:
        named += [
            _origin(point.dist.name, point.dist.version, module=point.value)
            for point in sorted(entry_points(group=hookspecs.PROJECT), key=lambda point: point.name)
            if point.dist
        ]
    elsewhere = conditions.python is not None and script is None
    worker = start_worker(conditions, named, "cpu", report)
    try:
        answer = worker.process.call("list", {"origins": named, "installed": elsewhere})
        listing = msgspec.convert(dict(answer.values), _Listing)
    except MethodDiedError as problem:
        raise PluginError(f"Plugins could not be listed: {problem}.") from None
    except msgspec.ValidationError as problem:
        raise PluginError(f"Plugins could not be listed: what they list is damaged ({problem}).") from None
    finally:
        worker.close()
    failures = [Failure(Source(one.plugin, one.version), printable(one.line)[:400]) for one in listing.failures]
    own = {file.name for file in files} | ({Path(script["file"]).name} if script else set())
    for failure in failures:
        if failure.source.plugin in own:
            raise PluginError(f"Plugin {failure.source.plugin} cannot be loaded: {failure.reason}.")
    if any(not _is_of(one.origin, named, elsewhere) for one in listing.offers):
        raise PluginError(
            "Plugins could not be listed: one of them says that its code is where it is not. Uninstall what you do not "
            "trust."
        )
    return Discovered(kind, _by_name(kind, listing.offers), failures)


def _is_of(origin: Mapping[str, str], named: Sequence[Mapping[str, str]], elsewhere: bool) -> bool:
    """Whether an offer is of something that was to be listed; what another environment has installed is not known."""
    return origin in named or (elsewhere and set(origin) == {"plugin", "version", "module"})


def fingerprint_apart(code: MethodCode, conditions: Conditions, report: Reporter, options: Mapping[str, str]) -> str:
    """Digest of the files that the options of a method name, asked of it in a process of its own.

    Raises:
        PluginError: it raised, or its process died.
    """
    worker = start_worker(conditions, [code.origin], "cpu", report)
    try:
        worker.process.call("load", {"origin": dict(code.origin), "name": code.name})
        answer = worker.process.call("fingerprint", {"options": dict(options)})
        return printable(answer.values.get("digest", ""))[:200]
    except (MethodRaisedError, MethodDiedError) as problem:
        raise PluginError(f"method {code.name}: the digest of its inputs: {problem}.") from None
    finally:
        worker.close()


def _origin(plugin: str, version: str, **place: str) -> dict[str, str]:
    return {"plugin": plugin, "version": version, **place}


def _by_name(kind: str, listed: Sequence[_Offer]) -> dict[str, Offer]:
    offers: dict[str, Offer] = {}
    for one in listed:
        if one.kind != kind:
            continue
        by = Source(printable(one.origin.get("plugin", ""))[:80], one.origin.get("version", "")[:40], one.origin)
        if by.plugin == DISTRIBUTION:
            raise PluginError(f"A plugin calls itself {DISTRIBUTION}, which only the built-ins may.")
        if one.name in offers:
            raise two_claim(kind, one.name, offers[one.name].by, by)
        summary, reference = printable(one.summary), printable(one.reference)
        offers[one.name] = Offer(
            one.name,
            by,
            summary,
            reference,
            one.partial,
            one.options,
            printable(one.version),
            one.source,
            one.fingerprint,
        )
    return offers
