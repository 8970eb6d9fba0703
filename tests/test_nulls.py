"""The null models: what they may show, and from whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import make_clip, make_model

from facial_bench.errors import FacialBenchError
from facial_bench.nulls import Memory, Null, make_null
from facial_bench.types import Clip, Context, CorpusInfo, Generator, Motion, Request

PEOPLE = ("a", "b", "c")
NAMES = ("frozen", "mean-motion", "replay", "wrong-identity")
INFO = CorpusInfo("tiny", "1", "d", 25.0, "noise29", 29, "cm", "px", "closure", PEOPLE)


def context(**options: str) -> Context:
    return Context(INFO, 0, "cpu", options=options)


@pytest.fixture(scope="module")
def training() -> list[Clip]:
    model = make_model(PEOPLE)
    clips = [make_clip(model, p, f"{p}{k}", 150 + 40 * k, 10 * n + k) for n, p in enumerate(PEOPLE) for k in range(3)]
    valid = np.ones(150, bool)
    valid[[0, 70, 71]] = False
    clips[0] = replace(clips[0], valid=valid)
    return clips


def fitted(name: str, training: list[Clip]) -> Generator:
    null = make_null(name, context())
    null.fit(training, context())
    return null


def request(training: list[Clip], identity: str, frames: int, seed: int = 0) -> Request:
    own = np.concatenate([clip.motion.state() for clip in training if clip.identity == identity])
    return Request("self/x@0", identity, np.zeros((frames, 29), np.float32), own.mean(0), 25.0, seed)


def rows_of(training: list[Clip], people: set[str]) -> set[bytes]:
    """Every valid training state of these people, as bytes."""
    return {row.tobytes() for clip in training if clip.identity in people for row in clip.motion.state()[clip.valid]}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("frames", [1, 2, 127, 128, 190, 500, 2000])
def test_the_length_is_what_was_asked_for(training: list[Clip], name: str, frames: int) -> None:
    (motion,) = fitted(name, training).generate([request(training, "a", frames)])
    assert motion.state().shape == (frames, 71)
    assert np.isfinite(motion.state()).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_is_the_only_chance(training: list[Clip], name: str) -> None:
    def states(seed: int) -> np.ndarray:
        null = fitted(name, training)
        return null.generate([request(training, "b", 60, seed)])[0].state()

    np.testing.assert_array_equal(states(3), states(3))
    if name in ("replay", "wrong-identity"):
        assert len({states(seed).tobytes() for seed in range(5)}) > 1


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_what_the_requests_give_alone(training: list[Clip], name: str) -> None:
    null = fitted(name, training)
    asked = [request(training, person, 90, seed) for seed, person in enumerate(PEOPLE)]
    for one, many in zip(asked, null.generate(asked), strict=True):
        np.testing.assert_array_equal(null.generate([one])[0].state(), many.state())


@pytest.mark.parametrize("frames", [1, 100, 230, 700])
def test_replay_is_training_motion_of_that_person_word_for_word(training: list[Clip], frames: int) -> None:
    for seed in range(8):
        (motion,) = fitted("replay", training).generate([request(training, "a", frames, seed)])
        assert {row.tobytes() for row in motion.state()} <= rows_of(training, {"a"})


def test_replay_is_cut_only_where_no_piece_is_long_enough(training: list[Clip]) -> None:
    pieces = [clip.motion.state() for clip in training if clip.identity == "b"]
    for seed in range(20):
        state = fitted("replay", training).generate([request(training, "b", 230, seed)])[0].state()
        assert any(np.array_equal(state, piece) for piece in pieces), "only the longest clip has 230 frames"


def test_no_piece_goes_over_frames_without_a_face(training: list[Clip]) -> None:
    lone = [clip for clip in training if clip.id == "a0"]
    state = lone[0].motion.state()
    found = {
        fitted("replay", lone).generate([request(training, "a", 60, seed)])[0].state().tobytes() for seed in range(200)
    }
    allowed = {state[s : s + 60].tobytes() for s in [*range(1, 11), *range(72, 91)]}
    assert found == allowed, "every stretch of frames 1..69 and 72..149, and no other"


def test_wrong_identity_is_always_someone_else(training: list[Clip]) -> None:
    seen = set()
    for seed in range(30):
        (motion,) = fitted("wrong-identity", training).generate([request(training, "b", 40, seed)])
        first = motion.state()[0].tobytes()
        (person,) = {p for p in PEOPLE if first in rows_of(training, {p})}
        seen.add(person)
        assert {row.tobytes() for row in motion.state()} <= rows_of(training, {person})
    assert seen == {"a", "c"}


def test_frozen_does_not_move_and_has_its_eyes_open(training: list[Clip]) -> None:
    asked = request(training, "a", 50)
    state = fitted("frozen", training).generate([asked])[0].state()
    assert (state == state[0]).all()
    np.testing.assert_array_equal(state[0, :70], asked.initial_state[:70])
    closure = np.concatenate([c.motion.blink[c.valid] for c in training if c.identity == "a"])
    assert state[0, 70] == pytest.approx(np.median(closure))


def test_frozen_eyes_are_open_though_the_mean_is_not(training: list[Clip]) -> None:
    def blinking(clip: Clip) -> Clip:
        blink = np.full(clip.frames, 0.1, np.float32)
        blink[: clip.frames // 4] = 1.0
        return replace(clip, motion=replace(clip.motion, blink=blink))

    clips = [blinking(clip) for clip in training]
    motions = {
        name: fitted(name, clips).generate([request(clips, "b", 5)])[0].blink[0] for name in ("frozen", "mean-motion")
    }
    assert motions["frozen"] == pytest.approx(0.1)
    assert motions["mean-motion"] == pytest.approx(0.32, abs=0.02)


def test_mean_motion_is_the_initial_state(training: list[Clip]) -> None:
    asked = request(training, "c", 7)
    np.testing.assert_array_equal(
        fitted("mean-motion", training).generate([asked])[0].state(), np.tile(asked.initial_state, (7, 1))
    )


@pytest.mark.parametrize("name", NAMES)
def test_options_are_refused(name: str) -> None:
    with pytest.raises(FacialBenchError, match=f"'{name}' has no options, got speed"):
        make_null(name, context(speed="2"))


def test_a_slow_twin_of_replay() -> None:
    """One piece of 5 frames, 12 asked for: whole, whole, and a random stretch of two."""
    piece = np.arange(5 * 71, dtype=np.float32).reshape(5, 71)
    memory = Memory({"a": [piece]})
    starts = set()
    for seed in range(60):
        found = memory.replay("a", 12, np.random.default_rng(seed))
        np.testing.assert_array_equal(found[:10], np.concatenate([piece, piece]))
        start = int(found[10, 0]) // 71
        np.testing.assert_array_equal(found[10:], piece[start : start + 2])
        starts.add(start)
    assert starts == {0, 1, 2, 3}


def test_a_null_takes_any_rule() -> None:
    null = Null(lambda memory, request: np.zeros((request.frames, 71), np.float32))
    (motion,) = null.generate([Request("x/y", "a", np.zeros((4, 29)), np.zeros(71), 25.0, 0)])
    assert isinstance(motion, Motion)
    assert motion.frames == 4
