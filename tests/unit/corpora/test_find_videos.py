"""Whose video is it? Names, subfolders, links, and the tables that name people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from facial_bench.corpora.find_videos import find_sources, other_files
from facial_bench.corpora.sources import clip_name, identity_of
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


def test_files_that_nothing_reads_are_named(tmp_path: Path) -> None:
    files = ("a.mp4", "a.WAV", "b.gif", "c.wav", "x/d.mov", "x/d.wav", "x/notes.txt", ".e.gif")
    folder = folder_of(tmp_path / "v", *files)
    (folder / "who.csv").write_text("file")
    (folder / "model.task").write_text("")
    found = other_files(folder, folder / "who.csv", folder / "x" / ".." / "model.task", None)
    assert found == ["b.gif", "c.wav", "x/notes.txt"]


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
        ("name,who\nx.mp4,a\n", "has the columns name, who, expected video and any of identity"),
        ("file,identity\nw.mp4,a\n", r"line 2: there is no video 'w.mp4'"),
        ("file,identity\nx.mp4,\n", "line 2: no identity"),
        ("file,identity\n", "lists no video"),
        ("file,identity,sound_offset\nx.mp4,a,late\n", "sound_offset is 'late', expected seconds"),
        ("file,identity,sound_offset\nx.mp4,a,nan\n", "sound_offset is 'nan'"),
        ("file,identity\nx.mp4,con\n", "The identity 'con' cannot name a file: it names a device on Windows"),
        ("file,identity\nx.mp4,a\nx.mp4,b\n", "lines 2 and 3: both take x.mp4 at 0 s, of a and b"),
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
    with pytest.raises(CorpusError, match="No folder at"):
        find_sources(tmp_path / "none")
    with pytest.raises(CorpusError, match="No videos in"):
        find_sources(folder_of(tmp_path / "empty", "readme.txt"))
    with pytest.raises(CorpusError, match="cannot be read as CSV"):
        find_sources(tmp_path / "v", tmp_path / "none.csv")
    assert clip_name("ünder/__ .mp4") == "ünder-___"
    assert clip_name("%%.mp4") == "clip"
    assert clip_name("anna/Wait....mp4") == "anna-Wait"


def test_names_of_any_script_stay_apart(tmp_path: Path) -> None:
    sources, _ = find_sources(folder_of(tmp_path / "a", "张三/talk.mp4", "李四/talk.mp4"))
    assert [(s.id, s.identity) for s in sources] == [("张三-talk", "张三"), ("李四-talk", "李四")]
    sources, _ = find_sources(folder_of(tmp_path / "b", "Zoë-1.mp4", "Zoé-2.mp4"))
    assert {s.identity for s in sources} == {"Zoë", "Zoé"}


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            ("Anna B/1.mp4", "Anna_B/2.mp4"),
            r"people 'Anna B' \(Anna B/1.mp4\) and 'Anna_B' \(Anna_B/2.mp4\) would both",
        ),
        (("O'Neil-1.mp4", "O’Neil-2.mp4"), "'O'Neil' .* and 'O’Neil' .* would both be called O_Neil. Rename one"),
        (("😀/1.mp4", "😎/2.mp4"), "'😀' .* and '😎' .* would both be called unnamed"),
        (("_a/1.mp4", "a/2.mp4"), "'_a' .* and 'a' .* would both be called a"),
        (("con/1.mp4",), "The identity 'con' cannot name a file: it names a device on Windows"),
        (("Jose\u0301 1.mp4", "José 1.mp4"), "two files José 1.mp4: their accents are stored in two ways"),
    ],
)
def test_people_whose_names_meet_are_told_before_work(tmp_path: Path, files: tuple[str, ...], told: str) -> None:
    with pytest.raises(CorpusError, match=told):
        find_sources(folder_of(tmp_path / "v", *files))


def test_a_name_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    folder_of(tmp_path / "v")
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / os.fsdecode(b"Zo\xeb.mp4")).touch()
    with pytest.raises(CorpusError, match="The name of Zo\ufffd\\.mp4 is not in UTF-8"):
        find_sources(tmp_path / "v")


def test_a_name_steers_no_terminal(tmp_path: Path) -> None:
    (source,), _ = find_sources(folder_of(tmp_path / "v", "a\nb\u202ec.mp4"))
    assert (source.id, source.shown) == ("a_b_c", "a b\ufffdc.mp4")


def test_long_names_make_names_that_fit(tmp_path: Path) -> None:
    long = "A long talk " * 17
    sources, _ = find_sources(folder_of(tmp_path / "v", f"bert/{long}1.mp4", f"bert/{long}2.mp4"))
    assert len({s.id for s in sources}) == 2
    assert all(s.id.startswith("bert-A_long_talk_A") and len(s.id) <= 108 for s in sources)


def test_accents_of_a_mac_are_those_of_the_table(tmp_path: Path) -> None:
    videos = folder_of(tmp_path / "v", "Jose\u0301 1.mp4")
    (tmp_path / "who.csv").write_text("file,identity\nJosé 1.mp4,Jose\u0301\n", encoding="utf-8")
    (source,), _ = find_sources(videos, tmp_path / "who.csv")
    assert (source.file, source.id, source.identity) == ("Jose\u0301 1.mp4", "José_1", "José")


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    real = folder_of(tmp_path / "real", "1.mp4", "deep/2.MP4", ".trash/3.mp4")
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "anna").symlink_to(real)
    (real / "round").symlink_to(tmp_path / "v")
    (real / "deep" / "up").symlink_to("..")
    sources, _ = find_sources(tmp_path / "v")
    assert [(s.file, s.identity) for s in sources] == [("anna/1.mp4", "anna"), ("anna/deep/2.MP4", "anna")]
    (tmp_path / "v" / "bert").symlink_to(real)
    with pytest.raises(CorpusError, match=r"anna/1\.mp4 and bert/1\.mp4 are one file, in two places"):
        find_sources(tmp_path / "v")
    (tmp_path / "v" / "bert").unlink()
    (tmp_path / "v" / "gone").symlink_to("nowhere")
    with pytest.raises(CorpusError, match="gone is a link to nowhere, which is not there"):
        find_sources(tmp_path / "v")


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_of(tmp_path / "v", "anna/1.mp4", "bert/1.mp4")
    listed = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path.name == "bert":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(CorpusError, match=r"v/bert cannot be read: Permission denied\. Change its permissions\.$"):
        find_sources(tmp_path / "v")
