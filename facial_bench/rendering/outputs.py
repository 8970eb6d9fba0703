"""What a rendering leaves to be looked at: videos with their sound, error maps, and a sheet as in FACIAL's Figure 1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.files import cannot_write
from facial_bench.media.encode import VideoWriter
from facial_bench.media.sound import RATE
from facial_bench.media.video import Video, rgb
from facial_bench.rendering.scoring import Sight

SCALE = 64.0
"""Grey levels of absolute error that have the last colour of the scale; larger ones look alike."""
COLUMNS = 6
"""Frames on a sheet, evenly spread."""
PITCH = 1.05
"""From one picture of a sheet to the next, in their sides."""
COLOURS = "magma"


def stored_pictures(path: Path) -> Iterator[np.ndarray]:
    """The pictures (S, S, 3) uint8 RGB of a video; of a lossless one exactly as they were written."""
    with Video(path) as video:
        for _, frame in video.read():
            yield rgb(frame)


def write_videos(
    beside: Path,
    errors: Path | None,
    real: Iterator[Sight],
    rendered: Iterator[np.ndarray],
    fps: float,
    sound: np.ndarray | None,
    crf: float,
) -> None:
    """Write the real pictures beside the rendered ones, and the error maps, each with the sound.

    Args:
        beside: The file of both.
        errors: The file of the error maps; None where the pictures are not aligned.
        real: T sights; where there is none, the left half is black.
        rendered: T pictures.
        fps: Frames per second.
        sound: (n,) mono at `sound.RATE`; None for none.
        crf: Quality.

    Raises:
        FacialBenchError: a file that cannot be written.
    """
    own: dict[str, Any] = {"sound": sound, "sound_rate": RATE, "crf": crf}
    colours = colour_table()
    with VideoWriter(beside, fps, **own) as pair:
        maps = VideoWriter(errors, fps, **own) if errors else None
        try:
            for (picture, _), made in zip(real, rendered, strict=True):
                shown = np.zeros_like(made) if picture is None else picture
                pair.add(np.concatenate([shown, made], axis=1))
                if maps is not None:
                    maps.add(error_map(shown, made, colours) if picture is not None else np.zeros_like(made))
        except BaseException:
            if maps is not None:
                maps.discard()
            raise
        if maps is not None:
            maps.finish()


def error_map(real: np.ndarray, rendered: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """(S, S, 3) uint8: the mean absolute error over the channels, 0 to `SCALE` grey levels, in colours (256, 3)."""
    error = np.abs(real.astype(np.float64) - rendered).mean(axis=2)
    return colours[np.clip(np.round(error / SCALE * 255), 0, 255).astype(np.uint8)]


def colour_table() -> np.ndarray:
    """(256, 3) uint8 RGB, dark to bright; raises FacialBenchError where matplotlib is not installed."""
    matplotlib = _load_matplotlib()
    return (matplotlib.colormaps[COLOURS](np.arange(256))[:, :3] * 255).round().astype(np.uint8)


def write_sheet(
    path: Path, title: str, frames: int, fps: float, real: Iterator[Sight], rendered: Iterator[np.ndarray]
) -> None:
    """A sheet of some frames: real, rendered, error map, with the scale of the error.

    Args:
        path: Of the PNG.
        title: Of the sheet.
        frames: T.
        fps: Frames per second.
        real: T sights.
        rendered: T pictures.

    Raises:
        FacialBenchError: matplotlib is not installed, or the file cannot be written.
    """
    _load_matplotlib()
    from matplotlib import colors
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

    wanted = set(np.linspace(0, frames - 1, COLUMNS + 2).round().astype(int)[1:-1].tolist()) or {0}
    shown = [
        (frame, picture, made)
        for frame, ((picture, _), made) in enumerate(zip(real, rendered, strict=True))
        if frame in wanted and picture is not None
    ]
    columns, table = max(len(shown), 1), colour_table()
    figure = Figure(figsize=(1.6 * columns + 1.5, 5.6), layout="constrained")
    axis = figure.subplots()  # one for all: layout and drawing of 18 take several times as long
    for column, (_, picture, made) in enumerate(shown):
        for row, image in enumerate((picture, made, error_map(picture, made, table))):
            left, top = column * PITCH, row * PITCH
            axis.imshow(image, interpolation="nearest", extent=(left, left + 1, top + 1, top))
    axis.set(xlim=(0, (columns - 1) * PITCH + 1), ylim=(2 * PITCH + 1, 0), frame_on=False)
    axis.set_xticks([k * PITCH + 0.5 for k in range(len(shown))], [f"{one[0] / fps:.2f} s" for one in shown])
    axis.set_yticks([k * PITCH + 0.5 for k in range(3)], ["real", "rendered", "error"], rotation=90, va="center")
    axis.tick_params(length=0, labeltop=True, labelbottom=False)
    scale = ScalarMappable(colors.Normalize(0, SCALE), COLOURS)
    figure.colorbar(scale, ax=axis, label="error, grey levels", extend="max", shrink=1 / 3, anchor=(0, 0))
    figure.suptitle(title, fontsize=10)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=120, metadata={"Software": None})
    except OSError as problem:
        raise FacialBenchError(cannot_write(path, problem)) from None


def _load_matplotlib() -> Any:
    try:
        import matplotlib
    except ImportError as problem:
        raise FacialBenchError(
            f"Error maps need matplotlib, which cannot be imported ({problem}). Install it: "
            "pip install 'facial-bench[render]'."
        ) from None
    return matplotlib
