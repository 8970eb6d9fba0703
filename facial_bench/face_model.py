"""The linear face model of a corpus, fitted to tracked landmarks of its training frames.

A face in the head's frame is neutral(identity) + expression @ basis, in the tracks' length unit. Shapes are
frontalised landmarks (pose, position and size undone frame by frame); the basis is their orthonormal PCA, or,
where coefficients of some 3DMM come with the tracks, their ridge regression on those coefficients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from facial_bench.errors import CorpusError
from facial_bench.geometry import FLIP, RIGID, frontalise, rotation_matrices
from facial_bench.split import Split
from facial_bench.types import EXPRESSION_WIDTH, LANDMARKS, Camera, Clip, FaceModel, Motion

_RIDGE = 1e-3
"""Ridge penalty of the regression on stored coefficients, as a share of their mean variance."""


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


@threadpool_limits.wrap(limits=1)  # sums in another order would be another corpus, with another digest
def corpus_from_tracks(
    tracks: Sequence[Track], split: Split, expression: Mapping[str, np.ndarray] | None = None
) -> tuple[FaceModel, list[Clip]]:
    """Fit the face model to the valid training frames and express every clip in it.

    Size and position of an identity's head are constants of that identity: the size is the median, over its
    training frames, of the landmarks' RMS radius in pixels * depth / focal length; the position (of the centroid
    of nose and eyes in the head's frame) is the least-squares one that makes `geometry.project` land on the
    landmarks. So clips carry no trace of test frames but in their own coefficients.

    Args:
        tracks: The clips, all at the protocol's rate.
        split: Its training part is what the model is fitted on.
        expression: clip id -> (T, 64) coefficients to keep (less the identity's training mean) instead of PCA.

    Returns:
        The model, and one clip a track, in order.

    Raises:
        CorpusError: An identity has no valid training frame, or a clip's arrays do not fit together.
    """
    for track in tracks:
        _check(track, expression)
    training = {track.id: np.zeros(len(track.valid), dtype=bool) for track in tracks}
    for segment in split.train:
        training[segment.clip][segment.start : segment.stop] = True
    training = {track.id: training[track.id] & track.valid for track in tracks}

    frontal = {track.id: frontalise(track.landmarks, track.rotation) for track in tracks}
    people: dict[str, list[Track]] = {}
    for track in tracks:
        people.setdefault(track.identity, []).append(track)
    faces: dict[str, np.ndarray] = {}
    for identity, own in people.items():
        if not any(training[track.id].any() for track in own):
            raise CorpusError(
                f"Identity '{identity}' has no training frame with a face in it, so its neutral face is unknown; "
                "add a longer clip of this person or leave the person out."
            )
        size, position = _head(own, training, {track.id: frontal[track.id][1] for track in own})
        faces.update({track.id: frontal[track.id][0] * size + position for track in own})

    neutral = {who: _training_mean(own, training, faces) for who, own in people.items()}
    centred = {t.id: (faces[t.id] - neutral[t.identity]).reshape(-1, LANDMARKS * 3) for t in tracks}
    samples = np.concatenate([centred[track.id][training[track.id]] for track in tracks])
    if expression is None:
        basis = principal_directions(samples)
        coefficients = {track.id: centred[track.id] @ basis.T for track in tracks}
    else:
        means = {who: _training_mean(own, training, expression) for who, own in people.items()}
        coefficients = {t.id: np.asarray(expression[t.id], np.float64) - means[t.identity] for t in tracks}
        known = np.concatenate([coefficients[track.id][training[track.id]] for track in tracks])
        basis = ridge_directions(known, samples)
    model = FaceModel(
        mean=np.mean(list(neutral.values()), axis=0).astype(np.float32),
        basis=basis.reshape(EXPRESSION_WIDTH, LANDMARKS, 3).astype(np.float32),
        neutral={who: shape.astype(np.float32) for who, shape in neutral.items()},
    )
    return model, [_clip(track, coefficients[track.id]) for track in tracks]


def principal_directions(samples: np.ndarray) -> np.ndarray:
    """(N, 204) centred shapes -> (64, 204) float64: orthonormal PCA directions, largest variance first.

    The sign of each direction is fixed by making its largest entry positive. With fewer than 64 dimensions of
    variance the rest of the directions are orthonormal too, and no shape uses them.
    """
    # Eigenvectors of the 204 x 204 Gram matrix are the right singular vectors, in a fraction of an SVD's time.
    directions = np.linalg.eigh(samples.T @ samples)[1][:, ::-1].T[:EXPRESSION_WIDTH]
    largest = np.abs(directions).argmax(axis=1)
    return directions * np.sign(directions[np.arange(len(directions)), largest])[:, None]


def ridge_directions(coefficients: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """(N, 64) centred coefficients and (N, 204) centred shapes -> (64, 204): argmin |S - C B|^2 + k |B|^2.

    k is 0.001 of the coefficients' mean sum of squares, which keeps the solution finite where coefficients are
    collinear or constant and moves the others by about a thousandth.
    """
    gram = coefficients.T @ coefficients
    penalty = _RIDGE * np.trace(gram) / len(gram)
    if not penalty > 0:
        raise CorpusError(
            "The stored expression coefficients do not vary over the training frames; use the option expression=fit."
        )
    return np.linalg.solve(gram + penalty * np.eye(len(gram)), coefficients.T @ samples)


def _check(track: Track, expression: Mapping[str, np.ndarray] | None) -> None:
    frames = len(track.valid)
    expected = {"landmarks": (LANDMARKS, 3), "rotation": (3,), "translation": (3,), "blink": ()}
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
    if len(track.audio) != frames:
        raise CorpusError(f"Clip '{track.id}': audio has {len(track.audio)} rows for {frames} frames.")
    if track.valid.any() and not (np.asarray(track.translation)[track.valid, 2] < 0).all():
        raise CorpusError(
            f"Clip '{track.id}': translation z must be negative (in front of the camera) in every valid frame; "
            "check the sign convention of the tracker."
        )


def _head(own: Sequence[Track], training: Mapping[str, np.ndarray], radius: Mapping[str, np.ndarray]):
    """Size (RMS radius of nose and eyes) and position (3,) of their centroid in the head's frame, length unit."""
    sizes, rows, values = [], [], []
    for track in own:
        chosen = training[track.id]
        depth = -track.translation[chosen, 2].astype(np.float64)
        sizes.append(radius[track.id][chosen] * depth / track.camera.focal)
        centre = np.array([track.camera.width / 2, track.camera.height / 2])
        centroid = track.landmarks[chosen][:, list(RIGID), :2].mean(axis=1) - centre
        seen = centroid * FLIP[:2] * depth[:, None] / track.camera.focal
        rows.append(rotation_matrices(track.rotation[chosen])[:, :2].reshape(-1, 3))
        values.append((seen - track.translation[chosen, :2]).reshape(-1))
    position = np.linalg.lstsq(np.concatenate(rows), np.concatenate(values), rcond=None)[0]
    return float(np.median(np.concatenate(sizes))), position


def _training_mean(own: Sequence[Track], training: Mapping[str, np.ndarray], arrays: Mapping[str, np.ndarray]):
    """Mean of an array over the valid training frames of one person."""
    return np.concatenate([arrays[track.id][training[track.id]] for track in own]).mean(axis=0, dtype=np.float64)


def _clip(track: Track, expression: np.ndarray) -> Clip:
    pose = np.concatenate([track.rotation, track.translation], axis=1)
    return Clip(
        id=track.id, identity=track.identity, recording=track.recording,
        audio=np.asarray(track.audio, np.float32),
        motion=Motion(expression.astype(np.float32), pose.astype(np.float32), np.asarray(track.blink, np.float32)),
        landmarks=np.asarray(track.landmarks, np.float32), valid=np.asarray(track.valid, bool), camera=track.camera,
    )  # fmt: skip
