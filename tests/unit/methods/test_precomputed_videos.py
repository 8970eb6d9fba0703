"""Rendered videos: tracked as the real ones were, and scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV is not installed: pip install -r requirements-video.txt")

from facial_bench import Session
from facial_bench.core.progress import QUIET
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.find_videos import find_sources
from facial_bench.corpora.from_videos.build import build_corpus
from facial_bench.corpora.from_videos.settings import BuildSettings
from facial_bench.corpora.from_videos.video_frames import clip_frames
from facial_bench.errors import GenerationError
from facial_bench.evaluation.result import Result
from facial_bench.evaluation.run import fold_tasks
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.methods.precomputed import Precomputed
from facial_bench.metrics.identity import SELF
from facial_bench.plugin_api.build_tools import make_tools
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.types import Context, Request
from tests.helpers.media import TRACKER, moving, tone, write_video
from tests.helpers.odd_videos import Pictures, join, rewrite, spoil, write_streams
from tests.helpers.sessions import make_session, ready, run_one


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    root = tmp_path_factory.mktemp("rendered")
    for p in range(2):
        for k in range(3):
            pictures = moving(200 + 20 * k, ground=30 + 10 * p)[5 * p :]
            write_video(root / "v" / f"p{p + 1}{'abc'[k]}.mp4", pictures, sound=tone(len(pictures) / 25))
    settings = BuildSettings(tracker="dot", plugin_files=(str(TRACKER),))
    build_corpus(find_sources(root / "v")[0], root / "v", root / "dots", settings, make_tools, workers=1, report=QUIET)
    return open_corpus(root / "dots")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, small_protocol: Protocol) -> Session:
    wanted = ("lmd", "lmd/canonical", "lmd/raw-face", "pose_std_distance")
    session = make_session(tmp_path_factory.mktemp("cache"), small_protocol, metrics=wanted)
    session.plugins = load_plugins([TRACKER], installed=[])
    return session


@pytest.fixture(scope="module")
def setup(session: Session, corpus: Corpus) -> EvaluationSetup:
    return ready(session, corpus)


def run(session: Session, corpus: Corpus, out: Path, folder: Path) -> Result:
    """In this process: the tracker of the test is not installed."""
    return run_one(session, "precomputed", corpus, out, options={"videos": str(folder)}, isolation="in-process")


def render(setup: EvaluationSetup, folder: Path, grow: int = 1, ending: str = ".mp4") -> Path:
    """The real test stretches as videos of their own."""
    for task in fold_tasks(setup.folds[0], 0):
        clip = task.clip
        images = [image for _, image in clip_frames(setup.corpus, clip.id, range(clip.start, clip.start + clip.frames))]
        larger = [np.kron(image, np.ones((grow, grow, 1), np.uint8)) for image in images]
        write_video(folder / f"{task.request.id}{ending}", larger)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("grow", [1, 2])
def test_the_real_video_scores_as_the_real_motion(
    session: Session, setup: EvaluationSetup, corpus: Corpus, tmp_path: Path, grow: int
) -> None:
    """Rendered at the real size or at twice of it, which the clip's own view takes back."""
    result = run(session, corpus, tmp_path / "out", render(setup, tmp_path / "v", grow))
    assert {row.status for row in result.clips} == {"ok"}
    metrics, references = result.metrics, result.references
    assert metrics["lmd/raw-face"].value < 1.0, "pixels"
    assert metrics["lmd"].value < references["lmd"].chance / 3
    assert metrics["lmd/canonical"].value < references["lmd/canonical"].chance / 3
    assert metrics["pose_std_distance"].value < 0.02
    assert all(metric.status in ("ok", "refused") for metric in metrics.values())


@pytest.mark.slow
def test_videos_that_are_missing_damaged_faceless_or_too_short_count_as_failed(
    session: Session, setup: EvaluationSetup, corpus: Corpus, tmp_path: Path
) -> None:
    folder = render(setup, tmp_path / "v", ending=".mkv")
    own = [task for task in fold_tasks(setup.folds[0], 0) if task.driving == SELF]
    (folder / f"{own[0].request.id}.mkv").write_text("no video")
    images = moving(own[1].clip.frames)
    gone = len(images) // 10 + 1
    images[7 : 7 + gone] = [image * 0 for image in images[:gone]]
    write_video(folder / f"{own[1].request.id}.mkv", images)
    result = run(session, corpus, tmp_path / "out", folder)
    reasons = [row.reason for row in result.clips if row.driving == SELF]
    assert "cannot be opened as a video" in reasons[0]
    assert f"no face in {gone} of" in reasons[1]
    assert result.metrics["lmd"].n_failed == 2
    cross = next(task for task in fold_tasks(setup.folds[0], 0) if task.driving != SELF)
    (folder / f"{cross.request.id}.mkv").unlink()
    write_video(folder / f"{cross.request.id}.mp4", moving(cross.clip.frames - 1))
    again = run(session, corpus, tmp_path / "out", folder)
    (row,) = [row for row in again.clips if row.request == cross.request.id]
    assert f"has {cross.clip.frames - 1} frames of" in row.reason
    assert row.metrics["pose_accuracy/cross"].value == 0


