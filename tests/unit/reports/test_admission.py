"""Who may stand on a board: what the ledger knows or can be verified now; of two in one place the last one entered."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from facial_bench.core.errors import FacialBenchError, ResultError
from facial_bench.evaluation.result import Result, result_digest
from facial_bench.evaluation.verify import Verdict
from facial_bench.reports.admission import Verify, admit
from facial_bench.reports.ledger import enter
from tests.helpers.results import make_result, make_row

TRUE, FALSE = Verdict((), 0, 9), Verdict(("lmd: 1 stored, 2 recomputed", "another"), 0, 9)


def sealed(value: float, seed: int = 0) -> Result:
    result = make_result([make_row(p, f"{p}{k}", {"lmd": value + k}) for p in "ab" for k in (0, 1)], seed=seed)
    return msgspec.structs.replace(result, digest=result_digest(result))


OLD, NEW = sealed(0.5), sealed(0.4)


def true(folder: Path, result: Result) -> Verdict:
    return TRUE


def false(folder: Path, result: Result) -> Verdict:
    return FALSE


def test_a_verified_result_is_entered_once() -> None:
    first = admit([(Path("a"), OLD)], [], true)
    assert [entry.result for entry in first.entries] == [OLD.digest]
    again = admit([(Path("a"), OLD)], first.entries, None)
    assert again.entries == first.entries and list(again.results) == [OLD]


def test_each_entry_is_kept_before_the_next_result_is_verified() -> None:
    """A process that is killed while it verifies the third result has not verified two for nothing."""
    kept: list[int] = []
    seen: list[int] = []

    def verify(folder: Path, result: Result) -> Verdict:
        seen.append(len(kept))
        return TRUE

    admit([(Path(str(seed)), sealed(0.5, seed)) for seed in range(3)], [], verify, lambda e: kept.append(len(e)))
    assert (seen, kept) == ([0, 1, 2], [1, 2, 3])


def test_what_cannot_be_verified_or_read_is_left_out_and_stops_no_other() -> None:
    damaged: list[tuple[Path, Result | FacialBenchError]] = [
        (Path("a"), ResultError("a: damaged")),
        (Path("b"), msgspec.structs.replace(OLD, seed=7)),
        (Path("c"), NEW),
    ]
    seen = admit(damaged, [], true)
    assert list(seen.results) == [NEW]
    assert [line.split(":")[0] for line in seen.left_out] == ["a", "b"]
    assert "changed after it was written" in seen.left_out[1]
    assert admit([(Path("c"), NEW)], [], false).left_out == ["c: lmd: 1 stored, 2 recomputed (2 differences in all)"]


@pytest.mark.parametrize("verify", [true, None], ids=["made", "checked"])
def test_a_method_that_ran_within_the_harness_stands_on_no_board(verify: Verify | None) -> None:
    within = msgspec.structs.replace(OLD, method=msgspec.structs.replace(OLD.method, isolation="in-process"), digest="")
    within = msgspec.structs.replace(within, digest=result_digest(within))
    if verify is None:
        with pytest.raises(ResultError, match=r"^a: its method ran in the harness's process"):
            admit([(Path("a"), within)], enter([], within, "1"), None)
    else:
        seen = admit([(Path("a"), within), (Path("b"), NEW)], [], verify)
        assert list(seen.results) == [NEW]
        assert seen.left_out == ["a: its method ran in the harness's process, where it could see all; run it apart"]


def test_a_check_enters_nothing() -> None:
    with pytest.raises(ResultError, match=r"^a: it is not in the ledger"):
        admit([(Path("a"), OLD)], [], None)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_in_one_place_the_last_one_entered_counts(order: tuple[int, int]) -> None:
    entries = enter([], OLD, "1")
    named: list[tuple[Path, Result | FacialBenchError]] = [(Path("old"), OLD), (Path("new"), NEW)]
    seen = admit([named[k] for k in order], entries, true)
    assert list(seen.results) == [NEW]
    assert [line.split(" by ")[0] for line in seen.left_out] == ["old: replaced"]
    assert [entry.result for entry in seen.entries] == [OLD.digest, NEW.digest]
    checked = admit([named[k] for k in order], seen.entries, None)
    assert list(checked.results) == [NEW]


def test_a_superseded_result_alone_is_no_result() -> None:
    entries = enter(enter([], OLD, "1"), NEW, "1")
    with pytest.raises(ResultError, match="not in the ledger"):
        admit([(Path("old"), OLD)], entries, None)
