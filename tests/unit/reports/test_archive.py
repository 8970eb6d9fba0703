"""Results in one compressed file: nothing is lost, nothing is trusted; and results from wherever they are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from facial_bench.core.compressed import read_lines, write_lines
from facial_bench.errors import FacialBenchError, ResultError
from facial_bench.evaluation.result import Result, result_digest
from facial_bench.reports.archive import SUFFIX, collect, read_archive, read_every, write_archive, write_archives
from facial_bench.statistics.rows import Entry
from tests.helpers.results import changed, make_result, make_row, store

COMMITTED = Path(__file__).parents[3] / "leaderboards"


def made(label: str = "echo", seed: int = 0, value: float = 1 / 3, **more: Any) -> Result:
    pooled = Entry(part=(1.0, value), items=2)
    rows = [make_row(p, f"{p}{k}", {"lmd": value, "w1": pooled}) for p in "ab" for k in range(2)]
    result = changed(
        make_result(rows, label=label, seed=seed, **more), (("references", "w1", "parts"), {"a": [1], "b": [0.1]})
    )
    return msgspec.structs.replace(result, digest=result_digest(result))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / f"tiny{SUFFIX}"
    write_archive(path, [made(), made(seed=1), made("sway")])
    return path


def test_results_come_back_exactly_with_their_digests(archive: Path) -> None:
    results = read_archive(archive)
    assert results == [made(), made(seed=1), made("sway")]
    assert all(result.digest == result_digest(result) for result in results)
    assert list(results[0].metrics) == ["lmd", "w1"], "metrics keep their order, which is that of the columns"


def test_the_same_results_give_the_same_file_in_any_order(archive: Path, tmp_path: Path) -> None:
    write_archive(tmp_path / "other.xz", [made("sway"), made(seed=1), made()])
    assert (tmp_path / "other.xz").read_bytes() == archive.read_bytes()


def test_references_stand_there_once(archive: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in read_lines(archive, ResultError, "")]
    assert lines[0] == {"schema": "facial-bench results 1", "references": 1, "results": 3}
    assert len(lines) == 5
    assert set(lines[1]) == {"lmd", "w1"}
    assert "references" not in lines[2]["result"]
    other = changed(made("sway"), (("references", "lmd", "chance"), 7.0))
    write_archive(archive, [made(), made(seed=1), other])
    lines = [json.loads(line) for line in read_lines(archive, ResultError, "")]
    assert [line["references"] for line in lines[3:]] == [0, 0, 1]
    assert read_archive(archive)[2].references["lmd"].chance == 7.0


def change(line: int, **values: Any) -> Callable[[list[Any]], None]:
    return lambda lines: lines[line].update(values)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (change(0, schema="facial-bench results 0"), "this version reads"),
        (change(0, schema=9999 * "x"), f"schema '{79 * 'x'}.?', this version reads"),
        (change(0, results=4), "4 lines after the first, which is not what it announces"),
        (change(0, references=-1, results=5), "not what it announces"),
        (change(0, references="1"), "line 1: Expected `int`"),
        (lambda lines: lines.pop(), "not what it announces"),
        (change(2, references=1), "line 3: references 1 are not in the file"),
        (change(2, references=-1), "line 3: references -1 are not"),
        (change(2, more=1), "line 3: Object contains unknown field `more`"),
        (change(2, result=3), "line 3"),
        (change(2, result=[]), "line 3"),
        (change(2, result={}), "line 3"),
        (lambda lines: lines[3]["result"].pop("seed"), "line 4: .*missing required field `seed`"),
        (
            lambda lines: lines[3]["result"].update(schema="facial-bench result 2"),
            "3 results of protocol p. This version",
        ),
        (lambda lines: lines[3]["result"]["metrics"]["lmd"].update(value="3"), "line 4: "),
        (lambda lines: lines[1].pop("w1"), r"line 3: metrics\['w1'\] has no reference"),
        (lambda lines: lines.__setitem__(1, []), "line 3: "),
        (lambda lines: lines.__setitem__(2, []), "line 3: Expected `object`"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(archive: Path, damage: Callable[[list[Any]], Any], message: str) -> None:
    lines = [json.loads(line) for line in read_lines(archive, ResultError, "")]
    damage(lines)
    write_lines(archive, [json.dumps(line).encode() for line in lines])
    with pytest.raises(ResultError, match=message) as problem:
        read_archive(archive)
    assert "\n" not in str(problem.value)
    assert archive.name in str(problem.value)


def test_what_is_cut_short_or_changed_is_named_and_stops_no_other(archive: Path, tmp_path: Path) -> None:
    shutil.copy(archive, tmp_path / f"broken{SUFFIX}")
    (tmp_path / f"broken{SUFFIX}").write_bytes(archive.read_bytes()[:-9])
    problems = [one for _, one in collect([tmp_path]) if isinstance(one, FacialBenchError)]
    assert len(problems) == 1
    assert "is damaged" in str(problems[0])
    assert len(collect([tmp_path])) == 4
    with pytest.raises(ResultError, match="is damaged"):
        read_every([tmp_path])


def test_an_edited_result_is_no_result(tmp_path: Path) -> None:
    wrong = changed(made(), (("metrics", "lmd", "value"), 0.001))
    (tmp_path / "result.json").write_bytes(msgspec.json.encode(wrong))
    with pytest.raises(ResultError, match=r"result.json: the file was changed after it was written\. Run"):
        read_every([tmp_path])


def test_a_number_that_is_none_is_not_written(tmp_path: Path) -> None:
    wrong = changed(made(), (("metrics", "lmd", "value"), 0.0))
    wrong = msgspec.structs.replace(wrong, timing={"fit_s": float("nan")})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_archive(tmp_path / "x.xz", [wrong])


def test_a_file_for_each_label_of_a_corpus(tmp_path: Path) -> None:
    other = changed(made(), (("corpus", "label"), "big"))
    assert write_archives(tmp_path, [made(), other]) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"big{SUFFIX}", f"tiny{SUFFIX}"]
    outside = changed(made(), (("corpus", "label"), "../x"))
    with pytest.raises(ResultError, match="cannot name a file"):
        write_archives(tmp_path, [outside])


def test_results_of_folders_files_and_archives_come_in_the_order_of_the_paths(archive: Path, tmp_path: Path) -> None:
    folder = store(tmp_path / "runs", made("late"), made("late", seed=1))
    first, second = sorted(folder.rglob("result.json"))
    for path, expected in (
        (folder, ["late", "late"]),
        (folder / "c0", ["late"]),
        (first.parent.parent, ["late"]),
        (first.parent, ["late"]),
        (first, ["late"]),
        (archive, ["echo", "echo", "sway"]),
        (tmp_path, ["echo", "echo", "sway"]),
    ):
        assert [one.method.label for one in read_every([path])] == expected, path
    both = collect([second, archive, folder])
    assert [(path.parts[-3], path.parts[-2]) for path, _ in both] == [
        ("m1", "seed-1"),
        ("echo", "seed-0"),
        ("echo", "seed-1"),
        ("sway", "seed-0"),
        ("m0", "seed-0"),
    ], "the same result in two places is given once"


def test_two_results_of_the_same_name_are_both_given(archive: Path, tmp_path: Path) -> None:
    folder = store(tmp_path / "runs", made(value=0.5))
    assert len(collect([archive, folder])) == 4


def test_a_copy_with_the_digest_of_another_is_given_too(archive: Path, tmp_path: Path) -> None:
    """Who looks at digests decides which of them is true."""
    forged = msgspec.structs.replace(made(value=0.5), digest=made().digest)
    write_archive(tmp_path / f"a{SUFFIX}", [forged])
    assert len(collect([tmp_path / f"a{SUFFIX}", archive])) == 4


def test_a_path_without_results_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"No results below .*nowhere"):
        collect([tmp_path / "nowhere"])
    with pytest.raises(ResultError, match="does not exist"):
        read_every([tmp_path / f"none{SUFFIX}"])


def test_a_damaged_result_is_given_as_what_is_wrong_with_it(tmp_path: Path) -> None:
    folder = store(tmp_path, made(), made(seed=1))
    first = min(folder.rglob("result.json"))
    first.write_text("{")
    problem, whole = (one for _, one in collect([folder]))
    assert isinstance(problem, ResultError)
    assert isinstance(whole, Result)
    assert whole.seed == 1


def test_the_committed_results_are_small() -> None:
    files = [path for path in COMMITTED.rglob("*") if path.is_file()]
    weights = [path for path in files if path.name.endswith(".classifiers.safetensors")]
    assert sum(path.stat().st_size for path in files if path not in weights) < 1_700_000
    assert max(path.stat().st_size for path in weights) < 2_400_000, "21 networks of 52,000 weights, float16"
    assert len([path for path in files if path.name.endswith(SUFFIX)]) == 2


def test_results_that_are_not_given_any_more_are_kept_aside(tmp_path: Path) -> None:
    write_archives(tmp_path, [made(), made(seed=1)])
    assert write_archives(tmp_path, [made(value=0.25), made(seed=1)]) == [], "a rerun takes the place of its elder"
    (line,) = write_archives(tmp_path, [made(value=0.25)])
    aside = tmp_path / "replaced" / f"tiny-1{SUFFIX}"
    assert str(aside) in line
    assert [one.seed for one in read_archive(aside)] == [0, 1]
    assert [one.seed for one in read_every([tmp_path])] == [0], "what was put aside is not read by itself"
    (tmp_path / f"tiny{SUFFIX}").write_bytes(b"damaged")
    write_archives(tmp_path, [made()])
    assert (tmp_path / "replaced" / f"tiny-2{SUFFIX}").read_bytes() == b"damaged"


def test_where_a_corpus_lies_is_published_nowhere(tmp_path: Path) -> None:
    result = made()
    local = changed(result, (("environment", "corpus_path"), "/home/somebody/my-corpus"))
    write_archive(tmp_path / f"tiny{SUFFIX}", [local])
    (read,) = read_archive(tmp_path / f"tiny{SUFFIX}")
    assert "corpus_path" not in read.environment
    assert read.digest == result.digest
    store(tmp_path / "results", local)
    both = collect([tmp_path / f"tiny{SUFFIX}", tmp_path / "results"])
    assert len(both) == 1, "still one result"
