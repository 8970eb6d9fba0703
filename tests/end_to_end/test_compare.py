"""`facial-bench compare`: what it says, what it refuses, and the picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from facial_bench.cli import main
from facial_bench.evaluation.result import HINT, read_result, write_result
from tests.helpers.results import changed, make_result, make_row


def put(folder: Path, label: str, lmd: float, seeds: int = 1, clips: int = 6, **changes: Any) -> Path:
    for seed in range(seeds):
        rows = [
            make_row(p, f"{p}{k}", {"lmd": lmd + 0.01 * ((5 * k + seed) % 4), "pose_accuracy": 0.5})
            for p in "ab"
            for k in range(clips)
        ]
        made = make_result(rows, label=label, seed=seed, **changes)
        write_result(folder / label / f"seed-{seed}" / "result.json", made)
    return folder / label


def call(*arguments: Any) -> Result:
    told = CliRunner().invoke(main, ["compare", *map(str, arguments)])
    assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
    return told


def test_a_clear_difference_is_decided_and_none_is_not(tmp_path: Path) -> None:
    near, far = put(tmp_path, "near", 1.0, seeds=2), put(tmp_path, "far", 2.0, seeds=2)
    told = call(near, far)
    assert told.exit_code == 0, told.stderr
    assert "near is better" in told.stdout
    accuracy = next(line for line in told.stdout.splitlines() if line.startswith("pose_accuracy"))
    assert accuracy.endswith("no difference found")
    assert "The smallest p that so few clips can give: 0.000488" in told.stdout, "2 / 2^12"


def test_the_numbers_as_json(tmp_path: Path) -> None:
    paths = [put(tmp_path, name, value) for name, value in (("a", 1.0), ("b", 1.5), ("c", 3.0))]
    told = json.loads(call(*paths, "--metric", "lmd", "--json").stdout)
    assert [(row["a"], row["b"]) for row in told] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert all(row["holm_p"] == pytest.approx(3 * row["p"]) for row in told)
    assert all(row["seeds"] == 1 and row["failed"] == {} for row in told)
    assert told[0]["value_a"] - told[0]["value_b"] == pytest.approx(-0.5)


def test_holm_runs_over_the_pairs_of_one_metric(tmp_path: Path) -> None:
    """Two methods are one pair a metric, however many metrics are asked for."""
    told = json.loads(call(put(tmp_path, "a", 1.0), put(tmp_path, "b", 1.5), "--json").stdout)
    assert {row["metric"] for row in told} == {"lmd", "pose_accuracy"}
    assert all(row["holm_p"] == row["p"] for row in told)


def test_one_seed_is_about_trained_models_and_that_is_said_once(tmp_path: Path) -> None:
    said = "note: one training seed each: p is about these trained models"
    one = call(*[put(tmp_path / "one", name, value) for name, value in (("a", 1.0), ("b", 1.5), ("c", 3.0))]).stdout
    assert one.count(said) == 1
    two = call(*[put(tmp_path / "two", name, value, seeds=2) for name, value in (("a", 1.0), ("b", 1.5))]).stdout
    assert said not in two


def test_a_method_that_fails_is_marked_and_never_better_and_changes_no_other_pair(tmp_path: Path) -> None:
    paths = [put(tmp_path, name, value) for name, value in (("mid", 1.5), ("far", 3.0))]
    alone = json.loads(call(*paths, "--metric", "lmd", "--json").stdout)
    near = put(tmp_path, "near", 1.0)
    result = read_result(near / "seed-0" / "result.json")
    hidden = (("clips", 0, "metrics", "lmd", "failed"), True), (("clips", 0, "metrics", "lmd", "reason"), "it raised")
    write_result(near / "seed-0" / "result.json", changed(result, *hidden))
    told = json.loads(call(*paths, near, "--metric", "lmd", "--json").stdout)
    assert [row for row in told if "near" not in (row["a"], row["b"])] == alone
    assert {row["verdict"] for row in told[1:]} == {"not decided: near is ahead, and failed on 1 clips"}
    text = call(*paths, near, "--metric", "lmd", "--picture", tmp_path / "cd.svg").stdout
    assert "near †" in text and "†: failed on some clips" in text
    assert "failed: near" in (tmp_path / "cd.svg").read_text(encoding="utf-8")


def test_five_clips_cannot_decide(tmp_path: Path) -> None:
    paths = [put(tmp_path, name, value, clips=2) for name, value in (("a", 1.0), ("b", 99.0))]
    told = call(*paths, "--metric", "lmd").stdout
    assert "cannot be decided" in told
    assert "so few clips can give: 0.125" in told


def test_a_seed_or_a_file_is_named_as_well_as_a_method(tmp_path: Path) -> None:
    one, two = put(tmp_path, "one", 1.0, seeds=2), put(tmp_path, "two", 2.0, seeds=2)
    assert call(one / "seed-0", two / "seed-1" / "result.json").exit_code == 0


@pytest.mark.parametrize("ending", [".svg", ".png"])
def test_the_picture_is_drawn_and_always_the_same(tmp_path: Path, ending: str) -> None:
    paths = [put(tmp_path, name, value) for name, value in (("a<b>", 1.0), ("c&d", 1.001), ("e", 3.0))]
    picture = tmp_path / "pictures" / f"cd{ending}"
    assert call(*paths, "--picture", picture).exit_code == 0
    first = picture.read_bytes()
    assert len(first) > 5000
    call(*paths, "--picture", picture)
    assert picture.read_bytes() == first
    assert "is an .svg or a .png" in call(*paths, "--picture", tmp_path / "x.pdf").stderr


def test_what_cannot_be_compared_is_one_line(tmp_path: Path) -> None:
    a, b = put(tmp_path, "a", 1.0), put(tmp_path, "b", 2.0)
    other = put(tmp_path, "other", 1.0, corpus="c" * 64)
    refused = put(tmp_path, "refused", 1.0, refused=["pose_accuracy"])
    for arguments, expected in (
        ((a, other), "another corpus or protocol"),
        ((a, a), "named twice"),
        ((a, a / "seed-0"), "named twice"),
        ((a, b, "--metric", "lmx"), "Did you mean"),
        ((a, refused, "--metric", "pose_accuracy"), "Nothing can be compared: pose_accuracy: refused has no value"),
        ((a, tmp_path / "none"), "No result in"),
    ):
        told = call(*arguments)
        assert told.exit_code == 1, arguments
        assert expected in told.stderr
        assert told.stderr.strip().count("\n") == 0
    assert call(a).exit_code == 2
    told = call(a, refused)
    assert told.exit_code == 0 and "not compared: pose_accuracy: refused has no value (" in told.stdout


def test_two_functions_of_one_definition_are_not_compared(tmp_path: Path) -> None:
    a, b = put(tmp_path, "a", 1.0), put(tmp_path, "b", 2.0)
    for place, mark in ((a, "1"), (b, "2")):
        path = place / "seed-0" / "result.json"
        write_result(path, changed(read_result(path), (("metrics", "lmd", "probe"), mark * 64)))
    told = call(a, b)
    assert told.exit_code == 0
    assert "not compared: lmd: different functions computed it under one definition (probes 1" in told.stdout
    assert not any(line.startswith("lmd ") for line in told.stdout.splitlines())
    assert "Nothing can be compared: lmd: different functions" in call(a, b, "--metric", "lmd").stderr


def test_two_versions_of_a_method_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    old, new = put(tmp_path / "old", "mine", 1.0), put(tmp_path / "new", "mine", 2.0)
    told = call(old, new, "--metric", "lmd", "--json")
    (pair,) = json.loads(told.stdout)
    assert (pair["a"], pair["b"]) == (f"mine ({old})", f"mine ({new})")


def test_unequal_seeds_are_told(tmp_path: Path) -> None:
    told = call(put(tmp_path, "one", 1.0, seeds=2), put(tmp_path, "two", 2.0))
    assert "note: training seeds differ in number (one 2, two 1)" in told.stdout


@pytest.mark.parametrize("command", ["compare", "show"])
def test_edited_numbers_are_not_shown(tmp_path: Path, command: str) -> None:
    places = [put(tmp_path, name, value) for name, value in (("a", 1.0), ("b", 2.0))]
    file = places[0] / "seed-0" / "result.json"
    file.write_text(file.read_text().replace('"seed": 0', '"seed": 1'))
    told = CliRunner().invoke(main, [command, *map(str, places)])
    assert told.exit_code == 1
    assert told.stderr == f"Error: {file}: the file was changed after it was written. {HINT}\n"


def test_a_file_that_is_no_result_is_not_to_be_removed(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text('"""A method."""\n')
    told = call(tmp_path / "mine.py", put(tmp_path, "a", 1.0))
    assert told.exit_code == 1
    assert told.stderr.endswith("mine.py is no result.json. Name that, or the folder of a seed or of a method.\n")


def test_seeds_of_two_versions_are_told(tmp_path: Path) -> None:
    mixed, other = put(tmp_path, "mixed", 1.0, seeds=2, environment={"method_source": "a"}), put(tmp_path, "b", 2.0, 2)
    path = mixed / "seed-1" / "result.json"
    path.write_text(path.read_text().replace('"method_source": "a"', '"method_source": "b"'))
    assert "note: the seeds of mixed come from different versions of it" in call(mixed, other).stdout
