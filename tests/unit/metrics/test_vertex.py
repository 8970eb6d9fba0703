"""The vertex family against torchmetrics and loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchmetrics.functional.multimodal import lip_vertex_error

from facial_bench.core.geometry import MOUTH
from facial_bench.metrics.vertex import UPPER_FACE, neutral_face, squared_deviation, vertex_metrics
from facial_bench.types import Person
from tests.helpers.faces import make_sample

METRICS = {spec.id: spec for spec in vertex_metrics()}


@pytest.fixture
def faces() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    real = rng.standard_normal((30, 68, 3))
    return real, real + 0.3 * rng.standard_normal((30, 68, 3))


def score(name: str, real: np.ndarray, made: np.ndarray, valid: np.ndarray | None = None) -> float:
    spec, sample = METRICS[name], make_sample(real, made, valid)
    more = [spec.prepare(Person("a", [make_sample(real[::2])], [sample]))] if spec.prepare else []
    values = spec.compute(sample, *more)
    return float(np.mean(values))


def test_lve_equals_torchmetrics(faces) -> None:
    expected = lip_vertex_error(*(torch.from_numpy(face) for face in faces[::-1]), mouth_map=list(MOUTH))
    assert score("lve", *faces) == pytest.approx(float(expected), abs=1e-9)


def slow_distances(real: np.ndarray, made: np.ndarray, points) -> list[list[float]]:
    return [
        [sum((made[t, k, a] - real[t, k, a]) ** 2 for a in range(3)) ** 0.5 for k in points] for t in range(len(real))
    ]


def slow_fdd(real: np.ndarray, made: np.ndarray, signed: bool) -> float:
    total = 0.0
    for k in UPPER_FACE:
        stds = []
        for face in (real, made):
            middle = [sum(face[t, k, a] for t in range(len(face))) / len(face) for a in range(3)]
            size = [sum((face[t, k, a] - middle[a]) ** 2 for a in range(3)) ** 0.5 for t in range(len(face))]
            mean = sum(size) / len(size)
            stds.append((sum((s - mean) ** 2 for s in size) / len(size)) ** 0.5)
        total += (stds[0] - stds[1]) if signed else abs(stds[0] - stds[1])
    return total / len(UPPER_FACE)


def slow_codetalker(real: np.ndarray, made: np.ndarray) -> float:
    """The neutral face is the mean of the training clip, which is every second real frame."""
    total = 0.0
    for k in UPPER_FACE:
        neutral = [sum(real[t, k, a] for t in range(0, len(real), 2)) / len(real[::2]) for a in range(3)]
        stds = []
        for face in (real, made):
            size = [sum((face[t, k, a] - neutral[a]) ** 2 for a in range(3)) for t in range(len(face))]
            mean = sum(size) / len(size)
            stds.append((sum((s - mean) ** 2 for s in size) / len(size)) ** 0.5)
        total += stds[0] - stds[1]
    return total / len(UPPER_FACE)


def test_every_definition_equals_its_loop(faces) -> None:
    lips = slow_distances(*faces, MOUTH)
    everything = slow_distances(*faces, range(68))
    expected = {
        "lve": sum(max(row) ** 2 for row in lips) / 30,
        "lve/rms": sum(max(row) for row in lips) / 30,
        "mve": sum(sum(row) / 68 for row in everything) / 30,
        "fdd": slow_fdd(*faces, False),
        "fdd/signed": slow_fdd(*faces, True),
        "fdd/codetalker": slow_codetalker(*faces),
    }
    assert set(expected) == set(METRICS)
    for name, value in expected.items():
        assert score(name, *faces) == pytest.approx(value, abs=1e-9), name


@pytest.mark.parametrize("name", METRICS)
def test_identical_motion_scores_zero(name: str, faces) -> None:
    assert score(name, faces[0], faces[0]) == 0


def test_by_hand() -> None:
    """One lip point 3, 4, 12 off in one of two frames: 13 there."""
    real = np.zeros((2, 68, 3))
    made = real.copy()
    made[1, 50] = [3, 4, 12]
    assert METRICS["lve"].compute(make_sample(real, made)).tolist() == [0, 169]
    assert METRICS["lve/rms"].compute(make_sample(real, made)).tolist() == [0, 13]
    assert METRICS["mve"].compute(make_sample(real, made)).tolist() == [0, 13 / 68]
    made[:, 50], made[1, 40] = 0, [0, 0, 1]
    assert METRICS["lve"].compute(make_sample(real, made)).tolist() == [0, 0], "an eye is no lip"


def test_fdd_by_hand_and_where_signs_cancel() -> None:
    """A brow at 0, 0, 3 moves 1, 1, 2 from its mean: deviation sqrt(2) / 3. Two brows, one too much, one too little."""
    real, made = np.zeros((3, 68, 3)), np.zeros((3, 68, 3))
    made[:, 17, 1] = [0, 0, 3]
    assert score("fdd", real, made) == pytest.approx(2**0.5 / 3 / len(UPPER_FACE))
    real[:, 18, 1] = [0, 0, 3]
    assert score("fdd/signed", real, made) == pytest.approx(0)
    assert score("fdd", real, made) == pytest.approx(2 * 2**0.5 / 3 / len(UPPER_FACE))


def test_the_form_of_codetalker_by_hand() -> None:
    """A brow 0, 0, 3 from the template has squares 0, 0, 9: deviation sqrt(18). More than the real is below 0."""
    real, made = np.zeros((3, 68, 3)), np.zeros((3, 68, 3))
    made[:, 17, 1] = [0, 0, 3]
    sample = make_sample(real, made)
    assert squared_deviation(sample, np.zeros((68, 3))) == pytest.approx(-(18**0.5) / len(UPPER_FACE))
    raised = np.zeros((68, 3))
    raised[17, 1] = 1
    expected = -(2**0.5) / len(UPPER_FACE)
    assert squared_deviation(sample, raised) == pytest.approx(expected), "1, 1, 4 from a raised one"
    assert METRICS["fdd/codetalker"].higher_is_better is None
    assert METRICS["fdd/codetalker"].unit == "cm²"


def test_the_neutral_face_is_the_mean_of_the_valid_training_frames(faces) -> None:
    valid = np.arange(30) < 10
    person = Person("a", [make_sample(faces[0], valid=valid), make_sample(faces[1])], [])
    expected = (faces[0][:10].sum(axis=0) + faces[1].sum(axis=0)) / 40
    np.testing.assert_allclose(neutral_face(person), expected)
    nobody = Person("a", [make_sample(faces[0], valid=~np.ones(30, bool))], [])
    assert np.isnan(squared_deviation(make_sample(*faces), neutral_face(nobody)))


def test_each_fdd_says_truly_where_it_comes_from() -> None:
    assert "sqrt" not in METRICS["fdd/codetalker"].formula and "|^2" in METRICS["fdd/codetalker"].formula
    assert METRICS["fdd/codetalker"].origin.startswith("FDD of CodeTalker (CVPR 2023)")
    assert METRICS["fdd"].origin.startswith("ours") and "absolute" in METRICS["fdd"].origin
    assert METRICS["fdd/signed"].origin.startswith("ours") and "with signs" in METRICS["fdd/signed"].origin


@pytest.mark.parametrize("name", METRICS)
def test_a_shift_of_both_faces_changes_nothing(name: str, faces) -> None:
    assert score(name, faces[0] + 5, faces[1] + 5) == pytest.approx(score(name, *faces), abs=1e-9)


def test_fdd_looks_at_valid_frames_only_and_at_two_at_least(faces) -> None:
    valid = np.arange(30) < 20
    assert score("fdd", *faces, valid) == pytest.approx(score("fdd", faces[0][:20], faces[1][:20]))
    neutral = faces[0].mean(axis=0)
    cut = squared_deviation(make_sample(faces[0][:20], faces[1][:20]), neutral)
    assert squared_deviation(make_sample(*faces, valid), neutral) == pytest.approx(cut)
    for name in ("fdd", "fdd/codetalker"):
        assert np.isnan(score(name, *faces, np.arange(30) < 1))


@pytest.mark.parametrize("name", METRICS)
def test_lengths_that_differ_are_refused(name: str, faces) -> None:
    with pytest.raises(ValueError, match="expected"):
        score(name, faces[0], faces[1][:-1], np.ones(30, bool))
