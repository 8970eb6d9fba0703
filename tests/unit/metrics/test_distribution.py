"""Feature spaces of windows, and the copying index, against loops and worked values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import sqrtm

from facial_bench.metrics.distribution import (
    MOUTH_FEATURES,
    POSE_FEATURES,
    copying,
    distribution_metrics,
    mouth_windows,
    nearness,
    pose_windows,
)
from facial_bench.metrics.pools import mean_pool
from facial_bench.types import Items, Motion, Person, Sample
from tests.helpers.faces import ar1, make_sample

METRICS = {spec.id: spec for spec in distribution_metrics()}


def person(seed: int, frames: int = 600, valid: np.ndarray | None = None) -> Sample:
    rng = np.random.default_rng(seed)
    pose = np.concatenate([0.1 * ar1(rng, frames, 3), ar1(rng, frames, 3)], axis=1)
    motion = Motion(np.zeros((frames, 64)), pose, 0.2 + 0.1 * ar1(rng, frames, 1)[:, 0])
    face = np.zeros((frames, 68, 3))
    face[:, 45, 0] = 2.0
    face[:, 66, 1], face[:, 54, 0] = 0.5 + 0.1 * ar1(rng, frames, 2).T
    return make_sample(face, valid=valid, reference=motion)


def value(name: str, generated: list[Sample], real: list[Sample]) -> float:
    spec = METRICS[name]
    reference = spec.pool.reduce(np.concatenate([spec.compute(one).values for one in real]))
    parts = [spec.pool.reduce(spec.compute(one).values) for one in generated]
    return float(spec.pool.estimate(parts, np.ones((1, len(parts))), reference)[0])


def slow_windows(sample: Sample, features) -> list[list[float]]:
    found = []
    for start in range(0, len(sample.valid) - 127, 16):
        if all(sample.valid[start : start + 128]):
            found.append(features(slice(start, start + 128)))
    return found


def slow_pose(sample: Sample):
    def features(frames: slice) -> list[float]:
        turned = np.degrees(sample.generated.pose[frames, :3])
        spread = [float(np.sqrt(((turned[:, k] - turned[:, k].mean()) ** 2).mean())) for k in range(3)]
        return spread + [
            10 * float(np.mean([abs(turned[t, k] - turned[t - 1, k]) for t in range(1, 128)])) for k in range(3)
        ]

    return features


def slow_mouth(sample: Sample):
    def features(frames: slice) -> list[float]:
        opening = 50 * np.abs(sample.generated_face[frames, 66, 1])
        width = 50 * np.abs(sample.generated_face[frames, 54, 0])
        speed = 10 * float(np.mean([abs(opening[t] - opening[t - 1]) for t in range(1, 128)]))
        return [opening.mean(), width.mean(), opening.std(), width.std(), speed]

    return features


@pytest.mark.parametrize(("fast", "slow"), [(pose_windows, slow_pose), (mouth_windows, slow_mouth)])
def test_features_equal_their_loop(fast, slow) -> None:
    valid = np.ones(600, bool)
    valid[300] = False
    sample = person(0, valid=valid)
    np.testing.assert_allclose(fast(sample).values, slow_windows(sample, slow(sample)), atol=1e-9)
    assert not set(fast(sample).frames.tolist()) & set(range(173, 301)), "no window holds the invalid frame"


@pytest.mark.parametrize("name", ["frechet/pose", "frechet/mouth"])
def test_frechet_equals_the_definition_with_scipys_root(name: str) -> None:
    one, two = [person(0), person(1)], [person(2), person(3)]
    a, b = (np.concatenate([METRICS[name].compute(s).values for s in group]) for group in (one, two))
    s, r = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    gap = a.mean(0) - b.mean(0)
    expected = gap @ gap + np.trace(s + r - 2 * sqrtm(s @ r).real)
    assert value(name, one, two) == pytest.approx(expected, abs=1e-9)
    assert value(name, one, one) == pytest.approx(0, abs=1e-9)


def test_features_by_hand() -> None:
    """A head that turns 1 degree a frame, one way; a mouth that is half an eye distance open, and still."""
    sample = person(0, 128)
    turning = np.zeros((128, 6))
    turning[:, 1] = np.radians(np.arange(128))
    face = np.zeros((128, 68, 3))
    face[:, 45, 0], face[:, 66, 1], face[:, 54, 0] = 2, 1, 1.5
    sample = make_sample(face, reference=Motion(sample.reference.expression, turning, sample.reference.blink))
    np.testing.assert_allclose(pose_windows(sample).values, [[0, np.sqrt((128**2 - 1) / 12), 0, 0, 10, 0]], atol=1e-9)
    np.testing.assert_allclose(mouth_windows(sample).values, [[50, 75, 0, 0, 0]], atol=1e-9)


def test_a_clip_that_is_too_short_has_no_window() -> None:
    short = person(0, 127)
    assert pose_windows(short).values.shape == (0, POSE_FEATURES)
    assert mouth_windows(short).values.shape == (0, MOUTH_FEATURES)
    assert copying(short, nearness(Person("a", [person(1)], [person(2)]))).values.shape == (0,)
    nobody = person(0, 300, np.zeros(300, bool))
    assert mouth_windows(nobody).values.shape == (0, MOUTH_FEATURES)


def test_where_the_head_looks_changes_no_pose_feature() -> None:
    one = person(0)
    moved = Motion(one.reference.expression, one.reference.pose + 0.4, one.reference.blink)
    two = make_sample(one.reference_face, reference=moved)
    np.testing.assert_allclose(pose_windows(two).values, pose_windows(one).values, atol=1e-9)


def slow_copying(sample: Sample, who: Person) -> list[float]:
    frames = np.concatenate([np.column_stack([s.reference.pose, s.reference.blink]) for s in who.training])
    scale = frames.std(0)

    def window(motion: Motion, start: int) -> np.ndarray:
        cut = np.column_stack([motion.pose, motion.blink])[start : start + 128] / scale
        return cut - cut.mean(0)

    training = [window(s.reference, k) for s in who.training for k in range(0, len(s.valid) - 127, 4)]

    def nearest(motion: Motion, start: int) -> float:
        return min(float(np.sqrt(((window(motion, start) - other) ** 2).sum())) for other in training)

    real = [nearest(s.reference, k) for s in who.test for k in range(0, len(s.valid) - 127, 16)]
    made = [nearest(sample.generated, k) for k in range(0, len(sample.valid) - 127, 16)]
    return [sum((d < r) + 0.5 * (d == r) for r in real) / len(real) for d in made]


def test_copying_equals_its_loop() -> None:
    who = Person("a", [person(1, 200), person(2, 200)], [person(3, 250), person(4, 250)])
    np.testing.assert_allclose(copying(person(5, 250), nearness(who)).values, slow_copying(person(5, 250), who))


def test_a_copy_has_index_one_and_real_motion_one_half() -> None:
    who = Person("a", [person(1), person(2)], [person(3), person(4)])
    reference = nearness(who)
    assert copying(who.training[0], reference).values.mean() == 1
    held = np.concatenate([copying(sample, reference).values for sample in who.test])
    assert held.mean() == pytest.approx(0.5)
    real, trained = who.test[0].reference, who.training[0].reference
    far = make_sample(who.test[0].reference_face, reference=replace(real, pose=5 * real.pose))
    assert copying(far, reference).values.mean() == 0
    moved = make_sample(who.training[0].reference_face, reference=replace(trained, pose=trained.pose + 3))
    assert copying(moved, reference).values.mean() == 1, "a copy seen by another camera is a copy"


def test_items_fit_their_pools() -> None:
    for spec in METRICS.values():
        if spec.prepare is None:
            items = spec.compute(person(0))
            assert isinstance(items, Items)
            assert len(items.frames) == len(items.values)


@pytest.mark.parametrize(("training", "test"), [(60, 60), (60, 200), (200, 60)])
def test_copying_is_not_defined_for_a_person_whose_clips_are_all_too_short(training: int, test: int) -> None:
    known, held = (make_sample(np.zeros((frames, 68, 3))) for frames in (training, test))
    items = copying(held, nearness(Person("a", [known], [held])))
    assert len(items.frames) == len(items.values) == 0
    assert np.isnan(mean_pool().estimate([mean_pool().reduce(items.values)], np.ones((1, 1)), [0.0, 0.0])).all()
