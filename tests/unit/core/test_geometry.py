"""Geometry: decoding, projection, frontal shapes, alignment."""

import math

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from facial_bench.core import geometry
from facial_bench.errors import FacialBenchError
from facial_bench.types import Camera, FaceModel

CAMERA = Camera(640, 480, 500.0)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def poses(rng, frames):
    rotation = rng.uniform(-0.6, 0.6, (frames, 3))
    return np.concatenate([rotation, rng.uniform([-5, -5, -60], [5, 5, -40], (frames, 3))], axis=1)


def model(rng):
    mean = rng.normal(size=(68, 3))
    basis = rng.normal(size=(64, 68, 3))
    return FaceModel(mean, basis, {"ada": mean + 0.1, "bo": mean - 0.1})


# --- decode_face


def test_decoding_is_neutral_plus_weighted_directions(rng):
    face, expression = model(rng), rng.normal(size=(5, 64))
    slow = np.zeros((5, 68, 3))
    for t in range(5):
        slow[t] = face.neutral["bo"]
        for j in range(64):
            slow[t] += expression[t, j] * face.basis[j]
    np.testing.assert_allclose(geometry.decode_face(face, "bo", expression), slow, atol=1e-9)
    assert geometry.decode_face(face, "bo", expression.astype(np.float32)).dtype == np.float64


def test_no_expression_is_the_neutral_face(rng):
    face = model(rng)
    np.testing.assert_array_equal(geometry.decode_face(face, "ada", np.zeros((2, 64)))[1], face.neutral["ada"])


def test_decoding_an_unknown_identity_names_those_that_exist(rng):
    with pytest.raises(FacialBenchError, match=r"Unknown identity 'adda'.*'ada'.*ada, bo"):
        geometry.decode_face(model(rng), "adda", np.zeros((2, 64)))


def test_decoding_refuses_an_expression_of_another_width(rng):
    with pytest.raises(ValueError, match=r"\(2, 32\).*64"):
        geometry.decode_face(model(rng), "ada", np.zeros((2, 32)))


# --- project


def test_projection_by_hand():
    """Facing the camera at depth 10 with focal 500: 50 px a unit, y turned down, z turned away."""
    seen = geometry.project(np.array([[[1.0, 2.0, 3.0]]]), np.array([[0, 0, 0, 0.5, 0, -10.0]]), CAMERA)
    np.testing.assert_allclose(seen, [[[320 + 75, 240 - 100, -150]]])


def test_projection_turns_the_nose_to_the_viewers_right_at_positive_yaw():
    """A yaw of 90 degrees takes +z (the nose) to +x (right in the image)."""
    seen = geometry.project(np.array([[[0.0, 0.0, 1.0]]]), np.array([[0, math.pi / 2 - 1e-9, 0, 0, 0, -10.0]]), CAMERA)
    np.testing.assert_allclose(seen, [[[320 + 50, 240, 0]]], atol=1e-6)


def test_projection_equals_a_loop(rng):
    face, pose = rng.normal(size=(6, 68, 3)), poses(rng, 6)
    slow = np.empty((6, 68, 3))
    for t in range(6):
        cx, cy, cz = np.cos(pose[t, :3])
        sx, sy, sz = np.sin(pose[t, :3])
        about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
        for k in range(68):
            x, y, z = about_z @ about_y @ about_x @ face[t, k]
            scale = 500.0 / -pose[t, 5]
            slow[t, k] = 320 + scale * (x + pose[t, 3]), 240 - scale * (y + pose[t, 4]), -scale * z
    np.testing.assert_allclose(geometry.project(face, pose, CAMERA), slow, atol=1e-9)


@pytest.mark.parametrize("depth", [0.0, 3.0, np.nan, np.inf])
def test_a_head_that_is_not_in_front_of_the_camera_is_nan_in_that_frame_only(rng, depth):
    pose = poses(rng, 3)
    pose[1, 5] = depth
    seen = geometry.project(rng.normal(size=(3, 68, 3)), pose, CAMERA)
    assert np.isnan(seen[1]).all()
    assert np.isfinite(seen[[0, 2]]).all()


def test_projection_refuses_unequal_lengths(rng):
    with pytest.raises(ValueError, match="expected"):
        geometry.project(np.zeros((3, 68, 3)), poses(rng, 4), CAMERA)


# --- frontalise


def test_frontalising_undoes_any_pose_and_size(rng):
    face, pose = rng.normal(size=(1, 68, 3)).repeat(8, axis=0), poses(rng, 8)
    shape, scale = geometry.frontalise(geometry.project(face, pose, CAMERA), pose[:, :3])
    rigid = face[0, 27:48] - face[0, 27:48].mean(axis=0)
    radius = np.sqrt((rigid**2).sum(axis=1).mean())
    np.testing.assert_allclose(shape, (face - face[0, 27:48].mean(axis=0)) / radius, atol=1e-9)
    np.testing.assert_allclose(scale, 500 / -pose[:, 5] * radius, atol=1e-9)


