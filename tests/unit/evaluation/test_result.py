"""The result file: exact, and checked field by field when it is read."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from facial_bench.errors import ResultError
from facial_bench.evaluation.result import (
    check_result,
    find_results,
    make_metric,
    read_result,
    result_digest,
    skill,
    write_result,
)
from tests.helpers.results import make_result, make_row


def sample() -> dict[str, Any]:
    rows = [make_row(p, f"{p}{k}", {"lmd": 0.1 + 0.2, "pose_accuracy": 1 / 3}) for p in "ab" for k in range(2)]
    return make_result(rows)


def refused(value: Any) -> str:
    with pytest.raises(ResultError) as problem:
        check_result(value, "result.json")
    text = str(problem.value)
    assert "\n" not in text
    assert text.startswith("result.json: ")
    assert text.endswith("Run the method again, or remove the file.")
    return text


def test_a_result_comes_back_exactly(tmp_path: Path) -> None:
    result = sample()
    result["metrics"]["lmd"].update(value=0.1 + 0.2, low=5e-324, high=1 / 3)
    written = write_result(tmp_path / "r.json", result)
    assert read_result(tmp_path / "r.json") == written == result | {"digest": result_digest(result)}


def test_the_digest_is_over_everything_but_time_and_place() -> None:
    result = sample()
    whole = result_digest(result)
    assert result_digest(result | {"timing": {"fit_s": 1.0}, "environment": {"cpus": 3}, "digest": "x"}) == whole
    result["clips"][0]["metrics"]["lmd"]["value"] += 1e-16
    assert result_digest(result) != whole


def pooled() -> dict[str, Any]:
    """A result with a metric of distributions: parts instead of values."""
    result = sample()
    result["metrics"]["w1"] = {**result["metrics"]["lmd"], "unit": "s"}
    result["references"]["w1"] = {**result["references"]["lmd"], "parts": {"a": [1.0], "b": []}}
    for row in result["clips"]:
        row["metrics"]["w1"] = {"part": [1.0, 2.0], "blocks": [[1.0], [2.0]], "items": 2}
    return result


def test_a_pooled_metric_comes_back_exactly(tmp_path: Path) -> None:
    written = write_result(tmp_path / "r.json", pooled())
    assert read_result(tmp_path / "r.json") == written


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("clips", 0, "metrics", "w1", "part"), 1.0),
        (("clips", 0, "metrics", "w1", "part"), [float("nan")]),
        (("clips", 0, "metrics", "w1", "blocks"), []),
        (("clips", 0, "metrics", "w1", "blocks"), [["x"]]),
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
    ("clips", 0, "metrics", "lmd", "value"),
    ("clips", 0, "metrics", "lmd", "weight"),
    ("clips", 0, "metrics", "lmd", "blocks"),
]
WRONG = [True, "x", [], {}, 1.5, -1, None]


def at(result: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        result = result[key]
    return result


@pytest.mark.parametrize("path", NEEDED, ids=lambda path: ".".join(map(str, path)))
def test_no_field_can_be_missing(path: tuple[Any, ...]) -> None:
    result = sample()
    del at(result, path)[path[-1]]
    assert "is missing or of a wrong type" in (text := refused(result)) or "is not an object" in text


@pytest.mark.parametrize("path", NEEDED, ids=lambda path: ".".join(map(str, path)))
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
    assert "result is not an object" in refused(value)


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
    with pytest.raises(ResultError):
        write_result(tmp_path / "r.json", result)
    (tmp_path / "r.json").write_text(json.dumps(result))
    with pytest.raises(ResultError, match="cannot be read as JSON"):
        read_result(tmp_path / "r.json")


def spoil(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(result: dict[str, Any]) -> None:
        at(result, path)[path[-1]] = value

    return change


BLOCKS = ("clips", 0, "metrics", "lmd", "blocks")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (spoil("schema", value="facial-bench result 3"), "this version reads"),
        (spoil("corpus", "digest", value="../../x"), "corpus.digest is not a SHA-256"),
        (spoil("protocol", "digest", value="A" * 64), "protocol.digest is not a SHA-256"),
        (spoil("corpus", "identities", value=5), "corpus.identities"),
        (spoil("metrics", value={}), "no metric or no clip"),
        (spoil("clips", value=[]), "no metric or no clip"),
        (spoil("metrics", "lmd", "status", value="fine"), "none of ok, refused, failed"),
        (spoil("metrics", "lmd", "status", value="refused"), "reason is missing"),
        (spoil("metrics", "lmd", "value", value=None), "ok without a value"),
        (lambda r: r["metrics"]["lmd"].update(status="refused", reason="x"), "value is missing or of a wrong type"),
        (lambda r: r["clips"].append(copy.deepcopy(r["clips"][0])), "listed twice"),
        (spoil("clips", 0, "metrics", "lmd", "weight", value=0), "weight or blocks are damaged"),
        (spoil("clips", 0, "metrics", "lmd", "weight", value=-2), "weight or blocks are damaged"),
        *(
            (spoil(*BLOCKS, value=value), "weight or blocks are damaged")
            for value in (
                [],
                [[1]],
                [[1, 0]],
                [[1, -1]],
                [[1, 1, 1]],
                [["1", 1]],
                [None],
                [[True, 1]],
                [[1, True]],
                [[[], 1]],
            )
        ),
        (spoil(*BLOCKS, value={"0": [1, 1]}), "blocks is missing or of a wrong type"),
    ],
)
def test_an_impossible_result(change: Callable[[dict[str, Any]], None], expected: str) -> None:
    result = sample()
    change(result)
    assert expected in refused(result)


def test_only_good_results_are_written(tmp_path: Path) -> None:
    result = sample()
    del result["method"]["label"]
    with pytest.raises(ResultError):
        write_result(tmp_path / "r.json", result)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "[" * 99999, '{"schema": "facial-bench result 1"}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ResultError, match=r"r\.json.*Run the method again, or remove the file") as problem:
        read_result(tmp_path / "r.json")
    assert "\n" not in str(problem.value)


def test_skill_by_hand() -> None:
    up = {"chance": 0.2, "ceiling": {"value": 0.8}}
    down = {"chance": 3.0, "ceiling": {"value": 1.0}}
    assert [skill(v, up) for v in (0.2, 0.8)] == [0, pytest.approx(1)]
    assert skill(0.5, up) == pytest.approx(0.5)
    assert skill(0.95, up) == pytest.approx(1.25), "not clipped above the ceiling"
    assert skill(0.05, up) == pytest.approx(-0.25), "nor below chance"
    assert [skill(v, down) for v in (3.0, 2.0, 1.0, 4.0)] == [0, 0.5, 1, -0.5]
    assert skill(0.5, {"chance": 0.3, "ceiling": {"value": 0.3}}) is None
    assert skill(0.5, {"chance": None, "ceiling": {"value": 0.3}}) is None
    assert skill(0.5, {"chance": 0.3, "ceiling": {"value": None}}) is None


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 3.0), (-2.0, 0.0), (7.0, -1.0)])
def test_skill_does_not_depend_on_the_unit(scale: float, offset: float) -> None:
    moved = {"chance": 0.2 * scale + offset, "ceiling": {"value": 0.8 * scale + offset}}
    assert skill(0.47 * scale + offset, moved) == pytest.approx(skill(0.47, {"chance": 0.2, "ceiling": {"value": 0.8}}))


SUMMARY = {"value": 0.6, "low": 0.5, "high": 0.7, "n_clips": 3, "n_failed": 0}
ABOUT = {"unit": "share", "higher_is_better": True, "definition": "d"}


def metrics() -> Iterator[tuple[str, dict[str, Any]]]:
    reference = {"chance": 0.2, "ceiling": {"value": 1.0}}
    yield "ok", make_metric(SUMMARY, reference, ABOUT)
    yield "refused", make_metric(SUMMARY, {**reference, "refused": "no ceiling"}, ABOUT)
    yield "failed", make_metric({**SUMMARY, "value": None, "low": None, "high": None}, reference, ABOUT)


def test_a_metric_says_what_became_of_it() -> None:
    found = dict(metrics())
    assert {name: entry["status"] for name, entry in found.items()} == {name: name for name in found}
    assert found["ok"]["skill"] == pytest.approx(0.5)
    for name in ("refused", "failed"):
        assert [found[name][key] for key in ("value", "low", "high", "skill")] == [None] * 4
    assert found["refused"]["reason"] == "no ceiling"
    assert "reason" not in found["ok"]


def test_results_are_found_in_order_or_the_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"No results below .*facial-bench run"):
        find_results(tmp_path / "none")
    paths = [tmp_path / c / m / f"seed-{n}" / "result.json" for c in "ab" for m in "xy" for n in (0, 1)]
    for path in paths[::-1]:
        write_result(path, sample())
    (tmp_path / "a" / "x" / "result.json").write_text("not one of ours")
    assert find_results(tmp_path) == paths
