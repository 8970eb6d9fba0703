"""Entries of rows: per-frame values, values of clips, pooled items; preparation; folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import UNSET
from msgspec.structs import replace as replace_row

from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.errors import PluginError
from facial_bench.evaluation.clip_metrics import make_metric_set, make_sample, measure_clip
from facial_bench.metrics.catalog import built_in_metrics
from facial_bench.metrics.pools import mean_pool
from facial_bench.statistics.aggregate import estimator, is_scored, summarise
from facial_bench.statistics.rows import Entry
from facial_bench.types import Clip, CorpusInfo, Items, MetricSpec, Motion, Sample
from tests.helpers.faces import Echo, make_clip, make_model
from tests.helpers.results import make_row
from tests.helpers.sessions import as_method, make_session, ready, run_one

PEOPLE = ("a", "b")
MODEL = make_model(PEOPLE)
INFO = CorpusInfo("tiny", "1", "d", 25.0, "noise29", 29, "cm", "px", "closure", PEOPLE)
RULES = Protocol(resamples=200)


def clip(name: str, frames: int = 300, seed: int = 0, **changes: Any) -> Clip:
    return replace(make_clip(MODEL, name[0], name, frames, seed), **changes)


def spec(compute: Callable[..., Any], **more: Any) -> MetricSpec:
    return MetricSpec("m", 1, "1", False, "f", compute, **more)


def entry(compute: Callable[..., Any], one: Clip, **more: Any) -> Entry:
    metric_set = make_metric_set(
        MODEL, INFO, [spec(compute, **more)], [clip("a1", seed=5), clip("b1", seed=6)], [one], 128
    )
    return measure_clip(metric_set, one, one.motion)["m"]


def ramp(sample: Sample) -> np.ndarray:
    return np.arange(len(sample.valid), dtype=float)


def test_values_of_frames_are_averaged_over_the_valid_ones() -> None:
    valid = np.ones(300, bool)
    valid[:100] = False
    found = entry(ramp, clip("a0", valid=valid))
    assert found.value == pytest.approx(np.arange(100, 300).mean())
    assert found.frames == (200, 200)
    assert found.weight == 1
    blocks = ((sum(range(100, 128)) / 200, 28 / 200), (sum(range(128, 300)) / 200, 172 / 200))
    assert np.array(found.blocks) == pytest.approx(np.array(blocks))
    assert entry(lambda s: np.where(ramp(s) < 250, np.nan, 1.0), clip("a0", valid=valid)).frames == (50, 200)


@pytest.mark.parametrize(("frames", "weight"), [(1, 1 / 128), (2, 2 / 128), (64, 0.5), (128, 1), (300, 1)])
@pytest.mark.parametrize("compute", [ramp, lambda s: np.float64(ramp(s).mean())], ids=["frames", "clip"])
def test_a_clip_of_few_frames_is_no_whole_vote(compute: Any, frames: int, weight: float) -> None:
    valid = np.zeros(300, bool)
    valid[:frames] = True
    found = entry(compute, clip("a0", valid=valid))
    assert found.weight == pytest.approx(weight)
    assert found.numbers is not None
    assert np.sum([block[1] for block in found.blocks]) == pytest.approx(weight), "blocks weigh what the clip weighs"
    if compute is ramp:
        assert np.sum(found.blocks, axis=0) == pytest.approx(found.numbers)


def test_a_clip_without_a_frame_to_score_has_no_value_of_a_clip() -> None:
    found = entry(lambda s: np.float64(1), clip("a0", valid=np.zeros(300, bool)))
    assert (found.value, found.failed) == (None, False)


def test_a_block_that_cannot_be_computed_costs_no_clip_its_value() -> None:
    def raises_in_short_ones(sample: Sample) -> np.ndarray:
        if len(sample.valid) < 150:
            raise ValueError("too short")
        return np.asarray(3.0)

    assert entry(raises_in_short_ones, clip("a0")) == Entry(value=3.0, weight=1, blocks=((3.0, 1.0),))


def test_a_value_of_a_clip_is_computed_anew_in_each_block() -> None:
    found = entry(lambda s: np.float64(len(s.valid)), clip("a0"))
    assert found.value == 300.0
    blocks = ((128.0 * 128 / 300, 128 / 300), (172.0 * 172 / 300, 172 / 300))
    assert np.array(found.blocks) == pytest.approx(np.array(blocks))


def test_items_are_reduced_as_a_whole_and_block_by_block() -> None:
    def items(sample: Sample) -> Items:
        return Items(np.array([0, 127, 128, 299]), np.array([1.0, 2.0, 4.0, 8.0]))

    found = entry(items, clip("a0"), pool=mean_pool())
    assert found == Entry(part=(4.0, 15.0), blocks=((2.0, 3.0), (2.0, 12.0)), items=4)
    none = entry(lambda s: Items(np.zeros(0, int), np.zeros(0)), clip("a0"), pool=mean_pool())
    assert none == Entry(part=(0.0, 0.0), blocks=((0.0, 0.0), (0.0, 0.0)), items=0)


@pytest.mark.parametrize(
    ("compute", "more", "reason"),
    [
        (lambda s: np.zeros(3), {}, "gave shape"),
        (lambda s: np.nan * ramp(s), {}, "no frame"),
        (lambda s: np.float64(np.nan), {}, "not defined for this clip"),
        (lambda s: 1 / 0, {}, "ZeroDivisionError"),
        (lambda s: ramp(s), {"pool": mean_pool()}, "expected Items"),
        (lambda s: Items(np.zeros(2, int), np.array([1.0, np.nan])), {"pool": mean_pool()}, "finite values"),
        (lambda s: Items(np.zeros(2, int), np.zeros(3)), {"pool": mean_pool()}, "2 frames for (3,)"),
    ],
)
def test_what_a_definition_gets_wrong_is_a_reason_and_no_score(compute: Any, more: Any, reason: str) -> None:
    found = entry(compute, clip("a0"), **more)
    assert found.value is None
    assert reason in found.reason
    assert "\n" not in found.reason


def test_a_definition_prepares_itself_once_for_each_person_from_real_clips() -> None:
    seen: list[Any] = []

    def prepare_it(person: Any) -> int:
        seen.append(person)
        return len(person.training)

    found = entry(lambda s, prepared: np.float64(prepared), clip("a0"), prepare=prepare_it)
    assert found.value == 1.0
    assert [person.identity for person in seen] == ["a"], "nothing of b is measured here"
    sample = seen[0].training[0]
    np.testing.assert_array_equal(sample.generated.pose, sample.reference.pose)


def test_a_definition_that_cannot_prepare_itself_is_named() -> None:
    with pytest.raises(PluginError, match="The metric m could not be prepared for a: ValueError: no"):
        entry(ramp, clip("a0"), prepare=lambda person: (_ for _ in ()).throw(ValueError("no")))


def test_a_motion_is_never_cut() -> None:
    with pytest.raises(ValueError, match="300 frames, the motion 299"):
        make_sample(MODEL, INFO, clip("a0"), clip("a0").motion[:299])


def test_a_face_behind_the_camera_fails_every_definition() -> None:
    one = clip("a0")
    pose = one.motion.pose.copy()
    pose[7, 5] = 1.0
    metric_set = make_metric_set(MODEL, INFO, [spec(ramp)], [], [], 128)
    found = measure_clip(metric_set, one, replace(one.motion, pose=pose))["m"]
    assert found.failed
    assert "not in view in 1 frames, the first is 7" in found.reason


def changed_entry(compute: Callable[..., Any], **more: Any) -> Entry:
    """The entry of a motion that is not the real one: its head is turned by one rad more."""
    one = clip("a0")
    metric_set = make_metric_set(MODEL, INFO, [spec(compute, **more)], [], [], 128)
    moved = replace(one.motion, pose=one.motion.pose + np.eye(6)[0])
    return measure_clip(metric_set, one, moved)["m"]


def turned(sample: Sample) -> bool:
    return bool((sample.generated.pose != sample.reference.pose).any())


def fail() -> Any:
    raise ValueError("no")


NOTHING = Items(np.zeros(1, int), np.array([np.nan]))
ITEMS = Items(np.zeros(1, int), np.array([1.0]))


@pytest.mark.parametrize(
    ("compute", "more", "reason"),
    [
        (lambda s: np.where((ramp(s) == 9) & turned(s), np.nan, 1.0), {}, "m has no value in 1 frames, the first is 9"),
        (lambda s: np.where(turned(s), np.nan, ramp(s)), {}, "300 frames, the first is 0"),
        (lambda s: fail() if turned(s) else ramp(s), {}, "raised ValueError: no, and the real motion has a value"),
        (lambda s: np.zeros(3) if turned(s) else ramp(s), {}, "gave shape"),
        (lambda s: np.float64(np.nan if turned(s) else 1), {}, "not defined for this clip, and the real motion"),
        (lambda s: fail() if turned(s) else ITEMS, {"pool": mean_pool()}, "raised ValueError"),
        (lambda s: NOTHING if turned(s) else ITEMS, {"pool": mean_pool()}, "finite values"),
    ],
)
def test_what_the_real_motion_shows_no_motion_can_hide(compute: Any, more: Any, reason: str) -> None:
    found = changed_entry(compute, **more)
    assert found.failed
    assert reason in found.reason
    assert found.numbers is None, "what chance gets is filled in where the person's mean state is known"


@pytest.mark.parametrize(
    ("compute", "more"),
    [
        (lambda s: np.where(ramp(s) == 9, np.nan, 1.0), {}),
        (lambda s: np.where((ramp(s) > 9) & ~turned(s), np.nan, 1.0), {}),
        (lambda s: np.float64(np.nan), {}),
        (lambda s: fail(), {}),
        (lambda s: Items(np.zeros(0, int), np.zeros(0)), {"pool": mean_pool()}),
    ],
)
def test_what_the_real_motion_does_not_show_either_is_undefined_and_no_failure(compute: Any, more: Any) -> None:
    assert not changed_entry(compute, **more).failed


def test_frames_that_are_not_valid_may_have_no_value() -> None:
    one = clip("a0", valid=np.arange(300) != 9)
    metric_set = make_metric_set(MODEL, INFO, [spec(lambda s: np.where(ramp(s) == 9, np.nan, 1.0))], [], [], 128)
    assert measure_clip(metric_set, one, one.motion[:])["m"].frames == (299, 299)


@pytest.mark.parametrize("frames", [1, 2, 127, 128, 200])
def test_every_definition_takes_short_clips(frames: int) -> None:
    """It gives a number, or a reason; it never raises and never gives NaN."""
    one = clip("a0", frames)
    metric_set = make_metric_set(
        MODEL,
        INFO,
        built_in_metrics(),
        [clip("a1", seed=5), clip("b1", seed=6)],
        [clip("a2", seed=7), clip("b2", seed=8)],
        128,
    )
    for name, found in measure_clip(metric_set, one, one.motion).items():
        assert "raised" not in found.reason.replace("raised ValueError: a mouth that", ""), (name, found)
        assert found.numbers is None or np.isfinite(found.numbers).all(), name


def test_identical_motion_is_perfect_under_every_distance() -> None:
    """Decoded landmarks against the landmarks they were made of; pooled distances against the same clips."""
    clips = [clip("a0", seed=1), clip("a2", seed=2), clip("b0", seed=3), clip("b2", seed=4)]
    metric_set = make_metric_set(MODEL, INFO, built_in_metrics(), [clip("a1", seed=5), clip("b1", seed=6)], clips, 128)
    rows = [
        replace_row(make_row(c.identity, c.id, {"lmd": 0.0}), metrics=measure_clip(metric_set, c, c.motion))
        for c in clips
    ]
    for measure in metric_set.measures:
        one = measure.spec
        if one.higher_is_better is not False:
            continue
        parts = {}
        if one.pool is not None:
            for person in PEOPLE:
                items = [
                    measure(make_sample(MODEL, INFO, c, c.motion), person).values for c in clips if c.identity == person
                ]
                parts[person] = one.pool.reduce(np.concatenate(items))
        found = summarise([rows], one.id, RULES, estimator(one.pool, parts))
        if found.value is not None:
            assert found.value == pytest.approx(0, abs=1e-3), one.id
    scored = [
        m.spec.id
        for m in metric_set.measures
        if is_scored(rows[0], m.spec.id) and rows[0].metrics[m.spec.id].part is UNSET
    ]
    assert len(scored) > 25


@pytest.mark.slow
def test_all_folds_test_every_clip_once(
    make_corpus: Callable[..., Corpus], small_protocol: Protocol, tmp_path: Path
) -> None:
    seen: list[Echo] = []

    def create(context: Any) -> Echo:
        seen.append(Echo(context))
        return seen[-1]

    corpus = make_corpus(clips=3, frames=300, scales=[0.3, 3.0])
    metrics = ("lmd", "frechet/pose", "copying_index")
    session = make_session(tmp_path, small_protocol, as_method(create), metrics=metrics)
    setup = ready(session, corpus, "all")
    result = run_one(session, "echo", corpus, tmp_path, folds="all")
    own = [row for row in result.clips if row.driving == "self"]
    assert sorted(row.clip for row in own) == sorted(entry.id for entry in corpus.entries)
    assert {row.fold for row in own} == {"fold-1", "fold-2", "fold-3"}
    assert result.metrics["lmd"].n_clips == 6
    used = [method for method in seen if method.fitted]
    assert len(used) == 3, "a method for each fold"
    for fold, method in zip(setup.folds, used, strict=True):
        assert not {c.id for c in method.fitted} & {c.id for c in fold.test}
    folder = tmp_path / "tiny@all-folds" / "echo" / "seed-0"
    assert len(list(folder.glob("fold-*/motions/self/*.safetensors"))) == 6
    assert (result.protocol.folds, result.protocol.digest) == ("all", setup.protocol.digest())
    assert setup.protocol.digest() != replace(setup.protocol, folds="one").digest(), "a board never mixes the two"
    again = run_one(session, "echo", corpus, tmp_path, folds="all")
    assert again.digest == result.digest


@pytest.mark.slow
def test_a_fold_may_test_nothing_of_a_person(
    make_corpus: Callable[..., Corpus], small_protocol: Protocol, tmp_path: Path
) -> None:
    """Three recordings of one person, two of another: the third fold has nothing of the second to test."""
    whole = make_corpus(
        clips=3, frames=300, scales=[0.3, 3.0], edit=lambda c: replace(c, recording="b1" if c.id == "b2" else c.id)
    )
    specs = [one for one in built_in_metrics() if one.prepare is not None]
    assert {"sync_share", "copying_index", "speech_coupling/head"} < {one.id for one in specs}
    session = make_session(tmp_path, small_protocol, metrics=[one.id for one in specs])
    setup = ready(session, whole, "all")
    assert [{c.identity for c in fold.test} for fold in setup.folds] == [{"a", "b"}, {"a", "b"}, {"a"}]
    assert setup.references["copying_index"].ceiling.value == pytest.approx(0.5)


def test_motion_of_another_type_is_measured_in_double_precision() -> None:
    one = clip("a0")
    sample = make_sample(MODEL, INFO, one, Motion(one.motion.expression, one.motion.pose, one.motion.blink))
    assert {array.dtype for array in (sample.generated.pose, sample.audio, sample.reference_landmarks)} == {
        np.dtype(np.float64)
    }
