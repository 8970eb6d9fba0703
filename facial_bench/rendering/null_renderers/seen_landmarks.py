"""Where a motion's landmarks lie in the rendered picture, and refusal of motion that has none."""

from __future__ import annotations

import numpy as np

from facial_bench.core.errors import FacialBenchError, GenerationError
from facial_bench.core.geometry import decode_face, project
from facial_bench.core.types import Camera, Crop, FaceModel, Motion


def check_finite(name: str, motion: Motion) -> None:
    """Refuse motion that is not finite.

    Args:
        name: The renderer's, for the message.
        motion: T frames; parts that are None are not looked at.

    Raises:
        GenerationError: names the part and its first such frame.
    """
    for what, part in vars(motion).items():
        if part is not None:
            broken = np.flatnonzero(~np.isfinite(part).reshape(len(part), -1).all(axis=1))
            if len(broken):
                raise GenerationError(f"{name}: the motion's {what} is not finite at frame {broken[0]}.")


def seen_landmarks(
    motion: Motion, identity: str, face_model: FaceModel | None, camera: Camera, crop: Crop
) -> np.ndarray:
    """The landmarks of a motion in the picture: decoded, projected, cropped.

    Args:
        motion: T frames, physical units. Its own `landmarks` are used where it has them.
        identity: Whose neutral face.
        face_model: The corpus's linear face.
        camera: Sees the face.
        crop: Cuts the picture.

    Returns:
        (T, 68, 2) float64 pixels of the crop; NaN in frames whose head is not in front of the camera.

    Raises:
        FacialBenchError: no face model, one without this person, or motion with neither landmarks nor both of
            expression and pose.
    """
    if motion.landmarks is not None:
        return crop.points(motion.landmarks)
    if "landmarks" not in motion.parts:
        raise FacialBenchError("The motion has neither landmarks nor both of expression and pose: no face to render.")
    if face_model is None:
        raise FacialBenchError("Landmarks need the corpus's face model, and the context has none.")
    if not motion.frames:
        return np.zeros((0, len(face_model.mean), 2))
    return crop.points(project(decode_face(face_model, identity, motion.expression), motion.pose, camera))


def check_in_front(name: str, landmarks: np.ndarray) -> None:
    """Refuse landmarks (T, 68, 2) of which some are NaN. Raises GenerationError, naming the first such frame."""
    hidden = np.flatnonzero(~np.isfinite(landmarks).all(axis=(1, 2)))
    if len(hidden):
        raise GenerationError(f"{name}: the head is not in front of the camera at frame {hidden[0]}.")
