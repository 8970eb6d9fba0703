"""Videos that we write: pictures and sound in their places, exact pixels where promised, whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from facial_bench.errors import CorpusError, FacialBenchError
from facial_bench.media.encode import VideoWriter
from facial_bench.media.sound import RATE, SoundReader
from facial_bench.media.video import Video, rgb

pytest.importorskip("av")
DARK, BRIGHT = (200, 40, 90), (30, 220, 240)
FLASH = 30
"""The picture that is bright; the click is where it begins."""


def flat(colour: tuple[int, int, int], width: int = 96, height: int = 64) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def write(path: Path, fps: float = 25.0, frames: int = 60, rate: int = RATE) -> None:
    sound = np.zeros(round(frames / fps * rate) + 3000, np.float32)
    at = round(FLASH / fps * rate)
    sound[at : at + 16] = 0.9
    with VideoWriter(path, fps, sound=sound, sound_rate=rate) as video:
        for number in range(frames):
            video.add(flat(BRIGHT if number == FLASH else DARK))


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Times (N,), pictures (N, H, W, 3)."""
    with Video(path) as video:
        shown = [(seconds, rgb(frame)) for seconds, frame in video.read()]
    return np.array([seconds for seconds, _ in shown]), np.stack([picture for _, picture in shown])


@pytest.mark.parametrize(("name", "within"), [("a.mp4", 3), ("a.mkv", 0)])
@pytest.mark.parametrize(("fps", "rate"), [(25.0, 16_000), (30.0, 44_100), (30_000 / 1001, 48_000)])
def test_pictures_and_sound_are_where_they_were_put(
    tmp_path: Path, name: str, within: int, fps: float, rate: int
) -> None:
    write(tmp_path / name, fps, rate=rate)
    times, pictures = read(tmp_path / name)
    np.testing.assert_allclose(times, np.arange(60) / fps, atol=5.1e-4)  # matroska counts milliseconds
    for number, colour in ((0, DARK), (FLASH - 1, DARK), (FLASH, BRIGHT), (FLASH + 1, DARK)):
        assert np.abs(pictures[number].astype(int) - colour).max() <= within
    reader = SoundReader(tmp_path / name)
    heard, share = reader.read(0.0, 60 / fps)
    reader.close()
    assert abs(np.abs(heard).argmax() / RATE - FLASH / fps) < 0.5 / fps
    assert share > 0.98
    assert os.listdir(tmp_path) == [name]


def test_the_lossless_file_gives_the_pixels_back(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (5, 33, 47, 3), dtype=np.uint8)
    with VideoWriter(tmp_path / "n.mkv", 25.0) as video:
        for picture in noise:
            video.add(picture)
    assert video.frames == 5
    np.testing.assert_array_equal(read(tmp_path / "n.mkv")[1], noise)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_the_same_input_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / "again").mkdir()
    write(tmp_path / name)
    write(tmp_path / "again" / name)
    assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_a_lower_crf_is_a_better_picture(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    errors = []
    for crf in (5, 40):
        with VideoWriter(tmp_path / f"{crf}.mp4", 25.0, crf=crf) as video:
            video.add(noise)
        errors.append(np.abs(read(tmp_path / f"{crf}.mp4")[1][0].astype(int) - noise).mean())
    assert errors[0] < errors[1]


def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), VideoWriter(tmp_path / "a.mp4", 25.0) as video:
        video.add(flat(DARK))
        raise KeyError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "size", "told"),
    [
        ("a.mp4", (33, 64), "H.264 takes even sizes only, and the pictures are 33 x 64. Pad or crop them."),
        ("a.avi", (32, 64), "a video ends in .mp4 (H.264) or .mkv (lossless FFV1)."),
        ("no/such/a.mp4", (32, 64), "No such file or directory. Choose another folder."),
    ],
)
def test_what_cannot_be_written_is_said_in_one_line(
    tmp_path: Path, name: str, size: tuple[int, int], told: str
) -> None:
    with pytest.raises(CorpusError) as said, VideoWriter(tmp_path / name, 25.0, error=CorpusError) as video:
        video.add(flat(DARK, *size))
    assert str(said.value) == f"Cannot write {tmp_path / name}: {told}"
    assert not list(tmp_path.iterdir())


def test_no_picture_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(FacialBenchError, match=r"a\.mp4: it has no picture\.$"), VideoWriter(tmp_path / "a.mp4", 25.0):
        pass
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*paths: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FacialBenchError, match=r"^Cannot write .*: No space left on device\. Free some space"):
        write(tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


def test_a_wrong_call_is_a_value_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fps is 0"):
        VideoWriter(tmp_path / "a.mp4", 0)
    with pytest.raises(ValueError, match=r"the sound is \(2, 5\) at 16000 Hz"):
        VideoWriter(tmp_path / "a.mp4", 25.0, sound=np.zeros((2, 5)))
    with (
        pytest.raises(ValueError, match=r"picture 1 is 48 x 64, the first one has \(96, 64\)"),
        VideoWriter(tmp_path / "a.mp4", 25.0) as video,
    ):
        video.add(flat(DARK))
        video.add(flat(DARK, 48))
    with (
        pytest.raises(ValueError, match=r"picture 0 is float64 \(8, 8\), expected uint8 \(H, W, 3\)"),
        VideoWriter(tmp_path / "b.mp4", 25.0) as video,
    ):
        video.add(np.zeros((8, 8)))
    assert not list(tmp_path.iterdir())
