"""What this distribution registers; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from facial_bench import hookimpl
from facial_bench.types import Tracker, TrackerSpec


@hookimpl
def facial_bench_trackers() -> Sequence[TrackerSpec]:
    """The FaceLandmarker."""

    def weights(chosen: Path | None) -> Path | None:
        from facial_bench_mediapipe.weights import find_weights

        return find_weights(chosen)

    def create(path: Path | None) -> Tracker:
        from facial_bench_mediapipe.tracker import FaceLandmarker
        from facial_bench_mediapipe.weights import find_weights

        return FaceLandmarker(find_weights(path))

    def focal(width: int, height: int) -> float:
        from facial_bench_mediapipe.points import focal_length

        return focal_length(height)

    return [
        TrackerSpec(
            "mediapipe",
            "MediaPipe FaceLandmarker: 478 points, head matrix in cm, 52 blendshapes",
            "MediaPipe (Lugaresi et al. 2019); FaceMesh (Kartynnik et al. 2019)",
            weights,
            create,
            focal,
        )
    ]
