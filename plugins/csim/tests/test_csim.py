"""CSIM: what it says of equal, moved and other faces; its twin by hand; which models it takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_model import write_model

from facial_bench.errors import FacialBenchError
from facial_bench_csim.alignment import SIDE, TEMPLATE, aligned, five_points, similarity
from facial_bench_csim.plugin import facial_bench_picture_metrics
from facial_bench_csim.similarity import FaceSimilarity
from facial_bench_csim.weights import find_weights


def landmarks_at(points: np.ndarray) -> np.ndarray:
    """(68, 2) landmarks whose five points are these."""
    landmarks = np.zeros((68, 2))
    landmarks[36:42], landmarks[42:48] = points[0], points[1]
    landmarks[[30, 48, 54]] = points[2:]
    return landmarks


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tiny.tflite")


@pytest.fixture
def faces() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.repeat(np.repeat(rng.integers(0, 256, (3, 8, 8, 3), dtype=np.uint8), 16, axis=1), 16, axis=2)


def test_listing_the_metric_imports_nothing_heavy() -> None:
    (spec,) = facial_bench_picture_metrics()
    assert (spec.id, spec.higher_is_better, spec.family) == ("csim", True, "pictures")
    code = (
        "import sys, facial_bench_csim.plugin as p; p.facial_bench_picture_metrics();"
        "print({'ai_edge_litert', 'PIL'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_points_that_stand_where_the_template_has_them_move_nothing(faces: np.ndarray) -> None:
    np.testing.assert_allclose(five_points(landmarks_at(TEMPLATE)), TEMPLATE)
    np.testing.assert_allclose(aligned(faces[0], TEMPLATE).astype(int), faces[0][:SIDE, :SIDE], atol=1)


@pytest.mark.parametrize(("turn", "scale"), [(0.0, 1.0), (0.4, 0.8), (-0.2, 3.0)])
def test_the_similarity_is_found_again(turn: float, scale: float) -> None:
    wanted = scale * np.array([[np.cos(turn), -np.sin(turn), 9.0], [np.sin(turn), np.cos(turn), -4.0]])
    points = TEMPLATE @ wanted[:, :2].T + wanted[:, 2]
    np.testing.assert_allclose(similarity(points), wanted, atol=1e-9)


def test_a_larger_picture_is_the_mean_of_its_pixels(faces: np.ndarray) -> None:
    fine = np.repeat(np.repeat(faces[0], 3, axis=0), 3, axis=1)
    np.testing.assert_allclose(aligned(fine, 3 * TEMPLATE).astype(int), faces[0][:SIDE, :SIDE], atol=1)


def test_the_cosine_is_that_of_the_pixels_by_hand(model: Path, faces: np.ndarray) -> None:
    metric, landmarks = FaceSimilarity(model), np.repeat(landmarks_at(TEMPLATE)[None], 3, axis=0)
    rendered = 255 - faces // 2
    told = metric(faces, rendered, landmarks, landmarks)
    assert told.shape == (3,) and told.dtype == np.float64
    for t in range(3):
        points = five_points(landmarks[t])
        one, two = (aligned(frames[t], points).ravel() - 127.5 for frames in (faces, rendered))
        assert told[t] == pytest.approx(one @ two / np.linalg.norm(one) / np.linalg.norm(two), rel=1e-6)
    np.testing.assert_allclose(metric(faces, faces, landmarks, landmarks), 1.0)


def test_each_picture_is_moved_by_its_own_landmarks(model: Path, faces: np.ndarray) -> None:
    """A head that was to be elsewhere, and is, looks as much like the person."""
    moved, metric = np.roll(faces, (7, 5), axis=(1, 2)), FaceSimilarity(model)
    here, there = landmarks_at(TEMPLATE)[None], landmarks_at(TEMPLATE + np.array([5, 7]))[None]
    still = metric(faces[:1], faces[1:2], here, here)
    np.testing.assert_allclose(metric(moved[:1], moved[1:2], there, there), still, atol=1e-3)
    np.testing.assert_allclose(metric(faces[:1], moved[1:2], here, there), still, atol=1e-3)
    assert np.abs(metric(faces[:1], moved[1:2], here, here) - still) > 0.01


def test_a_frame_without_landmarks_has_no_value(model: Path, faces: np.ndarray) -> None:
    landmarks = np.repeat(landmarks_at(TEMPLATE)[None], 3, axis=0)
    landmarks[1, 30] = np.nan
    whole = np.nan_to_num(landmarks, nan=60.0)
    metric = FaceSimilarity(model)
    for pair in ((landmarks, whole), (whole, landmarks)):
        assert np.isnan(metric(faces, faces, *pair)).tolist() == [False, True, False]


def test_the_model_is_looked_for(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACIAL_BENCH_CSIM_MODEL", raising=False)
    monkeypatch.setenv("FACIAL_BENCH_CACHE", str(tmp_path))
    with pytest.raises(FacialBenchError, match=r"there is no .*models.csim\.tflite\. Put one there, or name it with"):
        find_weights(None)
    monkeypatch.setenv("FACIAL_BENCH_CSIM_MODEL", str(model))
    assert find_weights(None) == model
    with pytest.raises(FacialBenchError, match="--metric-model names nowhere, which cannot be read"):
        find_weights(Path("nowhere"))
    (tmp_path / "text").write_text("not a model")
    with pytest.raises(FacialBenchError, match="is no TensorFlow Lite file"):
        find_weights(tmp_path / "text")


def test_a_model_that_does_not_fit_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FacialBenchError, match=r"has inputs and outputs \[\(2, 96, 96, 3\), \(2, 27648\)\]"):
        FaceSimilarity(write_model(tmp_path / "small.tflite", side=96))
    (tmp_path / "broken.tflite").write_bytes(b"\x08\0\0\0TFL3" + bytes(40))
    with pytest.raises(FacialBenchError, match=r"broken\.tflite cannot be used: .*The metric csim needs"):
        FaceSimilarity(tmp_path / "broken.tflite")


def test_grey_faces_have_no_direction(model: Path, tmp_path: Path) -> None:
    """An embedding of length 0 is an error and no cosine."""
    metric = FaceSimilarity(model)
    assert metric.embeddings(np.full((1, SIDE, SIDE, 3), 128, np.uint8)).shape == (1, SIDE * SIDE * 3)
    metric._network.set_tensor = lambda index, faces: None  # the first answer stays: zeros
    metric._network.get_tensor = lambda index: np.zeros((2, 4), np.float32)
    with pytest.raises(FacialBenchError, match="has no direction"):
        metric.embeddings(np.zeros((1, SIDE, SIDE, 3), np.uint8))


@pytest.mark.slow
def test_a_real_embedding_knows_people_again() -> None:
    """MobileFaceNet on tracked videos: the same person elsewhere is near, other people are far."""
    data = Path(os.environ.get("FACIAL_BENCH_DATA", "nowhere"))
    model, videos = data / "models" / "mobilefacenet.tflite", data / "videos"
    tracker = data / "models" / "face_landmarker.task"
    if not (model.is_file() and tracker.is_file()):
        pytest.skip("real data: FACIAL_BENCH_DATA names no folder with the models")
    pytest.importorskip("facial_bench_mediapipe", reason="the tracker is not installed")
    from facial_bench_mediapipe.tracker import FaceLandmarker

    from facial_bench.media.video import Video, rgb

    metric, people = FaceSimilarity(model), {}
    for name in ("s02a.mp4", "s02b.mp4", "s03a.mp4", "s03b.mp4", "s05a.mp4"):
        tracking = FaceLandmarker(tracker)
        found = []
        with Video(videos / name) as video:
            for count, (seconds, frame) in enumerate(video.read()):
                if count % 25 == 0 and (face := tracking.track(rgb(frame), seconds)) is not None:
                    found.append(aligned(rgb(frame), five_points(np.asarray(face.landmarks)[:, :2])))
                if len(found) == 4:
                    break
        tracking.close()
        people.setdefault(name[:3], []).append(metric.embeddings(np.stack(found)))
    elsewhere = [takes[0] @ takes[1].T for takes in people.values() if len(takes) == 2]
    others = [one @ two.T for a in people for b in people if a < b for one in people[a] for two in people[b]]
    assert np.mean(elsewhere) > 0.75 and np.min(elsewhere) > 0.5
    assert max(map(np.max, others)) < 0.4
