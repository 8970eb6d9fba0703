"""What can be seen of a method from outside: use of the audio, look-ahead, speed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from facial_bench.core.progress import QUIET
from facial_bench.errors import GenerationError
from facial_bench.evaluation.behaviour import (
    LookAhead,
    changed_frames,
    describe_behaviour,
    look_ahead,
    other_audio,
    pool_behaviour,
)
from facial_bench.evaluation.generate import generate
from facial_bench.evaluation.requests import Task, make_tasks
from facial_bench.evaluation.result_schema import Behaviour
from facial_bench.isolation.door import ask
from facial_bench.types import Clip, Context, Motion, Request
from facial_bench_worker.motions import check_motions
from tests.helpers.doors import as_door, as_fitted
from tests.helpers.faces import make_clip, make_model

MODEL = make_model("ab")


def request(frames: int = 200) -> Request:
    audio = np.random.default_rng(0).standard_normal((frames, 29)).astype(np.float32)
    return Request("self/x@0", "a", audio, np.zeros(71, np.float32), 25.0, 0)


OTHER = np.random.default_rng(1).standard_normal((50, 29)).astype(np.float32)


class Filter:
    """The mouth follows the audio from `before` frames ago to `after` frames ahead."""

    def __init__(self, before: int, after: int, scale: float = 1.0) -> None:
        self.before, self.after, self.scale = before, after, scale

    def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
        made = []
        for one in requests:
            padded = np.pad(one.audio[:, 0], (self.before, self.after))
            width = self.before + self.after + 1
            state = np.tile(one.initial_state, (one.frames, 1))
            state[:, 0] += self.scale * np.lib.stride_tricks.sliding_window_view(padded, width).sum(axis=1)
            made.append(Motion.from_state(state))
        return made


@pytest.mark.parametrize(("before", "after"), [(3, 0), (0, 0), (5, 7), (0, 40)])
def test_the_look_ahead_is_what_the_filter_has(before: int, after: int) -> None:
    assert look_ahead(as_door(Filter(before, after)), request(), OTHER) == LookAhead(True, after)


def test_a_method_that_reacts_late_is_causal() -> None:
    class Late(Filter):
        def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
            (made,) = super().generate(requests)
            late = np.concatenate([np.zeros((4, 64), np.float32), made.expression[:-4]])
            return [Motion(late, made.pose, made.blink)]

    assert look_ahead(as_door(Late(0, 0)), request(), OTHER).frames == 0


def test_a_method_that_does_not_hear_looks_nowhere() -> None:
    assert look_ahead(as_door(Filter(0, 0, scale=0.0)), request(), OTHER) == LookAhead(False, None)


def test_the_whole_sequence_seen_is_found() -> None:
    class Whole(Filter):
        def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
            state = np.full((requests[0].frames, 71), requests[0].audio.mean(), np.float32)
            return [Motion.from_state(state)]

    assert look_ahead(as_door(Whole(0, 0)), request(), OTHER).frames == 150, "from the last of the three places"


def test_rounding_is_no_answer_and_a_small_change_is_one() -> None:
    state = np.random.default_rng(0).standard_normal((10, 71)).astype(np.float32)
    one = Motion.from_state(state)
    moved = state.copy()
    moved[4, 70] *= 1 + 1e-7
    moved[6, 3] += 1e-4
    assert changed_frames(one, Motion.from_state(moved)).tolist() == [6]


def test_other_audio_leaves_the_request_alone() -> None:
    asked = request(120)
    before = asked.audio.copy()
    changed = other_audio(asked, OTHER, 70)
    np.testing.assert_array_equal(asked.audio, before)
    np.testing.assert_array_equal(changed.audio[:70], before[:70])
    np.testing.assert_array_equal(changed.audio[70:], np.concatenate([OTHER[20:], OTHER[:20]]))
    assert not changed.audio.flags.writeable


def tasks(clips: int = 2, frames: int = 500) -> list[Task]:
    test = [make_clip(MODEL, "a", f"a{k}", frames + k, k) for k in range(clips)]
    return make_tasks(test, ("a", "b"), dict.fromkeys("ab", np.zeros(71, np.float32)), 25.0, 0)


def test_a_description_says_it_in_milliseconds() -> None:
    behaviour, speed = describe_behaviour(as_door(Filter(2, 6)), tasks())
    assert speed is not None and speed > 1
    assert behaviour == Behaviour(uses_audio=True, look_ahead_frames=6, look_ahead_ms=240.0, probed_frames=400)


def raising(error: Callable[[], BaseException]) -> object:
    class Broken(Filter):
        def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
            raise error()

    return Broken(0, 0)


@pytest.mark.parametrize("error", [lambda: ValueError("no\nmotion"), lambda: SystemExit(3)])
def test_a_method_that_raises_is_described_by_its_reason(error: Callable[[], BaseException]) -> None:
    behaviour, speed = describe_behaviour(as_door(raising(error)), tasks())
    assert behaviour == Behaviour(reason=behaviour.reason) and speed is None
    assert behaviour.reason and "\n" not in behaviour.reason


def test_without_a_second_clip_there_is_no_other_audio() -> None:
    assert "second test clip" in describe_behaviour(as_door(Filter(0, 0)), tasks(1))[0].reason


def test_a_motion_that_is_none_is_not_measured() -> None:
    class Short(Filter):
        def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
            return [super().generate(requests)[0][:-1]]

    with pytest.raises(GenerationError, match="expected expression"):
        look_ahead(as_door(Short(0, 0)), request(), OTHER)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (None, "generate returned None, expected a list of 2 motions"),
        (Motion.from_state(np.zeros((3, 71), np.float32)), "generate returned a Motion, expected a list of 2 motions"),
        ([1], "generate returned 1 motions, expected a list of 2 motions"),
        ((part for part in "abc"), "generate returned 3 motions, expected a list of 2 motions"),
    ],
)
def test_what_is_no_list_of_motions_is_named(answer: object, complaint: str) -> None:
    with pytest.raises(GenerationError) as problem:
        check_motions(answer, [request(), request()])
    assert str(problem.value) == complaint


def test_a_forgotten_return_is_said_wherever_a_method_is_asked(tmp_path: Path) -> None:
    class Forgets:
        def fit(self, clips: Sequence[Clip], context: Context) -> None:
            pass

        def generate(self, requests: Sequence[Request]) -> None:
            pass

    with pytest.raises(GenerationError, match=r"^generate returned None, expected a list of one motion$"):
        ask(as_door(Forgets()), request())
    outcomes = generate(as_fitted(Forgets(), tmp_path), tasks(), tmp_path / "motions", batch=4, report=QUIET)
    assert {one.reason for one in outcomes.values()} == {"generate returned None, expected a list of one motion"}
    assert check_motions(iter([1, 2]), [request(), request()]) == [1, 2], "any iterable will do"


def measured(look: int | None, frames: int = 400) -> Behaviour:
    if look is None:
        return Behaviour(uses_audio=False, look_ahead_frames=None, look_ahead_ms=None, probed_frames=frames)
    return Behaviour(uses_audio=True, look_ahead_frames=look, look_ahead_ms=40.0 * look, probed_frames=frames)


def test_one_fold_is_what_it_is() -> None:
    assert pool_behaviour({"": (measured(3), 7.0)}) == (measured(3), 7.0)
    assert pool_behaviour({"": (Behaviour(reason="no"), None)}) == (Behaviour(reason="no"), None)


def test_folds_are_pooled_by_hand() -> None:
    """Deaf in one fold, looking ahead 2 and 9 frames in the others: 9, in 1000 frames; the median speed."""
    folds = {"fold-1": (measured(2), 5.0), "fold-2": (measured(None, 200), 70.0), "fold-3": (measured(9), 6.0)}
    assert pool_behaviour(folds) == (measured(9, 1000), 6.0)
    assert pool_behaviour(dict(reversed(folds.items()))) == (measured(9, 1000), 6.0)


def test_a_fold_that_could_not_be_measured_is_named_and_the_rest_counts() -> None:
    folds = {"fold-1": (measured(2), 5.0), "fold-2": (Behaviour(reason="raised"), None)}
    behaviour, speed = pool_behaviour(folds)
    assert (behaviour.look_ahead_frames, behaviour.uses_audio, speed) == (2, True, 5.0)
    assert behaviour.reason == "fold-2: raised"
