"""The FACIAL plugin through the whole line, with a few steps of training: any audio width, the same result twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facial_bench.core.progress import QUIET
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.method import Method, Settings
from facial_bench.evaluation.run import evaluate
from facial_bench.evaluation.setup import EvaluationSetup, prepare, protocol_with
from facial_bench.metrics.lmd import landmark_metrics
from facial_bench.plugin_api.manager import load_plugins, source_digest
from facial_bench.types import Clip

QUICK = {"steps": "1", "adversarial_steps": "1", "fine_tune_steps": "1", "batch": "2"}


def facial(name: str = "facial") -> Method:
    registered = load_plugins().get("generators", "method", name)
    return Method(registered.spec, registered.source.plugin, registered.source.version, source_digest(registered.spec))


@pytest.fixture(scope="module")
def make_bench(
    tmp_path_factory: pytest.TempPathFactory, make_corpus: Callable[..., Corpus], small_protocol: Protocol
) -> Callable[[int], EvaluationSetup]:
    """A bench whose corpus has that many audio features."""

    def make(width: int) -> EvaluationSetup:
        def widen(clip: Clip) -> Clip:
            return replace(clip, audio=np.resize(clip.audio, (clip.frames, width)))

        corpus = make_corpus(clips=3, frames=200, name=f"wide{width}", edit=widen)
        distances = [spec for spec in landmark_metrics() if spec.id == "lmd"]
        rules = protocol_with(
            distances, replace(small_protocol, classifiers=replace(small_protocol.classifiers, steps=2))
        )
        cache = tmp_path_factory.mktemp("cache")
        return prepare(corpus, rules, distances, device="cpu", cache=cache, report=QUIET)

    return make


@pytest.mark.parametrize("width", [22, 29, 42])
def test_any_audio_width_from_22_works_and_the_same_seed_gives_the_same_file(
    make_bench: Callable[[int], EvaluationSetup], tmp_path: Path, width: int
) -> None:
    setup = make_bench(width)

    def run(folder: str, seed: int) -> Any:
        path = tmp_path / folder
        evaluate(facial(), setup, Settings(seed=seed, options=QUICK), path, QUIET)
        (file,) = path.rglob("result.json")
        found = json.loads(file.read_text())
        return {key: value for key, value in found.items() if key not in ("environment", "timing")}

    first = run("1", 0)
    assert {row.status for row in first.clips} == {"ok"}
    assert run("2", 0) == first
    assert run("3", 1).metrics["lmd"].value != first.metrics["lmd"].value


def test_a_stored_fit_gives_the_same_result(make_bench: Callable[[int], EvaluationSetup], tmp_path: Path) -> None:
    setup = make_bench(29)

    def run() -> Any:
        return evaluate(facial(), setup, Settings(options=QUICK), tmp_path, QUIET)

    first = run()
    for motion in tmp_path.rglob("motions/*/*.safetensors"):
        motion.unlink()
    again = run()
    assert (first["timing"]["fit_reused"], again["timing"]["fit_reused"]) == (False, True)
    assert again.clips == first.clips


@pytest.mark.parametrize("name", ["facial-no-gtem", "facial-no-gloc", "facial-no-adversarial", "facial-no-finetuning"])
def test_every_ablation_runs(make_bench: Callable[[int], EvaluationSetup], tmp_path: Path, name: str) -> None:
    result = evaluate(facial(name), make_bench(29), Settings(options=QUICK), tmp_path, QUIET)
    assert result.metrics["lmd"].status == "ok"
