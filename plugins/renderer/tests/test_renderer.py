"""The renderers as the benchmark meets them: fit, render, save, load, what they refuse."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from tiny_person import CAMERA, CROP, SIZE, crop_landmarks, like, make_context, make_motion, make_video, spots

from facial_bench.errors import FacialBenchError, GenerationError
from facial_bench.types import Renderer, Stateful
from facial_bench_renderer.options import Variant, settings_for
from facial_bench_renderer.plugin import facial_bench_renderers

NAMES = ["facial", "facial-adversarial"]


def spec(name: str):
    return {s.name: s for s in facial_bench_renderers()}[name]


def pictures(renderer, motion, appearance=None) -> np.ndarray:
    return np.concatenate(list(renderer.render(motion, CAMERA, appearance or like())))


def test_specs_are_cheap_and_named() -> None:
    assert [s.name for s in facial_bench_renderers()] == NAMES
    code = "import sys, facial_bench_renderer.plugin as p; p.facial_bench_renderers(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("frames", [0, 1, 70])
def test_a_picture_for_every_frame(fitted, name: str, frames: int) -> None:
    renderer = fitted(name)
    assert isinstance(renderer, Stateful) and hasattr(Renderer, "render")
    blocks = list(renderer.render(make_motion(frames, 5), CAMERA, like("bob")))
    assert max(map(len, blocks)) <= 64
    made = np.concatenate(blocks)
    assert made.shape == (frames, SIZE, SIZE, 3) and made.dtype == np.uint8


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_pictures_other_seed_other_pictures(fitted, name: str) -> None:
    motion = make_motion(6, 5)
    again = spec(name).create(make_context())
    again.fit([make_video(make_motion(40, 1), "ann"), make_video(make_motion(30, 2), "bob")], make_context())
    expected = pictures(fitted(name), motion)
    np.testing.assert_array_equal(pictures(again, motion), expected)
    assert (pictures(fitted(name, seed=4), motion) != expected).any()


@pytest.mark.parametrize("name", NAMES)
def test_saved_and_loaded_pictures_are_equal(fitted, name: str, tmp_path) -> None:
    from safetensors.numpy import load_file, save_file

    save_file(dict(fitted(name).state_dict()), tmp_path / "state.safetensors")
    loaded = spec(name).create(make_context())
    loaded.load_state_dict(load_file(tmp_path / "state.safetensors"), make_context())
    for who in ("ann", "bob"):
        motion = make_motion(6, 7)
        np.testing.assert_array_equal(pictures(loaded, motion, like(who)), pictures(fitted(name), motion, like(who)))


def test_a_state_that_does_not_fit_is_refused(fitted) -> None:
    state = fitted().state_dict()
    with pytest.raises(FacialBenchError, match=r"facial-adversarial.*one of facial"):
        spec("facial-adversarial").create(make_context()).load_state_dict(state, make_context())
    paper = replace(make_context(), budget="paper")
    with pytest.raises(FacialBenchError, match="fit anew"):
        spec("facial").create(paper).load_state_dict(state, paper)
    for missing in ("about", "0/average", "1/network/correction.last.weight"):
        part = {key: value for key, value in state.items() if key != missing}
        with pytest.raises(FacialBenchError, match="fit anew"):
            spec("facial").create(make_context()).load_state_dict(part, make_context())


def test_people_differ_and_strangers_are_refused(fitted) -> None:
    motion = make_motion(3, 8)
    assert (pictures(fitted(), motion, like("ann")) != pictures(fitted(), motion, like("bob"))).any()
    with pytest.raises(FacialBenchError, match=r"'cay' was not in the training clips; those were of ann, bob"):
        fitted().render(motion, CAMERA, like("cay"))
    with pytest.raises(FacialBenchError, match=r"64 pixels, trained on 32; fit anew"):
        fitted().render(motion, CAMERA, like("ann", replace(CROP, size=64)))


def test_motion_without_a_face_is_refused_at_once(fitted) -> None:
    broken, behind = make_motion(5, 9), make_motion(5, 9)
    broken.blink[3] = np.nan
    with pytest.raises(GenerationError, match="blink is not finite at frame 3"):
        fitted().render(broken, CAMERA, like())
    behind.pose[2, 5] = 1.0
    with pytest.raises(GenerationError, match="not in front of the camera at frame 2"):
        fitted().render(behind, CAMERA, like())
    with pytest.raises(GenerationError, match="has no blink"):
        fitted().render(replace(make_motion(5, 9), blink=None), CAMERA, like())


def test_frames_without_a_face_are_not_learned_from() -> None:
    """Pictures and motion of invalid frames change nothing, not even beside valid ones."""
    made = []
    for shade in (0, 255):
        valid = np.arange(30) % 3 != 0
        video = make_video(make_motion(30, 1), valid=valid)
        video.frames[~valid] = shade
        video.clip.motion.blink[~valid] = np.nan
        video.clip.motion.pose[~valid] = shade
        renderer = spec("facial").create(make_context())
        renderer.fit([video], make_context())
        made.append(pictures(renderer, make_motion(4, 2)))
    np.testing.assert_array_equal(*made)


def test_nothing_to_learn_from_is_said() -> None:
    video = make_video(make_motion(10, 1), valid=np.zeros(10, bool))
    with pytest.raises(FacialBenchError, match="No training clip has a picture"):
        spec("facial").create(make_context()).fit([video], make_context())


@pytest.mark.slow
def test_a_moving_person_is_learned(fitted) -> None:
    """Far better than the mean picture, and than the average face laid over the landmarks, which 0 updates give."""
    motion, context = make_motion(60, 11), make_context(steps="150", batch="8")
    renderer, training = spec("facial").create(context), make_video(make_motion(200, 10))
    renderer.fit([training], context)
    real = spots(crop_landmarks(motion), motion.blink).astype(float)

    def error(made: np.ndarray) -> float:
        return float(np.abs(made - real).mean())

    learned = error(pictures(renderer, motion))
    assert learned < 0.5 * error(training.frames.mean(axis=0))
    assert learned < 0.8 * error(pictures(fitted(steps="1"), motion))


def test_options_and_budgets() -> None:
    paper = settings_for(Variant(), "paper", {})
    assert (paper.window, paper.before, paper.epochs, paper.batch) == (10, 6, 50, 1)
    assert (paper.weights.feature_matching, paper.weights.l1, paper.learning_rate) == (2, 50, 1e-4)
    assert settings_for(Variant(), "quick", {}).weights.adversarial == 0
    assert settings_for(Variant("facial-adversarial", True), "quick", {}).weights.adversarial > 0
    assert settings_for(Variant(), "standard", {"steps": "7", "batch": "3"}).steps == 7
    assert settings_for(Variant(), "paper", {"steps": "7"}).epochs == 0
    for bad in ("0", "-1", "many", "1.5", "²"):
        with pytest.raises(FacialBenchError, match="whole number from 1 up"):
            settings_for(Variant(), "quick", {"steps": bad})
    with pytest.raises(FacialBenchError, match="long"):
        settings_for(Variant(), "long", {})
