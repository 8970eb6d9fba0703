"""Parts of videos: what a recipe takes is what is tracked, heard and shown."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from facial_bench.cli import main
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.from_videos.video_frames import clip_frames, clip_sound
from tests.helpers.media import TRACKER, moving, tone, write_sound, write_video

Build = Callable[..., Result]
TWO = """video,start,end,crop,identity
two.mp4,0,4,0 0 96 64,anna
two.mp4,2,6,96 0 96 64,bert
two.mp4,5,8,0 0 96 64,anna
"""


def build_in(root: Path, recipe: str, *more: str) -> Result:
    """How `corpus build v made --recipe` ended."""
    (root / "recipe.csv").write_text(recipe, encoding="utf-8")
    command = ["corpus", "build", str(root / "v"), str(root / "made"), "--recipe", str(root / "recipe.csv")]
    return CliRunner().invoke(main, [*command, "--plugin", str(TRACKER), "--tracker", "dot", "--workers", "1", *more])


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """build(recipe, *more), in the folder of the test."""
    return partial(build_in, tmp_path)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 s of two squares side by side, each in a half of 96 x 64; a click at 3 s."""
    pictures = [np.concatenate(both, axis=1) for both in zip(moving(200), moving(230)[30:], strict=True)]
    return write_video(tmp_path_factory.mktemp("pair") / "v" / "two.mp4", pictures, sound=tone(8.0, beats=(3.0,)))


@pytest.fixture(scope="module")
def made(pair: Path) -> Corpus:
    done = build_in(pair.parents[1], TWO)
    assert done.exit_code == 0, done.output
    assert "3 parts of 1 video; identities from" in done.output
    assert "bert: two.mp4 from 2 to 6 s" in done.output
    return open_corpus(pair.parents[1] / "made")


def test_each_row_is_a_clip_cut_in_time_and_picture(made: Corpus) -> None:
    assert [(e.id, e.identity, e.recording, e.frames) for e in made.entries] == [
        ("two-1", "anna", "two", 100),
        ("two-2", "bert", "two", 100),
        ("two-3", "anna", "two", 75),
    ]
    whole = moving(230)
    for name, first in (("two-1", 0), ("two-2", 30 + 50), ("two-3", 125)):
        clip = made.clip(name)
        assert (clip.camera.width, clip.camera.height) == (96, 64), "landmarks are in pixels of the crop"
        for frame, picture in clip_frames(made, name, [0, 20, 60]):
            assert picture.shape == (64, 96, 3)
            expected = np.argwhere(whole[first + frame].mean(axis=2) > 180).mean(axis=0)[::-1]
            np.testing.assert_allclose(clip.extras["where"][frame], expected, atol=0.3)
            shown = np.argwhere(picture.mean(axis=2) > 180).mean(axis=0)[::-1]
            np.testing.assert_allclose(shown, expected, atol=0.3)
    heard = [int(made.clip(name).extras["loudness"].argmax()) for name in ("two-1", "two-2")]
    assert heard == [75, 25]
    assert abs(int(np.abs(clip_sound(made, "two-2", 0, 100)).argmax()) - 16_000) < 400


def test_a_request_names_the_crop_and_the_time_in_the_video(made: Corpus) -> None:
    rows = CliRunner().invoke(main, ["corpus", "requests", str(made.path)]).output.splitlines()
    assert all(",96,64,two.mp4," in row for row in rows[1:] if row.startswith("self/"))


def test_what_is_the_same_is_not_tracked_again(
    build: Build, pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "two.mp4").symlink_to(pair)
    monkeypatch.setenv("DOT_TRACKER_LOG", str(tmp_path / "log"))
    assert build(TWO, "--strict", "--min-seconds", "3.5").exit_code == 1
    assert len((tmp_path / "log").read_text().splitlines()) == 275
    assert build(TWO.replace("5,8", "4,8"), "--strict", "--min-seconds", "3.5").exit_code == 0
    assert len((tmp_path / "log").read_text().splitlines()) == 375


