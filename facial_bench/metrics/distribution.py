"""Distributions of windows: Frechet distances on two named feature spaces, and the copying index.

A window is 128 frames, one every 16, that hold valid frames only: those of the protocol's classifiers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from facial_bench.core.geometry import MOUTH, outer_eye_distance
from facial_bench.core.types import Items, MetricSpec, Motion, Person, Sample
from facial_bench.core.windows import window_starts
from facial_bench.metrics.pools import frechet_pool, mean_pool
from facial_bench.metrics.sync import mouth_opening

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

    def frechet(id_: str, unit: str, features: str, width: int, compute: Callable[[Sample], Items]) -> MetricSpec:
        return MetricSpec(
            id_,
            1,
            unit,
            False,
            f"{gaussian}{features} (d = {width})",
            compute,
            frechet_pool(width),
            origin="Frechet distance of Gaussians (Dowson and Landau 1982), as in FID (2017), on our own features",
            pitfalls="a number of this feature space and no other; few, overlapping windows bias it upwards: read the "
            "ceiling",
        )

    pose = "standard deviation of pitch, yaw, roll, and ten times the mean absolute frame difference of each, degrees"
    mouth = (
        "mean, standard deviation and ten times the mean absolute frame difference of the opening |C[62] - C[66]|, "
        "mean and standard deviation of the width |C[48] - C[54]|, in percent of the real outer-eye distance; C "
        "decoded from the expression alone at zero pose"
    )
    return (
        frechet("frechet/pose", "degrees²", pose, POSE_FEATURES, pose_windows),
        frechet("frechet/mouth", "(% of eye distance)²", mouth, MOUTH_FEATURES, mouth_windows),
        MetricSpec(
            "copying_index",
            1,
            "share",
            None,
            f"mean over people and generated {window} of P(d < d') + P(d = d') / 2 over the person's real held-out "
            "windows; d the distance to the nearest of the person's training windows (one every "
            f"{TRAINING_STRIDE}), d' that of a real held-out window; distance: L2 of pose and blink, each divided by "
            "its training standard deviation and centred in the window",
            copying,
            mean_pool(),
            nearness,
            origin="nearest-neighbour copying tests of generative models (Meehan et al. 2020), per window",
            pitfalls="0.5 is as near as real motion; slow or small motion is near to something too: 1 proves no copy",
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
    shape = np.stack([mouth_opening(face), np.linalg.norm(face[:, left] - face[:, right], axis=1)], axis=1)
    shape *= 100 / np.median(outer_eye_distance(sample.reference_face)[sample.valid])
    found = windows_of(shape, starts)
    speed = 10 * np.abs(np.diff(found[..., :1], axis=1)).mean(axis=1)
    return Items(starts, np.concatenate([found.mean(axis=1), found.std(axis=1), speed], axis=1))


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
    """The reference of `copying_index`.

    Raises:
        ValueError: The person has no training window, or no held-out one.
    """
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
    if not len(training) or not len(held):
        raise ValueError(f"no window of {WINDOW} valid frames on one side of the split")
    return Nearness(scale, training, np.sort(_nearest(held, training)))


def copying(sample: Sample, nearness: Nearness) -> Items:
    """`copying_index`: for each generated window the share of real held-out windows farther from the training ones."""
    starts = window_starts(sample.valid, WINDOW, STRIDE)
    found = _nearest(_centred(sample.generated, starts, nearness.scale), nearness.training)
    first, last = (np.searchsorted(nearness.real, found, side=side) for side in ("left", "right"))
    return Items(starts, 1 - (first + last) / 2 / len(nearness.real))


def _nearest(windows: np.ndarray, training: np.ndarray) -> np.ndarray:
    return cdist(windows, training).min(axis=1) if len(windows) else np.zeros(0)


def _signal(motion: Motion) -> np.ndarray:
    return np.concatenate([motion.pose, motion.blink[:, None]], axis=1)


def _centred(motion: Motion, starts: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(W, 128 * 7) windows, standardised and centred."""
    found = windows_of(_signal(motion) / scale, starts)
    return (found - found.mean(axis=1, keepdims=True)).reshape(len(starts), WINDOW * len(scale))
