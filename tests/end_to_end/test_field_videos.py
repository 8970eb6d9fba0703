"""Videos as people have them: several streams, turned or oblong pictures, joined and damaged recordings."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("av", reason="PyAV is not installed: pip install -r requirements-video.txt")

from facial_bench.cli import main
from facial_bench.core.geometry import outer_eye_distance
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.from_videos.video_frames import clip_frames, clip_sound
from facial_bench.media.load import load_av
from facial_bench.media.sound import RATE
from facial_bench.media.video import Video, rgb
from tests.helpers.media import TRACKER, moving, picture, tone
from tests.helpers.odd_videos import Pictures, Voice, join, rewrite, spoil, with_display_matrix, write_streams

DOT = ("--tracker", "dot", "--plugin", str(TRACKER))
SAME_PICTURE = 1.0
"""Pixels, of the middle of what is bright; encoding moves it less."""


@pytest.fixture(scope="module")
def cases(real_data: Path) -> Path:
    """Small inputs made after public bug reports."""
    if not (real_data / "cases").is_dir():
        pytest.skip(f"no cases in {real_data}")
    return real_data / "cases"


def build(videos: Path, dest: Path, *more: str) -> tuple[Corpus, str]:
    """The corpus, and what the command said."""
    done = CliRunner().invoke(
        main, ["corpus", "build", str(videos), str(dest), "--workers", "1", *(more or DOT)], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return open_corpus(dest), done.output


@pytest.fixture(scope="module")
def reference(cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("reference")
    (folder / "v").mkdir()
    shutil.copy(cases / "reference.mp4", folder / "v")
    return build(folder / "v", folder / "made")[0]


def is_reference(corpus: Corpus, clip: str, reference: Corpus, frames: int = 75) -> None:
    """Whether a clip shows what the reference shows, and is heard as it is."""
    made, right = corpus.clip(clip), reference.clip("reference")
    assert made.frames == frames
    assert made.valid.all()
    where = np.abs(made.extras["where"] - right.extras["where"][:frames])
    assert where.mean() < SAME_PICTURE
    assert np.corrcoef(made.audio.ravel(), right.audio[:frames].ravel())[0, 1] > 0.98


def test_the_default_picture(cases: Path, reference: Corpus, tmp_path: Path) -> None:
    corpus, said = build(cases / "second-picture-is-default" / "videos", tmp_path / "made")
    for clip in ("rec", "cover"):
        is_reference(corpus, clip, reference)
        assert f"{clip}.mkv: 2 picture streams: number 1 (h264, 256 x 256, eng, marked default) is used" in said
        assert corpus.manifest["source"]["videos"][clip]["notices"]


def test_the_default_sound(cases: Path, reference: Corpus, tmp_path: Path) -> None:
    corpus, said = build(cases / "second-sound-is-default" / "videos", tmp_path / "made")
    is_reference(corpus, "rec", reference, 73)
    assert "rec.mp4: 2 sound streams: number 2 (aac, 48000 Hz, eng, marked default) is used" in said


def test_joined_transport_streams(cases: Path, reference: Corpus, tmp_path: Path) -> None:
    """Both halves, each with its own sound; the pictures behind them are found again."""
    corpus, said = build(cases / "ts-joined" / "videos", tmp_path / "made")
    first, second = (corpus.clip(name) for name in ("joined-1", "joined-2"))
    right = reference.clip("reference")
    assert (first.frames, second.frames) == (38, 37)
    assert "joined.ts: its clock goes back by 1.52 s: 37 frames from there on are timed anew" in said
    where = np.concatenate([first.extras["where"], second.extras["where"]])
    assert np.abs(where - right.extras["where"]).mean() < SAME_PICTURE
    heard = np.concatenate([first.audio, second.audio])
    assert np.corrcoef(heard.ravel(), right.audio.ravel())[0, 1] > 0.98
    seen = dict(clip_frames(corpus, "joined-2", [0, 20]))
    wanted = dict(clip_frames(reference, "reference", [38, 58]))
    for frame, image in seen.items():
        assert np.abs(image.astype(int) - wanted[frame + 38]).mean() < 4
    assert np.abs(clip_sound(corpus, "joined-2", 0, 37)).max() > 0.05


def test_a_second_film_that_is_not_read_is_told(tmp_path: Path) -> None:
    parts = [write_streams(tmp_path / f"{n}.mp4", Pictures(moving(50)), Voice(tone(2.0))) for n in "ab"]
    (tmp_path / "v").mkdir()
    join(tmp_path / "v" / "talk.mp4", *parts)
    corpus, said = build(tmp_path / "v", tmp_path / "made")
    assert corpus.clip("talk").frames == 50
    begin = parts[0].stat().st_size
    notice = f"bytes {begin:,} to the end, 50 % of the file, hold a second film that was not read: split the file there"
    assert f"talk.mp4: {notice}" in said
    assert corpus.manifest["source"]["videos"]["talk"]["notices"][0].startswith(notice)


def test_a_layout_of_sound_that_changes(cases: Path, reference: Corpus, tmp_path: Path) -> None:
    corpus, said = build(cases / "sound-layout-changes" / "videos", tmp_path / "made")
    is_reference(corpus, "tv", reference)
    assert "tv.ts: its clock goes back by 0.08 s: 37 frames from there on are timed anew" in said


def test_a_recording_that_begins_between_key_frames(cases: Path, tmp_path: Path) -> None:
    corpus, said = build(cases / "recording-begins-between-keyframes" / "videos", tmp_path / "made")
    assert corpus.clip("tv").frames == 75
    assert "tv.ts: its first 17 frames cannot be decoded: it begins between two key frames" in said
    assert corpus.manifest["source"]["clips"]["tv"]["undecoded"] == 17


def test_one_bad_packet_of_sound(cases: Path, reference: Corpus, tmp_path: Path) -> None:
    corpus, said = build(cases / "one-bad-sound-packet" / "videos", tmp_path / "made")
    is_reference(corpus, "rec", reference)
    assert "rec.mp4: 0.04 s of its sound cannot be decoded and are silence" in said


def test_few_frames_a_second(cases: Path, tmp_path: Path) -> None:
    corpus, said = build(cases / "few-frames-a-second" / "videos", tmp_path / "made")
    assert "left out: fps4.mp4, 0.00..2.75 s: its frames are 0.25 s apart, 0.2 s at most" in said
    assert corpus.clip("fps5").valid.all()


def test_a_colon_in_a_name(cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(cases / "colon-in-a-name" / "videos")
    corpus, _ = build(Path("."), tmp_path / "made")
    assert [entry.frames for entry in corpus.entries] == [30]


def test_pictures_that_change_their_size_make_clips_of_their_own(tmp_path: Path) -> None:
    """A call whose resolution falls: another size is another scale."""
    large = write_streams(
        tmp_path / "a.ts",
        Pictures([picture(48 + round(9 * np.sin(k / 9)), 32) for k in range(40)]),
        Voice(tone(3.2), codec="mp2"),
    )
    small = write_streams(
        tmp_path / "b.ts",
        Pictures([picture(32 + round(6 * np.sin(k / 9)), 24, (64, 48)) for k in range(40)], begin=1.6),
    )
    (tmp_path / "v").mkdir()
    join(tmp_path / "v" / "call.ts", large, small)
    corpus, _ = build(tmp_path / "v", tmp_path / "made")
    clips = [corpus.clip(name) for name in ("call-1", "call-2")]
    assert [(c.frames, c.camera.width, c.camera.height) for c in clips] == [(40, 96, 64), (40, 64, 48)]
    image = dict(clip_frames(corpus, "call-2", [5]))[5]
    y, x = np.argwhere(image.mean(axis=2) > 180).mean(axis=0)
    np.testing.assert_allclose(clips[1].extras["where"][5], np.array([x, y]) * 64 / 48, atol=0.5)


def test_damage_counts_as_frames_without_a_face(tmp_path: Path) -> None:
    """From the packet that was hit to the next key frame; the rest of the clip is as it was."""
    whole = write_streams(tmp_path / "whole.mp4", Pictures(moving(150), keys=25), Voice(tone(6.0)))

    def change(kind: str, number: int, data: bytes) -> bytes:
        return spoil(data) if kind == "video" and number == 50 else data

    (tmp_path / "v").mkdir()
    rewrite(whole, tmp_path / "v" / "hurt.mp4", change)
    corpus, said = build(tmp_path / "v", tmp_path / "made")
    clip = corpus.clip("hurt")
    assert np.flatnonzero(~clip.valid).tolist() == list(range(50, 75))
    assert "hurt.mp4: 25 frames from damaged data, up to the next key frame, count as frames without a face" in said
    assert corpus.manifest["source"]["clips"]["hurt"]["damaged"] == 25


def test_sound_that_is_late_or_ends_early_keeps_its_place(tmp_path: Path) -> None:
    for name, begin, beat in (("late", 0.8, 0.4), ("early", 0.0, 1.2)):
        path = tmp_path / "v" / f"{name}.mkv"
        write_streams(path, Pictures(moving(75)), Voice(tone(1.8, beats=(beat,)), begin=begin))
    corpus, _ = build(tmp_path / "v", tmp_path / "made")
    for name in ("late", "early"):
        assert abs(int(corpus.clip(name).extras["loudness"].argmax()) - 30) <= 1
        assert corpus.manifest["source"]["clips"][name]["heard"] == pytest.approx(0.6, abs=0.03)


def test_a_start_before_zero_and_an_edit_list(tmp_path: Path) -> None:
    """An .mp4 whose first pictures are cut away by an edit list: sound and picture stay together, nothing is told."""
    av = load_av()
    (tmp_path / "v").mkdir()
    whole = write_streams(tmp_path / "whole.mp4", Pictures(moving(100), b_frames=2), Voice(tone(4.0, beats=(2.0,))))
    with av.open(str(whole)) as source, av.open(str(tmp_path / "v" / "cut.mp4"), "w") as target:
        copies = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                back = round(0.4 / packet.time_base)
                packet.pts, packet.dts, packet.stream = (
                    packet.pts - back,
                    packet.dts - back,
                    copies[packet.stream.index],
                )
                target.mux(packet)
    corpus, said = build(tmp_path / "v", tmp_path / "made")
    clip = corpus.clip("cut")
    assert clip.frames in (90, 100)
    x = clip.extras["where"][:, 0]
    first = 100 - clip.frames
    np.testing.assert_allclose(x, [47.5 + round(16 * np.sin(k / 9)) for k in range(first, 100)], atol=0.3)
    assert int(clip.extras["loudness"].argmax()) + first == pytest.approx(50, abs=1)
    assert "cannot be decoded" not in said


@pytest.fixture(scope="module")
def model(real_data: Path) -> tuple[str, ...]:
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed: pip install -r requirements-video.txt")
    return ("--model", str(real_data / "models" / "face_landmarker.task"))


FRAMES = 30


@pytest.fixture(scope="module")
def upright(cases: Path, model: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """(FRAMES, 68, 2) landmarks of the beginning of the reference, pixels."""
    folder = tmp_path_factory.mktemp("upright")
    (folder / "v").mkdir()
    shutil.copy(cases / "reference.mp4", folder / "v")
    return build(folder / "v", folder / "made", *model)[0].clip("reference").landmarks[:FRAMES, :, :2]


def off(landmarks: np.ndarray, upright: np.ndarray) -> float:
    """Median distance, % of the outer-eye distance."""
    distance = np.linalg.norm(landmarks[: len(upright), :, :2] - upright, axis=2)
    return float(np.median(distance) / np.median(outer_eye_distance(upright)) * 100)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["anamorphic-pixels", "pyav-13-turns-nothing"])
def test_the_face_of_a_case_is_the_upright_one(
    case: str, cases: Path, model: tuple[str, ...], upright: np.ndarray, tmp_path: Path
) -> None:
    corpus, _ = build(cases / case / "videos", tmp_path / "made", *model)
    (entry,) = corpus.entries
    assert off(corpus.clip(entry.id).landmarks, upright) < 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stored", "matrix", "shape"),
    [
        (lambda image: image[:, ::-1], (-1, 0, 0, 1), None),
        (lambda image: image[::-1], (1, 0, 0, -1), None),
        (lambda image: np.rot90(image, 2), (-1, 0, 0, -1), None),
        (lambda image: np.rot90(image, -1), (0, -1, 1, 0), None),
        (lambda image: image.swapaxes(0, 1), (0, 1, 1, 0), None),
        (lambda image: (image[:, ::2].astype(int) + image[:, 1::2] + 1 >> 1).astype(np.uint8), None, Fraction(2)),
        (lambda image: np.repeat(image, 2, axis=1), None, Fraction(1, 2)),
    ],
    ids=["mirrored", "flipped", "turned twice", "turned", "transposed", "wide pixels", "narrow pixels"],
)
def test_the_face_is_the_upright_one(
    stored: object,
    matrix: tuple[int, int, int, int] | None,
    shape: Fraction | None,
    cases: Path,
    model: tuple[str, ...],
    upright: np.ndarray,
    tmp_path: Path,
) -> None:
    """However the picture is stored, its landmarks are those of the reference."""
    with Video(cases / "reference.mp4") as video:
        images = [rgb(one) for (_, one), _ in zip(video.read(), range(FRAMES), strict=False)]
    path = tmp_path / "v" / "odd.mp4"
    write_streams(path, Pictures([stored(image) for image in images], pixel_shape=shape), Voice(np.zeros(2 * RATE)))
    if matrix:
        with_display_matrix(path, *matrix)
    corpus, _ = build(tmp_path / "v", tmp_path / "made", *model)
    assert off(corpus.clip("odd").landmarks, upright) < 0.5
