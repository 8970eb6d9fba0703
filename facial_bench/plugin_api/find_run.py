"""What a run needs before it starts: its method, its corpus, and the conditions that keep the two apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from facial_bench.core.progress import Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.config import RunConfig
from facial_bench.evaluation.method import Method, Settings
from facial_bench.plugin_api.find_corpus import CorpusFinder
from facial_bench.plugin_api.find_method import find_method, method_of_class
from facial_bench.plugin_api.registry import Plugins
from facial_bench_worker.offering import LazyTrackers

if TYPE_CHECKING:
    from facial_bench.evaluation.regenerate import Regenerated
    from facial_bench.evaluation.result import Result
    from facial_bench.evaluation.setup import EvaluationSetup


@dataclass(frozen=True)
class FoundRun:
    """What a config names."""

    method: Method
    corpus: Corpus
    settings: Settings
    """Trackers and conditions; the rest of the settings is the config's."""
    options: Mapping[str, str]

    def check_outputs(self, protocol: Protocol, report: Reporter) -> None:
        """Tell what is wrong with finished outputs, before the minutes that classifiers take; nothing of other methods.

        Raises:
            FacialBenchError: none of them can be scored.
        """
        if self.method.code.by_name:
            from facial_bench.methods.check_outputs import check_outputs

            check_outputs(self.corpus, self.options, protocol, report)


@dataclass(frozen=True)
class RunFinder:
    """Finds what runs need, and runs methods of results again."""

    plugins: Plugins
    """Loaded in this process."""
    corpora: CorpusFinder
    files: Sequence[Path]
    """Single files that may offer methods and corpora, besides those of a config."""
    cache: Path
    """Folder that a method must not see, as the results and the corpus."""
    report: Reporter

    def find(self, config: RunConfig, made: type | None = None) -> FoundRun:
        """The method and the corpus of a run.

        Args:
            config: What is asked for.
            made: A class to run instead of what the config's name finds.

        Raises:
            FacialBenchError: what the config names is not there.
        """
        files = [*self.files, *map(Path, config.plugins)]
        places = (Path(config.out), self.cache, Path(config.corpus))
        conditions = replace(config.conditions, hidden=places)
        found = (config.method, config.options, self.plugins, files, conditions, self.report)
        method = method_of_class(made) if made else find_method(*found)
        corpus = replace(self.corpora, files=files).find(config.corpus, config.identities)
        conditions = replace(conditions, hidden=(*places, corpus.path))
        if not method.code.origin:
            conditions = replace(conditions, isolation="in-process")
        own = {name: one.spec for name, one in self.plugins.registered("trackers").items()}
        return FoundRun(method, corpus, Settings(trackers=own or LazyTrackers(), conditions=conditions), config.options)

    def regenerate(
        self, setup: EvaluationSetup, folder: Path, result: Result, like: RunConfig | None = None
    ) -> Regenerated:
        """Ask the method of a result again, from its stored fit; see `evaluation.regenerate`.

        Args:
            setup: Of the result's corpus.
            folder: Of the result.
            result: Its content.
            like: A run that finds the method; see `evaluation.same_run`. A result that was made in a sandbox is made in
                one again.

        Raises:
            FacialBenchError: the method is not found, or cannot be asked; one line.
        """
        from facial_bench.evaluation.regenerate import regenerate
        from facial_bench.evaluation.run_seeds import settings_of
        from facial_bench.evaluation.same_run import require_findable, same_run

        require_findable(result, like, self.plugins.registered("generators"))
        config = same_run(result, like, corpus=str(setup.corpus.path), out=str(folder))
        if config.isolation == "process" and result.method.isolation == "sandbox":
            config = replace(config, isolation="sandbox")
        found = self.find(config)
        settings = settings_of(config, result.seed, found.settings)
        return regenerate(found.method, setup, settings, folder, result, self.report)
