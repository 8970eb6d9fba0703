"""What every null renderer promises, and what each gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facial_bench.core.files import read_arrays, write_arrays
from facial_bench.errors import FacialBenchError, GenerationError
from facial_bench.rendering.null_renderers import training_frames
from facial_bench.rendering.null_renderers.specs import specs
from facial_bench.types import Appearance, Context, Motion, Renderer, Stateful, VideoClip
from tests.unit.rendering.null_renderers.tiny_world import (
    CAMERA,
    CONTEXT,
    CROP,
    INFO,
    SIZE,
    crop_landmarks,
    dots,
    like,
    make_motion,
    make_video,
    noise,
)

SPECS = {spec.name: spec for spec in specs()}
WITH_LANDMARKS = ("nearest-frame", "nearest-warp", "warp-average")
MOTION = make_motion(90, 0)
VIDEO = make_video(MOTION)


def fitted(name: str, videos: Sequence[VideoClip] = (VIDEO,), context: Context = CONTEXT) -> Renderer:
    renderer = SPECS[name].create(context)
    renderer.fit(videos, context)
    return renderer


def pictures(renderer: Renderer, motion: Motion, appearance: Appearance | None = None) -> np.ndarray:
    blocks = list(renderer.render(motion, CAMERA, appearance or like()))
    assert all(block.dtype == np.uint8 and len(block) <= 64 for block in blocks)
    return np.concatenate(blocks)


def without(motion: Motion, *parts: str) -> Motion:
    return Motion.from_parts({name: part for name, part in vars(motion).items() if name not in parts})


def test_six_are_on_offer() -> None:
    assert list(SPECS) == ["mean-frame", "reference-frame", "nearest-frame", "nearest-warp", "warp-average", "linear"]
    assert all("\n" not in spec.summary and spec.reference and not spec.options for spec in SPECS.values())


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("frames", [0, 1, 64, 65])
def test_a_picture_a_frame_in_blocks(name: str, frames: int) -> None:
    assert pictures(fitted(name), make_motion(frames, 1)).shape == (frames, SIZE, SIZE, 3)


@pytest.mark.parametrize("name", SPECS)
def test_a_stored_state_paints_the_same(name: str, tmp_path: Path) -> None:
    renderer = fitted(name, [VIDEO, make_video(make_motion(40, 2), "b")])
    assert isinstance(renderer, Stateful)
    write_arrays(tmp_path / "state.safetensors", renderer.state_dict())
    again = SPECS[name].create(CONTEXT)
    stored, _ = read_arrays(tmp_path / "state.safetensors", FacialBenchError, "")
    again.load_state_dict(stored, CONTEXT)
    for person in "ab":
        motion = make_motion(5, 3)
        np.testing.assert_array_equal(
            pictures(renderer, motion, like(person)), pictures(again, motion, like(person)), err_msg=person
        )


def test_states_of_others_are_refused() -> None:
    renderer = SPECS["linear"].create(CONTEXT)
    with pytest.raises(FacialBenchError, match="one of mean-frame; fit anew"):
        renderer.load_state_dict(fitted("mean-frame").state_dict(), CONTEXT)
    with pytest.raises(FacialBenchError, match="not one of a null renderer"):
        renderer.load_state_dict({"weights": np.zeros(3)}, CONTEXT)
    about = {"about": fitted("linear").state_dict()["about"]}
    with pytest.raises(FacialBenchError, match="holds nothing of 'a'"):
        renderer.load_state_dict(about, CONTEXT)


@pytest.mark.parametrize("name", SPECS)
def test_unknown_people_and_sizes_are_refused_before_the_first_picture(name: str) -> None:
    renderer = fitted(name)
    with pytest.raises(FacialBenchError, match=r"identity 'b' was not in the training clips; those were of a\.$"):
        renderer.render(MOTION, CAMERA, like("b"))
    with pytest.raises(FacialBenchError, match="pictures of 96 pixels, trained on 48"):
        renderer.render(MOTION, CAMERA, like("a", replace(CROP, size=96)))


@pytest.mark.parametrize("name", SPECS)
def test_motion_that_is_not_finite_is_refused_by_frame(name: str) -> None:
    motion = make_motion(5, 1)
    motion.pose[3, 1] = np.nan
    with pytest.raises(GenerationError, match=f"^{name}: the motion's pose is not finite at frame 3"):
        fitted(name).render(motion, CAMERA, like())


@pytest.mark.parametrize("name", WITH_LANDMARKS)
def test_a_head_behind_the_camera_is_refused_by_frame(name: str) -> None:
    motion = make_motion(5, 1)
    motion.pose[2, 5] = 4.0
    with pytest.raises(GenerationError, match="not in front of the camera at frame 2"):
        fitted(name).render(motion, CAMERA, like())


@pytest.mark.parametrize("name", SPECS)
def test_wild_motion_gives_some_picture(name: str) -> None:
    motion = make_motion(3, 1)
    motion.expression[:] *= 1e30
    assert len(pictures(fitted(name), motion)) == 3


@pytest.mark.parametrize("name", SPECS)
def test_frames_without_a_face_are_not_looked_at(name: str) -> None:
    valid = np.arange(90) % 3 > 0
    broken = replace(MOTION, blink=MOTION.blink.copy())
    broken.blink[~valid] = np.nan
    frames = np.where(valid[:, None, None, None], VIDEO.frames, 255).astype(np.uint8)
    kept = Motion(MOTION.expression[valid], MOTION.pose[valid], MOTION.blink[valid])
    with_holes, without_holes = fitted(name, [make_video(broken, "a", frames, valid)]), fitted(name, [make_video(kept)])
    asked = make_motion(4, 5)
    np.testing.assert_array_equal(pictures(with_holes, asked), pictures(without_holes, asked))


@pytest.mark.parametrize("name", SPECS)
def test_clips_may_have_one_frame_and_people_none(name: str) -> None:
    one = make_video(MOTION[:1])
    nobody = make_video(MOTION[:4], "b", valid=np.zeros(4, bool))
    renderer = fitted(name, [one, nobody])
    np.testing.assert_array_equal(pictures(renderer, MOTION[:1]), one.frames)
    with pytest.raises(FacialBenchError, match="those were of a"):
        renderer.render(MOTION, CAMERA, like("b"))
    with pytest.raises(FacialBenchError, match="No training clip"):
        fitted(name, [nobody])


def test_one_person_has_one_size() -> None:
    with pytest.raises(FacialBenchError, match=r"'a' have sides of \[32, 48\]"):
        fitted("mean-frame", [VIDEO, make_video(MOTION, frames=noise(90, 0, 32))])


def test_the_mean_frame_is_the_mean_over_all_clips() -> None:
    videos = [make_video(make_motion(n, n), frames=noise(n, n)) for n in (70, 3)]
    mean = np.rint(np.concatenate([video.frames for video in videos]).mean(axis=0))
    painted = pictures(fitted("mean-frame", videos), make_motion(2, 9))
    np.testing.assert_array_equal(painted, np.stack([mean, mean]))


def test_the_reference_frame_is_the_one_nearest_the_mean_state() -> None:
    state = make_motion(9, 4).state()
    state[7] = (state.sum(axis=0) - state[7]) / 8  # now the mean of all nine
    frames = noise(9)
    videos = [make_video(Motion.from_state(state[k]), frames=frames[k]) for k in (slice(0, 5), slice(5, 9))]
    np.testing.assert_array_equal(pictures(fitted("reference-frame", videos), make_motion(1, 0))[0], frames[7])


@pytest.mark.parametrize("name", ["nearest-frame", "nearest-warp"])
def test_asked_for_a_training_state_the_nearest_is_its_frame_exactly(name: str) -> None:
    frames = noise(90)
    videos = [make_video(MOTION[k], frames=frames[k]) for k in (slice(0, 41), slice(41, 90))]
    np.testing.assert_array_equal(pictures(fitted(name, videos), MOTION), frames)


@pytest.mark.parametrize("name", ["nearest-frame", "nearest-warp"])
def test_the_closure_tells_frames_apart_that_landmarks_do_not(name: str) -> None:
    one = make_motion(1, 0).state()
    state = np.repeat(one, 3, axis=0)
    state[:, -1] = 0.1, 0.5, 0.9
    renderer = fitted(name, [make_video(Motion.from_state(state), frames=noise(3))])
    np.testing.assert_array_equal(pictures(renderer, Motion.from_state(state[::-1])), noise(3)[::-1])
    unknown = without(Motion.from_state(state), "blink")
    np.testing.assert_array_equal(pictures(renderer, unknown), noise(3)[[0, 0, 0]], "the first where it is not known")


@pytest.mark.parametrize("name", WITH_LANDMARKS)
def test_landmarks_alone_are_enough(name: str) -> None:
    renderer, asked = fitted(name), make_motion(6, 7)
    seen = make_video(asked).clip.landmarks.astype(np.float64)
    alone = Motion.from_parts({"landmarks": seen, "blink": asked.blink})
    difference = pictures(renderer, alone).astype(int) - pictures(renderer, asked)
    assert np.abs(difference).max() <= 1, "but for the rounding of stored landmarks"
    with pytest.raises(FacialBenchError, match="neither landmarks nor both"):
        renderer.render(without(asked, "pose"), CAMERA, like())


def test_a_warp_brings_the_nearest_frame_closer() -> None:
    asked = make_motion(12, 8)
    truth = dots(crop_landmarks(asked)).astype(float)
    error = {name: np.mean((pictures(fitted(name), asked) - truth) ** 2) for name in SPECS}
    assert error["nearest-warp"] < 0.5 * error["nearest-frame"] < 0.5 * error["mean-frame"]


def test_the_average_of_equal_frames_is_that_frame() -> None:
    still = Motion.from_state(np.repeat(make_motion(1, 0).state(), 20, axis=0))
    frames = np.repeat(noise(1), 20, axis=0)
    painted = pictures(fitted("warp-average", [make_video(still, frames=frames)]), still[:3])
    np.testing.assert_array_equal(painted, frames[:3])


def test_the_average_is_of_eight() -> None:
    still = Motion.from_state(np.repeat(make_motion(1, 0).state(), 12, axis=0))
    frames = noise(12)
    painted = pictures(fitted("warp-average", [make_video(still, frames=frames)]), still[:1])
    assert np.abs(painted[0] - frames[:8].mean(axis=0)).max() <= 0.51


def test_frames_kept_are_bounded_and_evenly_spaced(monkeypatch: pytest.MonkeyPatch) -> None:
    np.testing.assert_array_equal(training_frames.evenly(1), [0])
    assert len(training_frames.evenly(9000)) == training_frames.KEPT
    assert set(np.diff(training_frames.evenly(4000))) <= {2, 3}
    motion = make_motion(3200, 0)
    frames = np.broadcast_to(np.arange(3200, dtype=np.uint16).view(np.uint8)[::2].reshape(-1, 1, 1, 1), (3200, 8, 8, 3))
    state = fitted("nearest-frame", [make_video(motion, frames=frames)]).state_dict()
    assert state["0/pictures"].shape == (1500, 8, 8, 3)
    np.testing.assert_array_equal(state["0/landmarks"], crop_landmarks(motion)[training_frames.evenly(3200)])


def test_landmarks_need_a_face_model() -> None:
    with pytest.raises(FacialBenchError, match="face model"):
        fitted("nearest-warp", context=Context(INFO, 0, "cpu"))
