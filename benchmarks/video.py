"""Building from videos: what all of it costs beside the bare tracker loop, and what a second process gains."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.core import Row, row
from benchmarks.timing import Timing, interleaved, markdown


def video_rows(repetitions: int, workers: bool = True) -> list[Row]:
    """The rows; none where there are no videos, no weights or no tracker.

    Args:
        repetitions: Measured turns, three at most.
        workers: Whether to measure two processes, too.
    """
    folder = Path(os.environ.get("FACIAL_BENCH_DATA", "")) / "videos"
    weights = folder.parent / "models" / "face_landmarker.task"
    try:
        import mediapipe
    except ImportError:
        return []
    if not folder.is_dir() or not weights.is_file() or not mediapipe:
        return []
    from facial_bench.core.progress import QUIET
    from facial_bench.corpora.find_videos import find_sources
    from facial_bench.corpora.from_videos.build import build_corpus
    from facial_bench.corpora.from_videos.settings import BuildSettings
    from facial_bench.plugin_api.build_tools import make_tools

    sources, _ = find_sources(folder)
    settings = BuildSettings(model=str(weights))

    def build(workers: int) -> None:
        with tempfile.TemporaryDirectory() as place:
            dest = Path(place) / "made"
            build_corpus(sources, folder, dest, settings, make_tools, workers=workers, report=QUIET)

    def bare() -> None:
        for source in sources:
            _bare_loop(folder / source.file, weights)

    def bare_twice() -> None:
        """Two bare loops at once, each over all videos: twice the work of one."""
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            for _ in range(2):
                pool.submit(_bare_loops, [folder / source.file for source in sources], weights)

    jobs = {"one": lambda: build(1), "bare": bare}
    if workers:
        jobs |= {"two": lambda: build(2), "bare twice": bare_twice}
    times = interleaved(jobs, max(1, min(repetitions, 3)))
    one, loop = (Timing(times[name].processor) for name in ("one", "bare"))
    cost = row("building 10 videos, processor time (plain: decode and track, nothing else)", one, loop)
    if not workers:
        return [cost]
    return [
        cost,
        row("building 10 videos, two processes (plain: one process)", times["two"], times["one"]),
        row("two bare loops at once (plain: one)", times["bare twice"], times["bare"]),
    ]


def _bare_loops(videos: Sequence[Path], weights: Path) -> None:
    for video in videos:
        _bare_loop(video, weights)


def _bare_loop(video: Path, weights: Path) -> int:
    """What anyone would write first: PyAV's frames into MediaPipe's FaceLandmarker, results thrown away."""
    import av
    import mediapipe
    import numpy as np
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(weights)),
        running_mode=vision.RunningMode.VIDEO,
        num_faces=1,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    faces = 0
    with vision.FaceLandmarker.create_from_options(options) as landmarker, av.open(str(video)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            image = np.ascontiguousarray(frame.to_ndarray(format="rgb24"))
            picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=image)
            result = landmarker.detect_for_video(picture, round(float(frame.pts * frame.time_base) * 1000))
            faces += bool(result.face_landmarks)
    return faces


def main() -> None:
    """Print the rows alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3, help="measured turns, 3 at most (default 3)")
    parser.add_argument("--only", choices=["cost"], help="the row of the processor time, without two processes")
    options = parser.parse_args()
    print(markdown(video_rows(options.repetitions, workers=not options.only)))


if __name__ == "__main__":
    main()