@pytest.mark.parametrize(("rate", "frames"), [(30, 122), (24, 98), (20, 82)])
def test_a_video_of_another_rate_may_end_where_rounding_ends_it(
    session: Session, corpus: Corpus, tmp_path: Path, rate: int, frames: int
) -> None:
    """102 frames at 25 a second are 122.4, 97.9 and 81.6 at these."""
    clip = corpus.clip("p1a")
    still = np.zeros(71, np.float32)
    request = Request("self/p1a@0", "p1", clip.audio[:102], still, 25.0, 0, clip.camera)
    trackers = {name: one.spec for name, one in session.plugins.registered("trackers").items()}
    context = Context(corpus.info, 0, "cpu", options={"videos": str(tmp_path)}, trackers=trackers)
    for count, fine in ((frames, True), (frames - 2, False)):
        write_video(tmp_path / "p1a.mp4", moving(count), float(rate))
        if fine:
            assert Precomputed(context).generate([request])[0].frames == 102
        else:
            with pytest.raises(GenerationError, match=f"has {count} frames of video"):
                Precomputed(context).generate([request])


def test_a_few_frames_without_a_face_are_the_mean_training_state(
    session: Session, corpus: Corpus, tmp_path: Path
) -> None:
    """As frames of NaN in an array are: a tenth at most, and told."""
    clip = corpus.clip("p1a")
    still = np.asarray(clip.motion.state()[0], np.float32)
    request = Request("self/p1a@0", "p1", clip.audio[:50], still, 25.0, 0, clip.camera)
    trackers = {name: one.spec for name, one in session.plugins.registered("trackers").items()}
    said: list[str] = []
    options = {"videos": str(tmp_path)}
    context = Context(corpus.info, 0, "cpu", log=said.append, options=options, trackers=trackers)
    whole = moving(50)
    write_video(tmp_path / "p1a.mp4", whole)
    (right,) = Precomputed(context).generate([request])
    assert not said
    dark = [image * 0 if k in (7, 30, 31, 32, 49) else image for k, image in enumerate(whole)]
    write_video(tmp_path / "p1a.mp4", dark)
    (motion,) = Precomputed(context).generate([request])
    assert said == ["self/p1a@0: 5 frames without a face (first 7): the person's mean training state stands there"]
    lost = np.isin(np.arange(50), (7, 30, 31, 32, 49))
    np.testing.assert_allclose(motion.pose[~lost], right.pose[~lost], atol=0.05)
    np.testing.assert_allclose(motion.pose[lost], np.repeat(still[None, 64:70], 5, axis=0))
    np.testing.assert_allclose(motion.blink[lost], still[70])
    twice = write_video(tmp_path / "p1a.mp4", whole).read_bytes()
    (tmp_path / "p1a.mp4").write_bytes(2 * twice)
    Precomputed(context).generate([request])
    where = f"bytes {len(twice):,} to the end, 50 % of the file"
    assert said[1].startswith(f"self/p1a@0: {where}, hold a second film that was not read")
    dark[10] = dark[10] * 0
    write_video(tmp_path / "p1a.mp4", dark)
    with pytest.raises(GenerationError, match=r"p1a\.mp4: no face in 6 of 50 frames"):
        Precomputed(context).generate([request])


def test_damage_and_another_size_are_failures(session: Session, corpus: Corpus, tmp_path: Path) -> None:
    """What a decoder makes up for damaged data is nobody's motion; another size is another scale."""
    clip = corpus.clip("p1a")
    request = Request("self/p1a@0", "p1", clip.audio[:50], np.zeros(71, np.float32), 25.0, 0, clip.camera)
    trackers = {name: one.spec for name, one in session.plugins.registered("trackers").items()}
    context = Context(corpus.info, 0, "cpu", options={"videos": str(tmp_path)}, trackers=trackers)
    whole = write_streams(tmp_path / "whole.mp4", Pictures(moving(50), keys=25))
    rewrite(whole, tmp_path / "p1a.mp4", lambda kind, number, data: spoil(data) if number == 40 else data)
    with pytest.raises(GenerationError, match=r"p1a\.mp4: no face in 10 of 50 frames"):
        Precomputed(context).generate([request])
    (tmp_path / "p1a.mp4").unlink()
    parts = [
        write_streams(tmp_path / f"{k}.ts", Pictures(moving(25, size), begin=float(k)))
        for k, size in enumerate(((96, 64), (120, 80)))
    ]
    join(tmp_path / "p1a.mkv", *parts)
    with pytest.raises(GenerationError, match=r"p1a\.mkv changes its picture size at 1\.00 s"):
        Precomputed(context).generate([request])
