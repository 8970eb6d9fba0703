"""Pictures: reading the frames of a clip forward beside a seek for each; what scoring costs beside its libraries."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.core import Row, row
from benchmarks.timing import interleaved, markdown

FRAMES, SIZE, BLOCK = 150, 256, 16


def picture_rows(repetitions: int) -> list[Row]:
    """The rows; none where what rendering needs is not installed."""
    try:
        from flip_evaluator import evaluate
        from skimage.metrics import structural_similarity
    except ImportError:
        return []
    from facial_bench.media.encode import VideoWriter
    from facial_bench.media.frames import frames_at
    from facial_bench.media.video import Video
    from facial_bench.metrics.image.definitions import image_metrics
    from facial_bench.metrics.image.maps import Maps
    from facial_bench.metrics.image.pair import Pair
    from facial_bench.rendering.scoring import one_thread_each

    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (BLOCK, 128, 128, 3), np.uint8)
    made = np.clip(small + rng.normal(0, 9, small.shape), 0, 255).astype(np.uint8)
    landmarks = rng.uniform(30, 90, (BLOCK, 68, 2))
    metrics = image_metrics(128)

    def score() -> None:
        pair = Pair(small, made, landmarks, None)
        maps = Maps(pair)
        for metric in metrics:
            metric.measure(pair, maps)

    def libraries() -> None:
        for one, two in zip(small, made, strict=True):
            structural_similarity(
                one, two, channel_axis=-1, gaussian_weights=True, sigma=1.5, data_range=255, full=True
            )
            evaluate((one / 255).astype(np.float32), (two / 255).astype(np.float32), "LDR", applyMagma=False)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "v.mp4"
        base = rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
        with VideoWriter(path, 25.0) as writer:
            for frame in range(FRAMES):
                writer.add(np.roll(base, frame, axis=1))
        times = [frame / 25 for frame in range(0, FRAMES, 3)]

        def forward() -> None:
            with Video(path) as video:
                for _ in frames_at(video, times):
                    pass

        with one_thread_each():
            jobs = {"forward": forward, "seek": lambda: _seek(path, times), "score": score, "libraries": libraries}
            taken = interleaved(jobs, max(1, min(repetitions, 5)))
    return [
        row("50 frames of a clip, read forward (plain: a seek for each)", taken["forward"], taken["seek"]),
        row("16 frames of 128 px, all pixel metrics (plain: SSIM and FLIP alone)", taken["score"], taken["libraries"]),
    ]


def _seek(path: Path, times: Sequence[float]) -> None:
    """The plain formulation: the video is opened, and looked for, once a frame."""
    from facial_bench.media.frames import frames_at
    from facial_bench.media.video import Video

    for seconds in times:
        with Video(path) as video:
            next(frames_at(video, [seconds]))


def main() -> None:
    """Print the rows alone."""
    print(markdown(picture_rows(5)))


if __name__ == "__main__":
    main()
