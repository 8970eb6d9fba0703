"""All definitions together: what they claim may not change by accident, and one record says all of a metric."""

from __future__ import annotations

from dataclasses import replace

import pytest

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import FAMILIES, Definition, MetricSpec
from facial_bench.evaluation.sensitivity.perturbations import perturbations
from facial_bench.evaluation.setup import protocol_with
from facial_bench.metrics.catalog import (
    STANDARD,
    all_definitions,
    built_in_metrics,
    definition_digest,
    select,
    unknown_metric,
)
from facial_bench.metrics.classifier import forms
from facial_bench.metrics.identity import CROSS, AccuracyDefinition, accuracies

DIGESTS = {
    "lmd": "f399919a45c5f948",
    "lmd/canonical": "dc30eaeaa3528fd0",
    "lmd/canonical-3d": "574b34b9be77acaf",
    "lmd/dtw": "f5ad0a5e358c26f3",
    "lmd/atvg": "8586b9b966bad5fb",
    "lmd/centred-mouth": "ecfc54c0c15e296d",
    "lmd/centred-face": "c2be47198e1b5f59",
    "lmd/raw-mouth": "1c2dc7735c5d195a",
    "lmd/raw-face": "90f6d7e27801300a",
    "lmd/l1": "df15b9a809b090c0",
    "lmd/unit": "4eca28d76c7e0224",
    "lmd/iod": "b641b03464e15491",
    "lvd/vector": "c40646b55f745487",
    "lvd/speed": "189783688361f056",
    "lve": "a5c8d3ab67fa11f6",
    "lve/rms": "eb8d5cfaae8bb2a9",
    "mve": "573a68b57ee6c9d2",
    "fdd": "ed0613da2a6a51d3",
    "fdd/signed": "2e48e14f8fd40662",
    "fdd/codetalker": "53e14e72b8ce2fc9",
    "mouth_correlation": "3604a75a6d303454",
    "mouth_lag": "73552bee8c4bbb89",
    "mouth_lag/signed": "6591bf82cc608556",
    "sync_share": "6f3e3a7b74a5bc20",
    "frechet/mouth": "b612904a387163a6",
    "pose_std_distance": "d6e79b0a4c0b7191",
    "pose_std_distance/pitch": "b69ecd6655d3ad3c",
    "pose_std_distance/yaw": "2617d5c2d28f56bd",
    "pose_std_distance/roll": "ce0d38a59bb4dd4c",
    "pose_speed": "9355509f41bfcb57",
    "pose_speed/distance": "0f0e50c39f5aca92",
    "beat_align": "a6b982cdea72f77c",
    "beat_align/distance": "8a2c46a89aa93dd8",
    "beat_align/dance": "dfd4008aba15dc51",
    "beat_align/dance-distance": "4b32b870b9709f6f",
    "frechet/pose": "b028e639ac47a797",
    "speech_coupling/head": "74fc08102df88d60",
    "blink_rate": "79263e06597d9e26",
    "blink_rate/distance": "393f5e027bea4001",
    "blink_duration": "df568b976cd0f7e8",
    "blink_duration/w1": "489b46a222b2c6a3",
    "blink_interval": "1afafce5977c19e5",
    "blink_interval/w1": "d2c255dd62ccc8c5",
    "blink_long_share": "d2d583104be58364",
    "speech_coupling/lids": "7a535f997b3f72ce",
    "copying_index": "e4cf5ab39e687783",
    "pose_realism": "322e58f23ff9d930",
    "blink_realism": "fc49a891d16db86f",
    "pose_accuracy": "84acc145d19da8c8",
    "pose_accuracy/raw": "6d61acd50a009d72",
    "pose_accuracy/rotation": "3431a2988d6a85bb",
    "pose_accuracy/cross": "2e9ef160707aea81",
    "pose_accuracy/cross-raw": "5d1ac1a719e4a846",
    "pose_accuracy/paper": "fea0a46b5138150a",
    "blink_accuracy": "41101b77cf64c3e8",
    "blink_accuracy/raw": "37c2ab55e822e419",
    "blink_accuracy/cross": "f598a100c9277c20",
    "blink_accuracy/cross-raw": "2f0f90af37cda642",
    "blink_accuracy/paper": "aca30db257fcc7ef",
}
"""The beginnings of the digests in committed results. Another definition is another version, and a new line."""
ORDER = [
    "lmd",
    "lmd/canonical",
    "lmd/dtw",
    "lvd/vector",
    "lve",
    "fdd",
    "mouth_correlation",
    "mouth_lag",
    "sync_share",
    "frechet/mouth",
    "pose_std_distance",
    "pose_speed",
    "pose_speed/distance",
    "beat_align",
    "beat_align/distance",
    "frechet/pose",
    "speech_coupling/head",
    "blink_rate",
    "blink_rate/distance",
    "blink_duration",
    "blink_duration/w1",
    "blink_interval",
    "blink_interval/w1",
    "speech_coupling/lids",
    "copying_index",
]
"""Of the metrics in result files."""
PROTOCOL = "eb427264b0347337"
"""The beginning of the protocol's digest."""


