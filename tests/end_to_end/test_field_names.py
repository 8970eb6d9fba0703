"""Names as people have them: any script, links, capitals, marks, from the videos to the board."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from facial_bench.cli import main
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.reports.archive import read_every
from tests.helpers.media import TRACKER
from tests.helpers.sessions import make_session, run_one


@pytest.fixture
def cases(real_data: Path) -> Path:
    """Small inputs made after public bug reports."""
    if not (real_data / "cases").is_dir():
        pytest.skip(f"no cases in {real_data}")
    return real_data / "cases"


def build(videos: Path, dest: Path, *more: str) -> Result:
    command = ["corpus", "build", str(videos), str(dest), "--plugin", str(TRACKER), "--tracker", "dot"]
    return CliRunner().invoke(main, [*command, "--workers", "1", *more])


def people(videos: Path, dest: Path, *more: str) -> dict[str, str]:
    """Clip -> identity of the corpus that is built."""
    done = build(videos, dest, *more)
    assert done.exit_code == 0, done.output
    return {entry.id: entry.identity for entry in open_corpus(dest).entries}


def test_names_of_other_scripts(cases: Path, tmp_path: Path) -> None:
    case = cases / "names-of-other-scripts"
    assert people(case / "videos", tmp_path / "made") == {"张三-a": "张三", "李四-b": "李四"}
    assert people(case / "flat", tmp_path / "flat") == {"Zoé-2": "Zoé", "Zoë-1": "Zoë"}


def test_names_too_long_or_with_dots(cases: Path, tmp_path: Path) -> None:
    found = people(cases / "names-too-long-or-dots-found-late" / "videos", tmp_path / "made")
    long, dots = sorted(found)[1], sorted(found)[0]
    assert dots == "anna-Wait"
    assert long.startswith("bert-A_long_talk_title_as_a_downloader_writes_it_A_long")
    assert len(long) == 108
    assert set(found.values()) == {"anna", "bert"}


def test_a_linked_folder(cases: Path, tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "anna").symlink_to(cases / "linked-folder" / "real" / "anna")
    assert people(tmp_path / "videos", tmp_path / "made") == {"anna-1": "anna"}


def test_an_ending_in_capitals(cases: Path, tmp_path: Path) -> None:
    assert people(cases / "ending-in-capitals" / "videos", tmp_path / "made") == {"mute": "mute"}
    assert open_corpus(tmp_path / "made").note("videos", "mute")["sound"] == "mute.WAV"


def test_a_table_and_names_from_a_mac(cases: Path, tmp_path: Path) -> None:
    case = cases / "table-mac-names"
    found = people(case / "videos", tmp_path / "made", "--table", str(case / "table.csv"))
    assert list(found) == ["José_1"]


def test_a_colon_in_a_name(cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    videos = cases / "colon-in-a-name" / "videos"
    monkeypatch.chdir(videos)
    (tmp_path / "recipe.csv").write_text("video,identity\nInterview: part 2.mp4,anna\n")
    inside = people(Path(), tmp_path / "inside", "--recipe", str(tmp_path / "recipe.csv"))
    assert inside == {"Interview__part_2": "anna"}
    assert list(people(videos, tmp_path / "outside")) == list(inside)


def test_from_a_run_to_a_board_in_any_script(
    make_corpus: Callable[..., Corpus], small_protocol: Protocol, tmp_path: Path
) -> None:
    names = ("张三", "Zoë", "نور", "नमस्ते")
    corpus = make_corpus(people=names, clips=8, frames=60, name="корпус")
    session = make_session(tmp_path / "cache", small_protocol)
    result = run_one(session, "mean-motion", corpus, tmp_path / "runs", label="středně")
    assert result.metrics["lmd"].status == "ok"
    assert {clip.identity for clip in result.clips} == set(names)

    (folder,) = (tmp_path / "runs").rglob("motions")
    for file in folder.rglob("*.safetensors"):  # as a Mac stores them
        other = tmp_path / "theirs" / file.parent.name / unicodedata.normalize("NFD", file.name)
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_bytes(file.read_bytes())
    options = {"motions": str(tmp_path / "theirs"), "name": "Łódź"}
    theirs = run_one(session, "precomputed", corpus, tmp_path / "runs", options=options)
    assert theirs.metrics["lmd"].value == result.metrics["lmd"].value
    assert theirs.metrics["lmd"].n_failed == 0

    session.leaderboard([tmp_path / "runs"], tmp_path / "boards")
    (board,) = (tmp_path / "boards").glob("*.md")
    assert board.name.startswith("корпус")
    assert "*středně*" in board.read_text(encoding="utf-8")
    assert {one.method.label for one in read_every([tmp_path / "boards"])} == {"středně", "precomputed@Łódź"}

    shown = CliRunner().invoke(main, ["corpus", "info", str(corpus.path), "--html", str(tmp_path / "page.html")])
    assert shown.exit_code == 0, shown.output
    assert all(name in (tmp_path / "page.html").read_text(encoding="utf-8") for name in names)
    rows = CliRunner().invoke(main, ["corpus", "requests", str(corpus.path), "--identities", "Zoe\u0308, 张三"])
    assert rows.exit_code == 0, rows.output
    assert {row.split(",")[1] for row in rows.output.splitlines()[1:]} == {"Zoë", "张三"}
