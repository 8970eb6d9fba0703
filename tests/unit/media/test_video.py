"""Reading videos: every frame at its own time, sound where it belongs, damage in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV is not installed: pip install -r requirements-video.txt")

from scipy.ndimage import gaussian_filter

from facial_bench.corpora.from_videos.cut_detection import NEIGHBOURS, SIDE, find_cuts, grey
from facial_bench.corpora.from_videos.tracking import skip_filling
from facial_bench.errors import CorpusError
from facial_bench.media.sound import SoundReader
from facial_bench.media.video import Video, rgb
from tests.helpers.media import RATE, moving, picture, tone, write_sound, write_video


def test_pictures_of_a_width_that_decoders_pad_come_whole(tmp_path: Path) -> None:
    """At 70 pixels a row is padded; an array that keeps the padding is noise to whoever ignores strides."""
    path = write_video(tmp_path / "odd.mp4", [picture(30, 20, (70, 50))] * 3)
    with Video(path) as video:
        frames = [rgb(frame) for _, frame in video.read()]
    assert len(frames) == 3
    for frame in frames:
        assert frame.shape == (50, 70, 3)
        assert frame.dtype == np.uint8
        assert frame.flags["C_CONTIGUOUS"]
        y, x = np.argwhere(frame.mean(axis=2) > 180).mean(axis=0)
        assert (x, y) == pytest.approx((29.5, 19.5), abs=1)


def test_times_are_the_containers(tmp_path: Path) -> None:
    """Of a variable rate, of 29.97, and of a picture that begins late."""
    steps = np.cumsum([0.0, *np.tile([0.0333, 0.0667, 0.05], 8)])
    path = write_video(tmp_path / "vary.mkv", moving(25), (0.5 + steps).tolist())
    with Video(path) as video:
        np.testing.assert_allclose([t for t, _ in video.read()], 0.5 + steps, atol=6e-4)
    path = write_video(tmp_path / "ntsc.mp4", moving(60), 30000 / 1001)
    with Video(path) as video:
        np.testing.assert_allclose([t for t, _ in video.read()], np.arange(60) * 1001 / 30000, atol=1e-4)
        assert video.fps == pytest.approx(29.97, abs=0.2)


def test_reading_from_somewhere(tmp_path: Path) -> None:
    path = write_video(tmp_path / "long.mp4", moving(100))
    with Video(path) as video:
        times = [t for t, _ in video.read(2.0)]
    assert times[0] <= 2.0
    assert times[-1] == pytest.approx(99 / 25)


def test_sound_lies_where_its_stamps_say(tmp_path: Path) -> None:
    """Sound that begins 0.3 s after the picture's clock, read in pieces that a click falls on either side of."""
    path = write_video(tmp_path / "late.mov", moving(75), sound=tone(2.0, beats=(0.5, 1.2)), sound_start=0.3)
    reader = SoundReader(path)
    first, share = reader.read(0.0, 1.0)
    second, _ = reader.read(1.0, 1.0)
    beyond, none = reader.read(2.0, 2.0)
    reader.close()
    assert share == pytest.approx(0.7, abs=0.01)
    assert none == pytest.approx(0.15, abs=0.01)
    assert np.abs(first[: round(0.29 * RATE)]).max() == 0
    whole = np.concatenate([first, second])
    loud = np.flatnonzero(np.abs(whole) > 0.5)
    assert loud.min() / RATE == pytest.approx(0.8, abs=0.002)
    assert loud.max() / RATE == pytest.approx(1.505, abs=0.002)
    assert len(beyond) == 2 * RATE
    assert np.abs(beyond[round(0.35 * RATE) :]).max() == 0


