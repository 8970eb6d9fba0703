"""Sessions of the API for tests: methods made up in the test itself, a short protocol, a cache of its own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from facial_bench import RunConfig, Session, hookimpl
from facial_bench.core.progress import Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.result import Result
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.types import Context, Generator, GeneratorSpec, MetricSpec
from tests.helpers.faces import Echo


def as_method(create: Callable[[Context], Generator] = Echo, name: str = "echo", **more: Any) -> GeneratorSpec:
    """A method of a test."""
    return GeneratorSpec(name, "a test method", "none", create, **more)


def plugin_module(specs: Sequence[GeneratorSpec] = (), metrics: Sequence[MetricSpec] = ()) -> ModuleType:
    """A plugin `test-plugin` with these methods and metrics."""
    module = ModuleType("test-plugin")

    @hookimpl
    def facial_bench_generators() -> Sequence[GeneratorSpec]:
        return specs

    @hookimpl
    def facial_bench_metrics() -> Sequence[MetricSpec]:
        return metrics

    vars(module).update(facial_bench_generators=facial_bench_generators, facial_bench_metrics=facial_bench_metrics)
    return module


def make_session(
    cache: Path,
    protocol: Protocol,
    *specs: GeneratorSpec,
    metrics: Sequence[str] | None = ("lmd", "lmd/canonical"),
    **more: Any,
) -> Session:
    """A session that knows the built-ins and these methods, and measures little."""
    plugins = load_plugins(installed=[], modules=[plugin_module(specs)])
    return Session(plugins, cache=cache, protocol=protocol, metrics=metrics, device="cpu", **more)


def with_methods(session: Session, *specs: GeneratorSpec, report: Reporter | None = None) -> Session:
    """The session with these methods instead of its own; what it has made ready is shared."""
    other = copy.copy(session)
    other.plugins = load_plugins(installed=[], modules=[plugin_module(specs)])
    other.report = report or session.report
    return other


def ready(session: Session, corpus: Corpus, folds: str = "one") -> EvaluationSetup:
    """The corpus made ready as a run of the session finds it."""
    return session.prepare(corpus, session.measured(), folds, "cpu")


def run_one(session: Session, method: str, corpus: Corpus | Path | str, out: Path, **config: Any) -> Result:
    """The result of one seed."""
    place = corpus.path if isinstance(corpus, Corpus) else corpus
    ((_, result),) = session.evaluate(RunConfig(method, corpus=str(place), out=str(out), device="cpu", **config))
    return result
