"""What a request tells, and what it must not: neither the clip that its audio is from, nor whose audio it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from facial_bench.core.digests import derive_seed
from facial_bench.core.progress import QUIET
from facial_bench.evaluation.generate import generate
from facial_bench.evaluation.requests import Task, content_digest, make_tasks, own_cameras, with_clip_cameras
from facial_bench.types import Camera, Clip, Motion, Request
from tests.helpers.doors import as_door
from tests.helpers.faces import make_clip, make_model

PEOPLE = ("a", "b", "c")
MODEL = make_model(PEOPLE)
VIEWS = {person: Camera(100 + k, 200, 300.0) for k, person in enumerate(PEOPLE)}


def clips(part: str, count: int = 3) -> list[Clip]:
    return [
        make_clip(MODEL, person, f"{person}-{part}{k}", 40, 10 * p + k)
        for p, person in enumerate(PEOPLE)
        for k in range(count)
    ]


def tasks(test: Sequence[Clip], seed: int = 0) -> list[Task]:
    return make_tasks(test, PEOPLE, dict.fromkeys(PEOPLE, np.zeros(71, np.float32)), 25.0, seed, VIEWS)


def told(task: Task) -> tuple[str, int, Camera | None]:
    return task.request.identity, task.request.seed, task.request.camera


def test_clips_of_other_names_ask_for_the_same() -> None:
    """The seeds hold nothing of a clip's name or place, or of the driving."""
    own = clips("x")
    renamed = [replace(clip, id=f"other-{k}", start=7 * k) for k, clip in enumerate(own)]
    assert [told(task) for task in tasks(own)] == [told(task) for task in tasks(renamed)]
    names = {derive_seed(0, "request", task.request.id) for task in tasks(own)}
    assert not names & {task.request.seed for task in tasks(own)}


def test_a_seed_follows_from_the_run_and_what_the_method_is_given() -> None:
    first, again, other = (tasks(clips("x"), seed) for seed in (0, 0, 1))
    seeds = [[task.request.seed for task in run] for run in (first, again, other)]
    assert seeds[0] == seeds[1]
    assert not set(seeds[0]) & set(seeds[2])
    assert len(set(seeds[0])) == len(first) == 18, "each person with each audio once"
    assert first[0].request.seed == derive_seed(0, "request", content_digest(first[0].request))


def test_the_same_audio_for_the_same_person_has_the_same_seed() -> None:
    one = clips("x")[0]
    twice = tasks([one, replace(one, id="copy")])
    assert twice[0].request.seed == twice[1].request.seed


def test_a_digest_is_of_audio_person_and_length() -> None:
    request = tasks(clips("x"))[0].request
    assert content_digest(replace(request, id="?", seed=3, camera=None)) == content_digest(request)
    louder = np.array(request.audio)
    louder[0, 0] += 1
    for other in ({"identity": "b"}, {"audio": request.audio[:-1]}, {"audio": louder}):
        assert content_digest(replace(request, **other)) != content_digest(request)


def test_every_request_of_a_person_names_the_view_of_the_first_training_clip() -> None:
    training = [replace(clip, camera=Camera(50 + k, 60, 70.0)) for k, clip in enumerate(clips("t"))]
    views = own_cameras(training)
    assert {person: view.width for person, view in views.items()} == {"a": 50, "b": 53, "c": 56}
    every = tasks(clips("x"))
    assert {task.driving for task in every} == {"self", "cross"}
    assert all(task.request.camera == VIEWS[task.request.identity] for task in every)


class Watch:
    """Holds still, with landmarks at one place; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def generate(self, requests: Sequence[Request]) -> list[Motion]:
        self.asked += requests
        marks = np.full((68, 3), 10, np.float32)
        return [
            replace(
                Motion.from_state(np.tile(one.initial_state, (one.frames, 1))),
                landmarks=np.tile(marks, (one.frames, 1, 1)),
            )
            for one in requests
        ]


def test_the_order_of_requests_tells_neither_driving_nor_clip(tmp_path: Path) -> None:
    """It is that of a digest of what they hold, whatever the clips are called and in whatever order they come."""
    watch, every = Watch(), tasks(clips("x"))
    outcomes = generate(as_door(watch, partial=True), every, tmp_path, batch=4, report=QUIET)
    assert list(outcomes) == [task.request.id for task in every], "results keep the order of the corpus"
    digests = [content_digest(request) for request in watch.asked]
    assert digests == sorted(digests)
    drivings = {content_digest(task.request): task.driving for task in every}
    assert [drivings[one] for one in digests] != [task.driving for task in every]


def test_given_landmarks_come_in_the_pixels_of_the_request_and_are_compared_in_those_of_the_clip(
    tmp_path: Path,
) -> None:
    test = [replace(clips("x")[0], camera=Camera(200, 100, 300.0))]
    outcomes = generate(as_door(Watch(), partial=True), tasks(test), tmp_path, batch=4, report=QUIET)
    motion = outcomes["self/a-x0@0"].motion
    assert motion is not None and motion.landmarks is not None
    np.testing.assert_allclose(motion.landmarks[0, 0], [20, 5, 20])


def test_finished_outputs_are_read_in_the_view_of_their_clip() -> None:
    views = {task.request.id: task.request.camera for task in with_clip_cameras(tasks(clips("x")))}
    assert views["self/a-x0@0"] == clips("x")[0].camera
    assert views["cross/a-x0@0"] is None
