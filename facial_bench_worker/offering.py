"""What the plugins of this environment offer, as plain values: the harness lists methods without importing them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from facial_bench_worker.errors import unknown_name
from facial_bench_worker.loading import Origin, class_spec, installed_plugins, load_module, offers, require_hooks
from facial_bench_worker.method import GeneratorSpec
from facial_bench_worker.problems import describe
from facial_bench_worker.renderer import RendererSpec
from facial_bench_worker.source import source_digest
from facial_bench_worker.specs import CorpusSpec, TrackerSpec


def list_offers(origins: Sequence[Origin], installed: bool) -> dict[str, Any]:
    """Methods, corpora and renderers on offer, and what failed: `{"offers": [...], "failures": [...]}`.

    Args:
        origins: Files, modules or classes to load, with `plugin` and `version`: who they are.
        installed: Whether to look at the plugins that are installed in this environment as well.
    """
    every = list(origins)
    if installed:
        every += [
            {"plugin": name, "version": version, "module": module} for name, version, module in installed_plugins()
        ]
    listed: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    for origin in every:
        try:
            listed += _of_origin(origin)
        except (Exception, SystemExit) as problem:
            told = describe(problem)
            failures.append({"plugin": origin["plugin"], "version": origin["version"], **vars(told)})
    return {"offers": listed, "failures": failures}


def _of_origin(origin: Origin) -> list[dict[str, Any]]:
    module = load_module(origin)
    if "class" in origin:
        return [_method(class_spec(module, origin["class"]), origin)]
    require_hooks(module)
    methods = [_method(spec, origin) for spec in offers(module, "generators", GeneratorSpec)]
    corpora = [_corpus(spec, origin) for spec in offers(module, "corpora", CorpusSpec)]
    renderers = [_renderer(spec, origin) for spec in offers(module, "renderers", RendererSpec)]
    return methods + corpora + renderers


def _method(spec: GeneratorSpec, origin: Origin) -> dict[str, Any]:
    return {
        "kind": "generators",
        "name": spec.name,
        "summary": str(spec.summary),
        "reference": str(spec.reference),
        "partial": bool(spec.partial),
        "options": dict(spec.options),
        "fingerprint": spec.fingerprint is not None,
        "source": source_digest(spec),
        "origin": dict(origin),
    }


def _corpus(spec: CorpusSpec, origin: Origin) -> dict[str, Any]:
    return {
        "kind": "corpora",
        "name": spec.name,
        "summary": str(spec.summary),
        "version": str(spec.version),
        "source": source_digest(spec),
        "origin": dict(origin),
    }


def _renderer(spec: RendererSpec, origin: Origin) -> dict[str, Any]:
    return {
        "kind": "renderers",
        "name": spec.name,
        "summary": str(spec.summary),
        "reference": str(spec.reference),
        "options": dict(spec.options),
        "source": source_digest(spec),
        "origin": dict(origin),
    }


def make_corpus(origin: Origin, name: str, dest: str) -> None:
    """Have a plugin make a corpus in the folder `dest`; raises FacialBenchError where it offers none of that name."""
    specs: dict[str, CorpusSpec] = {spec.name: spec for spec in offers(load_module(origin), "corpora", CorpusSpec)}
    if name not in specs:
        raise unknown_name("corpus", name, specs)
    make: Callable[..., None] = specs[name].make
    make(Path(dest), *([{}] if getattr(specs[name], "options", None) else []))


class LazyTrackers(Mapping):
    """The face trackers of this environment; looked for when a method first asks."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] | None = None

    def _all(self) -> dict[str, Any]:
        self._loaded = _trackers() if self._loaded is None else self._loaded
        return self._loaded

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def _trackers() -> dict[str, TrackerSpec]:
    """The face trackers that are installed in this environment, by name; a plugin that fails to load is left out."""
    every: dict[str, TrackerSpec] = {}
    for _, _, module in installed_plugins():
        try:
            every.update({spec.name: spec for spec in offers(load_module({"module": module}), "trackers", TrackerSpec)})
        except (Exception, SystemExit):  # it is named where plugins are listed
            continue
    return every
