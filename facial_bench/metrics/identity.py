"""The personalization accuracies: which classifier looks at which driving, and what each number is."""

from __future__ import annotations

from typing import Any

import numpy as np

from facial_bench.core.types import Definition

SELF, CROSS = "self", "cross"
"""Driven by the person's own held-out speech, or by somebody else's."""


def accuracies() -> dict[str, tuple[str, str]]:
    """The protocol's personalization metrics: id -> (form of the classifier, driving)."""
    return {
        "pose_accuracy": ("pose", SELF),
        "pose_accuracy/raw": ("pose/raw", SELF),
        "pose_accuracy/rotation": ("pose/rotation", SELF),
        "pose_accuracy/cross": ("pose", CROSS),
        "pose_accuracy/cross-raw": ("pose/raw", CROSS),
        "blink_accuracy": ("blink", SELF),
        "blink_accuracy/raw": ("blink/raw", SELF),
        "blink_accuracy/cross": ("blink", CROSS),
        "blink_accuracy/cross-raw": ("blink/raw", CROSS),
    }


def accuracy_entry(right: np.ndarray, starts: np.ndarray, block: int) -> dict[str, Any] | None:
    """A row's entry from (W,) shares of judges that were right; None for a clip without windows."""
    if not len(starts):
        return None
    index = starts // block
    blocks = [[float(right[index == k].sum()), int((index == k).sum())] for k in np.unique(index)]
    return {"value": float(right.mean()), "weight": len(starts), "blocks": blocks}


def accuracy_definitions() -> tuple[Definition, ...]:
    """The personalization metrics; classifiers trained on a corpus compute them, not a function of a sample."""
    forms = {
        "pose_accuracy": ("head poses (T, 6)", "the mean of each window removed", "self"),
        "pose_accuracy/raw": ("head poses (T, 6)", "as they are", "self"),
        "pose_accuracy/rotation": ("head rotations (T, 3)", "the mean of each window removed", "self"),
        "pose_accuracy/cross": ("head poses (T, 6)", "the mean of each window removed", "cross"),
        "pose_accuracy/cross-raw": ("head poses (T, 6)", "as they are", "cross"),
        "blink_accuracy": ("blinks (T, 1)", "the mean of each window removed", "self"),
        "blink_accuracy/raw": ("blinks (T, 1)", "as they are", "self"),
        "blink_accuracy/cross": ("blinks (T, 1)", "the mean of each window removed", "cross"),
        "blink_accuracy/cross-raw": ("blinks (T, 1)", "as they are", "cross"),
    }
    speech = {"self": "the person's own held-out speech", "cross": "the held-out speech of the next identity"}
    return tuple(
        Definition(
            metric,
            1,
            "share",
            True,
            f"mean over identities of the share of windows of generated {what}, {centring}, that classifiers trained "
            "on REAL training motion give to the right identity; the mean over the judge seeds; driven by "
            f"{speech[driving]}",
            origin="FACIAL (ICCV 2021), supplement, section 3, which reports the classifiers on real motion; the "
            "centred and cross-driven forms are ours",
            pitfalls="recognisable is not natural: exaggerated motion can pass the ceiling, and replay copies what the "
            "classifiers were trained on"
            + ("; the mean pose is the camera's, not the person's" if "raw" in metric and "pose" in metric else ""),
        )
        for metric, (what, centring, driving) in forms.items()
    )
