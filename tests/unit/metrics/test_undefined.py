"""Nothing can be gained by being undefined: where the real motion can be measured, so can any that is in view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from facial_bench.metrics.catalog import built_in_metrics
from facial_bench.metrics.pools import wasserstein_pool
from facial_bench.metrics.probe_motion import Subject, probe
from facial_bench.types import MetricSpec, Motion, Sample

PEOPLE = probe()
METRICS = {spec.id: spec for spec in built_in_metrics()}
EVENTS = {"blink_duration", "blink_duration/w1", "blink_interval", "blink_interval/w1", "blink_long_share"}
"""Of blinks that happened: without one they say nothing of a person, and the summary says of how many they do."""


def chosen(sample: Sample, frames: np.ndarray) -> Sample:
    """The generated motion at other frames of itself."""
    motion = sample.generated
    return replace(
        sample,
        generated=Motion(motion.expression[frames], motion.pose[frames], motion.blink[frames]),
        generated_landmarks=sample.generated_landmarks[frames],
        generated_face=sample.generated_face[frames],
    )


def held(sample: Sample) -> Sample:
    return chosen(sample, np.zeros(len(sample.valid), int))


def moves_at_the_end(sample: Sample) -> Sample:
    return chosen(sample, np.maximum(np.arange(len(sample.valid)) - len(sample.valid) + 4, 0))


def moves_once(sample: Sample) -> Sample:
    return chosen(sample, (np.arange(len(sample.valid)) > 30).astype(int))


def flickers(sample: Sample) -> Sample:
    return chosen(sample, np.arange(len(sample.valid)) % 2)


DIRECTIONLESS = {"mouth_lag/signed"}
"""Says late or early, and of a mouth that does not move neither; it ranks nobody."""


DEGENERATE: tuple[Callable[[Sample], Sample], ...] = (held, moves_at_the_end, moves_once, flickers)


def defined(spec: MetricSpec, subject: Subject, sample: Sample) -> list[bool]:
    """Of each frame, or of the clip, or of each item: whether it has a value."""
    more = (spec.prepare(subject.person),) if spec.prepare else ()
    computed = spec.compute(sample, *more)
    if spec.pool is None:
        return np.atleast_1d(np.isfinite(computed) & (sample.valid if np.ndim(computed) else True)).tolist()
    return [bool(np.isfinite(value).all()) for value in computed.values]


@pytest.mark.parametrize("spoil", DEGENERATE)
@pytest.mark.parametrize("name", [name for name in METRICS if name not in EVENTS | DIRECTIONLESS])
def test_motion_that_hardly_is_any_has_values_wherever_the_real_one_has(name: str, spoil) -> None:
    found = 0
    for subject in PEOPLE:
        for made, real in zip(subject.generated, subject.person.test, strict=True):
            mine, theirs = (defined(METRICS[name], subject, sample) for sample in (spoil(made), real))
            assert mine == theirs
            found += sum(theirs)
    assert found, "the probe holds something that can be measured"


def test_a_person_without_a_generated_blink_has_no_distance_and_no_other_number() -> None:
    """Never a number of fewer people in its place: the pool says that it is not defined."""
    real = [0.16, 0.2, 0.24]
    assert np.isnan(wasserstein_pool().estimate([[], []], np.ones((1, 2)), real)).all()
    for name in EVENTS:
        for subject in PEOPLE:
            for made, own in zip(subject.generated, subject.person.test, strict=True):
                assert not defined(METRICS[name], subject, held(made))
                assert all(defined(METRICS[name], subject, own))
