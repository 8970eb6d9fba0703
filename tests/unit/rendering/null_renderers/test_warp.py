"""The piecewise affine warp beside slow twins."""

from __future__ import annotations

import numpy as np
import pytest

from facial_bench.rendering.null_renderers.warp import CROWN, Mesh, sample, with_crown
from tests.unit.rendering.null_renderers.tiny_world import SIZE, crop_landmarks, dots, make_motion, noise

FACE = crop_landmarks(make_motion(1, 0))[0]
MESH = Mesh(FACE, SIZE)


def centres(size: int = SIZE) -> np.ndarray:
    """(S * S, 2) x, y of the pixels' centres, rows first."""
    y, x = np.divmod(np.arange(size * size), size)
    return np.stack([x, y], axis=1) + 0.5


@pytest.mark.parametrize("seed", range(3))
def test_a_picture_whose_landmarks_stay_is_that_picture(seed: int) -> None:
    face, picture = crop_landmarks(make_motion(1, seed))[0], noise(1, seed)[0]
    np.testing.assert_array_equal(np.rint(MESH.warp(picture, face, MESH.draw(face))), picture)


@pytest.mark.parametrize(("jitter", "seed"), [(0.0, 0), (0.5, 1), (3.0, 2), (20.0, 3), (200.0, 4), (1e30, 5)])
def test_every_pixel_lies_in_the_triangle_that_covers_it_however_the_mesh_folds(jitter: float, seed: int) -> None:
    face = FACE + jitter * np.random.default_rng(seed).standard_normal(FACE.shape)
    drawn = MESH.draw(face)
    assert drawn.triangle.shape == (SIZE * SIZE,) and drawn.weights.shape == (3, SIZE * SIZE)
    corners = MESH.points(face)[MESH.triangles[drawn.triangle]]
    place = np.einsum("kp,pkd->pd", drawn.weights, corners)
    np.testing.assert_allclose(place, centres(), atol=1e-5, err_msg="the weights give back the pixel")
    assert drawn.weights.min() > -1e-3, "no pixel is left to a triangle beside it"


def test_triangles_beside_a_loop_over_pixels() -> None:
    face = FACE + np.random.default_rng(1).standard_normal(FACE.shape) * 0.2
    drawn = MESH.draw(face)
    points = MESH.points(face)
    for pixel in range(0, SIZE * SIZE, 37):
        holding = []
        for number, corners in enumerate(MESH.triangles):
            system = np.concatenate([points[corners].T, np.ones((1, 3))])
            weights = np.linalg.solve(system, [*centres()[pixel], 1.0])
            if weights.min() > -1e-9 and np.linalg.det(system) > 0:
                holding.append(number)
        assert drawn.triangle[pixel] in holding


def test_a_head_that_moves_takes_its_pixels_with_it_and_leaves_the_border() -> None:
    shift = np.array([3.0, -2.0])
    before, after = dots(np.stack([FACE, FACE + shift]))
    moved = MESH.warp(before, FACE, MESH.draw(FACE + shift))
    x, y = (
        slice(*np.rint([(FACE + shift)[:, k].min() + 3, (FACE + shift)[:, k].max() - 3]).astype(int)) for k in (0, 1)
    )
    assert np.abs(moved[y, x] - after[y, x]).max() < 1.5, "within the face it is the face, elsewhere"
    assert np.abs(before[y, x].astype(float) - after[y, x]).mean() > 8
    edge = np.ones((SIZE, SIZE), bool)
    edge[1:-1, 1:-1] = False
    assert np.abs(moved[edge] - before[edge]).max() < 8, "what lies at the border stays there"


def test_landmarks_outside_of_the_picture_are_left_out() -> None:
    mesh = Mesh(FACE + 1000.0, SIZE)
    picture = noise(1)[0]
    assert mesh.points(FACE).shape == (16, 2)
    np.testing.assert_array_equal(np.rint(mesh.warp(picture, FACE, mesh.draw(FACE + 5))), picture)


def test_samples_by_hand() -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[0, 1], picture[1, 0], picture[1, 1] = 100, 40, 200
    x, y = np.array([0.5, 1.0, 1.0, -7.0]), np.array([0.5, 0.5, 1.0, 9.0])
    np.testing.assert_allclose(sample(picture, x, y)[..., 0].ravel(), [0, 50, 85, 40])


def test_the_crown_moves_with_the_head_and_not_with_jaw_or_brows() -> None:
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    crown = with_crown(FACE)[68:]
    assert crown.shape == (len(CROWN), 2) and crown[:, 1].max() < FACE[36:48, 1].mean(), "it is above the eyes"
    np.testing.assert_allclose(with_crown(FACE @ turn + 4)[68:], crown @ turn + 4)
    other = FACE.copy()
    other[:27] += 9
    other[48:] -= 9
    np.testing.assert_array_equal(with_crown(other)[68:], crown)
