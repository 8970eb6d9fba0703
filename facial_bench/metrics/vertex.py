"""The vertex family, on 3-D landmarks: LVE, MVE and FDD as talking-head papers define them on the vertices of a mesh.

Notation: C[t, k] is landmark k decoded from the real expression alone at zero pose, length unit; ^C the generated one;
lips = 48..67, upper face = brows and eyes 17..26 and 36..47. A mesh has thousands of vertices where we have 68
landmarks: numbers in papers that score meshes cannot be compared with these.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from facial_bench.core.geometry import MOUTH
from facial_bench.core.types import LANDMARKS, MetricSpec, Person, Sample

UPPER_FACE = (*range(17, 27), *range(36, 48))
"""Brows and eyes, iBUG order from 0."""


def vertex_metrics() -> tuple[MetricSpec, ...]:
    """The definitions of this family."""
    error = partial(
        MetricSpec,
        version=1,
        unit="cm",
        higher_is_better=False,
        family="lips",
        needs=("expression",),
        perturbations=("mouth amplitude", "time shift", "jitter", "smoothing"),
    )
    deviation = partial(error, perturbations=("mouth amplitude",))
    own = "ours, after CodeTalker's FDD: distance from the clip's own mean face, where the paper takes the square of "
    spread = "std_t |C[t,k] - mean_t C[t,k]| - std_t |^C[t,k] - mean_t ^C[t,k]|, k in 17..26 and 36..47, x, y and z"
    alone = "x, y and z; C is decoded from the expression alone, zero pose"
    mesh = "on 68 landmarks of a linear face, not on a mesh: not comparable with numbers in papers"
    return (
        error(
            id="lve",
            unit="cm²",
            meaning="squared distance of the worst lip point of a frame, head pose left out",
            formula=f"mean_t max_{{k in 48..67}} |^C[t,k] - C[t,k]|^2, {alone}",
            compute=lip_error,
            origin="MeshTalk (ICCV 2021), FaceFormer (CVPR 2022); torchmetrics lip_vertex_error",
            pitfalls=f"squared: cm², a thousandth of a paper's figure may be a unit; {mesh}",
            every_run=True,
        ),
        error(
            id="lve/rms",
            meaning="distance of the worst lip point of a frame, head pose left out",
            formula=f"mean_t max_{{k in 48..67}} |^C[t,k] - C[t,k]|, {alone}",
            compute=lambda s: np.sqrt(lip_error(s)),
            origin="the root of lve in each frame; printed by some as LVE",
            pitfalls=f"not the root of lve: the root is taken before the mean; {mesh}",
        ),
        error(
            id="mve",
            meaning="mean distance of all 68 points in 3-D, head pose left out",
            formula=f"mean_t mean_{{k in 0..67}} |^C[t,k] - C[t,k]|, {alone}",
            compute=lambda s: vertex_distance(s.reference_face, s.generated_face).mean(axis=1),
            origin="mean vertex error of mesh evaluations (MVE)",
            pitfalls=f"the still upper face dilutes the lips; {mesh}",
        ),
        deviation(
            id="fdd",
            meaning="whether brows and eyes move as much as the real ones",
            formula=f"mean_k abs({spread})",
            origin=f"{own}that from a template, and absolute, where the paper averages with signs",
            compute=lambda s: dynamics_deviation(s.reference_face, s.generated_face, s.valid),
            pitfalls="says how much the upper face moves, nothing of when; over few frames it is noise",
            every_run=True,
        ),
        deviation(
            id="fdd/signed",
            higher_is_better=None,
            meaning="as fdd, but above 0 where they move less and below where more",
            formula=f"mean_k ({spread})",
            compute=lambda s: dynamics_deviation(s.reference_face, s.generated_face, s.valid, signed=True),
            origin=f"{own}that from a template; averaged with signs, as the paper does",
            pitfalls="errors of opposite sign cancel: -0.18 on a clip where the absolute form says 0.85",
        ),
        deviation(
            id="fdd/codetalker",
            unit="cm²",
            higher_is_better=None,
            meaning="as fdd/signed, of squared distances from the neutral face",
            formula="mean_k (std_t |C[t,k] - N[k]|^2 - std_t |^C[t,k] - N[k]|^2), k in 17..26 and 36..47, x, y and z, "
            "valid t; N[k] is the mean of C[t,k] over the valid frames of the person's real training clips",
            compute=squared_deviation,
            prepare=neutral_face,
            origin="FDD of CodeTalker (CVPR 2023): standard deviation over time of the squared L2 norm of the "
            "displacement from the template, real minus generated; its template is a sculpted neutral mesh, ours the "
            "mean training face",
            pitfalls=f"errors of opposite sign cancel; cm²; {mesh}",
        ),
    )


def lip_error(sample: Sample) -> np.ndarray:
    """`lve`: (T,) largest squared distance over the lips in each frame, length unit squared."""
    return vertex_distance(sample.reference_face, sample.generated_face)[:, list(MOUTH)].max(axis=1) ** 2


def vertex_distance(reference: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """(T, 68) float64 L2 distances of 3-D landmarks (T, 68, 3), length unit.

    Raises:
        ValueError: Unequal lengths, or not (T, 68, 3).

    >>> round(float(vertex_distance(np.zeros((1, 68, 3)), np.full((1, 68, 3), 2.0))[0, 0] ** 2), 9)
    12.0
    """
    pair = _faces(reference, generated)
    return np.linalg.norm(pair[1] - pair[0], axis=2)


def dynamics_deviation(
    reference: np.ndarray, generated: np.ndarray, valid: np.ndarray, *, signed: bool = False
) -> np.float64:
    """`fdd`: () upper-face dynamics deviation, length unit: real minus generated where signed.

    The motion of a point is its distance from its own mean over the valid frames; its dynamics the (biased) standard
    deviation of that over time. `squared_deviation` is the form of the paper.

    Args:
        reference: (T, 68, 3) real face at zero pose, length unit.
        generated: (T, 68, 3) generated face at zero pose.
        valid: (T,) bool, the frames to score.
        signed: Average the differences with their signs.

    Returns:
        () float64; NaN with fewer than two valid frames.
    """
    valid = np.asarray(valid, dtype=bool)
    if valid.sum() < 2:
        return np.float64(np.nan)
    stds = []
    for face in _faces(reference, generated):
        moving = face[valid][:, list(UPPER_FACE)]
        stds.append(np.linalg.norm(moving - moving.mean(axis=0), axis=2).std(axis=0))
    difference = stds[0] - stds[1]
    return np.float64((difference if signed else np.abs(difference)).mean())


def neutral_face(person: Person) -> np.ndarray:
    """(68, 3) mean over the valid frames of the person's real training clips, zero pose, length unit; NaN without."""
    frames = np.concatenate([sample.reference_face[sample.valid] for sample in person.training])
    return frames.mean(axis=0) if len(frames) else np.full((LANDMARKS, 3), np.nan)


def squared_deviation(sample: Sample, neutral: np.ndarray) -> np.float64:
    """`fdd/codetalker`: () real minus generated, length unit squared, of the (biased) standard deviation over time of
    a point's squared distance from the neutral face (68, 3), averaged over brows and eyes; NaN with fewer than two
    valid frames.

    Raises:
        ValueError: Unequal lengths, or not (T, 68, 3).
    """
    valid, points = np.asarray(sample.valid, dtype=bool), list(UPPER_FACE)
    if valid.sum() < 2:
        return np.float64(np.nan)
    pair = (face[valid][:, points] for face in _faces(sample.reference_face, sample.generated_face))
    stds = [((face - neutral[points]) ** 2).sum(axis=2).std(axis=0) for face in pair]
    return np.float64((stds[0] - stds[1]).mean())


def _faces(reference: np.ndarray, generated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pair = np.asarray(reference, dtype=np.float64), np.asarray(generated, dtype=np.float64)
    if pair[0].shape != pair[1].shape or pair[0].ndim != 3 or pair[0].shape[1:] != (LANDMARKS, 3):
        raise ValueError(f"faces are {pair[0].shape} and {pair[1].shape}, expected two of (T, {LANDMARKS}, 3)")
    return pair
