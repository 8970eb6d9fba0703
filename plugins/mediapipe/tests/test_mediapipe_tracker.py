"""MediaPipe on real videos: the landmarks are where another version of it put them, times are the container's."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.spatial.transform import Rotation

pytest.importorskip("mediapipe", reason="MediaPipe is not installed: pip install -r requirements-video.txt")

from tests.helpers.media import write_video

from facial_bench import RunConfig, Session
from facial_bench.cli import main
from facial_bench.core.geometry import outer_eye_distance
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.from_videos.video_frames import video_file
from facial_bench.errors import FacialBenchError
from facial_bench.evaluation.run import fold_tasks
from facial_bench.media.video import Video, rgb
from facial_bench.metrics.identity import SELF
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.types import Face
from facial_bench_mediapipe.plugin import facial_bench_trackers
from facial_bench_mediapipe.points import IBUG, euler_angles, focal_length, ibug_landmarks
from facial_bench_mediapipe.weights import VARIABLE, find_weights

VIDEOS = ("s01a", "s02b", "s03a", "s03b", "s03c", "s04", "s11a-variable-rate")
"""Those that are built: one of each kind of picture, sound and rate. The others take as long again and show no more."""
PIECES = {"s04a": "s04-1", "s04b": "s04-2", "s04c": "s04-3", "s04d": "s04-4", "s04e": "s04-5"}
"""Clips of the reference tracks that the build names after their video and number."""


@pytest.fixture(scope="session")
def data() -> Path:
    folder = os.environ.get("FACIAL_BENCH_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("real data: FACIAL_BENCH_DATA does not name a folder")
    return Path(folder)


@pytest.fixture(scope="session")
def weights(data: Path) -> Path:
    return data / "models" / "face_landmarker.task"


def tracked(video: Path, weights: Path, count: int | None = None) -> list[tuple[float, Face | None]]:
    """(seconds on the container's clock, face) of the first frames, with nothing between decoder and tracker."""
    tracker = facial_bench_trackers()[0].create(weights)
    faces = []
    with Video(video) as opened:
        for seconds, frame in opened.read():
            faces.append((seconds, tracker.track(rgb(frame), seconds)))
            if len(faces) == count:
                break
    tracker.close()
    return faces


def test_the_weights_are_looked_for_and_told_about(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("FACIAL_BENCH_CACHE", str(tmp_path))
    with pytest.raises(FacialBenchError, match=r"there is no .*/face_landmarker\.task\. Download https") as none:
        find_weights(None)
    assert "\n" not in str(none.value)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "face_landmarker.task").write_bytes(weights.read_bytes())
    assert find_weights(None).parent == tmp_path / "models"
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone.task"))
    with pytest.raises(FacialBenchError, match=rf"{VARIABLE} names .*gone\.task, which is no file"):
        find_weights(None)
    assert find_weights(weights) == weights
    (tmp_path / "gone.task").write_text("damaged")
    with pytest.raises(FacialBenchError, match="is no MediaPipe task file"):
        find_weights(None)


def test_points_and_camera_by_hand() -> None:
    mesh = [SimpleNamespace(x=0.0, y=0.0, z=0.0) for _ in range(478)]
    mesh[IBUG[30]] = SimpleNamespace(x=0.5, y=0.25, z=-0.1)
    placed = ibug_landmarks(mesh, 200, 100)
    np.testing.assert_allclose(placed[30], [100, 25, -20])
    assert len(set(IBUG)) == 68
    turns = Rotation.random(200, random_state=0)
    angles = np.array([euler_angles(turn.as_matrix()) for turn in turns])
    np.testing.assert_allclose(Rotation.from_euler("xyz", angles).as_matrix(), turns.as_matrix(), atol=1e-9)
    np.testing.assert_allclose(euler_angles(np.eye(3)), 0)
    np.testing.assert_allclose(euler_angles(Rotation.from_euler("xyz", [0.1, -0.2, 0.3]).as_matrix()), [0.1, -0.2, 0.3])
    assert focal_length(256) == pytest.approx(128 / np.tan(np.radians(31.5)))
    with pytest.raises(ValueError, match="expected"):
        ibug_landmarks(mesh[:468], 200, 100)


def test_padded_pictures_are_read_right(data: Path, weights: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """At 700 pixels a decoder pads rows: a face is found all the same. And the native library keeps quiet."""
    faces = tracked(data / "videos" / "s11a-variable-rate.mp4", weights, 3)
    assert all(face is not None for _, face in faces)
    with Video(data / "videos" / "s12a.mp4") as opened:
        image = rgb(next(iter(opened.read()))[1])
    wide = np.zeros((image.shape[0], image.shape[1] + 40, 3), np.uint8)[:, : image.shape[1]]
    wide[:] = image
    faces = []
    for one in (image, wide):
        tracker = facial_bench_trackers()[0].create(weights)
        faces.append(tracker.track(one, 0.0))
        tracker.close()
    assert not wide.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(faces[0].landmarks, faces[1].landmarks)
    assert faces[0].extras["blendshapes"].shape == (52,)
    assert 0 <= faces[0].blink <= 1
    assert capfd.readouterr().err == ""


@pytest.fixture(scope="module")
def built(data: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("built")
    (folder / "videos").mkdir()
    for file in (data / "videos").iterdir():
        if file.stem in VIDEOS:
            (folder / "videos" / file.name).symlink_to(file)
    dest = folder / "corpus"
    command = ["corpus", "build", str(folder / "videos"), str(dest), "--model", str(weights), "--workers", "2"]
    done = CliRunner().invoke(main, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return open_corpus(dest)


@pytest.mark.slow
def test_a_corpus_built_from_videos_agrees_with_the_reference_tracks(built: Corpus, data: Path, tmp_path: Path) -> None:
    """Tracks of the same videos by MediaPipe 0.10.21, imported: landmarks within 1 % of the eye distance, rotation
    within half a degree (medians); the sound where its stamps put it; a clip of variable rate keeps its time."""
    imported = tmp_path / "reference"
    command = ["corpus", "import", str(data / "real-tracks"), str(imported), "--format", "tracks"]
    assert CliRunner().invoke(main, command, catch_exceptions=False).exit_code == 0
    reference = open_corpus(imported)
    compared = []
    for entry in reference.entries:
        name = PIECES.get(entry.id, entry.id)
        if name not in {one.id for one in built.entries}:
            continue
        theirs, ours = reference.clip(entry.id), built.clip(name)
        assert theirs.frames == ours.frames, name
        distance = np.linalg.norm((theirs.landmarks - ours.landmarks)[..., :2], axis=2)
        share = distance / outer_eye_distance(theirs.landmarks)[:, None]
        turned = [Rotation.from_euler("xyz", clip.motion.pose[:, :3].astype(float)) for clip in (theirs, ours)]
        angle = np.degrees((turned[0].inv() * turned[1]).magnitude())
        assert np.median(share) < 0.01, name
        assert np.median(angle) < 0.5, name
        assert np.abs(theirs.motion.blink - ours.motion.blink).mean() < 0.01
        compared.append(name)
    assert len(compared) == 10
    check_variable_rate(built, data)
    # What was measured of the sound by hand and taken out of the reference tracks is what info finds in the videos.
    shown = CliRunner().invoke(main, ["corpus", "info", str(built.path)]).output
    offsets = {line.split()[0]: line for line in shown.splitlines() if line.startswith("s0")}
    assert " +0.16 " in offsets["s01a"]
    assert any(f" -0.0{k} " in offsets["s04-2"] for k in (5, 6, 7))
    # Sound: of a video with sound beside it, the same samples as the reference; their mel bands agree.
    a, b = reference.clip("s02b").audio, built.clip("s02b").audio
    assert np.abs(a - b).mean() < 0.01
    check_rendered(built, tmp_path, data / "models" / "face_landmarker.task")


def check_rendered(built: Corpus, folder: Path, weights: Path) -> None:
    """The real test videos of two people, encoded again, score as the real motion does."""
    corpus = built.select(["s01", "s03"])
    classifiers = replace(Protocol().classifiers, seeds=(1, 2), channels=(8, 8, 8), steps=60, learning_rate=1e-2)
    protocol = replace(Protocol(), classifiers=classifiers, resamples=100)
    session = Session(load_plugins(), cache=folder / "cache", protocol=protocol, metrics=["lmd", "lmd/canonical"])
    for task in fold_tasks(session.prepare(corpus, session.measured(), "one", "cpu").folds[0], 0):
        clip, note = task.clip, corpus.note("clips", task.clip.id)
        if task.driving == SELF:
            wanted = note["clock_s"] + (clip.start + np.arange(clip.frames)) / 25
            with Video(video_file(corpus, clip.id)) as video:
                near = [(t, rgb(f)) for t, f in video.read() if wanted[0] - 0.1 < t < wanted[-1] + 0.1]
            times = np.array([t for t, _ in near])
            write_video(folder / "v" / f"{task.request.id}.mp4", [near[np.abs(times - w).argmin()][1] for w in wanted])
    config = RunConfig(
        "precomputed",
        corpus=str(corpus.path),
        identities=tuple(corpus.info.identities),
        device="cpu",
        options={"videos": str(folder / "v"), "model": str(weights)},
        out=str(folder / "out"),
    )
    ((_, result),) = session.evaluate(config)
    metrics, references = result.metrics, result.references
    assert metrics["lmd"].value < 0.003 < 0.02 < references["lmd"].chance
    assert metrics["lmd/canonical"].value < 0.003
    for name in ("pose_accuracy/paper", "blink_accuracy/paper"):
        if metrics[name].status == "ok":
            assert metrics[name].value == pytest.approx(references[name].ceiling.value, abs=0.03)
    for name in ("pose_accuracy", "pose_accuracy/rotation", "pose_accuracy/raw", "blink_accuracy"):
        if metrics[name].status == "ok":  # these classifiers have learned the very motion
            assert metrics[name].value > references[name].ceiling.value - 0.03
    assert metrics["pose_accuracy/cross"].value is None


def check_variable_rate(built: Corpus, data: Path) -> None:
    """Frame k of the clip is what the camera saw k / 25 s after its first frame, to within half a frame."""
    clip = built.clip("s11a-variable-rate")
    faces = [
        (t, face)
        for t, face in tracked(data / "videos" / "s11a-variable-rate.mp4", data / "models" / "face_landmarker.task")
        if face is not None
    ]
    times = np.array([t for t, _ in faces])
    times -= times[0]
    assert np.diff(times).max() > 1.5 * np.diff(times).min(), "its rate varies"
    assert 0 <= times[-1] - (clip.frames - 1) / 25 < 1 / 25
    nose = np.array([face.landmarks[30, :2] for _, face in faces])
    at = np.arange(clip.frames) / 25

    def off(shift: float, clock: np.ndarray) -> float:
        seen = np.stack([np.interp(at + shift, clock, nose[:, k]) for k in range(2)], axis=1)
        return float(np.abs(seen - clip.landmarks[:, 30, :2])[5:-5].mean())

    best = min(np.arange(-2, 2.01, 0.25) / 25, key=lambda shift: off(shift, times))
    assert abs(best) <= 0.5 / 25
    constant = np.linspace(0, times[-1], len(times))
    assert off(0, times) < off(0, constant) / 3, "and a constant rate would be seen"
