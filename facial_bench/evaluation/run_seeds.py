"""The training seeds of one method: their settings, and one run after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from facial_bench.core.files import require_writable
from facial_bench.core.progress import Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import TrackerSpec
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.config import RunConfig
from facial_bench.evaluation.method import Method, Settings, create
from facial_bench.evaluation.result import Result
from facial_bench.evaluation.run import evaluate
from facial_bench.evaluation.run_folder import older_seeds, run_folder
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.isolation.conditions import Conditions
from facial_bench.isolation.door import Door


def make_settings(
    config: RunConfig, device: str, trackers: Mapping[str, TrackerSpec], conditions: Conditions
) -> list[Settings]:
    """The choices of a config, for each of its training seeds.

    Args:
        config: what is asked for.
        device: `cpu` or `cuda`.
        trackers: that are installed.
        conditions: the config's, and what must not be seen.
    """
    return [
        Settings(seed, device, config.budget, config.options, config.fresh, trackers, config.label, conditions)
        for seed in config.seeds
    ]


def run_seeds(
    method: Method,
    corpus: Corpus,
    settings: Sequence[Settings],
    out: Path,
    protocol: Protocol,
    prepare: Callable[[], EvaluationSetup],
    report: Reporter,
) -> Iterator[tuple[Path, Result]]:
    """(result.json, result) of each training seed, when it is done.

    Args:
        method: that is run.
        corpus: that it is run on.
        settings: of each seed, one or more.
        out: folder of results.
        protocol: that decides the names of folders.
        prepare: makes the corpus ready, which takes minutes; the method is created before, so that it fails early.
        report: told what happens, and which finished seeds are of another version.

    Raises:
        FacialBenchError: as `evaluation.run.evaluate` and `prepare` do.
    """
    folder = run_folder(out, method, corpus, settings[0], protocol)
    first: Door | None = create(method, corpus, settings[0], folder, report)
    try:
        require_writable(folder)
        setup = prepare()
        for one in settings:
            opened, first = first, None
            result = evaluate(method, setup, one, out, report, opened)
            folder = run_folder(out, method, corpus, one, setup.protocol)
            yield folder / "result.json", result
    finally:
        if first:
            first.close()
    for seed in older_seeds(folder.parent, method):
        report.warn(f"{seed} is of another version of {method.name}: run it again, or keep one with --as")
