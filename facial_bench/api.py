"""Facial-bench from Python: plain values in, results out. The command line, notebooks, plugins and a cluster call this.

    from facial_bench import RunConfig, evaluate, load_results
    result = evaluate(RunConfig("facial"))
    result.metrics["lmd"].value, load_results("results").to_rows()

Functions make a session for one call. For several calls on one corpus make a `Session` and call its methods.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.progress import QUIET, Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Definition, MetricSpec
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.config import RunConfig, checked
from facial_bench.isolation.opening import start_early
from facial_bench.plugin_api.find_corpus import CorpusFinder, cache_folder
from facial_bench.plugin_api.find_run import RunFinder
from facial_bench.plugin_api.manager import load_named
from facial_bench.plugin_api.registry import Plugins

if TYPE_CHECKING:
    from facial_bench.evaluation.fresh_seed import FreshVerdict
    from facial_bench.evaluation.method_comparison import Comparison
    from facial_bench.evaluation.result import Metric, Reference, Result
    from facial_bench.evaluation.result_rows import Results
    from facial_bench.evaluation.sensitivity.record import Sensitivity
    from facial_bench.evaluation.setup import EvaluationSetup
    from facial_bench.evaluation.verify import Verdict
    from facial_bench.plugin_api.renderings import Renderings
    from facial_bench.reports.publish import Published

__all__ = ["RunConfig", "Session", "compare", "evaluate", "load_corpus", "load_results", "rescore", "verify"]

PathLike = str | Path


class Session:
    """What several calls share: plugins, cache, protocol, where progress goes; a corpus is made ready once.

    Methods and corpora of plugins are looked for, and run, in processes of their own. Only what computes metrics is
    loaded here.

    Args:
        plugins: What is loaded in this process; None for the built-ins and `metric_plugins`.
        plugin_files: Python files that offer methods and corpora, besides the installed plugins.
        metric_plugins: Python files and installed distributions whose metrics are computed too. They run in this
            process, and must be trusted.
        cache: Folder of named corpora and identity classifiers; None for the user's.
        protocol: Of evaluation; only tests need another one.
        metrics: Ids measured besides what networks compute; None for the protocol's own and those of plugins.
        corpus: Where the corpus of a stored result is, if it is not found by itself.
        device: For results that are read back: `auto`, `cpu` or `cuda`.
        classifiers: Published identity classifiers, a file or a folder of boards, where a run's config names none; None
            for those of `$FACIAL_BENCH_CLASSIFIERS`, if it is set.
        report: Takes lines and progress.
    """

    def __init__(
        self,
        plugins: Plugins | None = None,
        *,
        plugin_files: Sequence[PathLike] = (),
        metric_plugins: Sequence[PathLike] = (),
        cache: Path | None = None,
        protocol: Protocol | None = None,
        metrics: Sequence[str] | None = None,
        corpus: PathLike | None = None,
        device: str = "auto",
        classifiers: PathLike | None = None,
        report: Reporter = QUIET,
    ) -> None:
        self.plugins = plugins or load_named(metric_plugins)
        self.cache, self.protocol, self.report = cache or cache_folder(), protocol or Protocol(), report
        self._metrics, self._device = metrics, device
        self._corpus = None if corpus is None else str(corpus)
        self._classifiers = str(classifiers or os.environ.get("FACIAL_BENCH_CLASSIFIERS", ""))
        self._files = [Path(file) for file in plugin_files]
        self._corpora = CorpusFinder(self.plugins, self.cache, report, self._files)
        self._setups: dict[tuple[Any, ...], EvaluationSetup] = {}

    def load_corpus(self, name: PathLike, identities: Sequence[str] = ()) -> Corpus:
        """A corpus by registered name or by folder, a named one made in the cache when it is first asked for; these
        identities only, none for everybody. Raises FacialBenchError where there is no such corpus, person or folder,
        CorpusError for one that is damaged."""
        return self._corpora.find(str(name), identities)

    def definitions(self) -> dict[str, Definition]:
        """Every metric that is known here: id -> definition, the accuracies among them; raises PluginError where a
        plugin takes the name of one of the protocol's own."""
        from facial_bench.plugin_api.known_metrics import known_definitions

        return known_definitions(self.plugins)

    def measured(self) -> list[MetricSpec]:
        """What a run measures besides what networks compute: the protocol's own metrics, then those of plugins."""
        from facial_bench.plugin_api.known_metrics import measured_names, specs_named

        names = measured_names(self.plugins) if self._metrics is None else self._metrics
        return specs_named(names, self.definitions())

    def prepare(
        self, corpus: Corpus, specs: Sequence[MetricSpec], folds: str, device: str, classifiers: str = ""
    ) -> EvaluationSetup:
        """A corpus made ready: split, identity classifiers (published, cached or trained), references scored.

        Raises:
            CorpusError: a corpus that cannot be evaluated on; PluginError: a metric that raised.
        """
        from facial_bench.evaluation.setup import prepare, protocol_with

        chosen = classifiers or self._classifiers
        key = (corpus.info.digest, folds, device, chosen, *(spec.id for spec in specs))
        if key not in self._setups:
            protocol = protocol_with(self.measured(), replace(self.protocol, folds=folds))
            own: dict[str, Any] = {"device": device, "cache": self.cache, "report": self.report}
            self._setups[key] = prepare(corpus, protocol, specs, classifiers=Path(chosen) if chosen else None, **own)
        return self._setups[key]

    def evaluate(self, config: RunConfig, method: type | None = None) -> Iterator[tuple[Path, Result]]:
        """Fit a method, ask it for motion, score it: (result.json, result) of each training seed, when it is done.

        Args:
            config: What is asked for.
            method: A class to run instead of what the config's name finds: by its file, in a process of its own; a
                class of a notebook in this process, which the result says.

        Raises:
            FacialBenchError: what the config names is not there, or the method could not be run; one line.
        """
        config = checked(config)
        found = self._runs.find(config, method)
        conditions = found.settings.conditions
        started = start_early(found.method.code, conditions, self.report)  # it gets ready while torch is imported here

        from facial_bench.evaluation.run_seeds import run_seeds

        def ready(device: str) -> EvaluationSetup:
            found.check_outputs(replace(self.protocol, folds=config.folds), self.report)
            return self.prepare(found.corpus, self.measured(), config.folds, device, config.classifiers)

        own = (found.settings, self.protocol, ready, self.report, started)
        yield from run_seeds(found.method, found.corpus, config, *own)

    @property
    def _runs(self) -> RunFinder:
        return RunFinder(self.plugins, self._corpora, self._files, self.cache, self.report)

    @property
    def renderings(self) -> Renderings:
        """Pictures: rendered from motion, verified, put on boards; see `Renderings`."""
        from facial_bench.plugin_api.renderings import Renderings

        shared = (self.protocol, self.cache, self.report, self._corpus)
        return Renderings(self.plugins, self._corpora, self._files, *shared)

    def setup_of(self, result: Result, metrics: Sequence[str] | None = None) -> EvaluationSetup:
        """The setup that a stored result was scored with, or one with other metrics on the same corpus; raises
        ResultError for a corpus that is not found, or a metric that no plugin here computes."""
        from facial_bench.core.device import choose_device
        from facial_bench.plugin_api.known_metrics import specs_named

        specs = specs_named(list(result.metrics if metrics is None else metrics), self.definitions())
        corpus = self._corpora.find_of(result, self._corpus)
        return self.prepare(corpus, specs, result.protocol.folds, choose_device(self._device))

    def measure_sensitivity(self, corpus: PathLike, device: str = "auto") -> Sensitivity:
        """What every metric known here responds to when the real motion of a corpus is perturbed in known doses."""
        from facial_bench.core.device import choose_device
        from facial_bench.evaluation.sensitivity.dose_response import measure_sensitivity
        from facial_bench.evaluation.setup import prepare, protocol_with

        specs = [spec for spec in self.definitions().values() if isinstance(spec, MetricSpec)]
        protocol, where = protocol_with(specs, self.protocol), choose_device(device)
        setup = prepare(self.load_corpus(corpus), protocol, specs, device=where, cache=self.cache, report=self.report)
        return measure_sensitivity(setup, self.report)

    def leaderboard(self, paths: Sequence[PathLike], out: PathLike, *, check: bool = False) -> Published:
        """Boards of verified results, one per corpus and protocol, with the results, the ledger and the identity
        classifiers beside them.

        Args:
            paths: Folders of results, result.json files or archives.
            out: The folder of the boards.
            check: Write nothing; compare the boards that are there with what the results give.

        Raises:
            ResultError: no verified result; with `check`, the first place that differs.
        """
        from facial_bench.evaluation.fold_classifiers import kept_classifiers
        from facial_bench.metrics.classifier_files import SHIPPED
        from facial_bench.reports.publish import publish

        verify = None if check else self.verify
        places = [*([Path(self._classifiers)] if self._classifiers else []), kept_classifiers(self.cache), SHIPPED]
        return publish([Path(path) for path in paths], Path(out), self.definitions(), self.protocol, verify, places)

    def rescore(
        self, folder: Path, result: Result, metrics: Sequence[str]
    ) -> tuple[dict[str, Metric], Mapping[str, Reference]]:
        """Stored motion under other definitions, without generating anew: what each metric says, and its references.

        Raises:
            ResultError: motion that is missing, or not what was scored.
        """
        from facial_bench.evaluation.rescore import rescore_metrics

        setup = self.setup_of(result, metrics)
        return rescore_metrics(setup, folder, result, metrics), setup.references

    def verify(self, folder: Path, result: Result, regenerate: bool = False, like: RunConfig | None = None) -> Verdict:
        """Compute every number of a result again, from its stored motion and the corpus, and say what differs; with
        `regenerate` the method is asked again as well (`evaluation.regenerate`), found as `like` finds it."""
        from facial_bench.evaluation.verify import verify as compute_again

        setup = self.setup_of(result)
        verdict = compute_again(setup, folder, result)
        return verdict.with_regenerated(self._runs.regenerate(setup, folder, result, like)) if regenerate else verdict

    def verify_fresh(
        self, results: Sequence[Result], like: RunConfig | None = None, seed: int | None = None
    ) -> list[FreshVerdict]:
        """Run the methods of results on a synthetic corpus that nobody has seen, and say what falls apart there.

        Arguments and errors as of `evaluation.fresh_run.run_on_fresh_seed`.
        """
        from facial_bench.evaluation.fresh_run import run_on_fresh_seed

        begin = partial(Session, self.plugins, plugin_files=self._files, protocol=self.protocol, report=self.report)
        here = self.plugins.registered("generators")
        return run_on_fresh_seed(results, like, begin, self.definitions(), self.protocol, here, seed)


