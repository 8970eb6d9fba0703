"""Nothing is gained by failing or hiding: what a failed clip counts as, in rows and in the values made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from msgspec import UNSET
from msgspec.structs import replace as replace_entry

from facial_bench.core.protocol import Protocol
from facial_bench.evaluation.clip_metrics import MetricSet, make_metric_set
from facial_bench.evaluation.clip_scores import measured_row
from facial_bench.evaluation.failed_clips import causes, chance_motion, no_better_than_elsewhere, worst_share
from facial_bench.evaluation.requests import Task, make_tasks, mean_states
from facial_bench.evaluation.result import skill
from facial_bench.metrics.catalog import all_definitions, built_in_metrics
from facial_bench.statistics.aggregate import estimator, summarise
from facial_bench.statistics.rows import Row
from facial_bench.types import CorpusInfo, MetricSpec, Motion, Sample
from facial_bench_worker.motions import Outcome
from tests.helpers.faces import make_clip, make_model
from tests.helpers.results import make_row

PEOPLE = ("a", "b")
MODEL = make_model(PEOPLE)
INFO = CorpusInfo("tiny", "1", "d", 25.0, "noise29", 29, "cm", "px", "closure", PEOPLE)
RULES = Protocol(resamples=200)
RAISED = Outcome(None, "raised ValueError: no")
TRAINING = [
    make_clip(MODEL, person, f"{person}{k}", 300, 50 + 10 * p + k) for p, person in enumerate("ab") for k in (8, 9)
]
TEST = [make_clip(MODEL, person, f"{person}{k}", 300, 10 * p + k) for p, person in enumerate("ab") for k in range(3)]


@dataclass(frozen=True)
class Made:
    """A metric set and self-driven tasks."""

    metric_set: MetricSet
    tasks: Sequence[Task]

    def row(self, motion: Motion | Outcome, k: int = 0) -> Row:
        outcome = motion if isinstance(motion, Outcome) else Outcome(motion)
        return measured_row(self.tasks[k], outcome, self.metric_set)

    def rows(self, motions: Sequence[Motion | Outcome]) -> list[Row]:
        rows = [self.row(motion, k) for k, motion in enumerate(motions)]
        return no_better_than_elsewhere(rows, self.tasks, self.metric_set)


@cache
def made(*names: str, more: tuple[MetricSpec, ...] = ()) -> Made:
    specs = [spec for spec in built_in_metrics() if spec.id in names or not names] + list(more)
    tasks = make_tasks(TEST, PEOPLE, mean_states(TRAINING), 25.0, 0)
    own = [task for task in tasks if task.driving == "self"]
    return Made(make_metric_set(MODEL, INFO, specs, TRAINING, TEST, 128), own)


def real(k: int) -> Motion:
    return TEST[k].motion[:]


def hide(motion: Motion, frames: slice) -> Motion:
    """The head 1e12 cm away in these frames: nothing of it is left to be measured."""
    pose = np.array(motion.pose)
    pose[frames, 5] = -1e12
    return replace(motion, pose=pose)


def test_a_head_far_away_fails_the_clip() -> None:
    """Frames with such a head were left out: 9 in 10 of them halved the distance."""
    one = made("lmd", "pose_std_distance")
    row = one.row(hide(hide(real(0), slice(0, None, 2)), slice(1, 299, 2)))
    assert row.status == "failed"
    assert row.reason.startswith(
        "frame 0: the distance from the person's usual place is 1e+12 cm, beyond the bound of "
    )
    honest, still = one.row(real(0)), one.row(chance_motion(one.tasks[0]))
    for name, entry in row.metrics.items():
        assert entry.failed
        assert entry.value == value_of(still, name) > value_of(honest, name)


def test_a_head_behind_the_camera_fails_the_clip_for_every_metric() -> None:
    pose = np.array(real(0).pose)
    pose[7, 5] = 1.0
    row = made("lmd", "pose_std_distance").row(replace(real(0), pose=pose))
    assert (row.status, row.reason) == ("failed", "the generated face is not in view in 1 frames, the first is 7")
    assert all(entry.failed for entry in row.metrics.values())


def test_given_landmarks_in_one_point_fail_the_clip() -> None:
    landmarks = np.array(TEST[0].landmarks)
    landmarks[3:] = 100.0
    row = made("lmd").row(replace(real(0), landmarks=landmarks))
    assert row.status == "failed"
    assert row.reason == "lmd has no value in 297 frames, the first is 3, and the real motion has one there"


def strange(name: str, compute: Callable[[Sample], object], **more: object) -> MetricSpec:
    return MetricSpec(name, 1, "1", False, "f", compute, **more)  # type: ignore[arg-type]


def is_real(sample: Sample) -> bool:
    return bool((sample.generated.pose == sample.reference.pose).all())


def test_another_metric_that_misses_frames_fails_alone() -> None:
    """A plugin's metric cannot fail a method for the protocol's."""
    spec = strange("plugin/m", lambda s: np.where(is_real(s) | (np.arange(len(s.valid)) > 4), 1.0, np.nan))
    row = made("lmd", more=(spec,)).row(replace(real(0), pose=real(0).pose + np.float32(0.01)))
    assert (row.status, row.metrics["lmd"].failed, row.metrics["plugin/m"].failed) == ("ok", False, True)


def test_a_still_mouth_correlates_with_nothing_and_fails_no_clip() -> None:
    one = made()
    row = one.row(chance_motion(one.tasks[0]))
    assert row.status == "ok"
    assert not row.metrics["lmd"].failed


def test_real_motion_fails_nowhere() -> None:
    one = made()
    for k in range(len(TEST)):
        row = one.row(real(k), k)
        assert (row.status, row.reason) == ("ok", "")
        assert not [name for name, entry in row.metrics.items() if entry.failed]


@pytest.mark.parametrize("outcome", [RAISED, hide(real(0), slice(7, 8))], ids=["raised", "hidden"])
def test_every_entry_of_a_failed_clip_is_that_of_chance(outcome: Motion | Outcome) -> None:
    one = made()
    row, still = one.row(outcome), one.row(chance_motion(one.tasks[0]))
    specs = {spec.id: spec for spec in built_in_metrics()}
    for name, entry in row.metrics.items():
        assert entry.failed
        assert entry.reason == row.reason
        own = still.metrics[name]
        if specs[name].higher_is_better is None:
            assert entry.numbers is None, f"{name} ranks nothing"
        elif worst_share(specs[name]) is None:
            assert (entry.numbers, entry.blocks) == (own.numbers, own.blocks), name
    assert row.metrics["lmd"].value is not None
    assert row.metrics["frechet/pose"].part is not UNSET


@pytest.mark.parametrize("name", ["pose_std_distance", "lmd", "frechet/pose"])
def test_a_still_head_that_fails_has_no_skill(name: str) -> None:
    """Value and chance stood on different clips: a still head got skill by failing where heads move much."""
    one = made(name)
    (spec,) = (measure.spec for measure in one.metric_set.measures)
    parts = {}
    if spec.pool is not None:
        for person in PEOPLE:
            rows = [one.row(real(k), k) for k, clip in enumerate(TEST) if clip.identity == person]
            sums = [row.metrics[name].part for row in rows]
            parts[person] = tuple(np.sum([own for own in sums if own is not UNSET], axis=0))
    estimate = estimator(spec.pool, parts)
    still: list[Motion | Outcome] = [chance_motion(task) for task in one.tasks]
    chance = summarise([one.rows(still)], name, RULES, estimate).value
    ceiling = summarise([one.rows([real(k) for k in range(len(TEST))])], name, RULES, estimate).value
    failing = [RAISED if k in (0, 4) else motion for k, motion in enumerate(still)]
    value = summarise([one.rows(failing)], name, RULES, estimate).value
    assert chance is not None
    assert skill(chance, chance, 0.0) == 0
    assert ceiling != chance
    assert value == pytest.approx(chance)


def wild(k: int) -> Motion:
    """Far worse than chance."""
    return replace(real(k), expression=-20 * real(k).expression)


@pytest.mark.parametrize("failing", [{0}, {0, 3}, {5}, {0, 1, 2, 3, 4}])
@pytest.mark.parametrize("name", ["lmd", "plugin/closeness"])
def test_what_is_worse_than_chance_gains_nothing_by_failing(failing: set[int], name: str) -> None:
    """A failed clip is worse than chance by as much as the worst of the others; by hand."""
    lmd = next(spec for spec in built_in_metrics() if spec.id == "lmd")
    closeness = replace(lmd, id="plugin/closeness", higher_is_better=True, compute=lambda s: -lmd.compute(s))
    one = made("lmd", more=(closeness,))
    sign = 1 if name == "lmd" else -1
    chance = [sign * value_of(one.row(chance_motion(task), k), name) for k, task in enumerate(one.tasks)]
    own = [sign * value_of(one.row(wild(k), k), name) for k in range(6)]
    rows = one.rows([RAISED if k in failing else wild(k) for k in range(6)])
    values = [sign * value_of(row, name) for row in rows]
    excess = max(own[k] - chance[k] for k in range(6) if k not in failing)
    assert excess > 0
    for k in range(6):
        assert values[k] == pytest.approx(chance[k] + excess if k in failing else own[k])
    kept = [k for k in range(6) if k not in failing]
    over = np.mean([values[k] - chance[k] for k in range(6)])
    assert over >= np.mean([values[k] - chance[k] for k in kept]), "no more skill than on the clips that it did"
    numbers = [row.metrics[name].numbers for row in rows]
    for k in failing:
        assert np.sum(rows[k].metrics[name].blocks, axis=0) == pytest.approx(numbers[k]), "blocks are of that value"


def value_of(row: Row, name: str) -> float:
    value = row.metrics[name].value
    assert isinstance(value, float)
    return value


def test_the_order_of_clips_changes_nothing() -> None:
    one = made("lmd")
    motions: list[Motion | Outcome] = [RAISED, *(wild(k) for k in range(1, 5)), RAISED]
    turned = replace(one, tasks=one.tasks[::-1])
    assert turned.rows(motions[::-1])[::-1] == one.rows(motions)


def test_shares_are_at_their_worst() -> None:
    every = all_definitions()
    assert worst_share(every["pose_accuracy"]) == worst_share(every["blink_accuracy"]) == 0
    assert worst_share(every["lmd"]) is None
    assert worst_share(replace(every["lmd"], chance=0.5, higher_is_better=True)) == 0
    assert worst_share(replace(every["lmd"], chance=0.5)) == 1
    coupled = strange("plugin/coupling", lambda s: np.float64(np.nan if not is_real(s) else 0.9), chance=0.5)
    row = made(more=(replace(coupled, higher_is_better=True),)).row(chance_motion(made().tasks[0]))
    entry = row.metrics["plugin/coupling"]
    assert (row.status, entry.failed, entry.value, entry.numbers) == ("ok", True, 0.0, (0.0, 1))


def test_a_part_that_an_output_lacks_and_others_hold_fails_what_needs_it() -> None:
    one = made("lmd", "pose_std_distance")
    alone = Outcome(Motion.from_parts({"landmarks": np.array(TEST[0].landmarks)}))
    row = measured_row(one.tasks[0], alone, one.metric_set, {"landmarks", "pose"})
    entry = row.metrics["pose_std_distance"]
    still = one.row(chance_motion(one.tasks[0])).metrics["pose_std_distance"]
    assert (row.status, row.metrics["lmd"].failed) == ("ok", False)
    assert (entry.failed, entry.value) == (True, still.value)
    absent = measured_row(one.tasks[0], alone, one.metric_set, {"landmarks"}).metrics["pose_std_distance"]
    assert (absent.absent, absent.failed, absent.value) == (True, False, None)


def test_causes_that_differ_in_numbers_are_one() -> None:
    def failed(clip: str, reason: str) -> Row:
        return replace_entry(make_row("a", clip, {"lmd": None}), reason=reason)

    rows = [
        failed("a0", "frame 3: blink is 9.1e+05 either way"),
        failed("a1", "raised ValueError: no"),
        failed("a2", "frame 12: blink is 7 either way"),
        make_row("a", "a3", {"lmd": 1.0}),
    ]
    assert causes(rows) == {
        "frame 3: blink is 9.1e+05 either way": ["self/a0@0", "self/a2@0"],
        "raised ValueError: no": ["self/a1@0"],
    }


def test_without_a_direction_what_a_still_face_leaves_undefined_is_undefined() -> None:
    """A mouth that does not move is neither late nor early, and nothing failed; a clip that failed as a whole did."""
    place = made("mouth_lag/signed")
    still = place.row(chance_motion(place.tasks[0]))
    entry = still.metrics["mouth_lag/signed"]
    assert (still.status, entry.failed, entry.numbers) == ("ok", False, None)
    assert "not defined" in entry.reason
    assert place.row(RAISED).metrics["mouth_lag/signed"].failed
    late = Motion.from_state(np.roll(place.tasks[0].clip.motion.state(), 4, axis=0))
    assert place.row(late).metrics["mouth_lag/signed"].value == 160
