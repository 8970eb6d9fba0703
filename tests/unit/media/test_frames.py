"""Frames at given times, read forward."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV is not installed: pip install -r requirements-video.txt")

from facial_bench.media.frames import frames_at
from facial_bench.media.video import Video, rgb
from tests.helpers.media import picture, write_video


def numbered(path: Path, times: list[float]) -> Path:
    """A video whose frame k is as bright as 8 k."""
    return write_video(path, [picture(48, 32, ground=8 * k, dot=0) for k in range(len(times))], times)


def brightness(shown: np.ndarray) -> int:
    return round(float(shown.mean()) / 8)


def slow(path: Path, times: list[float]) -> list[tuple[int, float]]:
    """The slow twin: every frame is looked at for every time."""
    with Video(path) as video:
        every = [(at, brightness(rgb(frame))) for at, frame in video.read()]
    nearest = [min(reversed(every), key=lambda one, t=t: abs(one[0] - t)) for t in times]
    return [(number, at - t) for (at, number), t in zip(nearest, times, strict=True)]


@pytest.mark.parametrize(
    "wanted",
    [
        [0.0, 0.04, 0.08, 0.96],
        [0.019, 0.021, 0.3, 0.3, 0.517],
        [0.0, 0.99],
        [-0.5, 1.4],
        [0.5],
        [k / 30 for k in range(30)],
    ],
)
def test_the_nearest_frame_of_each_time(tmp_path: Path, wanted: list[float]) -> None:
    path = numbered(tmp_path / "v.mp4", [k / 25 for k in range(25)])
    with Video(path) as video:
        found = [(brightness(one.picture), one.off) for one in frames_at(video, wanted)]
    twin = slow(path, wanted)
    assert [number for number, _ in found] == [number for number, _ in twin]
    np.testing.assert_allclose([off for _, off in found], [off for _, off in twin], atol=1e-6)


def test_times_that_vary_and_a_hole(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.07, 0.12, 0.5, 0.54]
    path = numbered(tmp_path / "v.mp4", times)
    with Video(path) as video:
        found = [(brightness(one.picture), round(one.off, 3)) for one in frames_at(video, [0.06, 0.3, 0.32, 0.52])]
    assert found == [(2, 0.01), (3, -0.18), (4, 0.18), (5, 0.02)]


def test_a_far_time_is_found_by_a_seek(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "v.mp4", [picture(48, 32, ground=k, dot=0) for k in range(200)])
    converted, plain = [], rgb
    monkeypatch.setattr("facial_bench.media.frames.rgb", lambda picture: converted.append(picture) or plain(picture))
    with Video(path) as video:
        found = [round(float(one.picture.mean())) for one in frames_at(video, [0.0, 0.04, 7.2, 7.24])]
    np.testing.assert_allclose(found, [0, 1, 180, 181], atol=1)
    assert len(converted) == 4, "a frame that nobody asks for is not converted"


def test_times_that_descend_are_refused(tmp_path: Path) -> None:
    path = numbered(tmp_path / "v.mp4", [k / 25 for k in range(5)])
    with Video(path) as video, pytest.raises(ValueError, match=r"time 1 is 0\.04 s, after 0\.08 s"):
        list(frames_at(video, [0.08, 0.04]))
    with Video(path) as video:
        assert list(frames_at(video, [])) == []
