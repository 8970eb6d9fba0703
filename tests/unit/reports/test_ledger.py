"""The ledger: a chain in which every change by hand is found, at its line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from facial_bench.errors import ResultError
from facial_bench.evaluation.result import Result
from facial_bench.reports.archive import read_every
from facial_bench.reports.ledger import Entry, enter, footer, is_entered, latest, place, read_ledger, write_ledger
from tests.helpers.results import make_result, make_row

COMMITTED = Path(__file__).parents[3] / "leaderboards"


def result(seed: int, digest: str) -> Result:
    return msgspec.structs.replace(make_result([make_row("a", "a0", {"lmd": 1.0})], seed=seed), digest=digest)


def chain(folder: Path) -> list[Entry]:
    entries: list[Entry] = []
    for seed in range(4):
        entries = enter(entries, result(seed, f"{seed:064x}"), "1")
    write_ledger(folder, entries)
    return entries


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: [lines[0].replace('"seed":0', '"seed":9'), *lines[1:]], 1),
        (lambda lines: [lines[0], lines[1].replace('"seed":1', '"seed":1.0'), *lines[2:]], 2),
        (lambda lines: [lines[0], lines[1].replace('"seed":1', '"seed":"1"'), *lines[2:]], 2),
        (lambda lines: [lines[0], lines[1].replace('"seed":1', '"more":1,"seed":1'), *lines[2:]], 2),
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[0], *lines[2:]], 2),
        (lambda lines: [lines[0], lines[2], lines[1], lines[3]], 2),
        (lambda lines: [*lines[:3], "{}"], 4),
        (lambda lines: [*lines, lines[3]], 5),
        (lambda lines: [*lines[:2], "not json", *lines[2:]], 3),
        (lambda lines: [*lines[:2], "[" * 9999, *lines[2:]], 3),
        (lambda lines: ["", *lines], 1),
    ],
)
def test_a_broken_chain_is_found_at_its_line(
    tmp_path: Path, change: Callable[[list[str]], list[str]], line: int
) -> None:
    chain(tmp_path)
    path = tmp_path / "ledger.jsonl"
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    with pytest.raises(ResultError, match=rf"line {line}: the chain is broken here") as problem:
        read_ledger(tmp_path)
    assert "\n" not in str(problem.value)


def test_bytes_that_are_no_text_break_the_chain(tmp_path: Path) -> None:
    chain(tmp_path)
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(path.read_bytes().replace(b"echo", b"ech\xff", 1))
    with pytest.raises(ResultError, match="line 1: the chain is broken here"):
        read_ledger(tmp_path)


def test_what_is_written_is_read_again_and_no_ledger_is_an_empty_one(tmp_path: Path) -> None:
    assert read_ledger(tmp_path) == []
    entries = chain(tmp_path)
    assert read_ledger(tmp_path) == entries
    before = (tmp_path / "ledger.jsonl").read_bytes()
    write_ledger(tmp_path, entries)
    assert (tmp_path / "ledger.jsonl").read_bytes() == before


def test_a_newer_result_supersedes_an_older_one(tmp_path: Path) -> None:
    entries = chain(tmp_path)
    old, new = result(2, f"{2:064x}"), result(2, "e" * 64)
    assert is_entered(old, entries)
    later = enter(entries, new, "1")
    assert not is_entered(old, later)
    assert is_entered(new, later)
    assert later[:4] == read_ledger(tmp_path)
    assert footer([new, result(0, f"{0:064x}")], later).startswith("2 results, all verified; ledger entry 5, hash `")


def test_every_committed_result_stands_in_the_committed_ledger() -> None:
    entries, results = read_ledger(COMMITTED), read_every([COMMITTED])
    assert all(is_entered(one, entries) for one in results)
    (protocol,) = {one.protocol.digest for one in results}
    # leaderboards/README.md: seeds of an earlier version of FACIAL, whose ablations have one seed since 0.2.0
    ablations = ("facial-no-adversarial", "facial-no-finetuning", "facial-no-gloc", "facial-no-gtem")
    left = {(one.corpus.digest, protocol, method, seed) for one in results for method in ablations for seed in (1, 2)}
    assert {place(one) for one in results} == {one for one in latest(entries) if one[1] == protocol} - left
    assert len(left) == 16


def test_the_lines_of_an_older_form_of_the_results_say_which_line_they_repeat() -> None:
    entries = read_ledger(COMMITTED)
    first, again = entries[:84], entries[84:168]
    assert [one.place for one in again] == [one.place for one in first]
    assert [one.verified_by for one in again] == [f"0.1.0, entry {one.n} without spare blocks" for one in first]
    lines = (COMMITTED / "ledger.jsonl").read_text().splitlines()
    assert [json.loads(line)["hash"] for line in lines] == [one.hash for one in entries]
