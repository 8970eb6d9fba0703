"""Finished outputs as people have them, on tracks of real people: what goes wrong is told, and nothing goes wrong
without a word."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from facial_bench import Session
from facial_bench.cli import main
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.importers.tracks import import_tracks
from facial_bench.errors import FacialBenchError
from facial_bench.evaluation.result import Result
from facial_bench.evaluation.run import fold_tasks
from facial_bench.methods.output_files import output_names
from facial_bench.metrics.identity import SELF
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
        file = folder / f"{output_names(task.request.id, task.request.identity)[0]}.npz"
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


def test_a_frame_of_nan_costs_that_frame(session: Session, corpus: Corpus, run: Run, tmp_path: Path) -> None:
    def lost(clip: Clip) -> Arrays:
        given = state(clip)
        given[100] = np.nan
        return {"state": given}

    result, lines = run(real(session, corpus, lost, tmp_path / "made"))
    assert {row.status for row in result.clips} == {"ok"}
    assert 0 < result.metrics["lmd/canonical"].value < 0.01, "it is no better than the person's mean there"
    (line,) = [line for line in lines.warnings if "NaN" in line]
    assert "1 frame with NaN (first 100): the person's mean training state stands there" in line


def test_without_cross_driven_outputs_one_line_says_so(
    session: Session, corpus: Corpus, run: Run, tmp_path: Path
) -> None:
    folder = real(session, corpus, lambda clip: {"state": state(clip)}, tmp_path / "made")
    shutil.rmtree(folder / "cross")
    result, lines = run(folder)
    (line,) = lines.warnings
    assert "failed on cross/s02a@0 and 1 more: no output cross/s02a@0=s03" in line
    assert any("none of the 2 that other people's speech drives" in said for said in lines.said)
    assert {row.status for row in result.clips if row.driving == SELF} == {"ok"}


def test_new_files_behind_a_link_are_scored_anew(session: Session, corpus: Corpus, run: Run, tmp_path: Path) -> None:
    made = real(session, corpus, lambda clip: {"state": state(clip)}, tmp_path / "made")
    links = tmp_path / "links"
    links.mkdir()
    for name in ("self", "cross"):
        os.symlink(made / name, links / name)
    first, _ = run(links)
    real(session, corpus, lambda clip: {"state": np.roll(state(clip), 4, axis=0)}, made)
    second, _ = run(links)
    assert second.method.inputs != first.method.inputs
    assert (first.metrics["mouth_lag"].value, second.metrics["mouth_lag"].value) == (0, 160)


def test_another_folder_under_one_name_is_refused_before_work_begins(
    session: Session, corpus: Corpus, run: Run, tmp_path: Path
) -> None:
    folders = [real(session, corpus, lambda clip: {"state": state(clip)}, tmp_path / name) for name in ("one", "two")]
    assert not run(folders[0], name="theirs")[1].warnings
    with pytest.raises(FacialBenchError, match=r"precomputed@theirs/seed-0 holds a result of other options.*--as"):
        run(folders[1], name="theirs")


def test_times_of_requests_are_those_of_the_video(tmp_path: Path) -> None:
    """A video whose first frames fill: its clock and that of the .wav beside it differ."""
    pytest.importorskip("av", reason="PyAV is not installed: pip install -r requirements-video.txt")
    from tests.helpers.media import TRACKER, moving, tone, write_sound, write_video

    filling = [moving(1)[0]] * 2
    for name in ("p1a", "p1b"):
        write_video(tmp_path / "v" / f"{name}.mp4", filling + moving(100))
        write_sound(tmp_path / "v" / f"{name}.wav", tone(4.0))
    build = ["corpus", "build", str(tmp_path / "v"), str(tmp_path / "made"), "--tracker", "dot", "--workers", "1"]
    assert CliRunner().invoke(main, [*build, "--plugin", str(TRACKER)], catch_exceptions=False).exit_code == 0
    listed = CliRunner().invoke(main, ["corpus", "requests", str(tmp_path / "made"), "--fold", "all"])
    rows = list(csv.DictReader(listed.stdout.splitlines()))
    assert {row["request"] for row in rows} == {"self/p1a@0", "self/p1b@0"}
    for row in rows:
        assert (row["frames"], row["video"], row["sound"]) == ("100", row["sound"][:3] + ".mp4", row["sound"])
        assert float(row["from_s"]) == pytest.approx(0.08, abs=1e-3)
        assert float(row["to_s"]) == pytest.approx(4.08, abs=1e-3)
        assert float(row["sound_from_s"]) == 0
