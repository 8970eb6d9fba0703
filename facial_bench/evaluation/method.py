"""A method as a run sees it: where it comes from, what it is told, what it is called, and who is blamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from facial_bench.core import errors
from facial_bench.core.digests import derive_seed, digest
from facial_bench.core.errors import FacialBenchError, PluginError
from facial_bench.core.names import safe_name
from facial_bench.core.progress import Reporter
from facial_bench.core.types import Context, TrackerSpec
from facial_bench.corpora.corpus import Corpus
from facial_bench.isolation.conditions import Conditions
from facial_bench.isolation.door import Door, MethodDiedError, MethodRaisedError, Traceback
from facial_bench.isolation.method_code import MethodCode
from facial_bench.isolation.opening import open_method
from facial_bench.isolation.start import Worker


@dataclass(frozen=True)
class Method:
    """A method and where it comes from."""

    code: MethodCode
    reference: str
    """Where it was published, or what it stands for."""
    plugin: str
    """The distribution or file that registered it."""
    version: str
    source: str
    """Digest of the plugin's source: a changed method reuses nothing of its older self."""
    fingerprint: Callable[[Mapping[str, str]], str] | None = None
    """Digest of the files that its options name; see `GeneratorSpec`."""

    @property
    def name(self) -> str:
        """What `--method` takes."""
        return self.code.name

    def __str__(self) -> str:
        return f"{self.plugin}: method {self.name}"


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
    """The face trackers that are installed, for a method of this process that has videos tracked."""
    label: str = ""
    """Folder and row name of the method, where it is not to be made of its name and options."""
    conditions: Conditions = field(default_factory=Conditions)


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


def create(
    method: Method, corpus: Corpus, settings: Settings, folder: Path, report: Reporter, started: Worker | None = None
) -> Door:
    """A fresh instance of a method, under the conditions of a run.

    Args:
        method: To create.
        corpus: That it is told of.
        settings: Of the run.
        folder: Of the run, for what it prints and raises.
        report: Is told what it says.
        started: Its process, where one was started already.

    Raises:
        PluginError: it could not be created.
    """
    with blamed(method, folder, "created"):
        context = make_context(corpus, settings, report)
        door = open_method(method.code, context, settings.conditions, report, started)
    door.keep_printed(folder / "method.log")
    return door


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
    except MethodRaisedError as problem:
        if problem.kind:
            raise getattr(errors, problem.kind)(f"{method}: {problem}") from None
        log = keep_trace(folder, problem.trace)
        cause = problem.__cause__ or Traceback(problem.trace)
        raise PluginError(f"{method} could not be {doing}: {problem}; traceback in {log}.") from cause
    except MethodDiedError as problem:
        printed = folder / "method.log"
        kept = f" (all that it printed is in {printed})" if printed.is_file() else ""
        raise PluginError(f"{method} could not be {doing}: {problem}{kept}.") from None
    except FacialBenchError as problem:
        raise type(problem)(f"{method}: {problem}") from None


def keep_trace(folder: Path, trace: str) -> Path:
    """Add a traceback to the error.log of a run's folder; returns its path."""
    log = folder / "error.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as stream:
        stream.write(f"{trace}\n")
    return log
