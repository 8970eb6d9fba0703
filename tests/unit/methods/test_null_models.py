"""The null models: what they may show, and from whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facial_bench.methods.null_models import NULL_MODELS, Memory, Null, copies_training, is_null
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.types import Clip, Context, CorpusInfo, Generator, Motion, Request
from tests.helpers.faces import make_clip, make_model

PEOPLE = ("a", "b", "c")
RANDOM = ("replay", "wrong-identity", "phase-randomised", "time-reversed", "naive-blinker", "ar1")
NAMES = ("frozen", "mean-motion", *RANDOM)
INFO = CorpusInfo("tiny", "1", "d", 25.0, "noise29", 29, "cm", "px", "closure", PEOPLE)
CONTEXT = Context(INFO, 0, "cpu")


@pytest.fixture(scope="module")
def training() -> list[Clip]:
    model = make_model(PEOPLE)
    clips = [make_clip(model, p, f"{p}{k}", 150 + 40 * k, 10 * n + k) for n, p in enumerate(PEOPLE) for k in range(3)]
    valid = np.ones(150, bool)
    valid[[0, 70, 71]] = False
    clips[0] = replace(clips[0], valid=valid)
    return clips


def fitted(name: str, training: list[Clip]) -> Generator:
    null = Null(NULL_MODELS[name].rule)
    null.fit(training, CONTEXT)
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
    if name in RANDOM:
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
    made = {
        fitted("replay", lone).generate([request(training, "a", 60, seed)])[0].state().tobytes() for seed in range(200)
    }
    allowed = {state[s : s + 60].tobytes() for s in [*range(1, 11), *range(72, 91)]}
    assert made == allowed, "every stretch of frames 1..69 and 72..149, and no other"


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


def state_of(name: str, clips: list[Clip], frames: int, seed: int = 0) -> np.ndarray:
    return fitted(name, clips).generate([request(clips, "b", frames, seed)])[0].state().astype(np.float64)


@pytest.mark.parametrize("frames", [189, 190])
def test_random_phases_keep_every_spectrum_and_the_mean(training: list[Clip], frames: int) -> None:
    made = state_of("phase-randomised", training, frames)
    stretch = state_of("replay", training, frames)  # the same seed takes the same stretch
    spectra = [np.abs(np.fft.rfft(signal, axis=0)) for signal in (made, stretch)]
    np.testing.assert_allclose(*spectra, rtol=1e-3, atol=2e-4)  # the state is float32
    np.testing.assert_allclose(made.mean(0), stretch.mean(0), atol=1e-5)
    assert np.abs(made - stretch).max() > 0.1
    np.testing.assert_allclose(np.cov(made.T), np.cov(stretch.T), atol=1e-4)


def test_random_phases_equal_a_sum_of_cosines() -> None:
    """The slow twin: every frequency of the piece, turned by its own angle, summed frame by frame."""
    piece = np.random.default_rng(1).standard_normal((7, 71)).astype(np.float32)
    clip = replace(make_clip(make_model(PEOPLE), "b", "x", 7, 0), motion=Motion.from_state(piece))
    made = state_of("phase-randomised", [clip], 7, seed=5)
    rng = np.random.default_rng(5)
    Memory({"b": [piece]}).replay("b", 7, rng)
    angles = np.concatenate([[0.0], (2 * np.pi * rng.random(4))[1:]])
    for column in (0, 66, 70):
        for t in range(7):
            value = 0.0
            for k in range(4):
                power = sum(piece[s, column] * np.exp(-2j * np.pi * k * s / 7) for s in range(7))
                value += (1 if k == 0 else 2) / 7 * (power * np.exp(1j * (2 * np.pi * k * t / 7 + angles[k]))).real
            assert made[t, column] == pytest.approx(value, abs=1e-5)


def test_time_reversed_is_the_replayed_stretch_backwards(training: list[Clip]) -> None:
    for seed in range(4):
        made = state_of("time-reversed", training, 100, seed)
        np.testing.assert_array_equal(made[::-1], state_of("replay", training, 100, seed))


def test_the_naive_blinker_blinks_every_four_seconds_and_does_nothing_else(training: list[Clip]) -> None:
    made = state_of("naive-blinker", training, 1000)
    assert (made[:, :70] == made[0, :70]).all()
    lids = made[:, 70]
    assert len(np.unique(lids)) == 2
    onsets = np.flatnonzero(np.diff((lids == lids.max()).astype(int)) == 1)
    assert set(np.diff(onsets)) == {100}
    assert (lids == lids.max()).sum() == 50, "five frames, ten times in forty seconds"
    own = np.concatenate([c.motion.blink for c in training if c.identity == "b"])
    assert lids.max() == pytest.approx(np.quantile(own, 0.98))
    assert lids.min() == pytest.approx(np.median(own))


def slow_ar1(pieces: list[np.ndarray], noise: np.ndarray) -> list[float]:
    """One channel: its mean, variance and memory, and the recursion, in loops."""
    values = [v for piece in pieces for v in piece]
    mean = sum(values) / len(values)
    variance = sum((v - mean) ** 2 for v in values) / len(values)
    above = sum((p[t] - mean) * (p[t - 1] - mean) for p in pieces for t in range(1, len(p)))
    below = sum((p[t - 1] - mean) ** 2 for p in pieces for t in range(1, len(p)))
    phi = min(max(above / below, 0), 0.999)
    noise_out = [variance**0.5 * noise[0]]
    for t in range(1, len(noise)):
        noise_out.append(phi * noise_out[-1] + (variance * (1 - phi**2)) ** 0.5 * noise[t])
    return [mean + v for v in noise_out]


def test_ar1_equals_its_loop_and_never_looks_over_a_gap(training: list[Clip]) -> None:
    clips = [c for c in training if c.identity == "a"]
    asked = request(clips, "a", 50, 3)
    made = fitted("ar1", clips).generate([asked])[0].state()
    noise = np.random.default_rng(3).standard_normal((50, 71))
    for column in (0, 65, 70):
        whole = [c.motion.state()[:, column].astype(float) for c in clips]
        pieces = [whole[0][1:70], whole[0][72:], *whole[1:]]
        np.testing.assert_allclose(made[:, column], slow_ar1(pieces, noise[:, column]), atol=1e-4)


def test_ar1_gives_back_the_process_it_was_fitted_to() -> None:
    clip = make_clip(make_model(PEOPLE), "b", "long", 6000, 0)
    made = state_of("ar1", [clip], 20000)
    pitch, own = made[:, 64], clip.motion.pose[:, 0]
    assert np.corrcoef(pitch[1:], pitch[:-1])[0, 1] == pytest.approx(0.95, abs=0.02)
    assert pitch.std() == pytest.approx(own.std(), rel=0.1)


def test_one_frame_to_learn_from_is_enough_not_to_fail(training: list[Clip]) -> None:
    lone = [training[0][10:11], training[3], training[6]]
    for name in NAMES:
        (motion,) = fitted(name, lone).generate([request(lone, "a", 30)])
        assert np.isfinite(motion.state()).all(), name


def test_mean_motion_is_the_initial_state(training: list[Clip]) -> None:
    asked = request(training, "c", 7)
    np.testing.assert_array_equal(
        fitted("mean-motion", training).generate([asked])[0].state(), np.tile(asked.initial_state, (7, 1))
    )


def test_the_null_models_are_those_of_the_benchmark_whatever_a_plugin_says_of_itself() -> None:
    methods = load_plugins(installed=[]).registered("generators")
    assert {name for name, one in methods.items() if is_null(one.source.plugin, name)} == set(NAMES)
    assert {name for name, one in methods.items() if one.spec.reference == "null model"} == set(NAMES)
    assert not is_null("my-plugin", "frozen")
    assert not is_null("facial-bench", "ridge")
    assert {name for name in methods if copies_training("facial-bench", name)} == {"replay"}
    assert not copies_training("my-plugin", "replay")


def test_a_slow_twin_of_replay() -> None:
    """One piece of 5 frames, 12 asked for: whole, whole, and a random stretch of two."""
    piece = np.arange(5 * 71, dtype=np.float32).reshape(5, 71)
    memory = Memory({"a": [piece]})
    starts = set()
    for seed in range(60):
        stretch = memory.replay("a", 12, np.random.default_rng(seed))
        np.testing.assert_array_equal(stretch[:10], np.concatenate([piece, piece]))
        start = int(stretch[10, 0]) // 71
        np.testing.assert_array_equal(stretch[10:], piece[start : start + 2])
        starts.add(start)
    assert starts == {0, 1, 2, 3}


def test_a_null_takes_any_rule() -> None:
    null = Null(lambda memory, request: np.zeros((request.frames, 71), np.float32))
    (motion,) = null.generate([Request("x/y", "a", np.zeros((4, 29)), np.zeros(71), 25.0, 0)])
    assert isinstance(motion, Motion)
    assert motion.frames == 4
