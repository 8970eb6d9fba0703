"""Which streams are read, at which times; what is lost on the way is known, and costs no more than itself."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV is not installed: pip install -r requirements-video.txt")

from scipy.io import wavfile

from facial_bench.errors import CorpusError
from facial_bench.media.frames import frames_at
from facial_bench.media.sound import SoundReader
from facial_bench.media.video import Video, rgb
from tests.helpers.media import RATE, moving, picture, tone, write_sound
from tests.helpers.odd_videos import Pictures, Voice, join, rewrite, spoil, write_streams

SLIDES = [picture(48, 32, ground=200, dot=0)] * 50


def brightness(path: Path) -> list[float]:
    """Mean grey level of every picture."""
    with Video(path) as video:
        return [float(rgb(one).mean()) for _, one in video.read()]


def flat(levels: list[int]) -> list[np.ndarray]:
    """Pictures of one grey level each."""
    return [picture(48, 32, ground=level, dot=0) for level in levels]


def sound_of(path: Path, start: float, seconds: float) -> np.ndarray:
    reader = SoundReader(path)
    samples, _ = reader.read(start, seconds)
    reader.close()
    return samples


def click(samples: np.ndarray) -> float:
    """Seconds at which the first loud sample lies."""
    return float(np.flatnonzero(np.abs(samples) > 0.4)[0]) / RATE


def test_the_default_streams_are_read_and_named(tmp_path: Path) -> None:
    path = write_streams(
        tmp_path / "v.mkv",
        Pictures(SLIDES, disposition="forced"),
        Pictures(moving(50), disposition="default"),
        Voice(np.zeros(2 * RATE), disposition="comment"),
        Voice(tone(2.0, beats=(1.0,)), disposition="default"),
    )
    assert max(brightness(path)) < 100
    with Video(path) as video:
        assert video.choices == [
            "2 picture streams: number 1 (h264, 96 x 64, marked default) is used",
            "2 sound streams: number 3 (aac, 16000 Hz, marked default) is used",
        ]
    assert click(sound_of(path, 0.0, 2.0)) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv"])
def test_cover_art_is_no_video(tmp_path: Path, name: str) -> None:
    """Though it is the first stream, and marked default."""
    cover = Pictures(SLIDES[:1], codec="mjpeg", disposition="attached_pic+default" if name == "v.mp4" else "default")
    path = write_streams(tmp_path / name, cover, Pictures(moving(50)))
    assert len(brightness(path)) == 50


def test_slides_are_no_video(tmp_path: Path) -> None:
    """One picture in two seconds, marked default, beside a camera that is not."""
    slides = Pictures(SLIDES[:2], fps=1, disposition="default")
    assert len(brightness(write_streams(tmp_path / "v.mkv", slides, Pictures(moving(50), disposition="dub")))) == 50


def test_cover_art_alone_is_no_video(tmp_path: Path) -> None:
    cover = Pictures(SLIDES[:1], codec="mjpeg", disposition="attached_pic")
    path = write_streams(tmp_path / "song.mp4", cover, Voice(tone(1.0)))
    with pytest.raises(CorpusError, match=r"song\.mp4 has stills alone, no video\."):
        Video(path)


def test_a_name_is_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_streams(tmp_path / "concat:part 2.mp4", Pictures(moving(3)))
    monkeypatch.chdir(tmp_path)
    assert len(brightness(Path("concat:part 2.mp4"))) == 3


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_no_picture_of_an_avi_with_b_frames_is_lost(codec: str, tmp_path: Path) -> None:
    """AVI knows times of decoding alone."""
    levels = list(range(20, 220, 5))
    path = write_streams(tmp_path / "v.avi", Pictures(flat(levels), codec=codec, b_frames=2))
    with Video(path) as video:
        shown = [(seconds - video.first, float(rgb(one).mean())) for seconds, one in video.read()]
    np.testing.assert_allclose([seconds for seconds, _ in shown], np.arange(40) / 25, atol=1e-6)
    np.testing.assert_allclose([level for _, level in shown], levels, atol=3)


def test_times_that_do_not_grow_are_counted(tmp_path: Path) -> None:
    path = write_streams(tmp_path / "v.mkv", Pictures(flat([50, 60, 70, 80, 90])))
    content = path.read_bytes()
    block = content.index(b"\xa3", content.index(b"\x1f\x43\xb6\x75"))  # the first SimpleBlock: size, track, time
    third = [k for k in range(block, len(content) - 4) if content[k : k + 4] == b"\x81\x00\x50\x00"]
    path.write_bytes(content[: third[0]] + b"\x81\x00\x28\x00" + content[third[0] + 4 :])  # 80 ms become 40 ms
    with Video(path) as video:
        pictures = [one for _, one in video.read()]
    assert len(pictures) + sum(one.dropped for one in pictures) == 5
    assert sum(one.dropped + one.retimed for one in pictures) >= 1


def joined(folder: Path, gap: float = 0.0, ending: str = ".ts") -> Path:
    """Two recordings of 2 s, each with a click in its middle, the second by `gap` s later than 0."""
    parts = [
        write_streams(
            folder / f"{name}{ending}",
            Pictures(flat(list(range(level, level + 50))), begin=begin),
            Voice(tone(2.0, beats=(1.0,)), begin=begin),
        )
        for name, level, begin in (("a", 40, 0.0), ("b", 140, gap))
    ]
    return join(folder / f"joined{ending}", *parts)


@pytest.mark.parametrize("ending", [".ts", ".mkv"])
def test_a_clock_that_starts_again_goes_on(ending: str, tmp_path: Path) -> None:
    """Both halves, one after the other, their sound with them; nothing silently lost."""
    path = joined(tmp_path, ending=ending)
    with Video(path) as video:
        shown = [(seconds - video.first, one) for seconds, one in video.read()]
        first = video.first
        (restart,) = video.restarts
    assert restart.back == pytest.approx(2.0, abs=0.05)
    np.testing.assert_allclose([seconds for seconds, _ in shown], np.arange(100) / 25, atol=2e-3)
    assert [k for k, (_, one) in enumerate(shown) if one.joined] == [50]
    assert [one.retimed for _, one in shown] == [False] * 50 + [True] * 50
    samples = sound_of(path, first, 4.0)
    assert click(samples) == pytest.approx(1.0, abs=0.06)  # AAC begins with filling
    assert click(samples[2 * RATE :]) == pytest.approx(click(samples), abs=0.002)


def test_a_last_packet_that_is_cut_is_told(tmp_path: Path) -> None:
    """A decoder with threads says nothing of it."""
    path = write_streams(tmp_path / "v.avi", Pictures(flat(list(range(40, 60))), codec="mpeg4"))
    content = path.read_bytes()
    last = content.rindex(b"00dc", 0, content.index(b"idx1"))
    path.write_bytes(content[: last + 8 + 6])
    with Video(path) as video:
        shown = [one for _, one in video.read()]
    assert (len(shown), sum(one.undecoded for one in shown)) == (19, 1)


def test_a_recording_that_goes_on_between_two_key_frames_is_told(tmp_path: Path) -> None:
    """The decoder gives nothing until the next key frame, which never comes: so many pictures are missing."""
    path = write_streams(tmp_path / "v.ts", Pictures(flat(list(range(40, 90)))))
    content = path.read_bytes()
    path.write_bytes(content + content[len(content) // 2 // 188 * 188 :])
    with Video(path) as video:
        shown = [one for _, one in video.read()]
        assert len(video.restarts) == 1
    assert len(shown) == 50
    assert 10 < sum(one.undecoded for one in shown) < 40


def test_joined_program_streams(tmp_path: Path) -> None:
    """Here the demuxer gives two pictures one time: what is not shown is counted."""
    parts = [
        write_streams(
            tmp_path / f"{level}.mpg",
            Pictures(flat(list(range(level, level + 50))), codec="mpeg2video"),
            Voice(tone(2.0), codec="mp2"),
        )
        for level in (40, 140)
    ]
    with Video(join(tmp_path / "joined.mpg", *parts)) as video:
        shown = list(video.read())
    assert len(shown) + sum(one.dropped for _, one in shown) == 100
    assert shown[-1][0] - shown[0][0] == pytest.approx(99 / 25, abs=0.01)


def test_pictures_of_a_joined_file_are_found_at_their_times(tmp_path: Path) -> None:
    with Video(joined(tmp_path)) as video:
        next(video.read())
        times = [video.first + k / 25 for k in (0, 1, 49, 50, 51, 99)]
        found = [round(float(one.picture.mean())) for one in frames_at(video, times)]
    np.testing.assert_allclose(found, [40, 41, 89, 140, 141, 189], atol=2)


def test_a_small_step_back_is_the_same_recording(tmp_path: Path) -> None:
    """The second file was cut to begin where the first one ends, and begins two pictures early."""
    with Video(joined(tmp_path, gap=1.92)) as video:
        shown = [(seconds - video.first, one) for seconds, one in video.read()]
    np.testing.assert_allclose([seconds for seconds, _ in shown], np.arange(100) / 25, atol=1e-6)
    assert not any(one.joined for _, one in shown)


def test_a_recording_that_begins_between_key_frames(tmp_path: Path) -> None:
    """From the first key frame on; that the file begins earlier is no missing end."""
    path = write_streams(tmp_path / "v.ts", Pictures(flat(list(range(40, 140))), keys=40), Voice(tone(4.0)))
    content = path.read_bytes()
    cut = rewrite(
        path, tmp_path / "cut.ts", lambda kind, number, data: None if kind == "video" and number < 15 else data
    )
    assert len(cut.read_bytes()) < len(content)
    with Video(cut) as video:
        shown = [(seconds, one) for seconds, one in video.read()]
    assert len(shown) == 60
    assert shown[0][1].undecoded == video.undecoded_first == 25


@pytest.mark.parametrize("ending", [".ts", ".mkv", ".mp4"])
def test_a_seek_never_lands_behind(ending: str, tmp_path: Path) -> None:
    path = write_streams(tmp_path / f"v{ending}", Pictures(flat(list(range(20, 220))), keys=60, b_frames=2))
    with Video(path) as video:
        next(video.read())
        for second in (7.9, 4.1, 2.5, 0.3, 0.0):
            assert next(video.read(video.first + second))[0] <= video.first + second
        wanted = [round(video.first + k / 25, 4) for k in (0, 70, 71, 190)]
        found = [float(one.picture.mean()) for one in frames_at(video, wanted)]
    np.testing.assert_allclose(found, [20, 90, 91, 210], atol=2)


@pytest.mark.parametrize(("wanted", "how"), [((47, 80), "spoiled"), ((47, 80), "emptied")])
def test_what_rests_on_damage_is_marked_up_to_the_next_key_frame(
    wanted: tuple[int, int], how: str, tmp_path: Path
) -> None:
    """A damaged picture passes its errors on to those that are predicted from it."""
    rng = np.random.default_rng(3)
    ground = rng.integers(0, 255, (64, 96, 3)).astype(np.uint8)
    images = [np.roll(ground, k, axis=1) for k in range(120)]
    path = write_streams(tmp_path / "v.mp4", Pictures(images, keys=40, b_frames=2))

    def change(kind: str, number: int, data: bytes) -> bytes:
        if number != wanted[0]:
            return data
        return spoil(data) if how == "spoiled" else bytes(len(data))

    with Video(path) as video:
        right = [rgb(one).astype(int) for _, one in video.read()]
    with Video(rewrite(path, tmp_path / "hurt.mp4", change)) as video:
        shown = [(round(25 * seconds), one) for seconds, one in video.read()]
    wrong = [k for k, one in shown if np.abs(rgb(one) - right[k]).mean() > 0]
    marked = [k for k, one in shown if one.damaged]
    assert wrong
    assert set(wrong) <= set(marked), "nothing wrong goes unmarked"
    assert marked[-1] == wanted[1] - 1
    assert marked[0] >= wanted[0] - 6
    assert sum(one.undecoded for _, one in shown) == 120 - len(shown)


def hurt_sound(folder: Path, bad: range) -> Path:
    path = write_streams(folder / "v.mp4", Pictures(moving(75)), Voice(tone(3.0, beats=(0.5, 2.0))))

    def change(kind: str, number: int, data: bytes) -> bytes:
        return bytes(len(data)) if kind == "audio" and number in bad else data

    return rewrite(path, folder / "hurt.mp4", change)


def test_a_bad_packet_of_sound_costs_its_own_milliseconds(tmp_path: Path) -> None:
    path = hurt_sound(tmp_path, range(20, 22))
    reader = SoundReader(path)
    samples, share = reader.read(0.0, 3.0)
    lost = 2 * 1024 / RATE
    assert reader.damaged == pytest.approx(lost)
    assert share == pytest.approx(1 - lost / 3, abs=0.03)
    whole = sound_of(tmp_path / "v.mp4", 0.0, 3.0)
    assert click(samples) == click(whole)
    assert click(samples[RATE:]) == pytest.approx(click(whole[RATE:]), abs=0.001), "what follows keeps its time"


def test_sound_that_cannot_be_decoded_at_all_is_said_every_time(tmp_path: Path) -> None:
    reader = SoundReader(hurt_sound(tmp_path, range(1000)))
    for start in (0.0, 1.0):
        with pytest.raises(CorpusError, match=r"The sound of hurt\.mp4 cannot be decoded \("):
            reader.read(start, 1.0)


@pytest.mark.parametrize(("rate", "layout"), [(48_000, "stereo"), (44_100, "stereo"), (44_100, "mono")])
def test_another_layout_or_rate_is_read_through(rate: int, layout: str, tmp_path: Path) -> None:
    """A receiver's recording: mono at 48 kHz, then something else; the clock goes on."""
    time = np.arange(2 * 48_000) / 48_000
    first = Voice(0.5 * np.sin(2 * np.pi * 440 * time), rate=48_000, codec="mp2")
    time = np.arange(2 * rate) / rate
    second = Voice(0.5 * np.sin(2 * np.pi * 880 * time), rate=rate, layout=layout, begin=2.0, codec="mp2")
    parts = [
        write_streams(tmp_path / f"{k}.ts", Pictures(moving(50), begin=2.0 * k), voice)
        for k, voice in enumerate((first, second))
    ]
    path = join(tmp_path / "v.ts", *parts)
    with Video(path) as video:
        next(video.read())
        start = video.first
    reader = SoundReader(path)
    samples, share = reader.read(start, 4.0)
    assert share == pytest.approx(1.0, abs=0.03)
    for begin, pitch in ((0.2, 440), (2.2, 880)):
        piece = samples[round(begin * RATE) :][:RATE]
        spectrum = np.abs(np.fft.rfft(piece))
        assert np.argmax(spectrum) == pytest.approx(pitch, abs=1)
        assert np.abs(piece).max() == pytest.approx(0.5, abs=0.05)


def test_a_picture_that_ends_before_the_sound_is_whole(tmp_path: Path) -> None:
    """Matroska states the length of all streams together; what is truncated ends everywhere."""
    path = write_streams(tmp_path / "v.mkv", Pictures(moving(50)), Voice(tone(4.0)))
    assert len(brightness(path)) == 50
    (tmp_path / "cut.mkv").write_bytes(path.read_bytes()[: os.path.getsize(path) // 2])
    with pytest.raises(CorpusError, match="truncated; copy it again"):
        brightness(tmp_path / "cut.mkv")


@pytest.mark.parametrize("stereo", [False, True])
def test_eight_bits_are_stored_about_128(stereo: bool, tmp_path: Path) -> None:
    sound = tone(1.0, beats=(0.5,))
    eight = np.round(128 + 127 * np.clip(sound, -1, 1)).astype(np.uint8)
    wavfile.write(tmp_path / "a.wav", RATE, np.stack([eight, eight], axis=1) if stereo else eight)
    np.testing.assert_allclose(
        sound_of(tmp_path / "a.wav", 0.0, 1.0), sound_of(write_sound(tmp_path / "b.wav", sound), 0.0, 1.0), atol=0.01
    )