def test_sound_before_zero_other_rates_and_channels(tmp_path: Path) -> None:
    from scipy.io import wavfile

    path, t = tmp_path / "stereo.wav", np.arange(44_100) / 44_100
    loud = (0.5 * np.sin(2 * np.pi * 440 * t) * 32767).astype(np.int16)
    wavfile.write(path, 44_100, np.stack([loud, np.zeros_like(loud)], axis=1))
    samples, share = SoundReader(path).read(-0.25, 1.0)
    assert share == pytest.approx(0.75, abs=0.002)
    assert np.abs(samples[: RATE // 4 - 8]).max() == 0
    wanted = 0.25 * np.sin(2 * np.pi * 440 * (np.arange(RATE // 2) / RATE))
    np.testing.assert_allclose(samples[RATE // 4 :][: RATE // 2], wanted, atol=0.02)  # the mean of both channels


def damaged(path: Path, keep: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: round(keep * len(content))])
    return path


def test_damage_is_one_line(tmp_path: Path) -> None:
    def complaint(path: Path) -> str:
        with pytest.raises(CorpusError) as problem, Video(path) as video:
            list(video.read())
        assert "\n" not in str(problem.value)
        return str(problem.value)

    (tmp_path / "text.mp4").write_text("this is no video\n" * 100)
    assert "text.mp4 cannot be opened as a video" in complaint(tmp_path / "text.mp4")
    (tmp_path / "empty.mp4").write_bytes(b"")
    assert complaint(tmp_path / "empty.mp4").endswith("; it is empty.")
    assert complaint(tmp_path / "none.mp4").endswith("(No such file or directory).")
    no_index = complaint(damaged(write_video(tmp_path / "cut.mp4", moving(50)), 0.6))
    assert no_index == "cut.mp4 has no picture that can be read; it is incomplete, damaged or no video."
    assert "s: truncated; copy it again" in complaint(damaged(write_video(tmp_path / "cut.mkv", moving(100)), 0.5))
    assert "has no picture" in complaint(write_sound(tmp_path / "sound.mp4", tone(1.0)))
    with pytest.raises(CorpusError, match="has no sound"):
        SoundReader(write_video(tmp_path / "mute.mp4", moving(3)))


@pytest.mark.parametrize("size", [(96, 64), (70, 50), (20, 300), (640, 360)])
def test_the_grey_picture_is_the_mean_of_blocks(tmp_path: Path, size: tuple[int, int]) -> None:
    """Of any format and size: near the grey levels that a slow mean over the RGB picture gives."""
    width, height = size
    ramp = np.clip(np.add.outer(np.arange(height) % 97, np.arange(width) % 89) + 30, 0, 255).astype(np.uint8)
    smooth = gaussian_filter(ramp.astype(float), 4).astype(np.uint8)
    path = write_video(tmp_path / "grey.mp4", [np.repeat(smooth[:, :, None], 3, axis=2)] * 2)
    with Video(path) as video:
        shown = next(iter(video.read()))[1]
    small = grey(shown)
    assert small.shape == (SIDE, SIDE)
    levels = rgb(shown).mean(axis=2)
    slow = np.zeros((SIDE, SIDE))
    for i in range(SIDE):
        for j in range(SIDE):
            down, across = height // SIDE, width // SIDE
            if min(down, across) == 0:
                slow[i, j] = levels[i * height // SIDE, j * width // SIDE]
            else:
                slow[i, j] = levels[i * down : (i + 1) * down, j * across : (j + 1) * across].mean()
    scaled = 16 + slow * 219 / 255  # the plane is of limited range
    assert np.abs(small - scaled).max() < 4
    other = grey(replace(shown, frame=shown.frame.reformat(format="rgb24")))
    assert np.abs(other - slow).max() < 4


def judged(pictures: list[np.ndarray]) -> list[int]:
    frames = ((k / 25, p) for k, p in enumerate(pictures))
    marked = list(find_cuts(frames, lambda p: p.astype(np.float64)))
    assert [one.seconds for one in marked] == [k / 25 for k in range(len(pictures))], "nothing lost, order kept"
    return [k for k, one in enumerate(marked) if one.cut]


def test_a_cut_is_found_and_nothing_else(rng: np.random.Generator) -> None:
    def scene(level: float, frames: int, speed: float = 0.0) -> list[np.ndarray]:
        base = level + 30 * np.sin(np.arange(64).reshape(8, 8))
        return [base + speed * k + rng.normal(0, 0.3, (8, 8)) for k in range(frames)]

    assert judged(scene(100, 40) + scene(112, 40)) == [0, 40]
    assert judged(scene(100, 40) + scene(112, 25) + scene(100, 3 * NEIGHBOURS)) == [0, 40, 65]
    assert judged(scene(100, 40, speed=2.0)) == [0], "motion that goes on is no cut"
    assert judged([*scene(100, 20), *scene(160, 1), *scene(100, 20)]) == [0], "a flash is no cut"
    fade = [scene(100 + 5 * k, 1)[0] for k in range(20)]
    assert judged(scene(100, 20) + fade + scene(200, 20)) == [0], "nor is a fade"
    assert judged(scene(100, 1)) == [0]
    assert judged([]) == []


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_an_encoders_filling_at_the_start_is_left_out(rng: np.random.Generator) -> None:
    still, moves = rng.normal(100, 20, (8, 8)), [rng.normal(100, 20, (8, 8)) for _ in range(9)]
    frames = [(k / 25, p) for k, p in enumerate([still, still, still, *moves])]
    kept = list(skip_filling(find_cuts(frames, lambda p: p)))
    assert [one.seconds for one in kept] == [k / 25 for k in range(2, 12)]
    assert kept[0].cut
    assert not kept[0].repeated
    only = list(skip_filling(find_cuts(frames[:3], lambda p: p)))
    assert [one.seconds for one in only] == [2 / 25], "a picture that never changes is one frame"


def test_the_cuts_of_a_real_video(real_data: Path) -> None:
    """Cuts from one shot of a speaker to the next in the same framing; none in the other videos."""
    cuts = {}
    for path in sorted((real_data / "videos").glob("*.m*")):
        with Video(path) as video:
            cuts[path.stem] = [k for k, one in enumerate(find_cuts(video.read())) if one.cut]
    assert cuts.pop("s04") == [0, 176, 702, 953, 1429]
    assert len(cuts) == 9
    assert set(map(tuple, cuts.values())) == {(0,)}