def evaluate(config: RunConfig, method: type | None = None, *, report: Reporter = QUIET) -> Result:
    """Run a method on a corpus for one training seed; the result is also written to `config.out`. Arguments as of
    `Session.evaluate`; `report` takes lines and progress.

    Raises:
        FacialBenchError: several seeds (see `Session.evaluate`), or anything that stops the run; one line.
    """
    if len(config.seeds) != 1:
        raise FacialBenchError(
            f"evaluate takes one seed, got {len(config.seeds)}; Session().evaluate gives each in turn."
        )
    ((_, result),) = Session(metric_plugins=config.metric_plugins, report=report).evaluate(config, method)
    return result


def load_corpus(name: PathLike, identities: Sequence[str] = ()) -> Corpus:
    """A corpus by registered name or by folder; see `Session.load_corpus`."""
    return Session().load_corpus(name, identities)


def load_results(*paths: PathLike) -> Results:
    """Results of folders, result.json files and archives, checked; `to_rows()` makes a data frame of them. Raises
    ResultError where there are none, or a damaged one."""
    from facial_bench.evaluation.result_rows import Results
    from facial_bench.reports.archive import read_every

    return Results(read_every([Path(path) for path in paths]))


def rescore(path: PathLike, *metrics: str, session: Session | None = None) -> Mapping[str, Metric]:
    """Metrics of a stored result under any definition, by ids or patterns (`lmd*`); see `Session.rescore`."""
    from facial_bench.evaluation.named_results import open_result
    from facial_bench.metrics.catalog import select

    session = session or Session()
    return session.rescore(*open_result(Path(path)), select(metrics, session.definitions()))[0]


def verify(path: PathLike, *, regenerate: bool = False, session: Session | None = None) -> Verdict:
    """Compute every number of a stored result again and say what differs; see `Session.verify`."""
    from facial_bench.evaluation.named_results import open_result

    return (session or Session()).verify(*open_result(Path(path)), regenerate=regenerate)


def compare(*paths: PathLike, metrics: Sequence[str] = (), session: Session | None = None) -> Comparison:
    """Is one method better than another? Paired permutation over clips that counts training seeds in, Holm's correction
    over the pairs of a metric.

    Each path is a method's folder (all of its seeds), a seed's, or a result.json; no metrics are the ranked ones.
    Raises FacialBenchError for fewer than two methods, results of two corpora, nothing that can be compared.
    """
    from facial_bench.evaluation.method_comparison import compare_methods, group_results
    from facial_bench.evaluation.named_results import name_results

    session = session or Session()
    groups = group_results(name_results([Path(path) for path in paths]))
    return compare_methods(groups, metrics, session.definitions(), session.protocol)
