"""The linear renderer beside slow twins."""

from __future__ import annotations

import numpy as np
import pytest

from facial_bench.errors import GenerationError
from facial_bench.rendering.null_renderers.linear import PENALTIES, UNTRIED, Sums, held_out_error, learn_linear
from facial_bench.rendering.null_renderers.specs import specs
from facial_bench.types import Motion
from tests.unit.rendering.null_renderers.tiny_world import CAMERA, CONTEXT, CROP, like, make_motion, make_video

CREATE = next(spec.create for spec in specs() if spec.name == "linear")
SIDE = CROP.size


def linear_world(frames: int, seed: int = 0, noise: float = 0.0) -> tuple[Motion, np.ndarray]:
    """Motion and pictures (T, S, S, 3) that are a linear map of its state, rounded."""
    motion = make_motion(frames, seed)
    plan = np.random.default_rng(99)
    by_pixel = plan.standard_normal((71, SIDE * SIDE * 3)) * 20 / np.sqrt(71)
    typical = make_motion(500, 1).state()
    values = 128 + ((motion.state() - typical.mean(axis=0)) / typical.std(axis=0)) @ by_pixel
    values += noise * np.random.default_rng(seed).standard_normal(values.shape)
    return motion, np.rint(np.clip(values, 0, 255)).astype(np.uint8).reshape(-1, SIDE, SIDE, 3)


def render(learning: tuple[Motion, np.ndarray], asked: Motion) -> np.ndarray:
    renderer = CREATE(CONTEXT)
    renderer.fit([make_video(learning[0], frames=learning[1])], CONTEXT)
    return np.concatenate(list(renderer.render(asked, CAMERA, like())))


def test_a_linear_world_is_found() -> None:
    asked, truth = linear_world(40, 5)
    assert np.abs(render(linear_world(600), asked).astype(int) - truth).max() <= 2


def test_weights_beside_ridge_regression_on_all_frames() -> None:
    motion, frames = linear_world(100, 2, noise=10.0)
    cut = 37
    parts = [make_video(motion[k], frames=frames[k]) for k in (slice(0, cut), slice(cut, 100))]
    learned = learn_linear(parts, CONTEXT)
    state = motion.state().astype(np.float64)
    x = (state - state.mean(axis=0)) / state.std(axis=0)
    y = frames.reshape(100, -1).astype(np.float64)

    def solve(chosen: slice, penalty: float) -> np.ndarray:
        design = np.concatenate([np.ones((len(x[chosen]), 1)), x[chosen]], axis=1)
        ridge = penalty * len(design) * np.diag([0.0] + [1.0] * 71)
        return np.linalg.solve(design.T @ design + ridge, design.T @ y[chosen])

    def error(penalty: float) -> float:
        weights = solve(slice(0, 55), penalty)  # a fifth is held out, and a second before it
        return float(np.mean((weights[0] + x[80:] @ weights[1:] - y[80:]) ** 2))

    best = min(PENALTIES, key=error)
    np.testing.assert_allclose(learned["weights"], solve(slice(0, 100), best), atol=2e-3)
    np.testing.assert_allclose(learned["mean"], state.mean(axis=0))


def test_the_held_out_error_beside_the_errors_themselves() -> None:
    rng = np.random.default_rng(0)
    fitted, held_out = Sums.of_nothing(9000), Sums.of_nothing(9000)
    x, y = np.concatenate([np.ones((60, 1)), rng.standard_normal((60, 71))], axis=1), rng.random((60, 9000)) * 255
    fitted.add(x[:40], y[:40])
    held_out.add(x[40:50], y[40:50])
    held_out.add(x[50:], y[50:])
    ridge = 0.1 * 40 * np.diag([0.0] + [1.0] * 71)
    weights = np.linalg.solve(x[:40].T @ x[:40] + ridge, x[:40].T @ y[:40])
    assert held_out_error(fitted, held_out, 0.1) == pytest.approx(((x[40:] @ weights - y[40:]) ** 2).sum(), rel=1e-5)


def test_too_short_to_hold_out_takes_the_middle_penalty() -> None:
    motion, frames = linear_world(30, 3)
    learned = learn_linear([make_video(motion, frames=frames)], CONTEXT)
    state, y = motion.state().astype(np.float64), frames.reshape(30, -1).astype(np.float64)
    x = (state - state.mean(axis=0)) / state.std(axis=0)
    expected = np.linalg.solve(x.T @ x + UNTRIED * 30 * np.eye(71), x.T @ y)
    np.testing.assert_allclose(learned["weights"][1:], expected, atol=2e-3)
    np.testing.assert_allclose(learned["weights"][0], y.mean(axis=0), atol=1e-4)


def test_a_channel_that_stood_still_in_training_changes_nothing() -> None:
    motion, frames = linear_world(90, 4)
    motion.expression[:, 5] = 0.25
    asked = make_motion(4, 6)
    asked.expression[:, 5] = 0.25
    before = render((motion, frames), asked)
    asked.expression[:, 5] = 9.0
    np.testing.assert_array_equal(render((motion, frames), asked), before)


def test_motion_without_all_of_the_state_is_refused() -> None:
    motion = Motion.from_parts({"expression": make_motion(3, 0).expression})
    renderer = CREATE(CONTEXT)
    renderer.fit([make_video(make_motion(3, 0))], CONTEXT)
    with pytest.raises(GenerationError, match="linear: the motion has no blink and no pose"):
        renderer.render(motion, CAMERA, like())
