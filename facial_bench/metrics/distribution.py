"""Distributions of windows: Frechet distances on two named feature spaces, and the copying index.

A window is 128 frames, one every 16, that hold valid frames only: those of the protocol's classifiers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.spatial.distance import cdist

from facial_bench.core.geometry import MOUTH, outer_eye_distance
from facial_bench.core.types import Items, MetricSpec, Motion, Person, Sample
from facial_bench.core.windows import window_starts
from facial_bench.metrics.pools import frechet_pool, mean_pool
from facial_bench.metrics.sync import lip_gap

WINDOW, STRIDE = 128, 16
TRAINING_STRIDE = 4
"""Hop of the training windows that a copy is looked for among, frames."""
POSE_FEATURES = 6
MOUTH_FEATURES = 5


def distribution_metrics() -> tuple[MetricSpec, ...]:
    """The definitions of this family."""
    window = f"windows of {WINDOW} valid frames, one every {STRIDE}"
    gaussian = (
        f"mean over people of |m - m'|^2 + tr(S + S' - 2 (S S')^1/2) of {window}, against the person's real held-out "
        "motion; S unbiased; more windows than dimensions on both sides; features of a window: "
    )
    pose = "standard deviation of pitch, yaw, roll, and ten times the mean absolute frame difference of each, degrees"
    mouth = (
        "mean, standard deviation and ten times the mean absolute frame difference of the opening |C[62] - C[66]|, "
        "mean and standard deviation of the width |C[48] - C[54]|, in percent of the real outer-eye distance; C "
        "decoded from the expression alone at zero pose"
    )
    frechet = partial(
        MetricSpec,
        version=1,
        higher_is_better=False,
        origin="Frechet distance of Gaussians (Dowson and Landau 1982), as in FID (2017), on our own features",
        pitfalls="a number of this feature space and no other; few, overlapping windows bias it upwards: read the "
        "ceiling",
        every_run=True,
    )
    return (
        frechet(
            id="frechet/pose",
            unit="degrees²",
            meaning="how far the distribution of head motion is from the person's",
            formula=f"{gaussian}{pose} (d = {POSE_FEATURES})",
            compute=pose_windows,
            pool=frechet_pool(POSE_FEATURES),
            family="head",
            needs=("pose",),
            perturbations=("head amplitude", "jitter"),
        ),
        frechet(
            id="frechet/mouth",
            unit="(% of eye distance)²",
            meaning="how far the distribution of mouth motion is from the person's",
            formula=f"{gaussian}{mouth} (d = {MOUTH_FEATURES})",
            compute=mouth_windows,
            pool=frechet_pool(MOUTH_FEATURES),
            family="lips",
            needs=("expression",),
            perturbations=("mouth amplitude", "jitter"),
        ),
        MetricSpec(
            id="copying_index",
            version=1,
            unit="share",
            higher_is_better=None,
            meaning="whether the motion is nearer to training motion than new real motion is",
            formula=f"mean over people and generated {window} of P(d < d') + P(d = d') / 2 over the person's real "
            "held-out windows; d the distance to the nearest of the person's training windows (one every "
            f"{TRAINING_STRIDE}), d' that of a real held-out window; distance: L2 of pose and blink, each divided by "
            "its training standard deviation and centred in the window",
            compute=copying,
            pool=mean_pool(),
            prepare=nearness,
            origin="nearest-neighbour copying tests of generative models (Meehan et al. 2020), per window",
            pitfalls="0.5 is as near as real motion; slow or small motion is near to something too: 1 proves no copy",
            family="people",
            needs=("pose", "blink"),
            every_run=True,
            perturbations=("jitter",),
        ),
    )


def windows_of(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(T, C) -> (W, 128, C), the windows that begin at `starts`."""
    return values[starts[:, None] + np.arange(WINDOW)]


def pose_windows(sample: Sample) -> Items:
    """`frechet/pose`: (W, 6), how wide and how fast the head turns in each window, degrees."""
    starts = window_starts(sample.valid, WINDOW, STRIDE)
    turned = windows_of(np.degrees(np.unwrap(sample.generated.pose[:, :3], axis=0)), starts)
    speed = np.abs(np.diff(turned, axis=1)).mean(axis=1)
    return Items(starts, np.concatenate([turned.std(axis=1), 10 * speed], axis=1))


def mouth_windows(sample: Sample) -> Items:
    """`frechet/mouth`: (W, 5), how open, how wide and how fast the mouth is in each window, % of eye distance."""
    starts = window_starts(sample.valid, WINDOW, STRIDE)
    if not len(starts):
        return Items(starts, np.zeros((0, MOUTH_FEATURES)))
    face, left, right = sample.generated_face, MOUTH[0], MOUTH[6]
    shape = np.stack([lip_gap(face), np.linalg.norm(face[:, left] - face[:, right], axis=1)], axis=1)
    shape *= 100 / np.median(outer_eye_distance(sample.reference_face)[sample.valid])
    windows = windows_of(shape, starts)
    speed = 10 * np.abs(np.diff(windows[..., :1], axis=1)).mean(axis=1)
    return Items(starts, np.concatenate([windows.mean(axis=1), windows.std(axis=1), speed], axis=1))


@dataclass(frozen=True, eq=False)
class Nearness:
    """What copies are looked for with: the training windows of a person, and how near real held-out windows come."""

    scale: np.ndarray
    """(7,) training standard deviation of pose and blink."""
    training: np.ndarray
    """(N, 128 * 7) float64 training windows."""
    real: np.ndarray
    """(M,) increasing distances of real held-out windows to the nearest training window."""


def nearness(person: Person) -> Nearness:
    """The reference of `copying_index`; without windows where all of the person's clips are too short for one."""
    frames = np.concatenate([_signal(sample.reference)[sample.valid] for sample in person.training])
    scale = np.where(frames.std(axis=0) > 0, frames.std(axis=0), 1.0)
    training = np.concatenate(
        [
            _centred(sample.reference, window_starts(sample.valid, WINDOW, TRAINING_STRIDE), scale)
            for sample in person.training
        ]
    )
    held = np.concatenate(
        [_centred(sample.reference, window_starts(sample.valid, WINDOW, STRIDE), scale) for sample in person.test]
    )
    return Nearness(scale, training, np.sort(_nearest(held, training)))


def copying(sample: Sample, nearness: Nearness) -> Items:
    """`copying_index`: for each generated window the share of real held-out windows farther from the training ones."""
    starts = window_starts(sample.valid, WINDOW, STRIDE)
    if not len(nearness.training) or not len(nearness.real):
        return Items(starts[:0], np.zeros(0))
    distances = _nearest(_centred(sample.generated, starts, nearness.scale), nearness.training)
    first = np.searchsorted(nearness.real, distances, side="left")
    last = np.searchsorted(nearness.real, distances, side="right")
    return Items(starts, 1 - (first + last) / 2 / len(nearness.real))


def _nearest(windows: np.ndarray, training: np.ndarray) -> np.ndarray:
    return cdist(windows, training).min(axis=1) if len(windows) and len(training) else np.zeros(0)


def _signal(motion: Motion) -> np.ndarray:
    return np.concatenate([motion.pose, motion.blink[:, None]], axis=1)


def _centred(motion: Motion, starts: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(W, 128 * 7) windows, standardised and centred."""
    windows = windows_of(_signal(motion) / scale, starts)
    return (windows - windows.mean(axis=1, keepdims=True)).reshape(len(starts), WINDOW * len(scale))
