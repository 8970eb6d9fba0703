"""Finished outputs as people have them, on tracks of real people: what goes wrong is told, and nothing goes wrong
without a word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from facial_bench import Session
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.importers.tracks import import_tracks
from facial_bench.errors import FacialBenchError
from facial_bench.evaluation.result import Result
from facial_bench.evaluation.run import fold_tasks
from facial_bench.types import Clip
from tests.helpers.faces import Lines
from tests.helpers.sessions import make_session, ready, run_one

METRICS = ("lmd", "lmd/canonical", "lve", "lvd/vector", "mouth_lag", "pose_speed", "pose_std_distance", "blink_rate")
Arrays = Mapping[str, np.ndarray]
Run = Callable[..., tuple[Result, Lines]]


@pytest.fixture(scope="module")
def corpus(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The tracks of two people."""
    place = tmp_path_factory.mktemp("field") / "real-tracks"
    import_tracks(real_data / "real-tracks", place, {}, lambda line: None)
    return open_corpus(place).select(("s02", "s03"))


@pytest.fixture(scope="module")
def session(small_protocol: Protocol, tmp_path_factory: pytest.TempPathFactory) -> Session:
    return make_session(tmp_path_factory.mktemp("cache"), small_protocol, metrics=METRICS)


@pytest.fixture
def run(session: Session, corpus: Corpus, tmp_path: Path) -> Run:
    """run(folder, option=...) -> the result, and what was told."""

    def evaluate(folder: Path, **options: str) -> tuple[Result, Lines]:
        session.report = told = Lines()
        own = {"motions": str(folder), **options}
        people = tuple(corpus.info.identities)
        place = {"options": own, "identities": people, "isolation": "in-process"}
        return run_one(session, "precomputed", corpus, tmp_path / "out", **place), told

    return evaluate


def real(session: Session, corpus: Corpus, make: Callable[[Clip], Arrays], folder: Path) -> Path:
    """A folder with something of the real motion of every clip, cross-driven requests answered by the same."""
    for task in fold_tasks(ready(session, corpus).folds[0], 0):
        file = folder / f"{task.request.id}.npz"
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, **make(task.clip))
    return folder


def state(clip: Clip) -> np.ndarray:
    return clip.motion.state().astype(np.float64)


def at(clip: Clip, rate: float) -> np.ndarray:
    """The state at another rate, round(seconds * rate) frames."""
    n = round(clip.frames / 25 * rate)
    known, times = np.arange(clip.frames), np.minimum(np.arange(n) / rate * 25, clip.frames - 1)
    return np.stack([np.interp(times, known, column) for column in state(clip).T], axis=1)


@pytest.mark.parametrize("rate", [20, 24, 29.97, 30, 50])
def test_outputs_at_another_rate_are_scored(
    session: Session, corpus: Corpus, run: Run, tmp_path: Path, rate: float
) -> None:
    folder = real(session, corpus, lambda clip: {"state": at(clip, rate)}, tmp_path / "made")
    result, _ = run(folder, fps=str(rate))
    assert {row.status for row in result.clips} == {"ok"}
    assert result.metrics["mouth_lag"].value == 0
    assert result.metrics["pose_std_distance"].value < 0.2


def test_the_rate_that_would_fit_is_named_before_anything_is_trained(
    session: Session, corpus: Corpus, run: Run, tmp_path: Path
) -> None:
    folder = real(session, corpus, lambda clip: {"state": at(clip, 30)}, tmp_path / "made")
    with pytest.raises(FacialBenchError, match=r"No output in .* can be scored") as problem:
        run(folder)
    assert "frames of state" in str(problem.value)
    assert "--option fps=30 would fit" in str(problem.value)


def spoiled(real_data: Path, case: str) -> Path:
    return real_data / "cases" / case / "outputs"


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("outputs-in-degrees", "beyond 2 pi: angles are in rad (degrees?)"),
        ("outputs-landmarks-0-to-1", "pixels are wanted"),
    ],
)
def test_another_unit_is_named(run: Run, real_data: Path, case: str, told: str) -> None:
    folder = spoiled(real_data, case)
    with pytest.raises(FacialBenchError, match="can be scored; self/s03b@0") as problem:
        run(folder)
    assert told in str(problem.value)


def test_a_head_behind_the_camera_loses_its_pose_alone(run: Run, real_data: Path) -> None:
    result, lines = run(spoiled(real_data, "outputs-z-sign"))
    (warning,) = [line for line in lines.warnings if "translation z is not negative" in line]
    assert "self/s03b@0" in warning
    assert "OpenCV and OpenFace" in warning
    (row,) = [row for row in result.clips if row.status == "ok"]
    assert row.metrics["lmd/canonical"].value < 0.01
    assert row.metrics["blink_rate"].numbers is not None
    assert result.metrics["pose_speed"].status == "absent"


def test_pose_is_rotation_and_translation(session: Session, corpus: Corpus, run: Run, tmp_path: Path) -> None:
    def one(clip: Clip) -> Arrays:
        return {"landmarks": clip.landmarks, "pose": clip.motion.pose, "blink": clip.motion.blink}

    def two(clip: Clip) -> Arrays:
        pose = clip.motion.pose
        parts = {"rotation": pose[:, :3], "translation": pose[:, 3:]}
        return {"landmarks": clip.landmarks, "blink": clip.motion.blink, **parts}

    values = [
        {name: metric.value for name, metric in run(real(session, corpus, make, tmp_path / made))[0].metrics.items()}
        for made, make in {"one": one, "two": two}.items()
    ]
    assert values[0] == values[1]
    assert values[0]["lve"] is not None
