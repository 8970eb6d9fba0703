"""From a folder of videos to a corpus: what is finished stays, what is bad is told, everything else is built."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

pytest.importorskip("av", reason="PyAV is not installed: pip install -r requirements-video.txt")

from facial_bench.cli import main
from facial_bench.core.files import write_json
from facial_bench.core.progress import QUIET
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.from_videos.build import build_corpus
from facial_bench.corpora.from_videos.settings import BuildSettings
from facial_bench.corpora.from_videos.video_frames import PLACES, clip_frames, video_file
from facial_bench.corpora.sources import Source, say_alike
from facial_bench.errors import CorpusError
from facial_bench.media.audio_features import mel29
from facial_bench.plugin_api.build_tools import make_tools
from tests.helpers.media import TRACKER, moving, picture, tone, write_sound, write_video

DOT = ["--tracker", "dot", "--plugin", str(TRACKER)]


def build(videos: Path, dest: Path, *more: str, workers: int = 1) -> Result:
    command = ["corpus", "build", str(videos), str(dest), *DOT, "--workers", str(workers), *more]
    return CliRunner().invoke(main, command, catch_exceptions=False)


def folder_of_videos(root: Path, people: int = 2, clips: int = 2, frames: int = 100) -> Path:
    for p in range(people):
        for k in range(clips):
            pictures = moving(frames + 10 * k + p, ground=30 + 10 * p)
            write_video(root / f"p{p + 1}{'abc'[k]}.mp4", pictures, sound=tone(len(pictures) / 25, beats=(1.0, 2.6)))
    return root


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of_videos(tmp_path_factory.mktemp("videos"))


def test_names_that_differ_in_capitals_alone_are_told(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people, and two files, unless the file system has only one place for them; then nothing is tracked."""
    (tmp_path / "v" / "x").mkdir(parents=True)
    for file in ("anna-1.mp4", "x/2.mp4"):
        shutil.copy(videos / "p1a.mp4", tmp_path / "v" / file)
    (tmp_path / "who.csv").write_text("video,identity\nanna-1.mp4,Anna\nx/2.mp4,anna\n")
    done = build(tmp_path / "v", tmp_path / "made", "--recipe", str(tmp_path / "who.csv"))
    assert "Anna and anna are held for different people, though they differ in capitals alone" in done.output
    assert "the clips" not in done.output
    assert {entry.identity for entry in open_corpus(tmp_path / "made").entries} == {"Anna", "anna"}

    sources = [Source(name, "x/2.mp4", "anna", name) for name in ("Anna-1", "anna-1")]
    assert list(say_alike(sources)) == [
        "the clips Anna-1 and anna-1 differ in capitals alone: a file system that ignores these cannot hold the corpus"
    ]
    settings = BuildSettings(tracker="dot", plugin_files=(str(TRACKER),))
    monkeypatch.setattr("facial_bench.corpora.from_tracks.holds_apart", lambda folder, one, other: False)
    with pytest.raises(CorpusError, match=r"The clips Anna-1 and anna-1 would be one file in .*again\. Rename one\."):
        build_corpus(sources, tmp_path / "v", tmp_path / "again", settings, make_tools, workers=1, report=QUIET)
    assert not (tmp_path / "again.building").exists()


