"""The result file: exact, and checked field by field when it is read."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from facial_bench.core.types import Definition
from facial_bench.errors import ResultError
from facial_bench.evaluation.result import (
    Ceiling,
    Metric,
    Reference,
    as_json,
    decode_result,
    disagreement,
    find_results,
    make_metric,
    read_result,
    result_digest,
    skill,
    write_result,
)
from facial_bench.evaluation.result_schema import Result
from facial_bench.metrics.catalog import built_in_metrics
from facial_bench.metrics.identity import accuracies
from facial_bench.metrics.probe import behaviour_digest
from facial_bench.reports.archive import read_every
from facial_bench.statistics.aggregate import Summary
from facial_bench.statistics.rows import Entry
from tests.helpers.results import changed, make_result, make_row

HINT = "Run the method again, or remove the file."


def make_sample() -> Result:
    rows = [make_row(p, f"{p}{k}", {"lmd": 0.1 + 0.2, "pose_accuracy": 1 / 3}) for p in "ab" for k in range(2)]
    return make_result(rows)


def content(result: Result) -> dict[str, Any]:
    """As it is read from JSON, to spoil."""
    return json.loads(json.dumps(msgspec.to_builtins(result)))


def sample() -> dict[str, Any]:
    return content(make_sample())


def refused(value: Any) -> str:
    with pytest.raises(ResultError) as problem:
        decode_result(json.dumps(value).encode(), "result.json")
    text = str(problem.value)
    assert "\n" not in text
    assert text.startswith("result.json")
    assert text.endswith(HINT)
    return text


def test_a_result_comes_back_exactly(tmp_path: Path) -> None:
    ends = {"value": 0.1 + 0.2, "low": 5e-324, "high": 1 / 3}
    result = changed(make_sample(), *((("metrics", "lmd", key), value) for key, value in ends.items()))
    written = write_result(tmp_path / "r.json", result)
    assert read_result(tmp_path / "r.json") == written
    assert written == msgspec.structs.replace(result, digest=result_digest(result))
    assert read_result(tmp_path / "r.json").metrics["lmd"].low == 5e-324


def test_every_committed_result_is_read_whole() -> None:
    """What is read and written again has the digest that was stored."""
    results = read_every([Path(__file__).parents[3] / "leaderboards"])
    assert len(results) == 74
    assert all(result.digest == result_digest(result) for result in results)


def test_the_digest_is_over_everything_but_time_and_place() -> None:
    result = make_sample()
    whole = result_digest(result)
    elsewhere = changed(result, (("timing",), {"fit_s": 1.0}), (("environment",), {"cpus": 3}), (("digest",), "x"))
    assert result_digest(elsewhere) == whole
    value = ("clips", 0, "metrics", "lmd", "value")
    assert result_digest(changed(result, (value, 0.1 + 0.2 + 1e-16))) != whole
    assert result_digest(changed(result, (("metrics", "lmd", "n_clips"), 5))) != whole


def test_one_and_one_point_zero_stay_apart() -> None:
    """They are two texts, so two digests."""
    weight = ("clips", 0, "metrics", "lmd", "weight")
    one, other = (changed(make_sample(), (weight, value)) for value in (1, 1.0))
    assert result_digest(one) != result_digest(other)


def make_pooled() -> Result:
    """A result with a metric of distributions: parts instead of values."""
    entry = Entry(part=(1.0, 2.0), blocks=((1.0,), (2.0,)), items=2)
    rows = [make_row(p, f"{p}{k}", {"lmd": 0.3, "w1": entry}) for p in "ab" for k in range(2)]
    return changed(make_result(rows), (("references", "w1", "parts"), {"a": [1.0], "b": []}))


def pooled() -> dict[str, Any]:
    return content(make_pooled())


def test_a_pooled_metric_comes_back_exactly(tmp_path: Path) -> None:
    written = write_result(tmp_path / "r.json", make_pooled())
    assert read_result(tmp_path / "r.json") == written
    row = json.loads((tmp_path / "r.json").read_text())["clips"][0]
    assert row["metrics"]["w1"] == {"part": [1.0, 2.0], "blocks": [[1.0], [2.0]], "items": 2}, "no key is made up"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("clips", 0, "metrics", "w1", "part"), 1.0),
        (("clips", 0, "metrics", "w1", "part"), [float("nan")]),
        (("clips", 0, "metrics", "w1", "blocks"), [["x"]]),
        (("clips", 0, "metrics", "w1"), {}),
        (("references", "w1", "parts"), {"a": [1.0]}),
        (("references", "w1", "parts"), {"a": [True], "b": []}),
        (("clips", 0, "metrics", "w1"), 3),
    ],
)
def test_damaged_parts_are_refused(path: tuple[Any, ...], value: Any) -> None:
    result = pooled()
    at(result, path)[path[-1]] = value
    refused(result)


NEEDED = [
    ("digest",),
    ("conduct",),
    ("schema",),
    ("seed",),
    ("device",),
    ("clips",),
    ("metrics",),
    ("references",),
    ("environment",),
    ("timing",),
    ("protocol",),
    ("protocol", "name"),
    ("protocol", "digest"),
    ("corpus",),
    ("corpus", "name"),
    ("corpus", "version"),
    ("corpus", "digest"),
    ("method",),
    ("method", "name"),
    ("method", "label"),
    ("method", "plugin"),
    ("method", "version"),
    ("method", "options"),
    ("corpus", "label"),
    ("corpus", "identities"),
    ("protocol", "folds"),
    *(
        (("metrics", "lmd", key))
        for key in (
            "value",
            "low",
            "high",
            "skill",
            "unit",
            "definition",
            "n_clips",
            "n_failed",
            "status",
            "higher_is_better",
        )
    ),
    ("references", "lmd"),
    ("references", "lmd", "chance"),
    ("references", "lmd", "ceiling"),
    *(("references", "lmd", "ceiling", key) for key in ("value", "low", "high")),
    *(("clips", 0, key) for key in ("request", "clip", "identity", "driving", "status", "frames", "metrics")),
]
INNER = [("clips", 0, "metrics", "lmd", key) for key in ("value", "weight")]
"""Some entries have them and some do not: rules between fields tell when."""
WRONG = [True, "x", [], {}, 1.5, -1, None]


def at(result: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        result = result[key]
    return result


@pytest.mark.parametrize("path", NEEDED, ids=lambda path: ".".join(map(str, path)))
def test_no_field_can_be_missing(path: tuple[Any, ...]) -> None:
    result = sample()
    del at(result, path)[path[-1]]
    expected = f"missing required field `{path[-1]}`" if path != ("references", "lmd") else "'lmd'] has no reference"
    assert expected in refused(result)


@pytest.mark.parametrize("path", INNER, ids=lambda path: ".".join(map(str, path)))
def test_an_entry_is_whole(path: tuple[Any, ...]) -> None:
    result = sample()
    del at(result, path)[path[-1]]
    assert "clip self/a0@0, lmd: " in refused(result)


@pytest.mark.parametrize("metric", ["lmd", "w1"])
def test_the_only_clip_of_a_person_has_blocks_and_others_need_none(metric: str) -> None:
    """Where several clips are scored they are resampled whole."""
    result = pooled()
    del result["clips"][1]["metrics"][metric]["blocks"]
    assert decode_result(json.dumps(result).encode(), "result.json").clips[1].metrics[metric].blocks == ()
    del result["clips"][0]
    assert f"clip self/a1@0, {metric}: the only clip of a person has no blocks" in refused(result)


@pytest.mark.parametrize(
    "path", [(), ("corpus",), ("method",), ("protocol",), ("metrics", "lmd"), ("references", "lmd"), ("clips", 0)]
)
def test_a_field_that_nobody_knows_is_refused(path: tuple[Any, ...]) -> None:
    result = sample()
    at(result, (*path, "more"))["more"] = 1
    assert "unknown field `more`" in refused(result)


@pytest.mark.parametrize("path", [*NEEDED, *INNER], ids=lambda path: ".".join(map(str, path)))
def test_no_field_can_be_of_another_type(path: tuple[Any, ...]) -> None:
    """A value of a type that the field never has is refused."""
    key, before = path[-1], at(sample(), path)[path[-1]]
    allowed: tuple[type, ...] = (type(before),)
    if key in ("value", "low", "high", "skill", "chance"):
        allowed = (int, float, type(None))
    elif key == "higher_is_better":
        allowed = (bool, type(None))
    elif key == "weight":
        allowed = (int, float)
    wrong = [value for value in WRONG if type(value) not in allowed]
    assert len(wrong) >= 4
    for value in wrong:
        result = sample()
        at(result, path)[key] = value
        refused(result)


@pytest.mark.parametrize("value", [[], 3, None, "x", True])
def test_what_is_no_object_is_no_result(value: Any) -> None:
    assert "Expected `object`" in refused(value)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "path",
    [
        ("metrics", "lmd", "value"),
        ("metrics", "lmd", "high"),
        ("metrics", "lmd", "skill"),
        ("references", "lmd", "chance"),
        ("references", "lmd", "ceiling", "low"),
        ("clips", 1, "metrics", "lmd", "value"),
        ("clips", 1, "metrics", "lmd", "weight"),
        ("clips", 1, "metrics", "lmd", "blocks", 0, 0),
    ],
    ids=lambda path: ".".join(map(str, path)),
)
def test_only_finite_numbers(tmp_path: Path, path: tuple[Any, ...], number: float) -> None:
    result = sample()
    at(result, path)[path[-1]] = number
    refused(result)
    with pytest.raises(ResultError, match="not JSON compliant"):
        write_result(tmp_path / "r.json", changed(make_sample(), (path, number)))
    (tmp_path / "r.json").write_text(json.dumps(result))
    with pytest.raises(ResultError, match="cannot be read as JSON"):
        read_result(tmp_path / "r.json")


@pytest.mark.parametrize("text", ["1e999", "-1e999", "9" * 30, "-" + "9" * 30, "9" * 5000, str(2**63), '"\\ud800"'])
@pytest.mark.parametrize("path", [("metrics", "lmd", "value"), ("environment", "cpus"), ("seed",), ("method", "name")])
def test_what_json_can_say_and_a_result_cannot(path: tuple[Any, ...], text: str) -> None:
    """Infinite, longer than 64 bits, half of a surrogate pair."""
    result = sample()
    at(result, path)[path[-1]] = "here"
    with pytest.raises(ResultError, match=r"result\.json.*Run the method again") as problem:
        decode_result(json.dumps(result).replace('"here"', text).encode(), "result.json")
    assert len(str(problem.value)) < 300


def spoil(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(result: dict[str, Any]) -> None:
        at(result, path)[path[-1]] = value

    return change


BLOCKS = ("clips", 0, "metrics", "lmd", "blocks")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (spoil("schema", value="facial-bench result 2"), "a result of protocol p. This version"),
        (spoil("corpus", "digest", value="../../x"), "$.corpus.digest"),
        (spoil("corpus", "digest", value="a" * 64 + "\n"), "$.corpus.digest"),
        (spoil("protocol", "digest", value="A" * 64), "$.protocol.digest"),
        (spoil("corpus", "identities", value=5), "$.corpus.identities"),
        (spoil("metrics", value={}), "no metric or no clip"),
        (spoil("clips", value=[]), "no metric or no clip"),
        (spoil("metrics", "lmd", "status", value="fine"), "'fine' - at `$.metrics[...].status`"),
        (spoil("metrics", "lmd", "status", value="refused"), "is refused, but has a value, or no reason"),
        (spoil("metrics", "lmd", "value", value=None), "ok without a value"),
        (lambda r: r["metrics"]["lmd"].update(status="refused", reason="x"), "is refused, but has a value"),
        (lambda r: r["clips"].append(copy.deepcopy(r["clips"][0])), "listed twice"),
        (spoil("clips", 0, "metrics", "lmd", "weight", value=0), "weight or blocks are damaged"),
        (spoil("clips", 0, "metrics", "lmd", "weight", value=-2), "weight or blocks are damaged"),
        *(
            (spoil(*BLOCKS, value=value), "weight or blocks are damaged")
            for value in ([[1]], [[1, 0]], [[1, -1]], [[1, 1, 1]])
        ),
        *(
            (spoil(*BLOCKS, value=value), "$.clips[0].metrics[...].blocks")
            for value in ([["1", 1]], [None], [[True, 1]], [[1, True]], [[[], 1]], {"0": [1, 1]})
        ),
    ],
)
def test_an_impossible_result(change: Callable[[dict[str, Any]], None], expected: str) -> None:
    result = sample()
    change(result)
    assert expected in refused(result)


def test_only_good_results_are_written(tmp_path: Path) -> None:
    result = make_sample()
    for change in ({"clips": ()}, {"seed": "0"}, {"schema": "x"}, {"references": {}}):
        with pytest.raises(ResultError, match=r"r\.json"):
            write_result(tmp_path / "r.json", msgspec.structs.replace(result, **change))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", "[" * 99999, '{"timing": ' * 999, '{"schema": "facial-bench result 1"}']
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ResultError, match=r"r\.json.*Run the method again, or remove the file") as problem:
        read_result(tmp_path / "r.json")
    assert "\n" not in str(problem.value)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_bytes(json.dumps(sample()).encode().replace(b"noise29", b"\xff"))
    with pytest.raises(ResultError, match="cannot be read as JSON"):
        read_result(tmp_path / "r.json")
    with pytest.raises(ResultError, match="does not exist"):
        read_result(tmp_path / "none.json")


def test_another_schema_is_named_whatever_its_fields_are() -> None:
    text = refused({"schema": "facial-bench result 9", "all": "new"})
    assert "schema 'facial-bench result 9', this version reads 'facial-bench result 4'" in text


def test_a_schema_of_a_damaged_file_is_shown_in_part_and_harmless() -> None:
    text = refused({"schema": "\x1b[2J" + 9999 * "x"})
    assert len(text) < 300 and text.isprintable()


def test_skill_by_hand() -> None:
    assert [skill(v, 0.2, 0.8) for v in (0.2, 0.8)] == [0, pytest.approx(1)]
    assert skill(0.5, 0.2, 0.8) == pytest.approx(0.5)
    assert skill(0.95, 0.2, 0.8) == pytest.approx(1.25), "not clipped above the ceiling"
    assert skill(0.05, 0.2, 0.8) == pytest.approx(-0.25), "nor below chance"
    assert [skill(v, 3.0, 1.0) for v in (3.0, 2.0, 1.0, 4.0)] == [0, 0.5, 1, -0.5]
    assert skill(0.5, 0.3, 0.3) is None
    assert skill(0.5, None, 0.3) is None
    assert skill(0.5, 0.3, None) is None
    assert skill(None, 0.2, 0.8) is None


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 3.0), (-2.0, 0.0), (7.0, -1.0)])
def test_skill_does_not_depend_on_the_unit(scale: float, offset: float) -> None:
    moved = [scale * value + offset for value in (0.47, 0.2, 0.8)]
    assert skill(*moved) == pytest.approx(skill(0.47, 0.2, 0.8))


SUMMARY = Summary(0.6, 0.5, 0.7, 3, 0)
ABOUT = Definition("m", 1, "share", True, "f")
REFERENCE = Reference(ceiling=Ceiling(value=1.0, low=0.9, high=1.0), chance=0.2)


def metrics() -> Iterator[tuple[str, Metric]]:
    yield "ok", make_metric(SUMMARY, REFERENCE, ABOUT)
    yield "refused", make_metric(SUMMARY, msgspec.structs.replace(REFERENCE, refused="no ceiling"), ABOUT)
    yield "failed", make_metric(Summary(None, None, None, 3, 3), REFERENCE, ABOUT)
    yield "undefined", make_metric(Summary(None, None, None, 3, 3, 3), REFERENCE, ABOUT)
    yield "absent", make_metric(Summary(None, None, None, 0, 0), REFERENCE, ABOUT, "needs pose")


def test_a_metric_says_what_became_of_it() -> None:
    made = dict(metrics())
    assert {name: entry.status for name, entry in made.items()} == {name: name for name in made}
    assert made["ok"].skill == pytest.approx(0.5)
    assert (made["ok"].unit, made["ok"].higher_is_better, made["ok"].reason) == ("share", True, "")
    for name in ("refused", "failed", "undefined", "absent"):
        entry = made[name]
        assert [entry.value, entry.low, entry.high, entry.skill] == [None] * 4
    assert made["refused"].reason == "no ceiling"
    assert made["absent"].reason == "needs pose"


def test_the_people_that_a_metric_is_not_defined_for_are_named() -> None:
    """One person without blinks left a method's row in dashes, and nothing said why."""
    summary = Summary(None, None, None, 3, 0, 0, undefined_people=("a", "c"))
    lids = make_metric(summary, REFERENCE, dataclasses.replace(ABOUT, family="blinks"))
    assert (lids.status, lids.value) == ("undefined", None)
    assert lids.reason == "not defined for a, c: too few blinks to measure"
    assert make_metric(summary, REFERENCE, ABOUT).reason == "not defined for a, c: too few events or frames to measure"


