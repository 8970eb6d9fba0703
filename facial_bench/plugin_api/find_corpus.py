"""Finding a corpus: by folder, by a name that a plugin registered, or from what a result says of itself."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from facial_bench.core import errors
from facial_bench.core.errors import CorpusError, FacialBenchError, PluginError, ResultError
from facial_bench.core.names import safe_name
from facial_bench.core.progress import Reporter
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.evaluation.result_schema import Result
from facial_bench.isolation.conditions import DAY, Conditions
from facial_bench.isolation.door import MethodDiedError, MethodRaisedError, Traceback
from facial_bench.isolation.start import start_worker
from facial_bench.plugin_api.discovery import Offer, discover
from facial_bench.plugin_api.make_corpus import make_corpus
from facial_bench.plugin_api.registry import Plugins
from facial_bench.rendering.result import Rendering
from facial_bench_worker.source import source_digest


def cache_folder() -> Path:
    """`$FACIAL_BENCH_CACHE`, else `facial-bench` in the user's cache folder."""
    chosen = os.environ.get("FACIAL_BENCH_CACHE")
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "facial-bench"


@dataclass(frozen=True)
class CorpusFinder:
    """Where corpora are looked for."""

    plugins: Plugins
    cache: Path
    """Named corpora are made in `<cache>/corpora`, once."""
    report: Reporter
    files: Sequence[Path] = ()
    """Single files that may offer corpora besides the plugins."""

    def find(self, name: str, identities: Sequence[str] = ()) -> Corpus:
        """A corpus by registered name or by folder; of these people only, if any are named.

        Raises:
            FacialBenchError: no such corpus, person or folder; CorpusError for one that is damaged.
        """
        named = name in self.plugins.registered("corpora")
        if not named and Path(name).is_dir():
            corpus = open_corpus(Path(name))
        elif not named and os.sep in name:
            raise FacialBenchError(f"No corpus folder at {name}. Make one with `corpus build` or `corpus import`.")
        else:
            corpus = self._make(name)
        return corpus.select(identities) if identities else corpus

    def find_of(self, result: Result | Rendering, given: str | None) -> Corpus:
        """The corpus of a result: the one given, the registered one of its name, or the folder where it was.

        Raises:
            ResultError: none of them has the result's digest.
        """
        wanted, name = result.corpus.digest, result.corpus.name
        noted = result.environment.get("corpus_path")
        places = [given] if given else [name] if name in self.plugins.registered("corpora") else []
        if not given and isinstance(noted, str) and Path(noted, "corpus.json").is_file():
            places.append(noted)
        if not places and name in discover("corpora", self.files, Conditions(), self.report).offers:
            places.append(name)
        for place in places:
            corpus = self.find(place)
            if set(result.corpus.identities) < set(corpus.info.identities):
                corpus = corpus.select(result.corpus.identities)
            if corpus.info.digest == wanted:
                return corpus
        tried = f" ({', '.join(places)} has another digest)" if places else ""
        raise ResultError(
            f"The corpus of the result, {name} with digest {wanted[:12]}, was not found{tried}. Name it with --corpus."
        )

    def _make(self, name: str) -> Corpus:
        here = self.plugins.registered("corpora")
        if name in here:
            spec = here[name].spec
            version, source, make = spec.version, source_digest(spec), partial(make_corpus, here[name])
        else:  # a plugin's: it is made by a process of its own, and what it wrote is read with care
            found = discover("corpora", self.files, Conditions(), self.report)
            offer = found.get("corpus (or folder)", name, list(here))
            version, source, make = offer.version, offer.source, partial(_make_apart, offer, self.report)
        called = safe_name(f"{name}-{version}-{source[:12]}", "corpus")
        folder = self.cache / "corpora" / called
        if not folder.is_dir():
            self.report(f"corpus: making {name} in {folder}")
            try:
                make(folder)
            except CorpusError:
                if not (folder / "corpus.json").is_file():  # else another process was faster
                    raise
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)  # half a corpus would be taken for a whole one
                raise
        return open_corpus(folder)


def _make_apart(offer: Offer, report: Reporter, folder: Path) -> None:
    """Have a plugin make its corpus in a process of its own.

    Raises:
        PluginError: it raised, or its process died; CorpusError as it is.
    """
    worker = start_worker(Conditions(), [offer.by.origin], "cpu", report)
    try:
        values = {"origin": dict(offer.by.origin), "name": offer.name, "dest": str(folder.resolve())}
        worker.process.call("make_corpus", values, seconds=DAY)
    except MethodRaisedError as problem:
        if problem.kind:
            raise getattr(errors, problem.kind)(str(problem)) from None
        what = f"making the corpus {offer.name}"
        raise PluginError(f"{offer.by}: {what} failed: {problem}.") from Traceback(problem.trace)
    except MethodDiedError as problem:
        raise PluginError(f"{offer.by}: making the corpus {offer.name} failed: {problem}.") from None
    finally:
        worker.close()
