"""What several commands share: options, the cache folder, finding a corpus, reporting progress."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facial_bench.core.errors import CorpusError, FacialBenchError
from facial_bench.core.progress import Reporter

if TYPE_CHECKING:
    from facial_bench.core.protocol import Protocol
    from facial_bench.core.types import Definition, MetricSpec, Pool
    from facial_bench.corpora.corpus import Corpus
    from facial_bench.evaluation.result import Result
    from facial_bench.evaluation.setup import EvaluationSetup
    from facial_bench.plugin_api.manager import Plugins

plugin_option = click.option(
    "--plugin",
    "plugin_files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE.py",
    help="Load a single Python file as a plugin; repeatable.",
)
option_option = click.option(
    "--option",
    "options",
    multiple=True,
    metavar="K=V",
    help="An option of the method, importer or audio features; repeatable.",
)


def parse_options(pairs: Iterable[str]) -> dict[str, str]:
    """("k=v", ...) -> {"k": "v"}."""
    found: dict[str, str] = {}
    for pair in pairs:
        key, mark, value = pair.partition("=")
        if not mark or not key:
            raise click.UsageError(f"--option takes K=V, got '{pair}'.")
        found[key] = value
    return found


def cache_folder() -> Path:
    """`$FACIAL_BENCH_CACHE`, else `facial-bench` in the user's cache folder."""
    chosen = os.environ.get("FACIAL_BENCH_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "facial-bench"


def find_corpus(name: str, plugins: Plugins, log: Callable[[str], None]) -> Corpus:
    """A corpus by folder or by registered name; a named one is made in the cache when it is first asked for."""
    from facial_bench.core.files import safe_name
    from facial_bench.corpora.corpus import open_corpus
    from facial_bench.plugin_api.manager import call, source_digest

    available = plugins.registered("corpora")
    if name not in available:
        if Path(name).is_dir():
            return open_corpus(Path(name))
        if os.sep in name:
            raise FacialBenchError(
                f"No corpus folder at {name}. Make one with `facial-bench corpus import` or `corpus make`."
            )
        plugins.get("corpora", "corpus (or folder)", name)
    spec = available[name].spec
    folder = cache_folder() / "corpora" / safe_name(f"{name}-{spec.version}-{source_digest(spec)[:12]}", "corpus")
    if not folder.is_dir():
        log(f"corpus: making {name} in {folder}")
        try:
            call(available[name], f"making the corpus {name}", spec.make, folder)
        except CorpusError:
            if not (folder / "corpus.json").is_file():  # else another process was faster
                raise
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)  # half a corpus would be found by the next run
            raise
    return open_corpus(folder)


def standard_metrics(plugins: Plugins, folds: str = "one") -> tuple[list[MetricSpec], Protocol]:
    """What a run measures besides the accuracies (the protocol's own, and all that other plugins bring), and the
    protocol with its digests."""
    from facial_bench.core.errors import PluginError
    from facial_bench.core.protocol import Protocol
    from facial_bench.evaluation.setup import protocol_with
    from facial_bench.metrics.catalog import STANDARD
    from facial_bench.metrics.identity import accuracy_definitions

    taken, found = {one.id for one in accuracy_definitions()}, {}
    for name, registered in plugins.registered("metrics").items():
        if name in taken:
            raise PluginError(
                f"{registered.source} registers the metric '{name}', which the protocol defines. Rename it."
            )
        if registered.source.plugin != "facial-bench" or name in STANDARD:
            found[name] = registered.spec
    specs = [found.pop(name) for name in STANDARD] + list(found.values())
    return specs, protocol_with(specs, Protocol(folds=folds))


def metrics_of(plugins: Plugins) -> dict[str, Definition]:
    """Every definition there is: id -> definition, the accuracies among them."""
    from facial_bench.metrics.identity import accuracy_definitions

    offered = {name: registered.spec for name, registered in plugins.registered("metrics").items()}
    return {**offered, **{one.id: one for one in accuracy_definitions()}}


