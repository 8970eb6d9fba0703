"""The picture is the one that a player shows: upright, not mirrored, of square pixels, in its colours."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV is not installed: pip install -r requirements-video.txt")

from facial_bench.errors import CorpusError, FacialBenchError
from facial_bench.media.display import oriented, pixel_shape_of
from facial_bench.media.load import load_av
from facial_bench.media.video import Video, rgb, size_of
from tests.helpers.media import picture
from tests.helpers.odd_videos import Pictures, join, with_display_matrix, write_streams

SHADES = np.array([[30, 90], [150, 230]], np.uint8)
UPRIGHT = np.repeat(np.kron(SHADES, np.ones((32, 48), np.uint8))[:, :, None], 3, axis=2)
"""(64, 96, 3): four quarters of four shades."""
STORED = {
    # how a player turns it: what the file then holds, so that UPRIGHT is shown
    (1, 0, 0, 1): UPRIGHT,
    (0, 1, -1, 0): np.rot90(UPRIGHT),  # 90 degrees clockwise
    (-1, 0, 0, -1): np.rot90(UPRIGHT, 2),
    (0, -1, 1, 0): np.rot90(UPRIGHT, -1),
    (-1, 0, 0, 1): UPRIGHT[:, ::-1],
    (1, 0, 0, -1): UPRIGHT[::-1],
    (0, 1, 1, 0): UPRIGHT.swapaxes(0, 1),
    (0, -1, -1, 0): np.rot90(UPRIGHT, 2).swapaxes(0, 1),
}


def first_picture(path: Path) -> np.ndarray:
    with Video(path) as video:
        shown = next(video.read())[1]
    image = rgb(shown)
    assert image.flags["C_CONTIGUOUS"]
    assert size_of(shown) == (image.shape[1], image.shape[0])
    return image


@pytest.mark.parametrize("matrix", STORED)
def test_turned_and_mirrored(matrix: tuple[int, int, int, int], tmp_path: Path) -> None:
    """All eight ways in which a display matrix can lay a picture."""
    assert (oriented(STORED[matrix], matrix) == UPRIGHT).all()
    path = write_streams(tmp_path / "v.mp4", Pictures([STORED[matrix]] * 2))
    image = first_picture(with_display_matrix(path, *matrix))
    assert np.abs(image.astype(int) - UPRIGHT).mean() < 3


@pytest.mark.parametrize(
    ("shape", "size", "dot"),
    [("3/2", (144, 64), (90, 20)), ("1/2", (48, 64), (30, 20)), ("1000/999", (96, 64), (60, 20))],
)
def test_oblong_pixels_become_square(shape: str, size: tuple[int, int], dot: tuple[int, int], tmp_path: Path) -> None:
    path = write_streams(tmp_path / "v.mp4", Pictures([picture(60, 20)] * 2, pixel_shape=Fraction(shape)))
    image = first_picture(path)
    assert (image.shape[1], image.shape[0]) == size
    y, x = np.argwhere(image.mean(axis=2) > 150).mean(axis=0)
    assert (x, y) == pytest.approx(dot, abs=1)


def test_oblong_pixels_of_a_turned_picture(tmp_path: Path) -> None:
    """The shape is that of the stored pixels: turned, the picture grows the other way."""
    lying = write_streams(tmp_path / "v.mp4", Pictures([np.rot90(UPRIGHT)] * 2, pixel_shape=Fraction(2)))
    image = first_picture(with_display_matrix(lying, 0, 1, -1, 0))
    assert image.shape == (128, 96, 3)
    assert np.abs(image[::2].astype(int) - UPRIGHT).mean() < 3


def test_a_shape_of_pixels_that_cannot_be_is_refused() -> None:
    with pytest.raises(CorpusError, match="its pixels are said to be 1:100, wide by high; remux it"):
        pixel_shape_of(SimpleNamespace(sample_aspect_ratio=Fraction(1, 100)))


def test_every_picture_has_its_own_size(tmp_path: Path) -> None:
    """A recording whose resolution falls in the middle."""
    large = write_streams(tmp_path / "a.ts", Pictures([picture(60, 20)] * 5))
    small = write_streams(tmp_path / "b.ts", Pictures([picture(30, 12, (64, 48))] * 5, begin=0.2))
    with Video(join(tmp_path / "v.ts", large, small)) as video:
        shown = [(round(seconds - video.first, 2), size_of(one), rgb(one).shape) for seconds, one in video.read()]
    assert shown == [
        (round(k / 25, 2), *(((96, 64), (64, 96, 3)) if k < 5 else ((64, 48), (48, 64, 3)))) for k in range(10)
    ]


COLOURS = np.zeros((64, 96, 3), np.uint8)
COLOURS[:, :32], COLOURS[:, 32:64], COLOURS[:, 64:] = (200, 60, 60), (60, 200, 60), (60, 60, 200)
COLOURS[:16], COLOURS[48:] = 235, 12


@pytest.mark.parametrize(("matrix", "number"), [((0.299, 0.114), 6), ((0.2126, 0.0722), 1)], ids=["601", "709"])
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize(("name", "codec"), [("v.mp4", "libx264"), ("v.mkv", "libvpx-vp9")])
def test_colours_are_those_of_the_stated_matrix_and_range(
    matrix: tuple[float, float], number: int, full: bool, name: str, codec: str, tmp_path: Path
) -> None:
    av = load_av()
    (red, blue), colours = matrix, COLOURS.astype(float)
    luma = colours @ [red, 1 - red - blue, blue]
    chroma = [(colours[..., 2] - luma) / (2 - 2 * blue), (colours[..., 0] - luma) / (2 - 2 * red)]
    planes = [luma if full else 16 + luma * 219 / 255, *(128 + c * (1 if full else 224 / 255) for c in chroma)]
    frame = av.VideoFrame(96, 64, "yuv444p")
    for plane, levels in zip(frame.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, :96] = np.round(levels)
        plane.update(rows.tobytes())
    with av.open(str(tmp_path / name), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv444p"
        stream.options = {"crf": "1"} if codec == "libx264" else {"lossless": "1"}
        stream.codec_context.colorspace = frame.colorspace = number
        stream.codec_context.color_range = frame.color_range = 2 if full else 1
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert np.abs(first_picture(tmp_path / name).astype(int) - COLOURS).mean() < 1.5


def test_a_library_that_gives_other_colours_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("av.__version__", "13.1.0")
    with pytest.raises(FacialBenchError) as said:
        load_av()
    wanted = "needs PyAV 17 or later, and 13.1.0 is installed: it gives other colours. Update it: pip install 'av>=17'."
    assert str(said.value).endswith(wanted)
