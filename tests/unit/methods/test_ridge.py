"""The linear baseline beside slow twins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facial_bench.core.files import read_arrays, write_arrays
from facial_bench.errors import FacialBenchError
from facial_bench.methods.ridge import PENALTIES, WINDOW, Ridge, solve_ridge, stack_context
from facial_bench.types import Clip, Context, CorpusInfo, Motion, Request, Stateful
from tests.helpers.faces import make_clip, make_model

INFO = CorpusInfo("tiny", "1", "d", 25.0, "noise29", 4, "cm", "px", "closure", ("a", "b"))
CONTEXT = Context(INFO, 0, "cpu")


def request(identity: str, audio: np.ndarray) -> Request:
    return Request("self/x@0", identity, audio.astype(np.float32), np.zeros(71, np.float32), 25.0, 0)


@pytest.fixture(scope="module")
def planted() -> tuple[list[Clip], dict[str, np.ndarray], list[Clip]]:
    """Clips whose state is a linear map of the audio window, another one for each person: (training, maps, test)."""
    rng = np.random.default_rng(0)
    model = make_model(("a", "b"))
    maps = {person: 0.2 * rng.standard_normal((WINDOW * 4, 71)) for person in "ab"}
    clips = []
    for person in "ab":
        for k in range(4):
            clip = make_clip(model, person, f"{person}{k}", 250, 0)
            audio = rng.standard_normal((250, 4)).astype(np.float32)
            state = stack_context(audio) @ maps[person] + rng.standard_normal(71) * 0
            clips.append(replace(clip, audio=audio, motion=Motion.from_state((state + 3.0).astype(np.float32))))
    return [c for c in clips if c.id[1] != "3"], maps, [c for c in clips if c.id[1] == "3"]


def test_windows_by_hand() -> None:
    audio = np.arange(1, 21, dtype=np.float64)[:, None] * [1, 100]
    windows = stack_context(audio)
    assert windows.shape == (20, 32)
    np.testing.assert_array_equal(
        windows[9].reshape(16, 2)[:, 0], np.arange(2, 18), err_msg="frames t-8 .. t+7 of t = 9"
    )
    np.testing.assert_array_equal(windows[0].reshape(16, 2)[:, 1], 100 * np.array([1] * 9 + [2, 3, 4, 5, 6, 7, 8]))
    np.testing.assert_array_equal(windows[19].reshape(16, 2)[:, 0], [12, 13, 14, 15, 16, 17, 18, 19] + [20] * 8)


@pytest.mark.parametrize("frames", [1, 2, 7, 8, 9, 40])
def test_windows_beside_a_loop(frames: int) -> None:
    audio = np.random.default_rng(frames).standard_normal((frames, 3))
    slow = [np.concatenate([audio[min(max(t + k, 0), frames - 1)] for k in range(-8, 8)]) for t in range(frames)]
    np.testing.assert_array_equal(stack_context(audio), slow)


@pytest.mark.parametrize("penalty", [1e-3, 1.0, 300.0])
def test_ridge_is_least_squares_on_the_augmented_system(penalty: float) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((40, 9)), rng.standard_normal((40, 3))
    rows = np.concatenate([x, np.sqrt(penalty) * np.eye(9)]), np.concatenate([y, np.zeros((9, 3))])
    np.testing.assert_allclose(solve_ridge(x, y, penalty), np.linalg.lstsq(*rows, rcond=None)[0], atol=1e-12)


def test_ridge_by_hand_and_at_zero() -> None:
    assert solve_ridge(np.array([[1.0], [2.0]]), np.array([[1.0], [2.0]]), 5.0) == pytest.approx(np.array([[0.5]]))
    np.testing.assert_array_equal(solve_ridge(np.ones((3, 2)), np.zeros((3, 1)), 1.0), np.zeros((2, 1)))


def test_a_planted_map_is_found(planted: tuple[list[Clip], dict[str, np.ndarray], list[Clip]]) -> None:
    training, _, test = planted
    ridge = Ridge(CONTEXT)
    ridge.fit(training, CONTEXT)
    for clip in test:
        (motion,) = ridge.generate([request(clip.identity, clip.audio)])
        inside = slice(8, -8)
        truth, guess = clip.motion.state()[inside], motion.state()[inside]
        assert np.mean((guess - truth) ** 2) < 0.02 * np.var(truth)
        other = ridge.generate([request("b" if clip.identity == "a" else "a", clip.audio)])[0].state()[inside]
        assert np.mean((other - truth) ** 2) > 0.5 * np.var(truth), "each person has weights of their own"


def test_the_audio_moves_the_face(planted: tuple[list[Clip], dict[str, np.ndarray], list[Clip]]) -> None:
    training, _, test = planted
    ridge = Ridge(CONTEXT)
    ridge.fit(training, CONTEXT)
    one, two = (ridge.generate([request("a", clip.audio)])[0].state() for clip in test)
    assert not np.allclose(one, two)
    silent = ridge.generate([request("a", np.tile(np.concatenate([c.audio for c in training]).mean(0), (60, 1)))])[
        0
    ].state()
    own = np.concatenate([c.motion.state() for c in training if c.identity == "a"])
    np.testing.assert_allclose(
        silent, np.tile(own.mean(0), (60, 1)), atol=1e-3, err_msg="mean audio gives the mean state"
    )


def test_a_slow_twin_of_the_whole_fit(planted: tuple[list[Clip], dict[str, np.ndarray], list[Clip]]) -> None:
    training, _, test = planted
    ridge = Ridge(CONTEXT)
    ridge.fit(training, CONTEXT)
    everyone = np.concatenate([clip.audio for clip in training]).astype(np.float64)
    mean, std = everyone.mean(0), everyone.std(0) + 1e-6
    own = [clip for clip in training if clip.identity == "b"]
    states = np.concatenate([clip.motion.state() for clip in own])
    scale = states.std(0) + 1e-6
    parts = [(stack_context((c.audio - mean) / std), (c.motion.state() - states.mean(0)) / scale) for c in own]

    def lstsq(rows: list[tuple[np.ndarray, np.ndarray]], candidate: float) -> np.ndarray:
        x, y = (np.concatenate(arrays) for arrays in zip(*rows, strict=True))
        width = x.shape[1]
        augmented = (
            np.concatenate([x, np.sqrt(candidate * len(x)) * np.eye(width)]),
            np.concatenate([y, np.zeros((width, 71))]),
        )
        return np.linalg.lstsq(*augmented, rcond=None)[0]

    errors = {}
    for candidate in PENALTIES:
        left_out = [
            np.mean((y - x @ lstsq(parts[:k] + parts[k + 1 :], candidate)) ** 2) for k, (x, y) in enumerate(parts)
        ]
        errors[candidate] = np.mean(left_out)
    best = min(errors, key=lambda candidate: errors[candidate])
    audio = test[0].audio
    expected = states.mean(0) + scale * (stack_context((audio - mean) / std) @ lstsq(parts, best))
    np.testing.assert_allclose(ridge.generate([request("b", audio)])[0].state(), expected, atol=2e-4)


def test_noise_gets_the_strongest_penalty_and_little_motion() -> None:
    rng = np.random.default_rng(2)
    clips = [
        replace(
            make_clip(make_model(("a",)), "a", f"a{k}", 200, k), audio=rng.standard_normal((200, 4)).astype(np.float32)
        )
        for k in range(4)
    ]
    ridge = Ridge(CONTEXT)
    ridge.fit(clips, CONTEXT)
    state = ridge.generate([request("a", rng.standard_normal((300, 4)))])[0].state()
    spread = np.concatenate([clip.motion.state() for clip in clips]).std(0)
    assert (state.std(0) < 0.2 * spread).all(), "audio that says nothing moves nothing"


def test_invalid_frames_teach_nothing(planted: tuple[list[Clip], dict[str, np.ndarray], list[Clip]]) -> None:
    training, _, test = planted

    def spoil(clip: Clip, value: float) -> Clip:
        state, valid = clip.motion.state(), np.ones(clip.frames, bool)
        state[100:150], valid[100:150] = value, False
        return replace(clip, motion=Motion.from_state(state), valid=valid)

    states = []
    for value in (0.0, 1e4):
        ridge = Ridge(CONTEXT)
        ridge.fit([spoil(clip, value) for clip in training], CONTEXT)
        states.append(ridge.generate([request("a", test[0].audio)])[0].state())
    np.testing.assert_array_equal(*states)


def test_one_clip_is_enough(planted: tuple[list[Clip], dict[str, np.ndarray], list[Clip]]) -> None:
    training, _, test = planted
    ridge = Ridge(CONTEXT)
    ridge.fit([training[0]], CONTEXT)
    truth = test[0].motion.state()[8:-8]
    assert np.mean((ridge.generate([request("a", test[0].audio)])[0].state()[8:-8] - truth) ** 2) < 0.3 * np.var(truth)


def test_the_fit_is_stored_and_taken_back(
    planted: tuple[list[Clip], dict[str, np.ndarray], list[Clip]], tmp_path: Path
) -> None:
    training, _, test = planted
    ridge = Ridge(CONTEXT)
    assert isinstance(ridge, Stateful)
    ridge.fit(training, CONTEXT)
    write_arrays(tmp_path / "fit", ridge.state_dict())
    again = Ridge(CONTEXT)
    again.load_state_dict(read_arrays(tmp_path / "fit", FacialBenchError, "")[0], CONTEXT)
    asked = [request(clip.identity, clip.audio) for clip in test]
    for one, two in zip(ridge.generate(asked), again.generate(asked), strict=True):
        np.testing.assert_array_equal(one.state(), two.state())
