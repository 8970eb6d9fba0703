"""Whose video is it? Names, subfolders, tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from facial_bench.corpora.find_videos import clip_name, find_sources, identity_of
from facial_bench.errors import CorpusError


def folder_of(root: Path, *files: str) -> Path:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"")
    return root


@pytest.mark.parametrize(
    ("stem", "person"),
    [
        ("s02a", "s02"),
        ("s02", "s02"),
        ("anna-talk1", "anna"),
        ("s11a-variable-rate", "s11"),
        ("obama", "obama"),
        ("clip12B", "clip12"),
        ("-odd", "-odd"),
        ("ab", "ab"),
        ("take2", "take2"),
    ],
)
def test_the_identity_in_a_name(stem: str, person: str) -> None:
    assert identity_of(stem) == person


def test_a_flat_folder_a_folder_of_folders_and_both(tmp_path: Path) -> None:
    flat, how = find_sources(folder_of(tmp_path / "a", "s01a.mp4", "s01b.MOV", "notes.txt", "s01b.wav", ".hidden.mp4"))
    assert [(s.id, s.identity, s.recording) for s in flat] == [("s01a", "s01", "s01a"), ("s01b", "s01", "s01b")]
    assert how == "from the names of the files"
    nested, how = find_sources(folder_of(tmp_path / "b", "anna/one.mp4", "anna/day 2/two.mp4", "bo/one.mp4"))
    assert [(s.id, s.identity) for s in nested] == [("anna-day_2-two", "anna"), ("anna-one", "anna"), ("bo-one", "bo")]
    assert how == "from the subfolders"
    both, how = find_sources(folder_of(tmp_path / "c", "anna/one.mp4", "s03a.mp4"))
    assert [s.identity for s in both] == ["anna", "s03"]
    assert how == "from the subfolders, and of files outside them from their names"


def test_a_table_says_it_all(tmp_path: Path) -> None:
    videos = folder_of(tmp_path / "v", "x.mp4", "y.mp4", "z.mp4")
    table = tmp_path / "who.csv"
    table.write_text("\ufefffile, identity,recording,sound_offset\ny.mp4,bo,monday,0.08\nx.mp4,anna,,\n")
    sources, how = find_sources(videos, table)
    assert [(s.file, s.identity, s.recording, s.sound_offset) for s in sources] == [
        ("y.mp4", "bo", "monday", 0.08),
        ("x.mp4", "anna", "x", 0.0),
    ]
    assert str(table) in how


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name,who\nx.mp4,a\n", "has the columns name, who, expected file, identity"),
        ("file,identity\nw.mp4,a\n", r"line 2: there is no video 'w.mp4'"),
        ("file,identity\nx.mp4,\n", "line 2: no identity"),
        ("file,identity\n", "lists no video"),
        ("file,identity,sound_offset\nx.mp4,a,late\n", "sound_offset is 'late', expected seconds"),
        ("file,identity,sound_offset\nx.mp4,a,nan\n", "sound_offset is 'nan'"),
        ("file,identity\nx.mp4,../up\n", "cannot name a file"),
        ("file,identity\nx.mp4,a\nx.mp4,b\n", "both be named x"),
        ("", "has the columns none"),
    ],
)
def test_a_table_that_does_not_fit(tmp_path: Path, text: str, complaint: str) -> None:
    table = tmp_path / "who.csv"
    table.write_text(text)
    with pytest.raises(CorpusError, match=complaint) as problem:
        find_sources(folder_of(tmp_path / "v", "x.mp4"), table)
    assert "\n" not in str(problem.value)


def test_what_cannot_be_named_apart_or_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"a-b\.mp4 and a/b\.mp4 would both be named a-b"):
        find_sources(folder_of(tmp_path / "v", "a-b.mp4", "a/b.mp4"))
    with pytest.raises(CorpusError, match="No folder of videos"):
        find_sources(tmp_path / "none")
    with pytest.raises(CorpusError, match="No videos in"):
        find_sources(folder_of(tmp_path / "empty", "readme.txt"))
    with pytest.raises(CorpusError, match="cannot be read as CSV"):
        find_sources(tmp_path / "v", tmp_path / "none.csv")
    assert clip_name("ünder/__ .mp4") == "nder-___"
    assert clip_name("%%.mp4") == "clip"