def test_no_definition_changed() -> None:
    assert {name: definition_digest(one)[:16] for name, one in all_definitions().items()} == DIGESTS


def test_the_protocol_holds_the_standard_definitions_by_id() -> None:
    assert list(STANDARD) == ORDER
    protocol = protocol_with(built_in_metrics())
    networks = [name for name, one in all_definitions().items() if not isinstance(one, MetricSpec)]
    assert [name for name, *_ in protocol.definitions] == sorted([*ORDER, *networks])
    assert protocol.digest().startswith(PROTOCOL), "that of every committed board"
    assert protocol.digest() != Protocol().digest()


def test_the_order_of_the_definitions_is_no_part_of_the_protocol() -> None:
    specs = list(built_in_metrics())
    digest = protocol_with(specs).digest()
    assert protocol_with(specs[::-1]).digest() == digest
    assert protocol_with(specs[7:] + specs[:7]).digest() == digest
    assert protocol_with(specs[:-1]).digest() != digest, "but which they are is"


def test_what_the_functions_do_is_part_of_the_protocol() -> None:
    """A metric whose function was patched, under the same formula: results of the two never share a board."""
    specs = list(built_in_metrics())
    digest = protocol_with(specs).digest()
    flattered = replace(specs[0], compute=lambda sample: 0.99 * specs[0].compute(sample))
    assert definition_digest(flattered) == definition_digest(specs[0])
    assert protocol_with([flattered, *specs[1:]]).digest() != digest
    on_demand = [replace(s, compute=lambda sample: 0.0) if s.id not in STANDARD else s for s in specs]
    assert protocol_with(on_demand).digest() == digest, "of the protocol's own metrics only"
    without = {name for name, _, done in protocol_with(specs).definitions if not done}
    assert without == {name for name, one in all_definitions().items() if not isinstance(one, MetricSpec)}


def test_every_record_is_complete() -> None:
    made = {one.name for one in perturbations()}
    for name, one in all_definitions().items():
        assert one.id == name
        assert one.family in FAMILIES[:-1], name
        assert 10 < len(one.meaning) <= 75, f"{name}: {one.meaning}"
        assert one.perturbations and set(one.perturbations) <= made, name
        assert one.origin and one.pitfalls, name
        assert "\n" not in one.meaning + one.formula + one.origin + one.pitfalls
    meanings = [one.meaning for one in all_definitions().values()]
    assert len(set(meanings)) == len(meanings)


def test_eight_metrics_are_ranked_and_every_run_measures_them() -> None:
    ranked = [one for one in all_definitions().values() if one.ranked]
    assert {one.id for one in ranked} == {
        "lmd",
        "lmd/canonical",
        "pose_accuracy",
        "blink_accuracy",
        "pose_realism",
        "blink_realism",
        "speech_coupling/head",
        "speech_coupling/lids",
    }
    assert all(one.every_run and one.higher_is_better is not None for one in ranked)


def test_definitions_stand_together_by_family_the_accuracies_last() -> None:
    order = [FAMILIES.index(one.family) for one in built_in_metrics()]
    assert order == sorted(order)
    assert list(all_definitions())[-len(accuracies()) :] == list(accuracies())


def test_an_accuracy_names_its_form_and_driving() -> None:
    assert {one.form for one in accuracies().values()} == set(forms())
    for name, one in accuracies().items():
        assert isinstance(one, AccuracyDefinition)
        assert one.needs == (forms()[one.form].kind,)
        assert ("cross" in name) == (one.driving == CROSS) == ("next identity" in one.formula)
        assert ("removed" in one.formula) == forms()[one.form].centred, name


def test_a_family_that_is_none_is_refused() -> None:
    with pytest.raises(
        ValueError, match="metric brows: the family 'face' is none of lips, head, blinks, pictures, people, other"
    ):
        Definition("brows", 1, "cm", False, "x", family="face")
    assert Definition("brows", 1, "cm", False, "x").family == "other"


def test_patterns_select_in_the_order_of_the_definitions() -> None:
    known = list(all_definitions())
    assert select(["lvd/*", "lmd"], known) == ["lmd", "lvd/vector", "lvd/speed"]
    assert select(["*_accuracy", "pose_accuracy"], known) == ["pose_accuracy", "blink_accuracy"]
    assert select([], known) == []


@pytest.mark.parametrize("pattern", ["lmx*", "?", "[x]lmd"])
def test_a_pattern_without_a_metric_is_one_short_line(pattern: str) -> None:
    with pytest.raises(FacialBenchError) as problem:
        select(["lmd", pattern], all_definitions())
    assert str(problem.value) == f"No metric matches '{pattern}'. `facial-bench metrics` lists all."


def test_a_typo_names_the_nearest_three_and_not_all() -> None:
    with pytest.raises(FacialBenchError) as problem:
        select(["pose_acuracy"], all_definitions())
    line = str(problem.value)
    assert line == str(unknown_metric("pose_acuracy", all_definitions()))
    assert line.startswith("Unknown metric 'pose_acuracy'. Did you mean 'pose_accuracy', ")
    assert line.endswith(f"There are {len(all_definitions())}. `facial-bench metrics` lists all.")
    assert sum(f"'{name}'" in line for name in all_definitions()) == 3
