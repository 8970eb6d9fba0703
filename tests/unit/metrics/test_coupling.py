"""The coupling of speech and motion, against slow twins, by hand, and under what must not change it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import convolve

from facial_bench.metrics import coupling
from facial_bench.metrics.catalog import definition_digest
from facial_bench.metrics.coupling import (
    OFFSETS,
    SHORTEST,
    contexts,
    coupling_metrics,
    head_signals,
    make_predictor,
    mean_correlation,
    smooth,
    solve_ridge,
    wrong_predictions,
)
from facial_bench.types import Motion, Person, Sample
from tests.helpers.faces import ar1, make_sample

HEAD, LIDS = coupling_metrics()
FACE = np.zeros((1, 68, 3))


def speaking(rng: np.random.Generator, frames: int) -> Sample:
    """A clip whose head and lids follow the audio a little later, with noise."""
    audio = ar1(rng, frames, 2, memory=0.8)
    heard = smooth(np.roll(audio, 4, axis=0), np.ones(frames, bool), 2)
    pose = np.concatenate([heard[:, [0, 1, 0]], np.zeros((frames, 3))], axis=1) + 0.1 * ar1(rng, frames, 6)
    motion = Motion(np.zeros((frames, 64)), 0.1 * pose, 0.3 + 0.1 * heard[:, 1] + 0.01 * ar1(rng, frames, 1)[:, 0])
    return make_sample(np.repeat(FACE, frames, axis=0), reference=motion, audio=audio)


@pytest.fixture(scope="module")
def person() -> Person:
    rng = np.random.default_rng(0)
    return Person("a", [speaking(rng, 400) for _ in range(4)], [speaking(rng, 300) for _ in range(2)])


def generated(sample: Sample, motion: Motion) -> Sample:
    return replace(sample, generated=motion)


def test_motion_that_follows_its_audio_is_near_one_and_that_of_another_clip_is_not(person: Person) -> None:
    for spec in (HEAD, LIDS):
        prepared = spec.prepare(person)
        assert all(spec.compute(sample, prepared) > 0.9 for sample in person.test)
        rng = np.random.default_rng(1)
        others = [spec.compute(generated(person.test[0], speaking(rng, 300).reference), prepared) for _ in range(20)]
        assert 0.3 < np.mean(others) < 0.7


@pytest.mark.parametrize("spec", [HEAD, LIDS])
def test_a_still_face_has_exactly_chance(person: Person, spec: coupling.MetricSpec) -> None:
    still = Motion(np.zeros((300, 64)), np.full((300, 6), 0.3333, np.float32), np.full(300, 0.1, np.float32))
    assert spec.compute(generated(person.test[0], still), spec.prepare(person)) == spec.chance == 0.5


@pytest.mark.parametrize("spec", [HEAD, LIDS])
def test_size_and_place_of_the_motion_do_not_change_it(person: Person, spec: coupling.MetricSpec) -> None:
    sample, prepared = person.test[1], spec.prepare(person)
    real = sample.reference
    moved = Motion(real.expression, 3 * real.pose + 0.5, 0.2 * real.blink + 1)
    noise = Motion(real.expression, ar1(np.random.default_rng(3), 300, 6), ar1(np.random.default_rng(4), 300, 1)[:, 0])
    larger = Motion(real.expression, 0.1 * noise.pose - 2, 7 * noise.blink)
    for one, two in ((real, moved), (noise, larger)):
        values = [spec.compute(generated(sample, motion), prepared) for motion in (one, two)]
        assert values[0] == values[1]


def test_against_a_slow_twin(person: Person) -> None:
    sample = replace(person.test[0], valid=np.arange(300) % 50 != 7)
    predictor = HEAD.prepare(person)
    noise = Motion(sample.reference.expression, ar1(np.random.default_rng(5), 300, 6), sample.reference.blink)
    sample = generated(sample, noise)
    valid = sample.valid
    signal = head_signals(noise, valid)
    right = predictor(sample.audio)
    wrong = [np.roll(right, int(k), axis=0) for k in np.linspace(25, 275, 20)]
    for j in range(20):
        first = j * len(predictor.others) // 20
        wrong.append(np.array([predictor.others[(first + t) % len(predictor.others)] for t in range(300)]))

    def score(prediction: np.ndarray) -> float:
        return float(np.mean([np.corrcoef(prediction[valid, c], signal[valid, c])[0, 1] for c in range(7)]))

    own = score(right)
    assert HEAD.compute(sample, predictor) == pytest.approx(np.mean([score(one) < own for one in wrong]))


def test_the_regression_against_least_squares_on_the_augmented_system() -> None:
    rng = np.random.default_rng(2)
    for n, p in ((50, 7), (12, 40)):
        x, y = rng.standard_normal((n, p)), rng.standard_normal((n, 3))
        rows = np.concatenate([x, np.sqrt(2.5) * np.eye(p)]), np.concatenate([y, np.zeros((p, 3))])
        np.testing.assert_allclose(solve_ridge(x, y, 2.5), np.linalg.lstsq(*rows)[0], atol=1e-10)


def test_smoothing_against_a_convolution_over_valid_frames() -> None:
    rng = np.random.default_rng(6)
    values, valid = rng.standard_normal((60, 2)), rng.random(60) > 0.2
    kernel = np.exp(-0.5 * (np.arange(-8, 9) / 2.0) ** 2)
    known = convolve(valid.astype(float), kernel, mode="same")
    twin = np.stack([convolve(np.where(valid, c, 0), kernel, mode="same") / known for c in values.T], axis=1)
    np.testing.assert_allclose(smooth(values, valid, 2.0), twin, atol=1e-12)


def test_contexts_hold_the_ends() -> None:
    audio = np.repeat(np.array([[1.0, 2.0]]), 40, axis=0)
    assert contexts(audio).shape == (40, 2 * len(OFFSETS))
    np.testing.assert_allclose(contexts(audio)[:, :2], audio)


def test_wrong_audio_is_forty_always_the_same_and_never_the_right_one() -> None:
    right, others = np.arange(200.0)[:, None], -np.arange(90.0)[:, None]
    wrong = wrong_predictions(right, others)
    assert len(wrong) == 40
    assert all(one.shape == right.shape and not np.array_equal(one, right) for one in wrong)
    assert [int(one[0, 0]) for one in wrong[20:23]] == [0, -4, -9]


def test_correlation_by_hand() -> None:
    one, two = np.array([[0.0, 1], [2, 0], [4, -1]]), np.array([[1.0, 0], [2, 5], [3, 10]])
    assert mean_correlation(one, two) == pytest.approx((1 - 1) / 2)
    assert mean_correlation(one, np.ones((3, 2))) == 0


def test_short_clips_and_constant_audio_have_no_value(person: Person) -> None:
    prepared, sample = HEAD.prepare(person), person.test[0]
    assert np.isnan(HEAD.compute(sample[0 : SHORTEST - 1], prepared))
    assert not np.isnan(HEAD.compute(sample[0:SHORTEST], prepared))
    assert np.isnan(HEAD.compute(replace(sample, valid=np.zeros(300, bool)), prepared))
    assert np.isnan(HEAD.compute(replace(sample, audio=np.full((300, 2), 0.7)), prepared))


def test_a_person_without_training_frames_cannot_be_prepared(person: Person) -> None:
    nothing = [replace(sample, valid=np.zeros(400, bool)) for sample in person.training]
    with pytest.raises(ValueError, match="no valid training frame"):
        make_predictor(replace(person, training=nothing), head_signals)


def test_the_chance_level_is_part_of_what_the_metric_claims() -> None:
    assert definition_digest(HEAD) != definition_digest(replace(HEAD, chance=None))
