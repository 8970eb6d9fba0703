"""The training seeds of one method: their settings, and one run after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from facial_bench.core.device import choose_device
from facial_bench.core.digests import canonical_json
from facial_bench.core.files import require_writable
from facial_bench.core.progress import Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.config import RunConfig
from facial_bench.evaluation.method import Method, Settings, create
from facial_bench.evaluation.result import Result
from facial_bench.evaluation.run import evaluate
from facial_bench.evaluation.run_folder import older_seeds, require_own, run_folder
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.isolation.door import Door
from facial_bench.isolation.start import Worker


def run_seeds(
    method: Method,
    corpus: Corpus,
    config: RunConfig,
    settings: Settings,
    protocol: Protocol,
    prepare: Callable[[str], EvaluationSetup],
    report: Reporter,
    started: Worker | None = None,
) -> Iterator[tuple[Path, Result]]:
    """(result.json, result) of each training seed, when it is done.

    Args:
        method: that is run.
        corpus: that it is run on.
        config: what is asked for.
        settings: what the config does not say: trackers and conditions.
        protocol: that decides the names of folders.
        prepare: makes the corpus ready on a device, which takes minutes; the method is created before, so that it
            fails early.
        report: told what happens, and which finished seeds are of another version.
        started: a process of the method, where one was started already.

    Raises:
        FacialBenchError: as `evaluation.run.evaluate` and `prepare` do, or a device that is not there.
    """
    first: Door | None = None
    try:
        every = [settings_of(config, seed, settings) for seed in config.seeds]
        out = Path(config.out)
        for one in every:
            folder = run_folder(out, method, corpus, one, protocol)
            about = {"corpus": corpus.info.digest, "options": canonical_json(dict(one.options))}
            require_own(folder, about, config.fresh)
        first, started = create(method, corpus, every[0], folder, report, started), None
        require_writable(folder, "with --out")
        setup = prepare(every[0].device)
        for one in every:
            opened, first = first, None
            result = evaluate(method, setup, one, out, report, opened)
            folder = run_folder(out, method, corpus, one, setup.protocol)
            yield folder / "result.json", result
    finally:
        for left in (first, started):
            if left:
                left.close()
    for seed in older_seeds(folder.parent, method):
        report.warn(f"{seed} is of another version of {method.name}: run it again, or keep one with --as")


def settings_of(config: RunConfig, seed: int, settings: Settings) -> Settings:
    """The choices of a config, for one of its training seeds."""
    return replace(
        settings,
        seed=seed,
        device=choose_device(config.device),
        budget=config.budget,
        options=config.options,
        fresh=config.fresh,
        label=config.label,
    )
