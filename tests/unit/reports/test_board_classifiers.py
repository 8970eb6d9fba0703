"""The identity classifiers beside a board are those that judged its results, or there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facial_bench.core.protocol import Protocol
from facial_bench.errors import ResultError
from facial_bench.evaluation.result import Result
from facial_bench.evaluation.verify import Verdict
from facial_bench.metrics.catalog import all_definitions
from facial_bench.metrics.classifier_files import SUFFIX, ClassifierFile, read_classifiers, write_file
from facial_bench.metrics.identity_classifier import classifiers_digest
from facial_bench.reports.publish import Published, publish
from tests.helpers.results import make_result, make_row, store


def weights(value: float) -> ClassifierFile:
    arrays = {"/held-out|pose|0|dense.bias": np.full(2, value, np.float16)}
    return ClassifierFile("c" * 64, "t" * 64, ("a", "b"), classifiers_digest(arrays), arrays)


def results(digest: str) -> list[Result]:
    rows = [make_row(p, f"{p}{k}", {"lmd": 1.0 + k}) for p in "ab" for k in (0, 1)]
    return [make_result(rows, label=f"m{k}", classifiers=digest) for k in range(2)]


def published(folder: Path, out: Path, *places: Path, check: bool = False) -> Published:
    def verify(path: Path, result: Result) -> Verdict:
        return Verdict((), 0, 1)

    rules = Protocol(resamples=50)
    return publish([folder], out, all_definitions(), rules, None if check else verify, places)


def test_the_classifiers_of_a_board_are_found_by_their_digest_and_written_beside_it(tmp_path: Path) -> None:
    right, wrong = weights(1), weights(2)
    for name, held in (("x", right), ("y", wrong)):
        write_file(tmp_path / "cache" / f"{name}{SUFFIX}", held)
    store(tmp_path / "results", *results(right.digest))
    out = tmp_path / "boards"
    found = published(tmp_path / "results", out, tmp_path / "cache")
    assert found.notes == []
    beside = out / f"tiny{SUFFIX}"
    assert read_classifiers(beside).digest == right.digest
    assert beside.name in (out / "tiny.md").read_text(), "the board names the file"
    before = beside.read_bytes()
    published(tmp_path / "results", out, check=True)
    assert published(tmp_path / "results", out).notes == [], "what stands there is found again"
    assert beside.read_bytes() == before


def test_without_weights_at_hand_none_are_published_and_one_line_says_so(tmp_path: Path) -> None:
    store(tmp_path / "results", *results(weights(1).digest))
    (note,) = published(tmp_path / "results", tmp_path / "boards", tmp_path / "nowhere").notes
    assert "tiny.md: its identity classifiers" in note and "--classifiers" in note
    assert not list((tmp_path / "boards").glob(f"*{SUFFIX}"))
    published(tmp_path / "results", tmp_path / "boards", check=True)


def test_results_without_classifiers_need_none(tmp_path: Path) -> None:
    store(tmp_path / "results", *results(""))
    assert published(tmp_path / "results", tmp_path / "boards").notes == []


def test_classifiers_of_other_results_do_not_stay_beside_a_board(tmp_path: Path) -> None:
    out = tmp_path / "boards"
    write_file(out / f"tiny{SUFFIX}", weights(2))
    store(tmp_path / "results", *results(weights(1).digest))
    moved, missing = published(tmp_path / "results", out).notes
    assert "keeps classifiers that judged none" in moved and "not at hand" in missing
    assert read_classifiers(out / "replaced" / f"tiny-1{SUFFIX}").digest == weights(2).digest


@pytest.mark.parametrize("damage", ["other weights", "no file of arrays", "of no board"])
def test_check_finds_a_file_that_does_not_hold_the_classifiers_of_the_results(tmp_path: Path, damage: str) -> None:
    out, right = tmp_path / "boards", weights(1)
    write_file(tmp_path / "cache" / f"x{SUFFIX}", right)
    store(tmp_path / "results", *results(right.digest))
    published(tmp_path / "results", out, tmp_path / "cache")
    beside = out / f"tiny{SUFFIX}"
    if damage == "other weights":
        write_file(beside, weights(2))
    elif damage == "of no board":
        write_file(out / f"other{SUFFIX}", weights(2))
    else:
        beside.write_bytes(b"x")
    with pytest.raises(ResultError, match="Not what"):
        published(tmp_path / "results", out, check=True)