def test_frontal_shapes_are_centred_and_of_unit_radius_on_nose_and_eyes(rng):
    shape, _ = geometry.frontalise(rng.normal(size=(4, 68, 3)), rng.normal(size=(4, 3)))
    np.testing.assert_allclose(shape[:, 27:48].mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose((shape[:, 27:48] ** 2).sum(axis=2).mean(axis=1), 1, atol=1e-12)


def test_a_face_collapsed_to_a_point_has_no_frontal_shape():
    shape, scale = geometry.frontalise(np.ones((2, 68, 3)), np.zeros((2, 3)))
    assert np.isnan(shape).all()
    assert np.isnan(scale).all()


# --- similarity_align


def umeyama_loop(source, target):
    """Umeyama (1991) for one set of points, with scipy's orthogonal Procrustes wherever it gives a rotation."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    rotation = orthogonal_procrustes(a, b)[0].T
    if np.linalg.det(rotation) < 0:
        u, _, vt = np.linalg.svd(b.T @ a)
        sign = np.eye(len(u))
        sign[-1, -1] = -1
        rotation = u @ sign @ vt
    scale = np.trace(rotation @ a.T @ b) / (a**2).sum()
    return lambda x: (x - source.mean(axis=0)) @ rotation.T * scale + target.mean(axis=0)


@pytest.mark.parametrize("axes", [2, 3])
def test_alignment_equals_umeyama_frame_by_frame(rng, axes):
    source, target = rng.normal(size=(2, 40, 30, axes))
    points = range(5, 20)
    slow = [umeyama_loop(s[5:20], t[5:20])(s) for s, t in zip(source, target, strict=True)]
    np.testing.assert_allclose(geometry.similarity_align(source, target, points), slow, atol=1e-9)


@pytest.mark.parametrize("axes", [2, 3])
def test_alignment_leaves_the_disparity_that_scipy_finds(rng, axes):
    target = rng.normal(size=(6, 25, axes))
    source = target + 0.2 * rng.normal(size=target.shape)  # near enough for the best map to be no reflection
    aligned = geometry.similarity_align(source, target, range(25))
    for t in range(6):
        centred = target[t] - target[t].mean(axis=0)
        disparity = ((aligned[t] - target[t]) ** 2).sum() / (centred**2).sum()
        np.testing.assert_allclose(disparity, procrustes(target[t], source[t])[2], atol=1e-9)


@pytest.mark.parametrize("axes", [2, 3])
def test_alignment_undoes_any_similarity(rng, axes):
    target = rng.normal(size=(5, 30, axes))
    turn = Rotation.random(5, random_state=3).as_matrix()
    if axes == 2:
        angle = rng.uniform(-3, 3, 5)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
    source = 2.5 * target @ turn + rng.normal(size=(5, 1, axes))
    np.testing.assert_allclose(geometry.similarity_align(source, target, range(10)), target, atol=1e-9)


@pytest.mark.parametrize("axes", [2, 3])
def test_alignment_never_mirrors(rng, axes):
    target = rng.normal(size=(5, 30, axes))
    mirrored = target * ([-1] + [1] * (axes - 1))
    aligned = geometry.similarity_align(mirrored, target, range(30))
    assert (np.linalg.norm(aligned - target, axis=2).mean(axis=1) > 0.1).all()


def test_alignment_by_hand():
    """A unit square, turned by 90 degrees, doubled and shifted, goes back; a fifth point follows."""
    square = np.array([[[0, 0], [1, 0], [1, 1], [0, 1], [3, 5.0]]])
    moved = 2 * square @ np.array([[0, 1], [-1, 0]]) + 7
    moved[0, 4] += [0, 2]  # one unit along the square's x
    np.testing.assert_allclose(geometry.similarity_align(moved, square, range(4))[0, 4], [4, 5], atol=1e-12)


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("damage", ["point", "far point", "nan"])
def test_a_degenerate_frame_is_nan_and_the_others_are_not(rng, axes, side, damage):
    pair = [rng.normal(size=(3, 30, axes)), rng.normal(size=(3, 30, axes))]
    pair[side][1] = {"point": 0.0, "far point": 1e6 / 3, "nan": np.nan}[damage]
    aligned = geometry.similarity_align(*pair, range(10))
    assert np.isnan(aligned[1]).all()
    assert np.isfinite(aligned[[0, 2]]).all()


def test_points_on_a_line_fix_a_similarity_in_the_plane_but_not_in_space(rng):
    line = np.linspace(0, 1, 30)[None, :, None]
    flat = geometry.similarity_align(line * [1.0, 2.0] + 5, rng.normal(size=(1, 30, 2)), range(30))
    assert np.isfinite(flat).all()
    assert np.isnan(geometry.similarity_align(line * [1.0, 2.0, 3.0] + 5, rng.normal(size=(1, 30, 3)), range(30))).all()


def test_alignment_of_nothing_is_nothing():
    assert geometry.similarity_align(np.empty((0, 68, 2)), np.empty((0, 68, 2)), range(10)).shape == (0, 68, 2)


def test_alignment_refuses_unequal_lengths():
    with pytest.raises(ValueError, match="both"):
        geometry.similarity_align(np.zeros((3, 68, 2)), np.zeros((4, 68, 2)), range(10))


def test_the_outer_eye_distance_is_between_points_36_and_45():
    landmarks = np.zeros((2, 68, 3))
    landmarks[:, 45] = [3, 4, 100]
    assert geometry.outer_eye_distance(landmarks).tolist() == [5.0, 5.0]
