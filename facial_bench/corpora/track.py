"""A tracked clip before it has expression coefficients: what importers and trackers make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from facial_bench.core.errors import CorpusError
from facial_bench.core.types import EXPRESSION_WIDTH, LANDMARKS, Camera


@dataclass(frozen=True, eq=False)
class Track:
    """A tracked clip at the protocol's rate, before it has expression coefficients."""

    id: str
    """Name, unique within the corpus."""
    identity: str
    """Whose face it is."""
    recording: str
    """The recording session it comes from."""
    audio: np.ndarray
    """(T, F) audio features."""
    landmarks: np.ndarray
    """(T, 68, 3) pixels; x right, y down, z away from the viewer."""
    rotation: np.ndarray
    """(T, 3) rad: pitch, yaw, roll, head to camera."""
    translation: np.ndarray
    """(T, 3) length unit: x right, y up, z toward the viewer (negative in front of the camera)."""
    blink: np.ndarray
    """(T,) on the corpus's blink scale."""
    valid: np.ndarray
    """(T,) bool, face found; the other frames hold interpolated, finite values."""
    camera: Camera
    """The view that the landmarks were seen in."""
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Further arrays (T, ...), kept with the clip."""


def check_track(track: Track, expression: Mapping[str, np.ndarray] | None) -> None:
    """Raise CorpusError where the arrays of a track, or its stored coefficients, do not fit together."""
    frames = len(track.valid)
    expected: dict[str, tuple[int, ...]] = {
        "landmarks": (LANDMARKS, 3),
        "rotation": (3,),
        "translation": (3,),
        "blink": (),
    }
    arrays = {name: getattr(track, name) for name in expected}
    if expression is not None:
        if track.id not in expression:
            raise CorpusError(f"Clip '{track.id}' has no stored expression; use the option expression=fit.")
        expected["expression"], arrays["expression"] = (EXPRESSION_WIDTH,), expression[track.id]
    for name, shape in expected.items():
        if np.shape(arrays[name]) != (frames, *shape):
            raise CorpusError(f"Clip '{track.id}': {name} is {np.shape(arrays[name])}, expected {(frames, *shape)}.")
        if not np.isfinite(arrays[name]).all():
            raise CorpusError(f"Clip '{track.id}': {name} holds NaN or infinity; interpolate the invalid frames first.")
    for name, array in track.extras.items():
        if len(array) != frames or not np.isfinite(array).all():
            what = f"{name} is {np.shape(array)} or not finite"
            raise CorpusError(f"Clip '{track.id}': {what}; {frames} frames expected.")
    if len(track.audio) != frames:
        raise CorpusError(f"Clip '{track.id}': audio has {len(track.audio)} rows for {frames} frames.")
    if track.valid.any() and not (np.asarray(track.translation)[track.valid, 2] < 0).all():
        raise CorpusError(
            f"Clip '{track.id}': translation z must be negative (in front of the camera) in every valid frame; "
            "check the sign convention of the tracker."
        )
