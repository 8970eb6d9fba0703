"""Recipes: which parts of which videos, and whose they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from facial_bench.corpora.find_videos import find_sources
from facial_bench.corpora.sources import Source
from facial_bench.errors import CorpusError


def take(root: Path, text: str, *files: str) -> list[Source]:
    (root / "v").mkdir()
    for file in files or ("x.mp4", "y.mp4"):
        (root / "v" / file).touch()
    (root / "recipe.csv").write_text(text, encoding="utf-8")
    return find_sources(root / "v", root / "recipe.csv")[0]


def test_a_row_takes_a_part_in_time_and_picture(tmp_path: Path) -> None:
    one, two, three = take(
        tmp_path,
        """video,start,end,crop,identity,recording
x.mp4,00:05,1:02.5,"480, 0, 720, 720",anna,monday
x.mp4,62.5,1:00:00,(10 20 30 40),anna,
./y.mp4,,,,Bert B,
""",
    )
    assert one == Source("x-1", "x.mp4", "anna", "monday", 0.0, 5.0, 62.5, (480, 0, 720, 720))
    assert two == Source("x-2", "x.mp4", "anna", "x", 0.0, 62.5, 3600.0, (10, 20, 30, 40))
    assert three == Source("y", "y.mp4", "Bert_B", "y")


def test_a_spreadsheet_writes_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    (source,) = take(tmp_path, "\ufeffVideo;Start;End;Crop;Sound_Offset\r\nx.mp4;1,5;2,5;1,2,3,4;0,08\r\n;;;;\r\n")
    assert source == Source("x", "x.mp4", "x", "x", 0.08, 1.5, 2.5, (1, 2, 3, 4))


def test_two_people_at_one_time_have_crops_of_their_own(tmp_path: Path) -> None:
    text = "video,identity,start,end,crop\nx.mp4,anna,0,9,0 0 5 5\nx.mp4,bert,3,7,5 0 5 5\nx.mp4,anna,9,12,\n"
    assert [source.id for source in take(tmp_path, text)] == ["x-1", "x-2", "x-3"]


@pytest.mark.parametrize(
    ("columns", "rows", "told"),
    [
        ("video,until", "x.mp4,3", "has the columns video, until, expected video and any of identity, recording"),
        ("file,video", "x.mp4,x.mp4", "has the columns video, video, expected"),
        ("identity", "anna", "has the columns identity, expected video"),
        ("video", "z.mp4", r"line 2: there is no video 'z\.mp4'"),
        ("video,start,end", "x.mp4,5,4", "line 2: the end, 4 s, is not after the start, 5 s"),
        ("video,identity", "x.mp4", r"line 2: no identity for x\.mp4"),
        ("identity,video", "anna", "line 2: there is no video ''"),
        ("video,end", "x.mp4,0", "line 2: the end, 0 s, is not after"),
        ("video,start", "\nx.mp4,-1", "line 3: start is '-1', expected seconds"),
        ("video,start", "x.mp4,nan", "line 2: start is 'nan'"),
        ("video,end", "x.mp4,1e3", "line 2: end is '1e3'"),
        ("video,crop", "x.mp4,1 2 3", "crop is '1 2 3', expected left, top, width and height"),
        ("video,crop", "x.mp4,0.1 0 0.5 0.5", "crop is '0.1 0 0.5 0.5', expected .* in whole pixels"),
        ("video,crop", "x.mp4,-1 0 9 9", "crop is '-1 0 9 9'"),
        ("video,crop", "x.mp4,1 2 0 4", "which is empty"),
        ("video,crop,identity", "x.mp4,1,2,3,4,anna", 'line 2: 6 cells in 3 columns. Put a cell that holds "," in'),
        ("video,identity", "x.mp4,Anna B\ny.mp4,Anna_B", "lines 2 and 3: 'Anna B' and 'Anna_B' would both be called"),
        ("video,identity", "x.mp4,../..", r"identity is '\.\./\.\.', which holds no letter and no digit"),
        ("video,start,end", "x.mp4,0,5\nx.mp4,4,9", "lines 2 and 3: both take x.mp4 at 4 s, of x. Shorten or remove"),
        ("video,start", "x.mp4,4\ny.mp4,\nx.mp4,4", "lines 2 and 4: both take x.mp4 at 4 s"),
        ("video,identity,crop", "x.mp4,a,1 2 3 4\nx.mp4,b,", "lines 2 and 3: .* of a and b. Give each a crop"),
        ("video", "", "lists no video"),
    ],
)
def test_a_recipe_that_does_not_fit_is_one_line(tmp_path: Path, columns: str, rows: str, told: str) -> None:
    with pytest.raises(CorpusError, match=told) as problem:
        take(tmp_path, f"{columns}\n{rows}\n")
    assert "\n" not in str(problem.value)


def test_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "recipe.csv").write_bytes("video\nZoë.mp4\n".encode("latin-1"))
    (tmp_path / "Zoë.mp4").touch()
    with pytest.raises(CorpusError, match="is not in UTF-8"):
        find_sources(tmp_path, tmp_path / "recipe.csv")


def test_parts_whose_names_meet_those_of_other_videos_are_told(tmp_path: Path) -> None:
    text = "video,start,end\nx.mp4,0,1\nx.mp4,1,2\nx-2.mp4,0,1\n"
    with pytest.raises(CorpusError, match=r"x\.mp4 and x-2\.mp4 would both be named x-2"):
        take(tmp_path, text, "x.mp4", "x-2.mp4")
