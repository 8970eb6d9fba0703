"""The FACIAL plugin through the whole line, with a few steps of training: any audio width, the same result twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from facial_bench import Session
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.result import Result
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.types import Clip
from tests.helpers.sessions import make_session, run_one

QUICK = {"steps": "1", "adversarial_steps": "1", "fine_tune_steps": "1", "batch": "2"}
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, small_protocol: Protocol) -> Session:
    """The installed plugins; identity classifiers that are hardly trained."""
    short = replace(small_protocol, classifiers=replace(small_protocol.classifiers, steps=2))
    session = make_session(tmp_path_factory.mktemp("cache"), short, metrics=["lmd"])
    session.plugins = load_plugins()
    return session


@pytest.fixture(scope="module")
def corpus_of_width(make_corpus: Callable[..., Corpus]) -> Callable[[int], Corpus]:
    """corpus_of_width(22) -> a corpus with that many audio features."""
    made: dict[int, Corpus] = {}

    def make(width: int) -> Corpus:
        def widen(clip: Clip) -> Clip:
            return replace(clip, audio=np.resize(clip.audio, (clip.frames, width)))

        if width not in made:
            made[width] = make_corpus(clips=3, frames=200, name=f"wide{width}", edit=widen)
        return made[width]

    return make


@pytest.fixture
def run(session: Session, corpus_of_width: Callable[[int], Corpus], tmp_path: Path) -> Run:
    def evaluate(width: int = 29, folder: str = "out", method: str = "facial", seed: int = 0, **more: str) -> Result:
        corpus = corpus_of_width(width)
        return run_one(session, method, corpus, tmp_path / folder, seeds=(seed,), options=QUICK, **more)

    return evaluate


@pytest.mark.parametrize("width", [22, 42])
def test_any_audio_width_from_22_works(run: Run, width: int) -> None:
    assert {row.status for row in run(width, isolation="in-process").clips} == {"ok"}


def test_the_same_seed_gives_the_same_file(run: Run) -> None:
    def deterministic(folder: str, seed: int) -> Result:
        return msgspec.structs.replace(run(folder=folder, seed=seed), environment={}, timing={})

    first = deterministic("1", 0)
    assert {row.status for row in first.clips} == {"ok"}
    assert deterministic("2", 0) == first
    assert deterministic("3", 1).metrics["lmd"].value != first.metrics["lmd"].value


def test_a_stored_fit_gives_the_same_result(run: Run, tmp_path: Path) -> None:
    first = run()
    for motion in tmp_path.rglob("motions/*/*.safetensors"):
        motion.unlink()
    again = run()
    assert (first.timing["fit_reused"], again.timing["fit_reused"]) == (False, True)
    assert again.clips == first.clips


@pytest.mark.parametrize(
    "name",
    ["facial-no-gtem", "facial-no-gloc", "facial-no-adversarial", "facial-paper-weights", "facial-no-finetuning"],
)
def test_every_ablation_runs(run: Run, name: str) -> None:
    assert run(method=name, isolation="in-process").metrics["lmd"].status == "ok"