def find_result_corpus(result: Result, given: str | None, plugins: Plugins, log: Callable[[str], None]) -> Corpus:
    """The corpus of a result: the one given, the registered one of its name, or the folder where it was.

    Raises:
        ResultError: none of them has the result's digest.
    """
    from facial_bench.core.errors import ResultError

    wanted, name = result["corpus"]["digest"], result["corpus"]["name"]
    places = [given] if given else []
    if not given:
        places += [name] if name in plugins.registered("corpora") else []
        where = result["environment"].get("corpus_path")
        places += [where] if isinstance(where, str) and Path(where, "corpus.json").is_file() else []
    for place in places:
        corpus = find_corpus(place, plugins, log)
        people = [str(person) for person in result["corpus"].get("identities", corpus.info.identities)]
        if set(people) < set(corpus.info.identities):
            corpus = corpus.select(people)
        if corpus.info.digest == wanted:
            return corpus
    tried = f" ({', '.join(places)} has another digest)" if places else ""
    raise ResultError(
        f"The corpus of the result, {name} with digest {wanted[:12]}, was not found{tried}. Name it with --corpus."
    )


class Benches:
    """The benches of results, each made once.

    Args:
        plugins: what is on offer.
        given: `--corpus`, or None to find the corpus of each result by itself.
        device: `auto`, `cpu` or `cuda`.
        log: takes lines of progress.
    """

    def __init__(self, plugins: Plugins, given: str | None, device: str, log: Callable[[str], None]) -> None:
        self._plugins, self._given, self._device, self._log = plugins, given, device, log
        self._made: dict[tuple[Any, ...], EvaluationSetup] = {}

    def of(self, result: Result, metrics: Sequence[str] | None = None) -> EvaluationSetup:
        """The bench of a result's corpus, with the result's own metrics or with these.

        Raises:
            ResultError: a corpus that is not found, or a metric of the result that no plugin here computes.
        """
        from facial_bench.core.device import choose_device
        from facial_bench.core.errors import ResultError
        from facial_bench.evaluation.setup import prepare
        from facial_bench.metrics.identity import accuracies

        offered = {name: registered.spec for name, registered in self._plugins.registered("metrics").items()}
        wanted = [name for name in (result["metrics"] if metrics is None else metrics) if name not in accuracies()]
        lacking = [name for name in wanted if name not in offered]
        if lacking:
            raise ResultError(
                f"No plugin here computes {', '.join(lacking)}. Install it, or name its file with --plugin."
            )
        folds = "all" if result["protocol"].get("folds") == "all" else "one"
        key = (result["corpus"]["digest"], folds, *wanted)
        if key not in self._made:
            corpus = find_result_corpus(result, self._given, self._plugins, self._log)
            _, protocol = standard_metrics(self._plugins, folds)
            self._made[key] = prepare(
                corpus,
                protocol,
                [offered[name] for name in wanted],
                report=self._log,
                device=choose_device(self._device),
                cache=cache_folder(),
            )
        return self._made[key]


def known_pools(plugins: Plugins) -> dict[str, Pool]:
    """metric -> pool, of every pooled metric on offer."""
    return {
        name: registered.spec.pool
        for name, registered in plugins.registered("metrics").items()
        if registered.spec.pool is not None
    }


def reporter() -> Reporter:
    """What shows progress on standard error: bars on a terminal, plain lines elsewhere."""
    from facial_bench.cli.progress import make_reporter

    return make_reporter()


def warn_failures(plugins: Plugins) -> None:
    """Name the plugins that could not be loaded, on standard error."""
    for failure in plugins.failures:
        click.echo(f"warning: {failure.source} failed to load: {failure.reason}", err=True)


def printable(text: object) -> str:
    """Text from a file of somebody else's, on one line, without what could steer a terminal."""
    return "".join(mark if mark.isprintable() else "\ufffd" for mark in " ".join(str(text).split()))


def aligned(rows: Iterable[tuple[Any, ...]]) -> str:
    """Rows as columns of text, the last one free."""
    texts = [tuple(printable(cell) for cell in row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*texts, strict=True)][:-1]
    return "\n".join("  ".join([*(c.ljust(w) for c, w in zip(row, widths)), row[-1]]) for row in texts)  # noqa: B905