FAILED_WELL = Entry(value=3.0, weight=1, failed=True, reason="raised")
FAILED_BLOCKS = ((3.0, 1),)


def test_a_failure_is_counted_as_the_rules_say() -> None:
    def spoiled(status: str, name: str, entry: Entry) -> str:
        """What is said of a result in which one clip is of that status and holds that entry."""
        rows = list(make_sample().clips)
        rows[0] = msgspec.structs.replace(rows[0], status=status, metrics={name: entry})  # type: ignore[arg-type]
        text = json.dumps(msgspec.to_builtins(msgspec.structs.replace(make_sample(), clips=tuple(rows)))).encode()
        try:
            decode_result(text, "result.json")
        except ResultError as problem:
            return str(problem)
        return ""

    one = msgspec.structs.replace(FAILED_WELL, blocks=FAILED_BLOCKS)
    value = Entry(value=3.0, weight=1, blocks=FAILED_BLOCKS)
    wrong = Entry(value=0.0, weight=4, blocks=((0.0, 4),), failed=True)
    assert spoiled("failed", "lmd", one) == spoiled("ok", "lmd", one) == spoiled("ok", "lmd", value) == ""
    assert spoiled("failed", "pose_accuracy", wrong) == ""
    assert spoiled("failed", "lmd", Entry(value=None, reason="needs pose", absent=True)) == ""
    assert "the clip failed, and the entry did not" in spoiled("failed", "lmd", value)
    assert "failed and absent at once" in spoiled("failed", "lmd", Entry(value=None, failed=True, absent=True))
    better = Entry(value=0.25, weight=4, blocks=((1.0, 4),), failed=True)
    assert "failed with 0.25 of its windows" in spoiled("failed", "pose_accuracy", better)