def test_a_folder_becomes_a_corpus(videos: Path, tmp_path: Path) -> None:
    done = build(videos, tmp_path / "made")
    assert done.exit_code == 0, done.output
    assert "4 videos; identities from the names of the files:\n  p1: p1a.mp4, p1b.mp4\n  p2:" in done.output
    assert "corpus: " in done.output
    corpus = open_corpus(tmp_path / "made")
    assert corpus.verify() == 4
    clip = corpus.clip("p1a")
    assert clip.frames == 100
    assert clip.valid.all()
    assert (clip.camera.width, clip.camera.height, clip.camera.focal) == (96, 64, 100.0)
    wanted = [[47.5 + round(16 * np.sin(k / 9)), 31.5 + round(8 * np.cos(k / 7))] for k in range(100)]
    np.testing.assert_allclose(clip.extras["where"], wanted, atol=0.3)
    assert np.abs(clip.landmarks[:, :, :2].mean(axis=1) - wanted).max() < 2
    assert clip.extras["where"].shape == (100, 2)
    heard = mel29(tone(4.0, beats=(1.0, 2.6)).astype(np.float32), 16_000, 100, 25.0).max(axis=1)
    assert set(np.argsort(clip.audio.max(axis=1))[-2:]) == set(np.argsort(heard)[-2:]) == {25, 65}
    assert set(np.argsort(clip.extras["loudness"])[-2:]) == {25, 65}
    assert not (tmp_path / "made.building").exists()
    assert str(tmp_path) not in json.dumps(corpus.manifest)
    assert set(corpus.manifest["source"]["made_with"]) == {
        "core",
        "fps",
        "longest",
        "min_tracked",
        "min_seconds",
        "tracker",
        "weights",
        "audio",
        "audio_digest",
    }, "nothing that changes with a line of code"


def test_one_worker_two_workers_the_same_corpus(videos: Path, tmp_path: Path) -> None:
    for name, workers in (("one", 1), ("two", 2)):
        assert build(videos, tmp_path / name / "made", workers=workers).exit_code == 0
    digests = {open_corpus(tmp_path / name / "made").info.digest for name in ("one", "two")}
    assert len(digests) == 1


def test_sound_comes_from_beside_and_its_offset_from_a_table(tmp_path: Path) -> None:
    """A .wav without time stamps begins with the first frame that is not an encoder's filling."""
    filling = [moving(1)[0]] * 2
    write_video(tmp_path / "v" / "a1.mp4", filling + moving(100))
    write_sound(tmp_path / "v" / "a1.wav", tone(4.0, beats=(2.0,)))
    write_video(tmp_path / "v" / "a2.mp4", moving(100), sound=tone(4.0, beats=(2.0,)))
    table = tmp_path / "who.csv"
    table.write_text("file,identity,sound_offset\na1.mp4,a,0.2\na2.mp4,a,-0.4\n")
    for name, more, peaks in (("plain", (), (50, 50)), ("moved", ("--table", str(table)), (45, 60))):
        assert build(tmp_path / "v", tmp_path / name, *more).exit_code == 0
        corpus = open_corpus(tmp_path / name)
        assert [int(corpus.clip(c).extras["loudness"].argmax()) for c in ("a1", "a2")] == list(peaks)
        assert [entry.frames for entry in corpus.entries] == [100, 100]


def test_sound_that_nothing_uses_is_told(tmp_path: Path) -> None:
    """Sound that goes on after the picture, in the file or beside it; a file beside a video that has sound; a picture
    of another kind. What ends together says nothing."""
    folder = tmp_path / "v"
    write_video(folder / "a1.mp4", moving(60), sound=tone(20))
    write_video(folder / "a2.mp4", moving(60))
    write_sound(folder / "a2.wav", tone(9))
    write_video(folder / "b1.mp4", moving(60), sound=tone(2.4))
    write_sound(folder / "b1.wav", tone(2.4))
    write_video(folder / "b2.mkv", moving(60), sound=tone(2.4))
    (folder / "b3.gif").write_bytes(b"")
    done = build(folder, tmp_path / "made")
    assert done.exit_code == 0, done.output
    told = [line for line in done.output.splitlines() if "its sound" in line or "not read" in line]
    assert sorted(told) == [
        "a1.mp4: its sound goes on for 17.6 s after the last picture",
        "a2.mp4: its sound goes on for 6.6 s after the last picture",
        "b1.mp4: b1.wav beside it is not read: the video has sound of its own",
        "not read: b3.gif",
    ]


def test_cuts_make_clips_of_their_own(tmp_path: Path) -> None:
    write_video(tmp_path / "v" / "a1.mp4", moving(60) + moving(60, ground=120), sound=tone(4.8, beats=(0.4, 3.4)))
    assert build(tmp_path / "v", tmp_path / "made").exit_code == 0
    corpus = open_corpus(tmp_path / "made")
    assert [(e.id, e.frames, e.recording) for e in corpus.entries] == [("a1-1", 60, "a1"), ("a1-2", 60, "a1")]
    assert [int(corpus.clip(c).extras["loudness"].argmax()) for c in ("a1-1", "a1-2")] == [10, 25]


