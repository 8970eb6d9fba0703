"""Fixtures: small corpora and protocols, the real data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from facial_bench.core.protocol import ClassifierSettings, Protocol, RealismSettings
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.write_corpus import CorpusDescription, write_corpus
from facial_bench.types import Clip
from tests.helpers.faces import make_clip, make_model
from tests.helpers.warm_start import WarmStart


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Two test processes share two cores."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def make_corpus(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Corpus]:
    """make_corpus(people=("a", "b"), clips=3, frames=300, scales=...) -> an opened corpus folder."""

    def make(
        people: Sequence[str] = ("a", "b"),
        clips: int = 3,
        frames: int = 300,
        name: str = "tiny",
        scales: Sequence[float] | None = None,
        edit: Callable[[Clip], Clip] = lambda c: c,
    ) -> Corpus:
        model, folder = make_model(people), tmp_path_factory.mktemp("corpora") / name
        made = [
            edit(make_clip(model, person, f"{person}{k}", frames, 100 * p + k, (scales or [1.0] * len(people))[p]))
            for p, person in enumerate(people)
            for k in range(clips)
        ]
        write_corpus(folder, CorpusDescription(name=name, audio_kind="noise29"), model, made)
        return open_corpus(folder)

    return make


@pytest.fixture(scope="module")
def small_protocol() -> Protocol:
    """The protocol with short training and little resampling: for tests of everything but the numbers."""
    classifiers = ClassifierSettings(seeds=(1, 2), channels=(8, 8, 8), steps=30, learning_rate=1e-2)
    realism = RealismSettings(channels=(4, 4), steps=5, folds=2, stride=32)
    return replace(Protocol(), classifiers=classifiers, realism=realism, resamples=200, name="small")


@pytest.fixture(scope="session")
def warm() -> Iterator[WarmStart]:
    """Starts processes that have imported torch and facial-bench."""
    processes = WarmStart()
    yield processes
    processes.close()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real tracked clips and videos."""
    folder = os.environ.get("FACIAL_BENCH_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("real data: FACIAL_BENCH_DATA does not name a folder")
    return Path(folder)
