"""The FaceLandmarker at work, in its video mode: one instance a shot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from facial_bench.types import Face
from facial_bench_mediapipe.points import euler_angles, ibug_landmarks

BLINKS = (9, 10)
"""Places of eyeBlinkLeft and eyeBlinkRight among the 52 blendshapes."""


class FaceLandmarker:
    """A tracker for one shot.

    Args:
        weights: `face_landmarker.task`.
    """

    def __init__(self, weights: Path) -> None:
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(weights)),
            running_mode=vision.RunningMode.VIDEO,
            num_faces=1,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        with _silence():
            self._landmarker = vision.FaceLandmarker.create_from_options(options)
        self._last = -1

    def track(self, image: np.ndarray, seconds: float) -> Face | None:
        """The face in a frame (H, W, 3) uint8 RGB; blink is the mean of both eyes' closure, extras hold `blendshapes`
        (52,), 0..1."""
        self._last = max(self._last + 1, round(seconds * 1000))  # its clock counts whole milliseconds, and must grow
        # ascontiguousarray: an Image ignores strides, and reads a padded or turned array as noise
        picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))
        answer = self._landmarker.detect_for_video(picture, self._last)
        if not (answer.face_landmarks and answer.facial_transformation_matrixes and answer.face_blendshapes):
            return None
        matrix = np.asarray(answer.facial_transformation_matrixes[0], np.float64)
        shapes = np.array([shape.score for shape in answer.face_blendshapes[0]])
        return Face(
            landmarks=ibug_landmarks(answer.face_landmarks[0], image.shape[1], image.shape[0]),
            rotation=euler_angles(matrix[:3, :3]),
            translation=matrix[:3, 3],
            blink=float(shapes[list(BLINKS)].mean()),
            extras={"blendshapes": shapes},
        )

    def close(self) -> None:
        """Let the native object go."""
        self._landmarker.close()


@contextmanager
def _silence() -> Iterator[None]:
    """No lines on standard error meanwhile: the native library tells of every instance it makes. Errors are raised."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