def bad_folder(root: Path) -> Path:
    """Everything that goes wrong with videos, and two that are fine."""
    folder_of_videos(root, people=1)
    (root / "text.mp4").write_text("no video at all\n" * 50)
    write_video(root / "mute.mp4", moving(60))
    write_video(root / "faceless.mp4", [picture(48, 32, dot=0) + k for k in range(60)], sound=tone(2.4))
    write_video(root / "truncated.mp4", moving(100), sound=tone(4.0))
    content = (root / "truncated.mp4").read_bytes()
    (root / "truncated.mp4").write_bytes(content[: len(content) // 2])
    write_video(root / "half.mp4", moving(50) + [picture(48, 32, dot=0)] * 50, sound=tone(4.0))
    write_video(root / "short.mp4", moving(5), sound=tone(0.2))
    write_video(root / "white.mp4", moving(20) + [picture(48, 32, ground=255)] * 20, sound=tone(2.0))
    write_video(root / "silent.mp4", moving(100), sound=tone(0.5))
    write_video(root / "one.mp4", moving(1), sound=tone(0.04))
    return root


def test_bad_videos_are_told_and_the_rest_is_built(tmp_path: Path) -> None:
    root = bad_folder(tmp_path / "v")
    done = build(root, tmp_path / "made", workers=2)
    assert done.exit_code == 0, done.output
    told = {line.split(":")[1].split(",")[0].strip(): line for line in done.output.splitlines() if "left out: " in line}
    for name, why in {
        "text.mp4": "cannot be opened as a video",
        "mute.mp4": "no sound, and there is no mute.wav beside it",
        "faceless.mp4": "a face was found in 0 % of its frames, at least 80 % are wanted (--min-tracked)",
        "truncated.mp4": "incomplete, damaged or no video",
        "short.mp4": "shorter than 1 s (--min-seconds)",
        "one.mp4": "shorter than 1 s",
        "white.mp4": "the tracker failed: RuntimeError: the sky is white (dot_tracker.py",
        "silent.mp4": "there is sound for 1",
        "half.mp4": "a face was found in 5",
    }.items():
        assert why in told.pop(name), name
    assert not told
    assert "Traceback" not in done.output
    corpus = open_corpus(tmp_path / "made")
    assert [entry.id for entry in corpus.entries] == ["p1a", "p1b"]
    assert len(corpus.manifest["source"]["left_out_of_videos"]) == 9
    shown = CliRunner().invoke(main, ["corpus", "info", str(tmp_path / "made")])
    assert "left out: mute.mp4: " in shown.output
    strict = build(root, tmp_path / "strict", "--strict")
    assert strict.exit_code == 1
    assert "9 left out, and --strict was given" in strict.output.splitlines()[-1]
    assert not (tmp_path / "strict").exists()
    assert build(root, tmp_path / "strict").exit_code == 0, "what was finished is used again without --strict"


def test_nothing_built_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "a.mp4").write_text("nothing")
    done = build(tmp_path / "v", tmp_path / "made")
    assert done.exit_code == 1
    assert "Error: " in done.output.splitlines()[-1]
    assert "nothing could be built; a.mp4: cannot be opened as a video" in done.output
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (("--tracker", "dott"), "Unknown tracker 'dott'. Did you mean 'dot'?"),
        (("--audio", "mel30"), "Unknown kind of audio features 'mel30'. Did you mean 'mel29'?"),
        (("--option", "bands=3"), "Unknown option of the audio features mel29 'bands'"),
        (("--model", "weights.bin"), "The tracker dot takes no weights"),
        (("--audio", "arrays"), "need --option folder=DIR"),
        (("--table", "none.csv"), "none.csv cannot be read as CSV"),
    ],
)
def test_a_wrong_choice_is_told_before_work_starts(
    videos: Path, tmp_path: Path, more: tuple[str, ...], complaint: str
) -> None:
    done = build(videos, tmp_path / "made", *more)
    assert done.exit_code == 1
    assert complaint in done.output.splitlines()[-1]
    assert not any(tmp_path.iterdir())


