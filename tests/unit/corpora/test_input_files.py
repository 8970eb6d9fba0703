"""Files to import: names as `corpus build` makes them, links, endings in any case."""

from __future__ import annotations

from pathlib import Path

import pytest

from facial_bench.corpora.importers.input_files import find_files
from facial_bench.errors import CorpusError


def folder_of(root: Path, *files: str) -> Path:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return root


def test_people_of_any_script_behind_links_and_in_capitals(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "in", "张三/1.CSV", "李四/1.csv")
    (source / "Jose\u0301").symlink_to(folder_of(tmp_path / "real", "2.csv"))
    found = find_files(source, ".csv")
    assert {(one.name, one.identity) for one in found} == {("José-2", "José"), ("张三-1", "张三"), ("李四-1", "李四")}


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (("Anna B/1.csv", "Anna_B/2.csv"), "'Anna B' .* and 'Anna_B' .* would both be called Anna_B"),
        (("a b.csv", "a_b.csv"), "'a b' .* and 'a_b' .* would both be called a_b"),
        (("a/b-c.csv", "a/b/c.csv"), "would both be named a-b-c"),
        (("nul/1.csv",), "The identity 'nul' cannot name a file: it names a device on Windows"),
    ],
)
def test_names_that_meet_or_cannot_be_are_told_before_work(tmp_path: Path, files: tuple[str, ...], told: str) -> None:
    with pytest.raises(CorpusError, match=told):
        find_files(folder_of(tmp_path / "in", *files), ".csv")
