"""Bounds of motion: what real people and every null model do lies far inside; what no head does is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facial_bench.core.geometry import EYE_CORNERS
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.importers.tracks import import_tracks
from facial_bench.corpora.split import split_clips
from facial_bench.corpora.synthetic import make
from facial_bench.evaluation.physical_bounds import beyond_bounds
from facial_bench.evaluation.requests import make_tasks, mean_states
from facial_bench.evaluation.sensitivity.perturbations import Surroundings, perturbations
from facial_bench.methods.null_models import NULL_MODELS, Null
from facial_bench.types import Context, CorpusInfo, Motion
from tests.helpers.faces import CAMERA, make_clip, make_model

MODEL = make_model("a")
INFO = CorpusInfo("tiny", "1", "d", 25.0, "noise29", 29, "cm", "px", "closure", ("a",))
CLIP = make_clip(MODEL, "a", "a0", 20, 0)
STATE = CLIP.motion.state().mean(axis=0)
EYES = float(np.linalg.norm(MODEL.neutral["a"][EYE_CORNERS[0]] - MODEL.neutral["a"][EYE_CORNERS[1]]))


def found(motion: Motion, info: CorpusInfo = INFO) -> str:
    return beyond_bounds(motion, "a", STATE, MODEL, info, CAMERA)


def with_part(frame: int, part: str, column: int | None, value: float) -> Motion:
    array = np.array(getattr(CLIP.motion, part))
    array[frame if column is None else (frame, column)] = value
    return replace(CLIP.motion, **{part: array})


@pytest.mark.parametrize(
    ("part", "column", "value", "text"),
    [
        ("pose", 0, 6.4, "frame 7: pitch is 6.4 rad either way, beyond the bound of 6.283 rad either way"),
        ("pose", 2, -1e9, "frame 7: roll is 1e+09"),
        ("pose", 5, -1e12, "frame 7: the distance from the person's usual place is 1e+12 cm, beyond the bound of "),
        ("pose", 3, 101 * EYES, "usual place"),
        ("expression", 3, 1e4, "frame 7: the expression moves a landmark by "),
        ("blink", None, 5.01, "frame 7: blink is 5.01 either way, beyond the bound of 5 either way"),
        ("blink", None, -1e30, "frame 7: blink is 1e+30"),
    ],
)
def test_what_no_face_does_is_named_with_frame_part_value_and_bound(
    part: str, column: int | None, value: float, text: str
) -> None:
    assert text in found(with_part(7, part, column, value))
    assert found(CLIP.motion) == ""


def test_at_a_bound_all_is_well() -> None:
    assert found(with_part(7, "pose", 1, 2 * np.pi - 1e-6)) == ""
    assert found(with_part(7, "blink", None, -5)) == ""
    assert found(with_part(7, "pose", 5, float(STATE[69]) - 99 * EYES)) == ""


def test_the_blink_scale_of_the_corpus_counts() -> None:
    assert found(with_part(7, "blink", None, 24.9), replace(INFO, blink_scale="AU45")) == ""
    assert "blink is 26" in found(with_part(7, "blink", None, 26), replace(INFO, blink_scale="AU45"))


def test_the_first_frame_is_named_whatever_its_part() -> None:
    both = replace(with_part(9, "pose", 0, 7.0), blink=with_part(4, "blink", None, 9.0).blink)
    assert found(both).startswith("frame 4: blink is 9")


def test_parts_that_an_output_holds_are_looked_at() -> None:
    landmarks = np.array(CLIP.landmarks)
    alone = Motion.from_parts({"landmarks": landmarks})
    assert found(alone) == ""
    landmarks[3, 5] = 1e9
    assert "frame 3: the distance of a landmark from the middle of the image is 1.7" in found(alone)
    assert "pitch" in found(Motion.from_parts({"pose": with_part(7, "pose", 0, 7.0).pose}))


def test_a_shift_of_the_person_and_of_the_motion_changes_nothing() -> None:
    shift = np.array([0, 0, 0, 1e4, -1e4, 1e4])
    moved, state = replace(CLIP.motion, pose=CLIP.motion.pose + shift), STATE + np.r_[np.zeros(64), shift, 0]
    assert found(moved)
    assert beyond_bounds(moved, "a", state, MODEL, INFO, CAMERA) == ""


@pytest.fixture(scope="module", params=["built-in", "real tracks"])
def people(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder: Path = tmp_path_factory.mktemp("people") / "people"
    if request.param == "built-in":
        make(folder)
    else:
        tracks = request.getfixturevalue("real_data") / "real-tracks"
        import_tracks(tracks, folder, {}, lambda line: None)
    return open_corpus(folder)


def motions_of(corpus: Corpus) -> Iterator[tuple[str, str, Motion, np.ndarray]]:
    """What real people do, what null models make, and real motion spoiled as much as the sensitivity study does:
    (what, identity, motion, the person's mean training state)."""
    split = split_clips(corpus.entries, Protocol())
    training, test = list(corpus.segments(split.train)), list(corpus.segments(split.test))
    states, info = mean_states(training), corpus.info
    for clip in [*training, *test]:
        yield f"real {clip.id}", clip.identity, clip.motion, states[clip.identity]
    tasks = make_tasks(test, info.identities, states, info.fps, 0)
    for name, one in NULL_MODELS.items():
        model = Null(one.rule)
        model.fit(training, Context(info, 0, "cpu"))
        requests = [task.request for task in tasks]
        for request, motion in zip(requests, model.generate(requests), strict=True):
            yield f"{name} {request.id}", request.identity, motion, request.initial_state
    for perturbation in perturbations():
        for clip in test[:2]:
            other = Motion.from_state(np.resize(test[-1].motion.state(), (clip.frames, 71)))
            around = Surroundings(clip.valid, other, np.random.default_rng(0), info.fps, info.blink_scale)
            for dose in perturbation.doses:
                spoiled = perturbation.spoil(clip.motion, dose, around)
                yield f"{perturbation.name} {dose}", clip.identity, spoiled, states[clip.identity]


@pytest.mark.slow
def test_real_people_null_models_and_spoiled_motion_stay_within(people: Corpus) -> None:
    beyond = {
        what: reason
        for what, identity, motion, state in motions_of(people)
        if (reason := beyond_bounds(motion, identity, state, people.face_model, people.info, CAMERA))
    }
    assert beyond == {}
