"""Finished videos of any system, in a renderer's place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV is not installed: pip install -r requirements-video.txt")
pytest.importorskip("PIL", reason="Pillow is not installed: pip install -r requirements-video.txt")

from facial_bench.core.errors import FacialBenchError, GenerationError
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.from_videos.video_frames import clip_pictures, video_file
from facial_bench.rendering.crop import cut
from facial_bench.rendering.finished_videos import FinishedVideos
from facial_bench.rendering.tasks import PictureCorpus, PictureTask, open_pictures
from facial_bench.types import Crop
from tests.helpers.media import moving, write_video
from tests.helpers.video_corpus import video_corpus


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> PictureCorpus:
    return open_pictures(video_corpus(tmp_path_factory.mktemp("videos"), people=1), 64, Protocol())


@pytest.fixture
def task(pictures: PictureCorpus) -> PictureTask:
    return pictures.test[0]


def given(folder: Path, framing: str = "camera") -> FinishedVideos:
    return FinishedVideos.of({"videos": str(folder), "framing": framing})


def real(pictures: PictureCorpus, task: PictureTask) -> np.ndarray:
    return np.stack([picture for picture, _ in pictures.pictures(task.clip)])


def test_the_real_video_gives_the_real_pictures(pictures: PictureCorpus, task: PictureTask, tmp_path: Path) -> None:
    shutil.copy(video_file(pictures.corpus, task.clip.id), tmp_path / f"{task.id}.mp4")
    made = np.stack(list(given(tmp_path).pictures(task, 25.0)))
    np.testing.assert_array_equal(made, real(pictures, task))
    assert task.id == f"{task.clip.id}@0"
    (tmp_path / f"{task.id}.mp4").rename(tmp_path / f"{task.clip.id}.mp4")
    np.testing.assert_array_equal(next(given(tmp_path).pictures(task, 25.0)), made[0])


def test_another_size_and_rate(pictures: PictureCorpus, task: PictureTask, tmp_path: Path) -> None:
    """Twice as large and twice as many: the same picture at every moment, but for the codec."""
    frames = [picture for k in range(task.clip.frames) for picture in [source(pictures, task)[k]] * 2]
    larger = [np.kron(picture, np.ones((2, 2, 1), np.uint8)) for picture in frames]
    write_video(tmp_path / f"{task.id}.mp4", larger, 50.0)
    made = np.stack(list(given(tmp_path).pictures(task, 25.0))).astype(float)
    assert np.abs(made - real(pictures, task)).mean() < 4


def test_pictures_of_the_crop(pictures: PictureCorpus, task: PictureTask, tmp_path: Path) -> None:
    shown = [np.kron(picture, np.ones((2, 2, 1), np.uint8)) for picture in real(pictures, task)]
    write_video(tmp_path / f"{task.id}.mp4", shown)
    made = np.stack(list(given(tmp_path, "crop").pictures(task, 25.0))).astype(float)
    assert np.abs(made - real(pictures, task)).mean() < 4
    with pytest.raises(GenerationError, match=r"is 128 x 128, of another shape than 96 x 64; .*framing=crop"):
        list(given(tmp_path).pictures(task, 25.0))


def source(pictures: PictureCorpus, task: PictureTask) -> list[np.ndarray]:
    """The camera's pictures of a stretch."""
    return [one.picture for one in clip_pictures(pictures.corpus, task.clip.id, range(task.clip.frames))]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path, n: None, r"no output self/.*\.mp4"),
        (lambda path, n: path.write_bytes(b"no video"), "cannot be opened as a video"),
        (lambda path, n: write_video(path, moving(n - 5)), r"has no picture at .* the nearest one is 40 ms off"),
        (lambda path, n: write_video(path, moving(n)[: n // 3], 12.0), "has no picture at"),
    ],
)
def test_what_is_missing_is_one_line(
    task: PictureTask, tmp_path: Path, make: Callable[[Path, int], object], reason: str
) -> None:
    make(tmp_path / f"{task.id}.mp4", task.clip.frames)
    with pytest.raises(GenerationError, match=reason):
        list(given(tmp_path).pictures(task, 25.0))


def test_options_that_name_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FacialBenchError, match="is no folder"):
        FinishedVideos.of({"videos": str(tmp_path / "none")})
    with pytest.raises(FacialBenchError, match="use camera or crop"):
        given(tmp_path, "face")


def test_other_videos_have_another_digest(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"1")
    before = given(tmp_path).digest()
    (tmp_path / "a.mp4").write_bytes(b"2")
    assert given(tmp_path).digest() != before


def test_the_crop_of_a_larger_video_is_the_same_place() -> None:
    image = np.zeros((64, 96, 3), np.uint8)
    image[20:30, 40:60] = 255
    crop = Crop(20.0, 5.0, 48.0, 64)
    twice = replace(crop, left=40.0, top=10.0, side=96.0)
    larger = np.kron(image, np.ones((2, 2, 1), np.uint8))
    assert np.abs(cut(image, crop).astype(float) - cut(larger, twice)).mean() < 2
