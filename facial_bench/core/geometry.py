"""Geometry of tracked faces: linear face -> landmarks, frontal shapes, alignment.

Two frames of reference. Head and camera space: x right, y up, z toward the viewer. Stored landmarks:
pixels, x right, y down, z away from the viewer. Multiplying by (1, -1, -1) goes from one to the other.
The camera is scaled-orthographic, one scale a frame (see `project`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from facial_bench.core.errors import unknown_name
from facial_bench.core.types import LANDMARKS, Camera, FaceModel

RIGID = tuple(range(27, 48))
"""Nose and eyes, iBUG order from 0: the points that speech moves least."""
MOUTH = tuple(range(48, 68))
"""Outer and inner lips."""
EYE_CORNERS = (36, 45)
"""Outer corners of the right and left eye."""
FLIP = (1.0, -1.0, -1.0)
"""Image axes <-> camera axes."""
_DEGENERATE = 1e-9  # relative spread below which a set of points fixes no rotation or scale


def decode_face(model: FaceModel, identity: str, expression: np.ndarray) -> np.ndarray:
    """The face at zero pose: neutral shape of the identity + sum_j expression_j * basis_j.

    Args:
        model: The corpus's linear face.
        identity: Whose neutral shape.
        expression: (T, J) coefficients, J the number of directions of the model (64).

    Returns:
        (T, 68, 3) float64, head frame, the model's length unit.

    Raises:
        FacialBenchError: The model has no such identity.
        ValueError: The expression has another width than the model.
    """
    if identity not in model.neutral:
        raise unknown_name("identity", identity, model.neutral, "The face model holds only the people of its corpus.")
    coefficients = np.asarray(expression, dtype=np.float64)
    basis = np.asarray(model.basis, dtype=np.float64)
    if coefficients.ndim != 2 or coefficients.shape[1] != len(basis):
        raise ValueError(f"expression is {coefficients.shape}, the face model takes (T, {len(basis)})")
    neutral = np.asarray(model.neutral[identity], dtype=np.float64)
    return neutral + (coefficients @ basis.reshape(len(basis), -1)).reshape(-1, *neutral.shape)


def rotation_matrices(rotation: np.ndarray) -> np.ndarray:
    """(T, 3) pitch, yaw, roll in rad (scipy's extrinsic "xyz", head to camera) -> (T, 3, 3) float64."""
    return Rotation.from_euler("xyz", np.asarray(rotation, dtype=np.float64)).as_matrix()


def project(face: np.ndarray, pose: np.ndarray, camera: Camera) -> np.ndarray:
    """Landmarks as the camera sees them: centre + focal / (-tz) * flip(R @ face + (tx, ty, 0)).

    Every point of a frame is scaled alike, by the depth of the head's origin. z has no centre: its zero is the
    plane of that origin.

    Args:
        face: (T, K, 3) head frame, length unit.
        pose: (T, 6) pitch, yaw, roll in rad, then x right, y up, z toward the viewer, length unit.
        camera: Image size and focal length, pixels.

    Returns:
        (T, K, 3) float64 pixels, x right, y down, z away from the viewer. A frame whose head is not in front of
        the camera (tz >= 0), or whose pose is not finite, is NaN.

    Raises:
        ValueError: Shapes do not agree.
    """
    face = np.asarray(face, dtype=np.float64)
    pose = np.asarray(pose, dtype=np.float64)
    if face.ndim != 3 or face.shape[2] != 3 or pose.shape != (len(face), 6):
        raise ValueError(f"face is {face.shape} and pose {pose.shape}, expected (T, K, 3) and (T, 6)")
    seen = np.isfinite(pose).all(axis=1) & (pose[:, 5] < 0)
    landmarks = np.full(face.shape, np.nan)
    shown = pose[seen]
    turned = face[seen] @ rotation_matrices(shown[:, :3]).transpose(0, 2, 1)
    turned[..., :2] += shown[:, None, 3:5]
    landmarks[seen] = (camera.focal / -shown[:, 5])[:, None, None] * turned * FLIP
    return landmarks + np.array([camera.width / 2, camera.height / 2, 0.0])


def frontalise(
    landmarks: np.ndarray, rotation: np.ndarray, points: Sequence[int] = RIGID
) -> tuple[np.ndarray, np.ndarray]:
    """Undo pose, position and size: R^T (flip(landmarks) - centroid) / scale.

    Args:
        landmarks: (T, 68, 3) pixels, x right, y down, z away from the viewer.
        rotation: (T, 3) pitch, yaw, roll in rad, head to camera.
        points: The points whose centroid becomes the origin and whose RMS distance from it becomes 1.

    Returns:
        Shapes (T, 68, 3), head axes, unit RMS of `points`; scales (T,), that RMS in pixels. A frame in which the
        points coincide is NaN.

    Raises:
        ValueError: Shapes do not agree, or the landmarks have no z.
    """
    landmarks = np.asarray(landmarks, dtype=np.float64)
    if landmarks.ndim != 3 or landmarks.shape[2] != 3 or np.shape(rotation) != (len(landmarks), 3):
        raise ValueError(f"landmarks {landmarks.shape} and rotation {np.shape(rotation)}: need (T, K, 3) and (T, 3)")
    camera_axes = landmarks * FLIP
    rigid = list(points)
    centred = camera_axes - camera_axes[:, rigid].mean(axis=1, keepdims=True)
    scale = np.sqrt((centred[:, rigid] ** 2).sum(axis=2).mean(axis=1))
    scale[~(scale > 0)] = np.nan
    return centred @ rotation_matrices(rotation) / scale[:, None, None], scale


def similarity_align(source: np.ndarray, target: np.ndarray, points: Sequence[int]) -> np.ndarray:
    """Move each frame of `source` onto `target` by the best similarity of the named points (least squares).

    Rotation without reflection, one scale, translation: Umeyama, IEEE TPAMI 13(4), 1991, eq. 40-43.

    Args:
        source: (T, K, D), D = 2 or 3.
        target: (T, K, D).
        points: Indices that the similarity is fitted on; it is applied to all K.

    Returns:
        (T, K, D) float64. A frame whose points, on either side, fix no similarity (they coincide, in 3-D lie on one
        line, are not finite, or match only as mirror images) is NaN: never a perfect fit.

    Raises:
        ValueError: The shapes differ.
    """
    source = np.asarray(source, dtype=np.float64)
    target = np.asarray(target, dtype=np.float64)
    if source.ndim != 3 or source.shape != target.shape:
        raise ValueError(f"source {source.shape} and target {target.shape} must both be (T, K, D)")
    chosen = list(points)
    aligned = np.full(source.shape, np.nan)
    usable = np.isfinite(source[:, chosen]).all(axis=(1, 2)) & np.isfinite(target[:, chosen]).all(axis=(1, 2))
    usable &= _fixes_rotation(source[:, chosen], usable) & _fixes_rotation(target[:, chosen], usable)
    moving, still = source[usable], target[usable]
    moving_centre = moving[:, chosen].mean(axis=1, keepdims=True)
    still_centre = still[:, chosen].mean(axis=1, keepdims=True)
    a, b = moving[:, chosen] - moving_centre, still[:, chosen] - still_centre
    u, s, vt = np.linalg.svd(b.transpose(0, 2, 1) @ a)
    handedness = np.sign(np.linalg.det(u) * np.linalg.det(vt))  # a mirror image is no rotation (Umeyama, eq. 43)
    s[:, -1] *= handedness
    u[:, :, -1] *= handedness[:, None]
    scale = s.sum(axis=1) / (a**2).sum(axis=(1, 2))
    scale[s.sum(axis=1) <= _DEGENERATE * np.sqrt((a**2).sum(axis=(1, 2)) * (b**2).sum(axis=(1, 2)))] = np.nan
    turned = (moving - moving_centre) @ (u @ vt).transpose(0, 2, 1)
    aligned[usable] = scale[:, None, None] * turned + still_centre
    return aligned


def _fixes_rotation(points: np.ndarray, finite: np.ndarray) -> np.ndarray:
    """(T,) bool: the points (T, N, D) spread over at least D - 1 dimensions, so that they have one orientation."""
    fixes = np.zeros(len(points), dtype=bool)
    shown = points[finite]
    centred = shown - shown.mean(axis=1, keepdims=True)
    spread = np.linalg.svd(centred, compute_uv=False)
    size = np.abs(shown).max(axis=(1, 2), initial=0.0)  # rounding of far-off coordinates is no spread
    fixes[finite] = spread[:, points.shape[2] - 2] > _DEGENERATE * np.maximum(size, spread[:, 0])
    return fixes


def outer_eye_distance(landmarks: np.ndarray) -> np.ndarray:
    """(T,) distance between the outer eye corners (36, 45) in the image plane; input (T, 68, D), D >= 2."""
    landmarks = np.asarray(landmarks, dtype=np.float64)
    if landmarks.ndim != 3 or landmarks.shape[1] != LANDMARKS:
        raise ValueError(f"landmarks are {landmarks.shape}, expected (T, {LANDMARKS}, D)")
    right, left = EYE_CORNERS
    return np.linalg.norm(landmarks[:, left, :2] - landmarks[:, right, :2], axis=1)