def test_the_place_must_be_free(videos: Path, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "mine.txt").write_text("keep")
    done = build(videos, tmp_path / "made")
    assert done.exit_code == 1
    assert "exists already" in done.output
    assert [path.name for path in tmp_path.rglob("*")] == ["made", "mine.txt"]


def calls(log: Path) -> Counter[float]:
    """Seconds -> how often a frame of that time was tracked."""
    return Counter(float(line.split()[2]) for line in log.read_text().splitlines())


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_build_goes_on_and_gives_the_same(videos: Path, tmp_path: Path, workers: int) -> None:
    """SIGKILL after the first finished clip; then the same command. Nothing finished is tracked again."""
    assert build(videos, tmp_path / "whole" / "made").exit_code == 0
    dest, log = tmp_path / "killed" / "made", tmp_path / "log"
    command = [
        sys.executable,
        "-m",
        "facial_bench",
        "corpus",
        "build",
        str(videos),
        str(dest),
        *DOT,
        "--workers",
        str(workers),
    ]
    environment = {**os.environ, "DOT_TRACKER_LOG": str(log), "DOT_TRACKER_WAIT": "0.02"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    work, patience = dest.with_name("made.building"), time.monotonic() + 60
    while not list(work.glob("*/report.json")) and time.monotonic() < patience:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not dest.exists()
    first = None
    while first != calls(log):  # a worker notices that its parent is gone when it next reports
        first = calls(log)
        time.sleep(1.5)
    finished = {path.parent.name for path in work.glob("*/1.safetensors")}
    assert 1 <= len(finished) < 4
    assert not list(work.glob("*/.*")), "no half-written file is left by a worker whose parent is gone"
    log.unlink()
    done = subprocess.run(command, env={**environment, "DOT_TRACKER_WAIT": "0"}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert open_corpus(dest).info.digest == open_corpus(tmp_path / "whole" / "made").info.digest
    tracked = open_corpus(dest)
    again = sum(tracked.clip(e.id).frames for e in tracked.entries if e.id not in finished)
    assert sum(calls(log).values()) == again
    assert sum(first.values()) >= sum(tracked.clip(name).frames for name in finished)
    assert not work.exists()


def test_within_a_video_finished_shots_are_not_tracked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "v" / "a1.mp4", moving(60) + moving(60, ground=120), sound=tone(4.8))
    assert build(tmp_path / "v", tmp_path / "x" / "made").exit_code == 0
    monkeypatch.setenv("DOT_TRACKER_LOG", str(tmp_path / "log"))
    strict = build(tmp_path / "v", tmp_path / "made", "--min-seconds", "99")  # rejects both, keeps nothing
    assert strict.exit_code == 1
    work = tmp_path / "made.building" / "a1"
    assert not list(work.glob("*.safetensors"))
    assert len(calls(tmp_path / "log")) == 120
    from facial_bench.corpora.find_videos import find_sources
    from facial_bench.corpora.from_videos.build_video import VideoTask, build_video

    (source,), _ = find_sources(tmp_path / "v")
    settings = BuildSettings(tracker="dot", plugin_files=(str(TRACKER),))
    task = VideoTask(source, tmp_path / "v", tmp_path / "w", settings, make_tools)
    whole = build_video(task, make_tools(settings), lambda frames: None)
    before = (tmp_path / "w" / "a1" / "1.safetensors").stat().st_mtime_ns
    (tmp_path / "w" / "a1" / "2.safetensors").unlink()
    (tmp_path / "w" / "a1" / "report.json").unlink()
    (tmp_path / "log").unlink()
    assert json.dumps(build_video(task, make_tools(settings), lambda frames: None)) == json.dumps(whole), (
        "in the same order, too"
    )
    assert min(calls(tmp_path / "log")) == pytest.approx(2.4)
    assert (tmp_path / "w" / "a1" / "1.safetensors").stat().st_mtime_ns == before


def test_changed_videos_and_settings_are_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_of_videos(tmp_path / "v", people=1)
    (tmp_path / "v" / "bad.mp4").write_text("x")
    monkeypatch.setenv("DOT_TRACKER_LOG", str(tmp_path / "log"))

    def tracked(*more: str) -> int:
        (tmp_path / "log").write_text("")
        assert build(tmp_path / "v", tmp_path / "made", "--strict", *more).exit_code == 1
        return sum(calls(tmp_path / "log").values())

    assert tracked() == 210
    assert tracked() == 0
    write_video(tmp_path / "v" / "p1a.mp4", moving(90, ground=60), sound=tone(3.6))
    assert tracked() == 90
    assert tracked("--min-seconds", "2") == 200
    (tmp_path / "made.building" / "p1a" / "1.safetensors").write_bytes(b"damaged")
    (tmp_path / "made.building" / "p1a" / "report.json").unlink()
    assert tracked("--min-seconds", "2") == 90


def test_a_disk_that_is_full_ends_the_build(videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("facial_bench.core.files.os.fsync", full)
    done = build(videos, tmp_path / "made")
    assert done.exit_code == 1
    assert "No space left on device. Free some space" in done.output.splitlines()[-1]
    monkeypatch.undo()
    assert build(videos, tmp_path / "made").exit_code == 0


def test_a_long_shot_is_cut_into_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facial_bench.corpora.from_videos.tracking.LONGEST", 2.0)
    write_video(tmp_path / "v" / "a1.mp4", moving(130), sound=tone(5.2, beats=(3.0,)))
    assert build(tmp_path / "v", tmp_path / "made").exit_code == 0
    corpus = open_corpus(tmp_path / "made")
    assert [(entry.id, entry.frames) for entry in corpus.entries] == [("a1-1", 50), ("a1-2", 50), ("a1-3", 30)]
    assert int(corpus.clip("a1-2").extras["loudness"].argmax()) == 25


@pytest.fixture(scope="module")
def made(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    dest = tmp_path_factory.mktemp("made") / "dots"
    assert build(videos, dest).exit_code == 0
    return open_corpus(dest)


def test_the_pictures_of_a_clip_can_be_had(made: Corpus, videos: Path, tmp_path: Path) -> None:
    assert video_file(made, "p1b").samefile(videos / "p1b.mp4")
    frames = dict(clip_frames(made, "p1b", [0, 7, 63, 109]))
    assert list(frames) == [0, 7, 63, 109]
    for frame, image in frames.items():
        y, x = np.argwhere(image.mean(axis=2) > 180).mean(axis=0)
        np.testing.assert_allclose(made.clip("p1b").extras["where"][frame], [x, y], atol=0.3)
    folder_of_videos(tmp_path / "others", clips=1, frames=60)
    with pytest.raises(CorpusError, match="is not the video that p1a was tracked in"):
        list(clip_frames(made, "p1a", [0], tmp_path / "others"))
    with pytest.raises(CorpusError, match=r"p1a\.mp4, the video of p1a, is not in"):
        video_file(made, "p1a", tmp_path)


def test_a_page_to_look_at(made: Corpus, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = CliRunner().invoke(main, ["corpus", "info", str(made.path), "--html", str(page)])
    assert done.exit_code == 0, done.output
    text = page.read_text()
    figures = text.count("<figure>")
    assert 4 * 5 <= figures <= 4 * 6
    assert text.count("data:image/jpeg;base64,") == figures
    assert text.count("<circle") == figures * 68
    assert text.count('class="curve"') == 8
    assert "<script" not in text
    assert "http" not in text
    gone = CliRunner().invoke(main, ["corpus", "info", str(made.path), "--html", str(page), "--videos", str(tmp_path)])
    assert gone.exit_code == 0
    assert "no pictures: p1a.mp4, the video of p1a, is not in" in gone.output
    assert "data:image" not in page.read_text()
    assert page.read_text().count("<circle") == figures * 68


@pytest.mark.parametrize(
    "source",
    [
        [],
        {"clips": []},
        {"clips": {"p1a": {"video": ["x"]}}},
        {"left_out_of_videos": [3, ["a"], ["\x1b[2Jb", {"c": 1}]]},
        {
            "clips": {"p1a": {"video": "p1a", "clock_s": 0.0, "start_s": "x"}},
            "videos": {"p1a": {"file": "../../x.mp4"}},
        },
    ],
)
def test_a_corpus_of_anybodys_may_say_anything_of_its_source(made: Corpus, tmp_path: Path, source: object) -> None:
    copy = shutil.copytree(made.path, tmp_path / "copy")
    (copy / "corpus.json").write_text(json.dumps({**made.manifest, "source": source}))
    for command in (["info", str(copy), "--html", str(tmp_path / "page.html")], ["requests", str(copy)]):
        done = CliRunner().invoke(main, ["corpus", *command], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert "\x1b" not in done.output
    assert "data:image" not in (tmp_path / "page.html").read_text()


def test_requests_say_what_to_make(made: Corpus) -> None:
    done = CliRunner().invoke(main, ["corpus", "requests", str(made.path)])
    rows = list(csv.DictReader(done.output.splitlines()))
    own = [row for row in rows if row["request"].startswith("self/")]
    assert len(rows) == 2 * len(own)
    for row in own:
        assert row["video"] == f"{row['request'].split('/')[1].split('@')[0]}.mp4"
        assert float(row["to_s"]) - float(row["from_s"]) == pytest.approx(int(row["frames"]) / 25, abs=2e-3)
        assert (row["width"], row["height"]) == ("96", "64")


def test_info_tells_every_clip(made: Corpus) -> None:
    done = CliRunner().invoke(main, ["corpus", "info", str(made.path)])
    assert done.exit_code == 0
    (row,) = [line for line in done.output.splitlines() if line.startswith("p1a ")]
    assert row.split()[:4] == ["p1a", "p1", "4.00", "1.000"]
    assert "blinks/min" in done.output


def test_too_little_motion_is_said_at_once(made: Corpus, tmp_path: Path) -> None:
    """Videos of 100 to 111 frames make a corpus, and no window of 128."""
    lacking = (
        "the identity classifiers cannot be trained: p1: 110 training frames and 100 test frames in a row, 128 needed; "
        "p2: 111 training frames and 101 test frames in a row, 128 needed; add longer clips"
    )
    shown = CliRunner().invoke(main, ["corpus", "info", str(made.path)])
    assert shown.output.splitlines()[-1] == lacking
    folder_of_videos(tmp_path / "v", people=1, clips=1)
    built = build(tmp_path / "v", tmp_path / "made")
    assert (
        "warning: the identity classifiers cannot be trained: telling people apart takes at least two" in built.stderr
    )
    folder_of_videos(tmp_path / "long", frames=130)
    assert "warning" not in build(tmp_path / "long", tmp_path / "enough").output


def test_a_build_that_is_killed_at_its_very_end_is_ended_by_the_same_command(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The corpus stands, its clips are still there: nothing is tracked again, and another command may not end it."""

    def killed(path: Path, value: object) -> None:
        if path.name == PLACES:
            raise KeyboardInterrupt
        write_json(path, value)

    with monkeypatch.context() as patch:
        patch.setattr("facial_bench.corpora.from_videos.build.write_json", killed)
        assert build(videos, tmp_path / "made").exit_code == 130
    before = {path.name: path.read_bytes() for path in (tmp_path / "made").rglob("*.safetensors")}
    other = build(videos, tmp_path / "made", "--min-seconds", "2")
    assert other.exit_code == 1
    assert "made exists already" in other.output
    monkeypatch.setenv("DOT_TRACKER_LOG", str(tmp_path / "log"))
    done = build(videos, tmp_path / "made")
    assert done.exit_code == 0, done.output
    assert "(4 clips, " in done.output
    assert {path.name: path.read_bytes() for path in (tmp_path / "made").rglob("*.safetensors")} == before
    assert (tmp_path / "made" / PLACES).is_file()
    assert not (tmp_path / "made.building").exists()
    assert not (tmp_path / "log").exists()
    assert "exists already" in build(videos, tmp_path / "made").output
