"""What a metric does, as a digest: rounding by hand, every change of a function seen, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facial_bench.core import geometry
from facial_bench.core.digests import digest
from facial_bench.metrics import blink_detector, distribution, landmark_distances, sync, vertex
from facial_bench.metrics.catalog import STANDARD, built_in_metrics, definition_digest
from facial_bench.metrics.identity import accuracy_definitions
from facial_bench.metrics.probe import behaviour_digest, built_in_behaviour, changed_by, observe, rounded
from facial_bench.metrics.probe_motion import lids, probe, waves
from facial_bench.types import Items, MetricSpec, Pool
from tests.helpers.probe_digests import COMMAND, frozen

METRICS = {spec.id: spec for spec in built_in_metrics()}
PLAIN = MetricSpec("mine", 1, "1", False, "how", lambda sample: np.arange(len(sample.valid)))


@pytest.fixture(scope="module")
def before() -> dict[str, str]:
    return built_in_behaviour()


def test_rounding_by_hand() -> None:
    given = [1.2345649, 1.2345651, -123456.7, 5e-9, 9.9e-10, -1e-10, -0.0, 0.0, np.nan, np.inf, -np.inf]
    assert [rounded(number) for number in given] == [
        "1.23456e+00", "1.23457e+00", "-1.23457e+05", "5.00000e-09", "0", "0", "0", "0", "nan", "inf", "-inf",
    ]  # fmt: skip


def test_a_value_per_frame_by_hand() -> None:
    """Frames 0 and 1 of the first clip show no face, nor does 230 of the second; stretches are of 25 frames."""
    first, second = observe(PLAIN, probe())[0]
    assert first[0] == [23, rounded(sum(range(2, 25)) / 23)] == [23, "1.30000e+01"]
    assert first[1] == [25, "3.70000e+01"]
    assert first[-1] == [16, rounded(sum(range(200, 216)) / 16)]
    assert second[-1] == [6, rounded(sum(set(range(225, 232)) - {230}) / 6)]


def test_a_value_per_clip_and_one_per_person_by_hand() -> None:
    clip = replace(PLAIN, compute=lambda sample: np.float64(len(sample.valid)))
    assert observe(clip, probe()) == [
        [[[], "2.16000e+02"], [[], "2.32000e+02"]],
        [[[], "1.50000e+02"], [[], "6.00000e+01"]],
    ]
    pool = Pool(
        lambda values: [float(len(values)), values.sum()],
        lambda parts, counts, reference: counts @ np.array(parts)[:, 1] + 1000 * reference[0],
    )
    pooled = replace(PLAIN, pool=pool, compute=lambda sample: Items(np.array([3]), np.array([len(sample.valid) / 1.0])))
    assert observe(pooled, probe())[0] == [
        [["3.00000e+00"], "1.00000e+00", "2.16000e+02"],
        [["3.00000e+00"], "1.00000e+00", "2.32000e+02"],
        rounded(216 + 232 + 2000),
        rounded(216 + 2 * 232 + 2000),
        rounded(216 + 2000),
    ]


def numbers(told: Any) -> list[float]:
    """The finite numbers of an observation that are not 0."""
    if isinstance(told, list):
        return [number for part in told for number in numbers(part)]
    value = float(told) if isinstance(told, str) and told != "nan" else 0.0
    return [value] if value else []


@pytest.mark.parametrize("name", METRICS)
def test_the_probe_shows_what_a_metric_does(name: str) -> None:
    one, two = observe(METRICS[name], probe())
    assert not isinstance(one, dict) and not isinstance(two, dict)
    assert not any(isinstance(part, dict) for part in one), "nothing raises where everything moves"
    assert len(set(numbers([one, two]))) > 1
    if METRICS[name].pool is not None:
        assert "nan" not in one[-3:-1] and set(one[-3:]) != {"0"}
    else:
        assert not any(part[1] == "nan" for part in one if isinstance(part[0], list))


def scaled(value: Any, factor: float) -> Any:
    return Items(value.frames, value.values * factor) if isinstance(value, Items) else np.asarray(value) * factor


@pytest.mark.parametrize("factor", [1.001, 0.999, -1.0])
@pytest.mark.parametrize("name", METRICS)
def test_a_thousandth_is_another_function(name: str, factor: float) -> None:
    spec = METRICS[name]
    changed = replace(spec, compute=lambda *given: scaled(spec.compute(*given), factor))
    assert behaviour_digest(changed) != behaviour_digest(spec)
    assert definition_digest(changed) == definition_digest(spec)


@pytest.mark.parametrize("name", [name for name, spec in METRICS.items() if spec.pool is not None])
def test_a_pool_is_part_of_the_function(name: str) -> None:
    spec = METRICS[name]
    pool = spec.pool
    assert pool is not None
    for other in (
        Pool(pool.reduce, lambda *given: 1.001 * pool.estimate(*given)),
        Pool(lambda values: [1.001 * number for number in pool.reduce(values)], pool.estimate),
    ):
        assert behaviour_digest(replace(spec, pool=other)) != behaviour_digest(spec)


@pytest.mark.parametrize("factor", [1 + 1e-12, 1 - 1e-12])
def test_last_digits_are_no_other_function(before: Mapping[str, str], factor: float) -> None:
    for name, spec in METRICS.items():
        other = replace(spec, compute=lambda *given, spec=spec: scaled(spec.compute(*given), factor))
        assert behaviour_digest(other) == before[name], name


def shake(value: Any, rng: np.random.Generator) -> None:
    """Change the last digits of every array of a record."""
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        value *= 1 + 1e-12 * rng.uniform(-1, 1, value.shape)
    elif isinstance(value, (list, tuple)) or hasattr(value, "__dataclass_fields__"):
        for part in value if isinstance(value, (list, tuple)) else vars(value).values():
            shake(part, rng)


@pytest.mark.parametrize("seed", range(3))
def test_last_digits_of_the_motion_change_nothing(before: Mapping[str, str], seed: int) -> None:
    """No threshold, peak or rank of the probe is within rounding of another outcome."""
    shaken = probe()
    shake(shaken, np.random.default_rng(seed))
    assert {name: digest(observe(spec, shaken)) for name, spec in METRICS.items()} == before


@pytest.mark.parametrize("field", ["version", "unit", "formula", "meaning"])
def test_words_are_no_behaviour(field: str) -> None:
    spec = METRICS["lmd"]
    changed: Any = {field: 2 if field == "version" else "another"}
    assert behaviour_digest(replace(spec, **changed)) == behaviour_digest(spec)


PATCHES: dict[str, tuple[Any, str, Callable[[Any], Any], list[str]]] = {
    "a formula": (landmark_distances, "aligned_distance", lambda old: lambda *given: 0.9 * old(*given), ["lmd"]),
    "a helper below it": (
        landmark_distances,
        "similarity_align",
        lambda old: lambda *given: old(*given) + 0.01,
        ["lmd"],
    ),
    "a helper of several": (
        vertex,
        "vertex_distance",
        lambda old: lambda *given: old(*given) * 1.001,
        ["lve", "lve/rms", "mve"],
    ),
    "a setting": (sync, "LAGS", lambda old: 2, ["mouth_lag", "mouth_lag/signed"]),
    "a level": (
        blink_detector,
        "levels",
        lambda old: lambda: {"closure": (0.25, 0.1), "AU45": (0.5, 0.25)},
        [name for name in METRICS if name.startswith("blink")],
    ),
    "the level of the other scale": (
        blink_detector,
        "levels",
        lambda old: lambda: {"closure": (0.2, 0.1), "AU45": (1.3, 0.25)},
        [name for name in METRICS if name.startswith("blink")],
    ),
    "what jumps by 2 pi": (
        np,
        "unwrap",
        lambda old: lambda angles, axis=-1: angles,
        ["frechet/pose", "pose_std_distance", "pose_std_distance/roll"],
    ),
    "a hop": (distribution, "TRAINING_STRIDE", lambda old: 16, ["copying_index"]),
}


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_is_seen_in_the_metrics_that_it_changes_and_in_no_other(
    name: str, before: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, attribute, other, expected = PATCHES[name]
    monkeypatch.setattr(module, attribute, other(getattr(module, attribute)))
    found = changed_by(before, built_in_behaviour())
    if "level" in name:
        assert found and set(found) <= set(expected) and "blink_rate" in found
    else:
        assert sorted(found) == expected
    monkeypatch.undo()
    assert changed_by(before, built_in_behaviour()) == []


def test_the_geometry_that_a_face_is_decoded_with_belongs_to_the_function(
    before: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    turned = geometry.rotation_matrices
    monkeypatch.setattr(geometry, "rotation_matrices", lambda rotation: turned(0.9 * rotation))
    found = changed_by(before, built_in_behaviour())
    assert "lmd" in found and "lmd/raw-mouth" in found
    assert not {"lmd/canonical", "lve", "blink_rate"} & set(found)


def test_what_changed_is_named_in_order() -> None:
    assert changed_by({"a": "1", "b": "2", "c": "3"}, {"b": "x", "c": "3", "d": "4"}) == ["a", "b", "d"]
    assert changed_by({}, {}) == []


def raising(problem: Exception) -> Callable[..., Any]:
    def compute(*given: Any) -> Any:
        raise problem

    return compute


def test_what_raises_has_the_digest_of_its_kind_of_error() -> None:
    one, same, other = (
        behaviour_digest(replace(PLAIN, compute=raising(problem)))
        for problem in (ValueError("a"), ValueError("b"), KeyError("a"))
    )
    assert one == same != other
    unready = behaviour_digest(replace(PLAIN, prepare=raising(ValueError("a"))))
    unpooled = behaviour_digest(replace(PLAIN, pool=Pool(raising(ValueError("a")), raising(ValueError("a")))))
    assert len({one, unready, unpooled}) == 3 or unready == unpooled


@pytest.mark.parametrize(
    "wrong", [None, "text", np.zeros(3), np.zeros((2, 0)), np.inf, [np.nan], {}, Items(np.zeros(1), np.ones(1))]
)
@pytest.mark.parametrize("pooled", [False, True])
def test_any_answer_gives_a_digest(wrong: Any, pooled: bool) -> None:
    spec = replace(PLAIN, compute=lambda sample: wrong, pool=METRICS["blink_duration"].pool if pooled else None)
    assert len(behaviour_digest(spec)) == 64


def test_a_metric_that_writes_into_what_it_is_given_changes_no_other(before: Mapping[str, str]) -> None:
    def rude(sample: Any) -> Any:
        sample.generated.pose[:] = 0
        sample.reference_landmarks += 1
        return sample.audio[:, 0]

    first = behaviour_digest(replace(PLAIN, compute=rude))
    assert behaviour_digest(replace(PLAIN, compute=rude)) == first
    assert {name: behaviour_digest(METRICS[name]) for name in STANDARD} == {name: before[name] for name in STANDARD}


def test_a_warning_is_no_error() -> None:
    empty = replace(PLAIN, compute=lambda sample: np.zeros(0).mean())
    assert observe(empty, probe())[0] == [[[], "nan"], [[], "nan"]]


def test_accuracies_have_none_because_no_function_of_a_sample_computes_them() -> None:
    assert {behaviour_digest(one) for one in accuracy_definitions()} == {""}


@pytest.mark.parametrize(
    "settings",
    [
        {"OMP_NUM_THREADS": "1"},
        {"OMP_NUM_THREADS": "3"},
        {"OMP_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": "X86_V4 X86_V3"},
    ],
    ids=["one thread", "three threads", "an older processor"],
)
def test_another_process_another_machine(before: Mapping[str, str], settings: dict[str, str]) -> None:
    """The arithmetic of an older processor, as far as numpy and OpenBLAS can be told to use it."""
    code = "import json; from facial_bench.metrics import probe; print(json.dumps(probe.built_in_behaviour()))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **settings},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == before


def test_no_formula_changed(before: Mapping[str, str]) -> None:
    changed = changed_by(frozen(), before)
    told = f"a formula changed: raise the metric's version, then make the file anew with `{COMMAND}`"
    assert not changed, f"{', '.join(changed)}: {told}"


def test_one_after_the_other_and_all_at_once_are_the_same(before: Mapping[str, str]) -> None:
    assert {name: behaviour_digest(spec) for name, spec in METRICS.items()} == before
    assert len(set(before.values())) == len(METRICS), "no two metrics do the same"


def test_the_motion_is_what_it_says() -> None:
    one, two = probe()
    assert [len(sample.valid) for sample in one.generated] == [216, 232]
    assert [len(sample.valid) for sample in two.generated] == [150, 60]
    assert [np.flatnonzero(~sample.valid).tolist() for sample in (*one.generated, *two.generated)] == [
        [0, 1],
        [230],
        [40, 41, 42],
        [],
    ]
    for subject in (one, two):
        for sample, beside in zip(subject.person.test, subject.generated, strict=True):
            assert sample.reference is sample.generated is beside.reference, "a person's samples are real on both sides"
            assert np.isfinite(beside.generated_landmarks).all(), "in view"
    assert np.abs(np.diff(one.person.test[0].reference.pose[:, 2])).max() > 6, "jumps by 2 pi"
    assert not np.ptp(two.generated[-1].generated_face, axis=0).any(), "still"
    assert np.abs(waves(500, 9, 3)).max() < 1.1
    assert lids(200, 4).min() > 0 and lids(200, 4).max() < 1
