"""What each pixel metric says of real pictures that were spoiled in known doses. docs/rendering.md has the table.

python -m studies.picture_doses [CORPUS [PLUGIN ...]]

CORPUS has videos; default: synthetic-video. With plugins their metrics are shown instead, of fewer frames: they take
networks.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter, shift

from facial_bench import load_corpus
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Clip
from facial_bench.media.encode import VideoWriter
from facial_bench.media.video import Video, rgb
from facial_bench.metrics.image.definitions import image_metrics
from facial_bench.plugin_api.manager import load_named
from facial_bench.plugin_api.picture_metrics import find_picture_metrics
from facial_bench.rendering.protocol import PictureProtocol
from facial_bench.rendering.scoring import one_thread_each, score
from facial_bench.rendering.tasks import open_pictures
from facial_bench.reports.tables import markdown, number

FRAMES = 60
"""Of the first stretch of each person."""
SIZE = 128
FEW = 12
"""Frames, where plugins are named."""
SHOWN = (
    *("psnr", "psnr/face", "psnr/mouth", "ssim/face", "l1/face", "flip/face"),
    *("sharpness", "temporal_error/face", "motion_ratio/face"),
)
Spoil = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(pictures of a person, pictures of another one), (T, S, S, 3) uint8 each -> spoiled pictures."""


def doses() -> Iterator[tuple[str, Spoil]]:
    """(name with its dose, how)."""
    yield "none", lambda own, other: own
    for sigma in (0.5, 1.0, 2.0):
        yield f"blur, sigma {sigma:g} px", lambda own, other, s=sigma: _bytes(gaussian_filter(own + 0.0, (0, s, s, 0)))
    for sigma in (2, 6, 18):
        noise = np.random.default_rng(0).standard_normal
        yield f"noise, {sigma} grey levels", lambda own, other, s=sigma, n=noise: _bytes(own + s * n(own.shape))
    for pixels in (0.5, 1, 2):
        yield (
            f"shift, {pixels:g} px",
            lambda own, other, p=pixels: _bytes(shift(own + 0.0, (0, 0, p, 0), order=1, mode="nearest")),
        )
    for levels in (2, 6, 18):
        yield f"brightness, {levels} grey levels", lambda own, other, v=levels: _bytes(own + float(v))
    for crf in (18, 28, 38):
        yield f"H.264, crf {crf}", lambda own, other, c=crf: _encoded(own, c)
    for late in (1, 2, 5):
        yield f"late, {late} frames", lambda own, other, k=late: np.concatenate([own[:1].repeat(k, 0), own[:-k]])
    yield "still picture", lambda own, other: own[:1].repeat(len(own), 0)
    yield "another person", lambda own, other: other


def _bytes(pictures: np.ndarray) -> np.ndarray:
    return np.clip(np.round(pictures), 0, 255).astype(np.uint8)


def _encoded(pictures: np.ndarray, crf: float) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pictures.mp4"
        with VideoWriter(path, 25.0, crf=crf) as writer:
            for picture in pictures:
                writer.add(picture)
        with Video(path) as video:
            return np.stack([rgb(frame) for _, frame in video.read()])


def main(corpus: str = "synthetic-video", *plugins: str) -> None:
    """Print the table."""
    opened = open_pictures(load_corpus(corpus), SIZE, Protocol())
    firsts = {task.clip.identity: task for task in reversed(opened.test)}
    metrics = [metric for metric in image_metrics(SIZE) if metric.id in SHOWN]
    if plugins:
        metrics = find_picture_metrics(load_named(plugins), PictureProtocol(size=SIZE))
    shown = [metric.id for metric in metrics] if plugins else list(SHOWN)
    seen: dict[str, tuple[Clip, np.ndarray]] = {}
    for person, task in sorted(firsts.items()):
        clip = task.clip[: FEW if plugins else FRAMES]
        pictures = [picture for picture, _ in opened.pictures(clip)]
        seen[person] = clip, np.stack([picture for picture in pictures if picture is not None])
    people = list(seen)
    rows: list[Sequence[str]] = []
    with one_thread_each():
        for name, spoil in doses():
            found = []
            for k, person in enumerate(people):
                (clip, own), other = seen[person], seen[people[k - 1]][1]
                made = spoil(own, np.resize(other, own.shape))
                sights = ((picture, 0.0) for picture in own)
                scored = score(metrics, clip, firsts[person].crop, sights, iter(made), Protocol().window)
                found.append({one: entry.value for one, entry in scored.entries.items()})
            means = [float(np.mean([values[one] for values in found])) for one in shown]
            rows.append([name, *(number(value, "") for value in means)])
    print(markdown(rows, ["spoiled by", *shown]))


if __name__ == "__main__":
    main(*sys.argv[1:])
