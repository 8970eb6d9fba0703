"""A method as a run sees it: where it comes from, what it is told, what it is called, and who is blamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from facial_bench.core.digests import derive_seed, digest
from facial_bench.core.errors import FacialBenchError, PluginError
from facial_bench.core.files import safe_name
from facial_bench.core.progress import Reporter
from facial_bench.core.types import Context, GeneratorSpec, TrackerSpec
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.generate import describe


@dataclass(frozen=True)
class Method:
    """A method and where it comes from."""

    spec: GeneratorSpec
    plugin: str
    """The distribution or file that registered it."""
    version: str
    source: str
    """Digest of the plugin's source: a changed method reuses nothing of its older self."""


@dataclass(frozen=True)
class Settings:
    """The choices of a run that are the caller's, for one training seed."""

    seed: int = 0
    device: str = "cpu"
    budget: str = "quick"
    options: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False
    """Whether to ignore what an earlier run of the same key left."""
    trackers: Mapping[str, TrackerSpec] = field(default_factory=dict)
    """The face trackers that are installed, for a method that has videos tracked."""
    label: str = ""
    """Folder and row name of the method, where it is not to be made of its name and options."""


def method_label(name: str, settings: Settings) -> str:
    """Folder name and row name of a method: the label that was chosen, else its name and what differs from its
    defaults; an option `name`, where a method takes one, stands for all of that."""
    if settings.label:
        return safe_name(settings.label, "label")
    chosen = {**({"budget": settings.budget} if settings.budget != "quick" else {}), **settings.options}
    if "name" in chosen:
        return safe_name(f"{name}@{chosen['name']}", "method")
    text = ",".join(f"{key}={value}" for key, value in sorted(chosen.items()))
    label = f"{name}@{text}" if text else name
    try:
        return safe_name(label, "method")
    except FacialBenchError:
        return f"{safe_name(name, 'method')}@{digest(chosen)[:12]}"


def make_context(corpus: Corpus, settings: Settings, report: Reporter) -> Context:
    """What a method is told of a run; the seed of its fit is a stream of its own."""
    return Context(
        corpus.info,
        derive_seed(settings.seed, "fit"),
        settings.device,
        settings.budget,
        dict(settings.options),
        corpus.face_model,
        report,
        report.progress,
        settings.trackers,
    )


def fingerprint(method: Method, settings: Settings) -> str:
    """Digest of the files that the options of a method name; empty where it has none."""
    return method.spec.fingerprint(settings.options) if method.spec.fingerprint else ""


@contextmanager
def blamed(method: Method, folder: Path, doing: str) -> Iterator[None]:
    """Whatever the method raises becomes one line that names it; a traceback goes to error.log.

    Args:
        method: Who is blamed.
        folder: Of the run, for error.log.
        doing: What could not be done: `created`, `fitted`.
    """
    try:
        yield
    except FacialBenchError as problem:
        raise type(problem)(f"{method.plugin}: method {method.spec.name}: {problem}") from None
    except (Exception, SystemExit) as problem:
        reason = describe(problem, folder / "error.log")
        who = f"{method.plugin}: method {method.spec.name}"
        raise PluginError(f"{who} could not be {doing}: {reason}; traceback in {folder / 'error.log'}.") from problem
