"""Landmark distances, the definitions: each form that is called LMD or LVD somewhere has an id of its own.

Notation as in `landmark_distances`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from facial_bench.core.geometry import MOUTH
from facial_bench.core.types import MetricSpec, Sample
from facial_bench.metrics import landmark_distances as distances
from facial_bench.metrics.landmark_distances import FACE
from facial_bench.metrics.time_warp import BAND_SECONDS, warped_distance


def landmark_metrics() -> tuple[MetricSpec, ...]:
    """The definitions of this family; the first is the protocol's own."""
    distance = partial(
        MetricSpec,
        version=1,
        higher_is_better=False,
        family="lips",
        needs=("landmarks",),
        perturbations=("mouth amplitude", "time shift", "jitter", "smoothing"),
    )
    velocity = partial(distance, unit="px/frame", perturbations=("mouth amplitude", "jitter"))
    pixels = "pixels: doubles with the size of the image"
    pose = f"no alignment: measures head pose more than lips; {pixels}"
    whole = "the still part of the face dilutes the lips"
    return (
        distance(
            id="lmd",
            unit="eye distances",
            meaning="how far the lips are from the real ones, once nose and eyes are aligned",
            formula="mean_t mean_{k in 48..67} |A_t(^L[t,k]) - L[t,k]| / median_{valid t} |L[t,45] - L[t,36]|, x and "
            "y; A_t is the least-squares similarity (no reflection) of ^L[t] on L[t] over k in 27..47",
            compute=lambda s: distances.aligned_distance(s.reference_landmarks, s.generated_landmarks, s.valid),
            origin="facial-bench's own",
            pitfalls="the similarity takes out a rotation of the head, not what turning hides",
            every_run=True,
            ranked=True,
        ),
        distance(
            id="lmd/canonical",
            unit="eye distances",
            meaning="how far the lips are from the real ones, head pose left out",
            formula="mean_t mean_{k in 48..67} |^C[t,k] - C[t,k]| / median_{valid t} |C[t,45] - C[t,36]|, x and y; C "
            "is decoded from the expression alone, zero pose, on the reference identity's training mean",
            compute=lambda s: distances.canonical_distance(s.reference_face, s.generated_face, s.valid),
            origin="facial-bench's own",
            pitfalls="needs expression coefficients: pixels have none",
            needs=("expression",),
            every_run=True,
            ranked=True,
        ),
        distance(
            id="lmd/canonical-3d",
            unit="eye distances",
            meaning="how far the lips are from the real ones in depth too, head pose left out",
            formula="as lmd/canonical with |.| over x, y and z in the numerator",
            compute=lambda s: distances.canonical_distance(s.reference_face, s.generated_face, s.valid, axes=3),
            origin="facial-bench's own",
            pitfalls="depth of tracked landmarks is a guess of the tracker's",
            needs=("expression",),
        ),
        distance(
            id="lmd/dtw",
            unit="eye distances",
            meaning="how far the lips are from the real ones, a little lateness forgiven",
            formula="mean over t, in runs of scored frames, of the cost of the cheapest monotone path of pairs (s, t) "
            "from the first pair of the run to its last by steps (1,0), (0,1), (1,1), with |s - t| <= "
            f"{BAND_SECONDS:g} s: sum w d(s,t) / sum w, w = 2 for a step (1,1) and the first pair, else 1; d(s,t) = "
            "mean_{k in 48..67} |A_{s,t}(^L[s,k]) - L[t,k]| / median_{valid t} |L[t,45] - L[t,36]|, x and y; A_{s,t} "
            "is the least-squares similarity (no reflection) of ^L[s] on L[t] over k in 27..47",
            compute=lambda s: warped_distance(s.reference_landmarks, s.generated_landmarks, s.valid, s.fps),
            origin="after Temporally-Aligned Evaluation (arXiv 2606.01031), which takes soft-DTW: that can be "
            "negative, so it is no distance; ours is plain DTW in the symmetric form of Sakoe and Chiba (1978)",
            pitfalls=f"forgives a mouth that is up to {BAND_SECONDS:g} s late or early, and one that comes and goes: "
            "read it beside mouth_lag, which says how late; never above lmd",
            perturbations=("mouth amplitude", "jitter", "smoothing"),
            every_run=True,
        ),
        distance(
            id="lmd/atvg",
            unit="px",
            meaning="distance of the lips centred on their mean, summed over the 20 points",
            formula="mean_t sum_{k in 48..67} |(^L[t,k] - ^m_t) - (L[t,k] - m_t)|, x and y; m_t is the mean over k in "
            "48..67",
            compute=_summed_over_lips,
            origin="LMD of ATVGnet (CVPR 2019) and of many tables that cite it",
            pitfalls=f"a SUM over 20 points, which some divide by 68; {pixels}",
        ),
        distance(
            id="lmd/centred-mouth",
            unit="px",
            meaning="distance of the lips centred on their mean",
            formula="mean_t mean_{k in 48..67} |(^L[t,k] - ^m_t) - (L[t,k] - m_t)|, x and y; m_t is the mean over k in "
            "48..67",
            compute=_on_pixels(distances.centred_distance, MOUTH),
            origin="the mean form of lmd/atvg",
            pitfalls=f"turning and leaning of the head stay in; {pixels}",
        ),
        distance(
            id="lmd/centred-face",
            unit="px",
            meaning="distance of all 68 points centred on their mean",
            formula="mean_t mean_{k in 0..67} |(^L[t,k] - ^m_t) - (L[t,k] - m_t)|, x and y; m_t is the mean over k in "
            "0..67",
            compute=_on_pixels(distances.centred_distance, FACE),
            origin="F-LMD, beside M-LMD",
            pitfalls=f"{whole}; head rotation stays in; {pixels}",
        ),
        distance(
            id="lmd/raw-mouth",
            unit="px",
            meaning="distance of the lips in the picture, head motion and all",
            formula="mean_t mean_{k in 48..67} |^L[t,k] - L[t,k]|, x and y, no alignment",
            compute=_on_pixels(distances.raw_distance, MOUTH),
            origin="landmark distance (Chen et al., ECCV 2018) without alignment",
            pitfalls=pose,
        ),
        distance(
            id="lmd/raw-face",
            unit="px",
            meaning="distance of all 68 points in the picture, head motion and all",
            formula="mean_t mean_{k in 0..67} |^L[t,k] - L[t,k]|, x and y, no alignment",
            compute=_on_pixels(distances.raw_distance, FACE),
            origin="F-LD without alignment",
            pitfalls=f"{whole}; {pose}",
        ),
        distance(
            id="lmd/l1",
            unit="px",
            meaning="absolute difference of the coordinates of all 68 points in the picture",
            formula="mean_t mean_{k in 0..67} mean_{x,y} abs(^L[t,k] - L[t,k]), no alignment",
            compute=lambda s: distances.absolute_difference(s.reference_landmarks, s.generated_landmarks),
            origin="mean absolute error of landmarks",
            pitfalls=f"{whole}; {pose}",
        ),
        distance(
            id="lmd/unit",
            unit="image sizes",
            meaning="distance of all 68 points in widths and heights of the image",
            formula="mean_t mean_{k in 0..67} |^L[t,k] - L[t,k]| with x divided by the image's width and y by its "
            "height",
            compute=lambda s: distances.unit_distance(s.reference_landmarks, s.generated_landmarks, s.camera),
            origin="landmarks of detectors that give 0..1",
            pitfalls=f"{whole}; x and y weigh differently unless square",
        ),
        distance(
            id="lmd/iod",
            unit="eye distances",
            meaning="distance of all 68 points in eye distances of each frame",
            formula="mean_t mean_{k in 0..67} |^L[t,k] - L[t,k]| / |L[t,45] - L[t,36]|, x and y, no alignment",
            compute=lambda s: distances.eye_normalised_distance(s.reference_landmarks, s.generated_landmarks),
            origin="normalised mean error (NME)",
            pitfalls=f"{whole}; no alignment: measures head pose; a face that turns away has a small eye distance and "
            "a large error",
        ),
        velocity(
            id="lvd/vector",
            meaning="how far the velocities of all 68 points are from the real ones",
            formula="mean_{t>0} mean_{k in 0..67} |(^L[t,k] - ^L[t-1,k]) - (L[t,k] - L[t-1,k])|, x and y; t and t-1 "
            "valid",
            compute=lambda s: distances.velocity_distance(s.reference_landmarks, s.generated_landmarks, s.valid),
            origin="LVD as the velocity's difference",
            pitfalls=f"mostly head motion; jitter doubles it; {pixels}",
            every_run=True,
        ),
        velocity(
            id="lvd/speed",
            meaning="how far the speeds of all 68 points are from the real ones",
            formula="mean_{t>0} sum_{k in 0..67} abs(|^L[t,k] - ^L[t-1,k]| - |L[t,k] - L[t-1,k]|), x and y; t and t-1 "
            "valid",
            compute=lambda s: distances.speed_distance(s.reference_landmarks, s.generated_landmarks, s.valid),
            origin="LVD as the speed's difference",
            pitfalls=f"blind to direction; a SUM over 68 points; {pixels}",
        ),
    )


def _on_pixels(
    function: Callable[[np.ndarray, np.ndarray, Sequence[int]], np.ndarray], points: Sequence[int]
) -> Callable[[Sample], np.ndarray]:
    return lambda sample: function(sample.reference_landmarks, sample.generated_landmarks, points)


def _summed_over_lips(sample: Sample) -> np.ndarray:
    return len(MOUTH) * distances.centred_distance(sample.reference_landmarks, sample.generated_landmarks, MOUTH)
