"""The linear face model of a corpus, fitted to tracked landmarks of its training frames.

A face in the head's frame is neutral(identity) + expression @ basis, in the tracks' length unit. Shapes are
frontalised landmarks (pose, position and size undone frame by frame); the basis is their orthonormal PCA, or,
where coefficients of some 3DMM come with the tracks, their ridge regression on those coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from facial_bench.core.errors import CorpusError
from facial_bench.core.geometry import FLIP, RIGID, frontalise, rotation_matrices
from facial_bench.core.types import EXPRESSION_WIDTH, LANDMARKS, Clip, FaceModel, Motion
from facial_bench.corpora.split import Split
from facial_bench.corpora.track import Track, check_track

FIT_FRAMES = 50_000
"""Training frames that a model is fitted on; of a corpus with more, every second, third ... one is taken."""
_RIDGE = 1e-3
"""Ridge penalty of the regression on stored coefficients, as a share of their mean variance."""


@dataclass(frozen=True, eq=False)
class _Training:
    """What the fit needs of one track: n of its valid training frames."""

    identity: str
    shapes: np.ndarray
    """(n, 68, 3) frontalised landmarks of unit size."""
    sizes: np.ndarray
    """(n,) RMS radius of nose and eyes, length unit."""
    turned: np.ndarray
    """(n * 2, 3) the first two rows of each rotation matrix."""
    seen: np.ndarray
    """(n * 2,) where the centroid of nose and eyes is seen, relative to the translation, length unit."""
    expression: np.ndarray
    """(n, 64) stored coefficients; (n, 0) where none come with the tracks."""


def corpus_from_tracks(
    tracks: Sequence[Track], split: Split, expression: Mapping[str, np.ndarray] | None = None
) -> tuple[FaceModel, Iterator[Clip]]:
    """Fit the face model to the valid training frames and express every clip in it.

    Size and position of an identity's head are constants of that identity: the size is the median, over its
    training frames, of the landmarks' RMS radius in pixels * depth / focal length; the position (of the centroid
    of nose and eyes in the head's frame) is the least-squares one that makes `core.geometry.project` land on the
    landmarks. So clips carry no trace of test frames but in their own coefficients.

    Args:
        tracks: The clips, all at the protocol's rate. Each is asked for twice, one at a time: a sequence that reads
            them from files needs memory for one clip, and for FIT_FRAMES frames to fit.
        split: Its training part is what the model is fitted on.
        expression: clip id -> (T, 64) coefficients to keep (less the identity's training mean) instead of PCA.

    Returns:
        The model, and the clips, one a track, in order, each made when it is asked for.

    Raises:
        CorpusError: An identity has no valid training frame, or a clip's arrays do not fit together.
    """
    every = max(1, math.ceil(sum(segment.frames for segment in split.train) / FIT_FRAMES))
    with threadpool_limits(limits=1):  # sums in another order would be another corpus, with another digest
        parts = [_training(track, split, every, expression) for track in tracks]
        people: dict[str, list[_Training]] = {}
        for part in parts:
            people.setdefault(part.identity, []).append(part)
        heads = {who: _head(who, own) for who, own in people.items()}
        faces = [part.shapes * heads[part.identity][0] + heads[part.identity][1] for part in parts]
        neutral = {
            who: np.concatenate([face for face, part in zip(faces, parts, strict=True) if part.identity == who]).mean(
                axis=0, dtype=np.float64
            )
            for who in people
        }
        centred = [(f - neutral[p.identity]).reshape(-1, LANDMARKS * 3) for f, p in zip(faces, parts, strict=True)]
        means: dict[str, np.ndarray] = {}
        if expression is None:
            basis = principal_directions(np.concatenate(centred))
        else:
            means = {
                who: np.concatenate([part.expression for part in own]).mean(axis=0, dtype=np.float64)
                for who, own in people.items()
            }
            known = np.concatenate([part.expression.astype(np.float64) - means[part.identity] for part in parts])
            basis = ridge_directions(known, np.concatenate(centred))
    model = FaceModel(
        mean=np.mean(list(neutral.values()), axis=0).astype(np.float32),
        basis=basis.reshape(EXPRESSION_WIDTH, LANDMARKS, 3).astype(np.float32),
        neutral={who: shape.astype(np.float32) for who, shape in neutral.items()},
    )

    def clips() -> Iterator[Clip]:
        for track in tracks:
            with threadpool_limits(limits=1):
                if expression is not None:
                    coefficients = np.asarray(expression[track.id], np.float64) - means[track.identity]
                else:
                    size, position = heads[track.identity]
                    face = frontalise(track.landmarks, track.rotation)[0] * size + position
                    coefficients = (face - neutral[track.identity]).reshape(-1, LANDMARKS * 3) @ basis.T
            yield _clip(track, coefficients)

    return model, clips()


def _training(track: Track, split: Split, every: int, expression: Mapping[str, np.ndarray] | None) -> _Training:
    check_track(track, expression)
    training = np.zeros(len(track.valid), dtype=bool)
    for segment in split.train:
        if segment.clip == track.id:
            training[segment.start : segment.stop] = True
    chosen = np.flatnonzero(training & track.valid)[::every]
    landmarks = track.landmarks[chosen]
    shapes, radius = frontalise(landmarks, track.rotation[chosen])
    depth = -track.translation[chosen, 2].astype(np.float64)
    centre = np.array([track.camera.width / 2, track.camera.height / 2])
    centroid = landmarks[:, list(RIGID), :2].mean(axis=1) - centre
    seen = centroid * FLIP[:2] * depth[:, None] / track.camera.focal
    return _Training(
        track.identity,
        shapes,
        radius * depth / track.camera.focal,
        rotation_matrices(track.rotation[chosen])[:, :2].reshape(-1, 3),
        (seen - track.translation[chosen, :2]).reshape(-1),
        np.empty((len(chosen), 0)) if expression is None else np.asarray(expression[track.id])[chosen],
    )


def _head(who: str, own: Sequence[_Training]) -> tuple[float, np.ndarray]:
    """Size (RMS radius of nose and eyes) and position (3,) of their centroid in the head's frame, length unit."""
    sizes = np.concatenate([part.sizes for part in own])
    if not len(sizes):
        raise CorpusError(
            f"Identity '{who}' has no training frame with a face in it, so its neutral face is unknown; "
            "add a longer clip of this person or leave the person out."
        )
    turned, seen = np.concatenate([part.turned for part in own]), np.concatenate([part.seen for part in own])
    return float(np.median(sizes)), np.linalg.lstsq(turned, seen, rcond=None)[0]


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


def _clip(track: Track, expression: np.ndarray) -> Clip:
    pose = np.concatenate([track.rotation, track.translation], axis=1)
    return Clip(
        id=track.id,
        identity=track.identity,
        recording=track.recording,
        audio=np.asarray(track.audio, np.float32),
        motion=Motion(expression.astype(np.float32), pose.astype(np.float32), np.asarray(track.blink, np.float32)),
        landmarks=np.asarray(track.landmarks, np.float32),
        valid=np.asarray(track.valid, bool),
        camera=track.camera,
        extras={name: np.asarray(array, np.float32) for name, array in track.extras.items()},
    )