def test_a_cut_within_a_row_gives_a_clip_for_each_shot(build: Build, tmp_path: Path) -> None:
    write_video(tmp_path / "v" / "x.mp4", moving(75) + moving(75, ground=120), sound=tone(6.0))
    assert build("video,start,end\nx.mp4,0.4,5\n").exit_code == 0
    assert [(e.id, e.frames) for e in open_corpus(tmp_path / "made").entries] == [("x-1", 65), ("x-2", 50)]


def test_sound_from_beside_begins_with_the_video_not_with_the_part(build: Build, tmp_path: Path) -> None:
    pictures = moving(100)
    write_video(tmp_path / "v" / "x.mp4", [pictures[0]] * 2 + pictures)  # two filling frames
    write_sound(tmp_path / "v" / "x.WAV", tone(4.0, beats=(2.0,)))
    assert build("video,start,end\nx.mp4,1.08,4\n").exit_code == 0
    corpus = open_corpus(tmp_path / "made")
    assert int(corpus.clip("x").extras["loudness"].argmax()) == 25
    assert corpus.manifest["source"]["videos"]["x"] | {"sha256": 0, "wav_sha256": 0} == {
        "file": "x.mp4",
        "sound_offset": 0.0,
        "start": 1.08,
        "end": 4.0,
        "sha256": 0,
        "wav_sha256": 0,
        "sound": "x.WAV",
    }


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("0,9,", "x.mp4 from 0 to 9 s: the video ends after 4.00 s. Correct the recipe."),
        ("5,,", "x.mp4 from 5 to its end: the video ends after 4.00 s"),
        (",,0 0 97 64", "x.mp4: the crop of 97 x 64 at 0, 0 is not within its picture of 96 x 64"),
        (",,8 1 88 64", "the crop of 88 x 64 at 8, 1 is not within"),
    ],
)
def test_what_the_video_does_not_hold_is_told_before_work(build: Build, tmp_path: Path, row: str, told: str) -> None:
    write_video(tmp_path / "v" / "x.mp4", moving(100), sound=tone(4.0))
    done = build(f"video,start,end,crop\nx.mp4,{row}\n")
    assert done.exit_code == 1
    assert told in done.output.splitlines()[-1]
    assert "tracking" not in done.output
    assert not (tmp_path / "made.building").exists()


def test_clips_of_a_video_with_cuts_stay_apart_from_other_videos(build: Build, tmp_path: Path) -> None:
    write_video(tmp_path / "v" / "talk.mp4", moving(40) + moving(40, ground=120), sound=tone(3.2))
    for name in ("talk-1", "talk-2x"):
        write_video(tmp_path / "v" / f"{name}.mp4", moving(40), sound=tone(1.6))
    assert build("video,identity\ntalk.mp4,a\ntalk-1.mp4,a\ntalk-2x.mp4,a\n").exit_code == 0
    names = [entry.id for entry in open_corpus(tmp_path / "made").entries]
    assert names == ["talk--1", "talk--2", "talk-1", "talk-2x"]


def test_a_crop_of_anybodys_is_checked(made: Corpus, tmp_path: Path) -> None:
    path = shutil.copytree(made.path, tmp_path / "copy") / "corpus.json"
    text = json.loads(path.read_text())
    for crop in ([0, 0, 96], [0, 0, 0, 4], [0, 0, 500, 64], "x", [0, 0, -1, 4]):
        text["source"]["videos"]["two-1"]["crop"] = crop
        path.write_text(json.dumps(text))
        shown = CliRunner().invoke(
            main,
            [
                "corpus",
                "info",
                str(path.parent),
                "--html",
                str(tmp_path / "page.html"),
                "--videos",
                str(made.path.parent / "v"),
            ],
        )
        assert shown.exit_code == 0, shown.output
        assert "crop" in shown.output


def test_a_video_is_found_with_accents_written_either_way(build: Build, tmp_path: Path) -> None:
    write_video(tmp_path / "v" / "Jose\u0301.mp4", moving(40), sound=tone(1.6))
    assert build("video,identity\nJosé.mp4,José\n").exit_code == 0
    corpus = open_corpus(tmp_path / "made")
    (tmp_path / "v" / "Jose\u0301.mp4").rename(tmp_path / "v" / "José.mp4")
    assert [frame for frame, _ in clip_frames(corpus, "José", [3])] == [3]
