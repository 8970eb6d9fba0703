"""Coefficients of a 3DMM, and landmarks from a basis of it that the user has; units and axes are Deep3DFaceRecon's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facial_bench.core.errors import FacialBenchError, one_line
from facial_bench.core.geometry import FLIP, rotation_matrices
from facial_bench.core.types import EXPRESSION_WIDTH, LANDMARKS

IMAGE, FOCAL, DISTANCE = 224, 1015.0, 10.0
"""Deep3DFaceRecon's camera: pixels, pixels, its units from the origin."""


@dataclass(frozen=True, eq=False)
class Basis:
    """Landmarks of a linear face, Deep3DFaceRecon's units."""

    mean: np.ndarray
    """(68, 3)."""
    identity: np.ndarray
    """(80, 68, 3)."""
    expression: np.ndarray
    """(64, 68, 3)."""


@dataclass(frozen=True, eq=False)
class Coefficients:
    """What a file holds, at its own rate."""

    frames: np.ndarray
    """(T,) numbers of the frames, increasing; the first of a video is 0 or 1."""
    identity: np.ndarray
    """(T, 80)."""
    expression: np.ndarray
    """(T, 64)."""
    rotation: np.ndarray
    """(T, 3) rad."""
    translation: np.ndarray
    """(T, 3) Deep3DFaceRecon's units, y up, before the camera's distance is taken off z."""
    blink: np.ndarray
    """(T,)."""


def project_basis(basis: Basis, held: Coefficients) -> np.ndarray:
    """(T, 68, 3) pixels of Deep3DFaceRecon's camera: x right, y down, z away from the viewer (0 at its origin)."""
    face = (
        basis.mean + np.tensordot(held.identity, basis.identity, 1) + np.tensordot(held.expression, basis.expression, 1)
    )
    turned = face @ rotation_matrices(held.rotation).transpose(0, 2, 1)
    placed = turned + held.translation[:, None]
    depth = DISTANCE - placed[..., 2:]
    flat = FOCAL * placed[..., :2] / depth * FLIP[:2] + IMAGE / 2
    scale = FOCAL / (DISTANCE - held.translation[:, None, 2:])
    return np.concatenate([flat, -scale * turned[..., 2:]], axis=2)


def read_basis(path: Path) -> Basis:
    """The user's basis; raises FacialBenchError where it is not one."""
    shapes: dict[str, tuple[int, ...]] = {
        "mean": (LANDMARKS, 3),
        "identity": (80, LANDMARKS, 3),
        "expression": (EXPRESSION_WIDTH, LANDMARKS, 3),
    }
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name], np.float64) for name in shapes}
    except Exception as problem:
        what = f"an .npz of {', '.join(shapes)}"
        raise FacialBenchError(f"The basis {path} cannot be read ({one_line(problem)}): {what}.") from None
    for name, shape in shapes.items():
        if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise FacialBenchError(f"The basis {path}: {name} is {arrays[name].shape}, expected finite {shape}.")
    return Basis(**arrays)
