"""What a tracker found in the frames of one shot, checked and brought to the protocol's rate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facial_bench.core.errors import CorpusError
from facial_bench.core.types import LANDMARKS, Face
from facial_bench.corpora.resample_tracks import Tracked, resample_tracks


def resample_faces(times: Sequence[float], faces: Sequence[Face | None], fps: float) -> Tracked:
    """The faces found at some times, at the rate `fps`; see `resample_tracks`.

    Args:
        times: n, seconds, increasing, of any spacing.
        faces: n, None where no face was found.
        fps: The rate to bring them to.

    Raises:
        CorpusError: no face in any frame, or a face that is not what a tracker should give.
    """
    visible = np.array([face is not None for face in faces], dtype=bool)
    if not visible.any():
        raise CorpusError("no face was found in any frame")
    raw = _stack([face for face in faces if face is not None])
    spread = {name: np.zeros((len(faces), *array.shape[1:])) for name, array in raw.items()}
    for name, array in raw.items():
        spread[name][visible] = array
    return resample_tracks(np.asarray(times, np.float64), visible, spread, fps)


def _stack(faces: Sequence[Face]) -> dict[str, np.ndarray]:
    """name -> (n, ...) float64 of all faces."""
    shapes = {"landmarks": (LANDMARKS, 3), "rotation": (3,), "translation": (3,), "blink": ()}
    try:
        raw = {name: np.array([getattr(face, name) for face in faces], dtype=np.float64) for name in shapes}
        raw |= {name: np.array([face.extras[name] for face in faces], np.float64) for name in faces[0].extras}
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise CorpusError(f"the tracker's faces do not fit together ({type(problem).__name__}: {problem})") from None
    for name, array in raw.items():
        if array.shape[1:] != shapes.get(name, array.shape[1:]):
            raise CorpusError(f"the tracker's {name} is {array.shape[1:]}, expected {shapes[name]}")
        if not np.isfinite(array).all():
            raise CorpusError(f"the tracker's {name} holds NaN or infinities")
    if not (raw["translation"][:, 2] < 0).all():
        raise CorpusError("the tracker's translation z is not negative, as it is in front of the camera")
    return raw
