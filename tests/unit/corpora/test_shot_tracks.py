"""Resampling by the frames' own times: exact where times meet, linear between, honest about what was not seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from facial_bench.corpora.from_videos.shot_tracks import resample_faces
from facial_bench.corpora.resample_tracks import LONGEST_GAP, output_times
from facial_bench.errors import CorpusError
from facial_bench.types import Face


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def faces_at(times: np.ndarray) -> list[Face]:
    """Faces whose every number is a known smooth function of time."""
    return [
        Face(
            np.full((68, 3), np.sin(t)) + np.arange(204).reshape(68, 3),
            np.array([0.3 * t, np.cos(t), -0.2]),
            np.array([t, -t, -30.0 - t]),
            0.5 + 0.4 * np.sin(3 * t),
            {"mood": np.array([t, 2 * t])},
        )
        for t in times
    ]


def test_equals_slow_interpolation_at_any_spacing(rng) -> None:
    times = 7.3 + np.cumsum(rng.uniform(0.01, 0.09, 80))
    faces = faces_at(times)
    tracked = resample_faces(times.tolist(), faces, 25.0)
    at = []
    while not at or at[-1] + 0.04 <= times[-1] + 1e-9:
        at.append(times[0] + 0.04 * len(at))
    slow = {"landmarks": [], "blink": [], "mood": [], "translation": [], "rotation": []}
    for t in at:
        k = max(j for j in range(len(times)) if times[j] <= t + 1e-9)
        nxt = min(k + 1, len(times) - 1)
        w = (t - times[k]) / (times[nxt] - times[k]) if nxt > k else 0.0
        for name in ("landmarks", "blink", "translation"):
            slow[name].append((1 - w) * getattr(faces[k], name) + w * getattr(faces[nxt], name))
        slow["mood"].append((1 - w) * faces[k].extras["mood"] + w * faces[nxt].extras["mood"])
        pair = Rotation.from_euler("xyz", [faces[k].rotation, faces[nxt].rotation])
        slow["rotation"].append(Slerp([0, 1], pair)(w).as_matrix())
    assert tracked.valid.all()
    assert len(tracked.valid) == len(at)
    for name in ("landmarks", "blink", "mood", "translation"):
        np.testing.assert_allclose(tracked.arrays[name], slow[name], atol=1e-9)
    turned = Rotation.from_euler("xyz", tracked.arrays["rotation"]).as_matrix()
    np.testing.assert_allclose(turned, slow["rotation"], atol=1e-9)


def test_by_hand_at_the_same_times_and_moved_as_a_whole() -> None:
    times = np.arange(10) / 25
    same = resample_faces(times, faces_at(times), 25.0)
    np.testing.assert_array_equal(same.arrays["blink"], [face.blink for face in faces_at(times)])
    half = resample_faces([0.0, 0.08], [faces_at(np.array([0.0]))[0], faces_at(np.array([0.08]))[0]], 25.0)
    assert half.arrays["mood"].tolist() == pytest.approx(np.array([[0, 0], [0.04, 0.08], [0.08, 0.16]]))
    moved = resample_faces(times + 100.0, faces_at(times), 25.0)
    np.testing.assert_allclose(moved.arrays["landmarks"], same.arrays["landmarks"], atol=1e-9)


@pytest.mark.parametrize("rate", [24.0, 25.0, 30000 / 1001, 30.0, 50.0, 60.0])
def test_a_constant_rate_loses_no_time(rate: float) -> None:
    times = np.arange(round(20 * rate)) / rate
    at = output_times(times, 25.0)
    assert times[-1] - at[-1] < 1 / 25
    assert at[-1] <= times[-1] + 1e-6
    tracked = resample_faces(times, faces_at(times), 25.0)
    np.testing.assert_allclose(tracked.arrays["translation"][:, 0], at, atol=1e-9)


def test_only_what_was_seen_is_valid() -> None:
    times = np.arange(40) / 30
    faces: list[Face | None] = list(faces_at(times))
    faces[0] = faces[12] = faces[39] = None
    tracked = resample_faces(times, faces, 25.0)
    at = np.arange(len(tracked.valid)) / 25
    touched = (at < 1 / 30) | ((at > 11 / 30 + 1e-9) & (at < 13 / 30 - 1e-9)) | (at > 38 / 30 + 1e-9)
    np.testing.assert_array_equal(tracked.valid, ~touched)
    assert all(np.isfinite(array).all() for array in tracked.arrays.values())
    gap = [0.0, 0.04, 0.08, 0.08 + LONGEST_GAP + 0.04, 0.36]
    assert resample_faces(gap, faces_at(np.array(gap)), 25.0).valid.tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 1, 1]


def test_one_face_one_frame_none() -> None:
    assert resample_faces([3.0], faces_at(np.array([3.0])), 25.0).valid.tolist() == [True]
    one = resample_faces([0.0, 0.04, 0.08], [None, faces_at(np.array([0.04]))[0], None], 25.0)
    assert one.valid.tolist() == [False, True, False]
    with pytest.raises(CorpusError, match="no face was found"):
        resample_faces([0.0, 0.04], [None, None], 25.0)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("landmarks", np.zeros((67, 3)), r"landmarks is \(67, 3\), expected \(68, 3\)"),
        ("rotation", np.array([0, np.nan, 0]), "rotation holds NaN"),
        ("translation", np.array([0, 0, 30.0]), "z is not"),
        ("blink", "shut", "do not fit together"),
        ("extras", {"mood": np.array([np.inf, 0])}, "mood holds NaN"),
    ],
)
def test_a_tracker_that_gives_something_else(name: str, value: object, complaint: str) -> None:
    from dataclasses import replace

    bad = replace(faces_at(np.array([0.0]))[0], **{name: value})
    with pytest.raises(CorpusError, match=complaint):
        resample_faces([0.0, 0.04], [bad, bad], 25.0)
    with pytest.raises(CorpusError, match="do not fit together"):
        resample_faces([0.0, 0.04], [faces_at(np.array([0.0]))[0], replace(bad, blink=0.0, extras={})], 25.0)
