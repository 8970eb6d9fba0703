"""Results of an earlier protocol: one clear line, however many there are, and on no board."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facial_bench.core.compressed import read_lines, write_lines
from facial_bench.core.errors import ResultError
from facial_bench.core.protocol import Protocol
from facial_bench.evaluation.earlier_results import EarlierResultError
from facial_bench.evaluation.result import Result, read_result
from facial_bench.evaluation.verify import Verdict
from facial_bench.metrics.catalog import all_definitions
from facial_bench.reports.archive import SUFFIX, read_archive, write_archive
from facial_bench.reports.publish import Published, publish
from tests.helpers.results import make_result, make_row, store

NOW = Protocol().name
SAID = f"of protocol facial-bench-1. This version and its boards take {NOW} alone, whose metrics are other quantities."


def made(count: int) -> list[Result]:
    rows = [make_row(p, f"{p}{k}", {"lmd": 1.0 + k}) for p in "ab" for k in (0, 1)]
    return [make_result(rows, label=f"m{k}") for k in range(count)]


def age(content: dict[str, object]) -> dict[str, object]:
    """As protocol 1 wrote it: an older schema, a field that is gone, and none of the new ones."""
    content = {key: value for key, value in content.items() if key != "classifiers"}
    return {**content, "schema": "facial-bench result 3", "protocol": {"name": "facial-bench-1", "judges": "x"}}


def aged_folder(folder: Path, count: int) -> Path:
    store(folder, *made(count))
    for path in folder.rglob("result.json"):
        path.write_text(json.dumps(age(json.loads(path.read_text()))))
    return folder


def aged_archive(path: Path, count: int) -> Path:
    write_archive(path, made(count))
    first, references, *lines = read_lines(path, ResultError, "")
    results = [json.loads(line) for line in lines]
    aged = [json.dumps({**one, "result": age(one["result"])}).encode() for one in results]
    write_lines(path, (first, references, *aged), ResultError)
    return path


def published(paths: list[Path], out: Path) -> Published:
    def verify(folder: Path, result: Result) -> Verdict:
        return Verdict((), 0, 1)

    return publish(paths, out, all_definitions(), Protocol(resamples=50), verify)


def test_a_result_says_what_it_is_and_what_to_do(tmp_path: Path) -> None:
    (path,) = aged_folder(tmp_path, 1).rglob("result.json")
    with pytest.raises(EarlierResultError) as problem:
        read_result(path)
    assert str(problem.value) == f"{path}: a result {SAID} Run the method again, or remove the file."


@pytest.mark.parametrize(("field", "value"), [("schema", "facial-bench result 3"), ("name", "facial-bench-1")])
def test_either_sign_is_enough(tmp_path: Path, field: str, value: str) -> None:
    (path,) = store(tmp_path, *made(1)).rglob("result.json")
    content = json.loads(path.read_text())
    (content if field == "schema" else content["protocol"])[field] = value
    path.write_text(json.dumps(content))
    with pytest.raises(EarlierResultError):
        read_result(path)


def test_an_archive_says_it_once_with_the_count(tmp_path: Path) -> None:
    path = aged_archive(tmp_path / f"tiny{SUFFIX}", 42)
    with pytest.raises(EarlierResultError) as problem:
        read_archive(path)
    assert str(problem.value) == f"{path}: 42 results {SAID} Run the methods again, or remove the files."


def test_a_folder_full_of_them_makes_no_board_and_one_line(tmp_path: Path) -> None:
    folder = aged_folder(tmp_path / "runs", 12)
    with pytest.raises(ResultError, match=f"12 results {SAID}") as problem:
        published([folder], tmp_path / "out")
    assert str(problem.value).count("facial-bench-1") == 1 and "\n" not in str(problem.value)
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize("name", ["facial-bench result 9", "nonsense"])
def test_another_schema_is_named(tmp_path: Path, name: str) -> None:
    (path,) = store(tmp_path, *made(1)).rglob("result.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": name, "more": 1}))
    with pytest.raises(ResultError, match=f"schema '{name}', this version reads"):
        read_result(path)


def test_beside_others_they_are_left_out_in_one_line(tmp_path: Path) -> None:
    old, archive = aged_folder(tmp_path / "old", 3), aged_archive(tmp_path / f"tiny{SUFFIX}", 4)
    new = store(tmp_path / "new", *made(2))
    made_ = published([old, new, archive], tmp_path / "out")
    assert [board.name for board in made_.boards] == ["tiny.md"]
    (line,) = made_.notes
    first = old / "c0" / "m0" / "seed-0" / "result.json"
    assert line == f"left out: {first} and 3 more files: 7 results {SAID} Run the methods again, or remove the files."


def test_a_name_cannot_make_two_lines_of_it() -> None:
    problem = EarlierResultError("a", "x\n\x1b[31m" + "y" * 999)
    assert str(problem).isprintable() and len(str(problem)) < 400