def test_a_metric_says_what_its_functions_do() -> None:
    spec = next(spec for spec in built_in_metrics() if spec.id == "lmd")
    assert make_metric(SUMMARY, REFERENCE, spec).probe == behaviour_digest(spec)
    assert make_metric(SUMMARY, REFERENCE, accuracies()["pose_accuracy"]).probe == ""


def test_a_result_without_a_probe_reads_as_it_did_and_keeps_its_digest() -> None:
    old = make_sample()
    assert "probe" not in json.dumps(as_json(old))
    new = changed(old, (("metrics", "lmd", "probe"), "1" * 64))
    assert as_json(new)["metrics"]["lmd"]["probe"] == "1" * 64
    assert result_digest(new) != result_digest(old)
    assert result_digest(changed(new, (("metrics", "lmd", "probe"), ""))) == result_digest(old)
    assert "$.metrics[...].probe" in refused(
        msgspec.to_builtins(old) | {"metrics": {"lmd": as_json(old)["metrics"]["lmd"] | {"probe": "1\n"}}}
    )


def test_entries_agree_unless_they_are_two_quantities() -> None:
    entry = make_sample().metrics["lmd"]
    one, two = (msgspec.structs.replace(entry, probe=mark * 64) for mark in "12")
    assert disagreement([entry, one, one, entry]) == disagreement([]) == ""
    assert disagreement([two, entry, one]).endswith("(probes 11111111 and 22222222)")
    assert disagreement([one, msgspec.structs.replace(one, definition="e")]) == "the results define it differently"


def test_what_ranks_nothing_has_no_skill() -> None:
    assert make_metric(SUMMARY, REFERENCE, Definition("m", 1, "1", None, "f")).skill is None


def test_results_are_found_in_order_or_the_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"No results below .*facial-bench run"):
        find_results(tmp_path / "none")
    paths = [tmp_path / c / m / f"seed-{n}" / "result.json" for c in "ab" for m in "xy" for n in (0, 1)]
    for path in paths[::-1]:
        write_result(path, make_sample())
    (tmp_path / "a" / "x" / "result.json").write_text("not one of ours")
    assert find_results(tmp_path) == paths
