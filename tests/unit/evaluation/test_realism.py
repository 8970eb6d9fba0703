"""The realism of a fold: who is told by which network, failed and absent motion, refusals, references."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facial_bench.core.protocol import Protocol, RealismSettings
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.clip_scores import Fold, score_row
from facial_bench.evaluation.failed_clips import chance_motion
from facial_bench.evaluation.realism import floor_realism, fold_realism, make_layout, with_realism
from facial_bench.evaluation.requests import Task
from facial_bench.evaluation.run import fold_tasks
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.types import Motion
from facial_bench_worker.motions import Outcome
from tests.helpers.sessions import make_session, ready

BOTH = ("pose_realism", "blink_realism")


@pytest.fixture(scope="module")
def protocol(small_protocol: Protocol) -> Protocol:
    return replace(small_protocol, realism=RealismSettings(steps=40, channels=(8, 8), learning_rate=1e-2))


@pytest.fixture(scope="module")
def setup(
    make_corpus: Callable[..., Corpus], protocol: Protocol, tmp_path_factory: pytest.TempPathFactory
) -> EvaluationSetup:
    return ready(make_session(tmp_path_factory.mktemp("cache"), protocol), make_corpus(clips=10, frames=200))


@pytest.fixture(scope="module")
def fold(setup: EvaluationSetup) -> Fold:
    return setup.folds[0]


@pytest.fixture(scope="module")
def tasks(fold: Fold) -> list[Task]:
    return fold_tasks(fold, 0)


def own(tasks: Sequence[Task]) -> list[Task]:
    return [task for task in tasks if task.driving == "self"]


def noisy(task: Task, size: float = 0.02) -> Motion:
    rng = np.random.default_rng(len(task.request.id) + task.clip.frames)
    state = task.clip.motion.state()
    return Motion.from_state((state + size * rng.standard_normal(state.shape)).astype(np.float32))


def test_entries_are_shares_of_windows(tasks: list[Task], fold: Fold) -> None:
    found = fold_realism(tasks, {task.request.id: chance_motion(task) for task in own(tasks)}, fold)
    assert set(found) == {task.request.id for task in own(tasks)}
    for entries in found.values():
        for name in BOTH:
            entry = entries[name]
            assert entry.value > 0.9
            assert entry.weight == len(range(0, 200 - 128 + 1, 8)) == sum(weight for _, weight in entry.blocks)
            assert sum(total for total, _ in entry.blocks) == pytest.approx(entry.value * entry.weight)
            assert not entry.failed


def test_the_real_motion_itself_is_a_half(tasks: list[Task], fold: Fold) -> None:
    found = fold_realism(tasks, {task.request.id: task.clip.motion for task in own(tasks)}, fold)
    assert {entries[name].value for entries in found.values() for name in BOTH} == {0.5}


def test_the_order_of_the_clips_does_not_matter(tasks: list[Task], fold: Fold) -> None:
    motions = {task.request.id: noisy(task) for task in own(tasks)}
    assert fold_realism(tasks[::-1], motions, fold) == fold_realism(tasks, motions, fold)


def test_a_failed_clip_is_told_apart_and_no_network_learns_from_it(tasks: list[Task], fold: Fold) -> None:
    first = own(tasks)[0].request.id
    outcomes = {task.request.id: Outcome(noisy(task)) for task in tasks if task.driving == "self"}
    outcomes |= {task.request.id: Outcome(chance_motion(task)) for task in tasks if task.driving != "self"}
    outcomes[first] = Outcome(None, "it raised")
    rows = with_realism([score_row(task, outcomes[task.request.id], fold) for task in tasks], tasks, outcomes, fold)
    by_name = {row.request: row.metrics for row in rows}
    for name in BOTH:
        assert by_name[first][name].value == 1
        assert by_name[first][name].failed
        assert all(name not in row.metrics for row in rows if row.driving != "self")
    left = {name: outcome.motion for name, outcome in outcomes.items() if name != first}
    alone = fold_realism([task for task in tasks if task.request.id != first], left, fold)
    others = [task.request.id for task in own(tasks) if task.clip.identity != own(tasks)[0].clip.identity]
    assert others
    assert all(by_name[name][metric].numbers is not None for name in others for metric in BOTH)
    assert set(alone) == {task.request.id for task in own(tasks)} - {first}


def test_everything_failed_is_told_apart(tasks: list[Task], fold: Fold) -> None:
    found = fold_realism(tasks, {}, fold)
    assert {(entries[name].value, entries[name].failed) for entries in found.values() for name in BOTH} == {(1.0, True)}


def test_a_part_that_no_output_holds_is_absent_and_one_that_is_missing_fails(tasks: list[Task], fold: Fold) -> None:
    motions = {task.request.id: Motion.from_parts({"blink": task.clip.motion.blink}) for task in own(tasks)}
    found = fold_realism(tasks, motions, fold, {"blink"})
    assert all(entries["pose_realism"].absent and entries["blink_realism"].value == 0.5 for entries in found.values())
    first = own(tasks)[0].request.id
    mixed = {task.request.id: task.clip.motion for task in own(tasks)} | {first: motions[first]}
    entry = fold_realism(tasks, mixed, fold)[first]["pose_realism"]
    assert (entry.value, entry.failed, entry.absent) == (1.0, True, False)


def test_references(setup: EvaluationSetup) -> None:
    for name in BOTH:
        reference = setup.references[name]
        assert reference.chance > 0.9
        assert reference.ceiling.value < reference.chance
        assert reference.ceiling_is == "real training clips"


def test_the_floor_shows_training_motion(tasks: list[Task], fold: Fold) -> None:
    found = floor_realism(own(tasks), fold)
    values = [entries["pose_realism"].value for entries in found.values()]
    assert len(values) == len(own(tasks))
    assert 0.2 < np.mean(values) < 0.85


def test_where_all_others_failed_a_clip_is_told_apart(tasks: list[Task], fold: Fold) -> None:
    first = own(tasks)[0]
    entry = fold_realism(tasks, {first.request.id: first.clip.motion}, fold)[first.request.id]["pose_realism"]
    assert (entry.value, entry.failed) == (1.0, True)


def test_the_only_clip_of_a_person_is_cut_with_a_gap(tasks: list[Task], protocol: Protocol) -> None:
    task = own(tasks)[0]
    long = replace(task, clip=replace(task.clip, valid=np.ones(1500, bool)))
    layout = make_layout([long], protocol)
    assert not layout.refused
    (starts,) = layout.starts
    assert sorted(set(layout.fold.tolist())) == [0, 1, 2, 3, 4]
    for k in range(5):
        told, learned = starts[layout.fold == k], starts[layout.trains[k]]
        assert np.abs(told[:, None] - learned[None]).min() >= 2 * protocol.window


def test_clips_are_told_by_networks_that_saw_others(tasks: list[Task], protocol: Protocol) -> None:
    layout = make_layout(tasks, protocol)
    for k in set(layout.fold.tolist()):
        assert not set(layout.owner[layout.fold == k]) & set(layout.owner[layout.trains[k]])


def test_too_little_is_refused_with_the_reason(tasks: list[Task], fold: Fold, protocol: Protocol) -> None:
    short = [replace(task, clip=replace(task.clip, valid=np.ones(100, bool))) for task in own(tasks)]
    assert make_layout(short, protocol).refused == "no held-out clip is as long as a window"
    alone = own(tasks)[:1]
    assert "too few held-out clips" in make_layout(alone, protocol).refused
    assert fold_realism(alone, {}, fold) == {alone[0].request.id: {}}


def test_a_corpus_of_short_clips_is_refused(
    make_corpus: Callable[..., Corpus], protocol: Protocol, tmp_path: Path
) -> None:
    little = ready(make_session(tmp_path, protocol), make_corpus(clips=3, frames=110, name="short"))
    for name in BOTH:
        assert little.references[name].refused == "no held-out clip is as long as a window"
