"""The folder of a run: what an earlier run of the same key left there is used again, anything else is thrown away."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from facial_bench.core.device import describe_device
from facial_bench.core.digests import canonical_json, derive_seed, digest
from facial_bench.core.errors import FacialBenchError, PluginError
from facial_bench.core.files import read_arrays, read_json, require_writable, safe_name, write_arrays, write_json
from facial_bench.core.progress import QUIET, Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Clip, Context, Generator, GeneratorSpec, Stateful, TrackerSpec
from facial_bench.core.version import __version__
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.generate import describe
from facial_bench.evaluation.setup import EvaluationSetup, corpus_label, timed


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
    """The choices of a run that are the caller's."""

    seed: int = 0
    device: str = "cpu"
    budget: str = "quick"
    options: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False
    """Whether to ignore what an earlier run of the same key left."""
    trackers: Mapping[str, TrackerSpec] = field(default_factory=dict)
    """The face trackers that are installed, for a method that has videos tracked."""


def method_label(name: str, settings: Settings) -> str:
    """Folder name and row name of a method: its name, and what differs from its defaults; an option `name`, where a
    method takes one, stands for all of that."""
    chosen = {**({"budget": settings.budget} if settings.budget != "quick" else {}), **settings.options}
    if "name" in chosen:
        return safe_name(f"{name}@{chosen['name']}", "method")
    text = ",".join(f"{key}={value}" for key, value in sorted(chosen.items()))
    label = f"{name}@{text}" if text else name
    try:
        return safe_name(label, "method")
    except FacialBenchError:
        return f"{safe_name(name, 'method')}@{digest(chosen)[:12]}"


def run_folder(out: Path, method: Method, corpus: Corpus, settings: Settings, protocol: Protocol) -> Path:
    """`<out>/<corpus>/<method>/seed-<n>`."""
    return out / corpus_label(corpus, protocol) / method_label(method.spec.name, settings) / f"seed-{settings.seed}"


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


def rehearse(method: Method, corpus: Corpus, settings: Settings, out: Path, protocol: Protocol) -> None:
    """Find out what would stop a run (a folder that cannot be written, an option that a method does not know) before
    the minutes that preparing it takes; leaves nothing behind."""
    folder = run_folder(out, method, corpus, settings, protocol)
    with _blamed(method, folder):
        method.spec.create(make_context(corpus, settings, QUIET))
    require_writable(folder)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        reason = problem.strerror
        raise FacialBenchError(f"Cannot write {folder}: {reason}. Choose another folder with --out.") from None


def claim(folder: Path, key: Mapping[str, Any], fresh: bool) -> None:
    """Make the run's folder; throw away what a run of another key left there, and nothing else."""
    _make(folder)
    ticket = folder / "run.json"
    if fresh or _read_ticket(ticket) != key:
        shutil.rmtree(folder / "motions", ignore_errors=True)
        for fold in folder.glob("fold-*"):
            shutil.rmtree(fold, ignore_errors=True)
        for name in ("run.json", "fitted.safetensors", "result.json", "error.log"):
            (folder / name).unlink(missing_ok=True)
        write_json(ticket, key)


def _read_ticket(path: Path) -> Any:
    try:
        return read_json(path, FacialBenchError, "")
    except FacialBenchError:
        return None


def run_key(method: Method, setup: EvaluationSetup, settings: Settings) -> dict[str, Any]:
    """What a stored fit and stored motions depend on."""
    return {
        "core": __version__,
        "protocol": setup.protocol.training_digest(),
        "corpus": setup.corpus.info.digest,
        "method": method.spec.name,
        "source": method.source,
        "version": method.version,
        "seed": settings.seed,
        "device": describe_device(settings.device),
        "budget": settings.budget,
        "options": canonical_json(dict(settings.options)),
        "torch": torch.__version__,
    }


def fingerprint(method: Method, settings: Settings) -> str:
    """Digest of the files that the options of a method name; empty where it has none."""
    return method.spec.fingerprint(settings.options) if method.spec.fingerprint else ""


def fitted(
    method: Method, context: Context, training: Sequence[Clip], folder: Path, timing: dict[str, Any]
) -> Generator:
    """The method, fitted now or taken up from where an earlier run left its state."""
    stored = folder / "fitted.safetensors"
    with _blamed(method, folder):
        generator = method.spec.create(context)
    with timed(timing, "fit_s"):
        reused = isinstance(generator, Stateful) and _load(generator, stored, context)
        timing["fit_reused"] = reused and timing.get("fit_reused", True)
        if not reused:
            with _blamed(method, folder):
                generator.fit(training, context)
                state = dict(generator.state_dict()) if isinstance(generator, Stateful) else None
            if state is not None:
                write_arrays(stored, state, error=PluginError)
    return generator


def _load(generator: Stateful, stored: Path, context: Context) -> bool:
    """Whether the stored state could be taken back; one that is damaged is as good as none."""
    if not stored.is_file():
        return False
    try:
        generator.load_state_dict(read_arrays(stored, FacialBenchError, "")[0], context)
    except Exception as problem:
        context.log(f"{stored} cannot be used ({type(problem).__name__}); fitting again")
        return False
    context.log(f"fitted already, taken from {stored.name}")
    return True


@contextmanager
def _blamed(method: Method, folder: Path) -> Iterator[None]:
    """Whatever the method raises becomes one line that names it; a traceback goes to error.log."""
    try:
        yield
    except FacialBenchError as problem:
        raise type(problem)(f"{method.plugin}: method {method.spec.name}: {problem}") from None
    except (Exception, SystemExit) as problem:
        reason = describe(problem, folder / "error.log")
        blamed = f"{method.plugin}: method {method.spec.name}"
        raise PluginError(f"{blamed} could not be fitted: {reason}; traceback in {folder / 'error.log'}.") from problem
