"""Metrics: pure float64 functions, one small file per family, each with its definition."""

from __future__ import annotations

from facial_bench.protocol import digest
from facial_bench.types import Definition

STANDARD = (
    "lmd",
    "lmd/canonical",
    "lvd/vector",
    "lve",
    "fdd",
    "mouth_correlation",
    "mouth_lag",
    "sync_share",
    "frechet/mouth",
    "pose_std_distance",
    "pose_speed",
    "pose_speed/distance",
    "beat_align",
    "beat_align/distance",
    "frechet/pose",
    "blink_rate",
    "blink_rate/distance",
    "blink_duration",
    "blink_duration/w1",
    "blink_interval",
    "blink_interval/w1",
    "copying_index",
)
"""What every run measures besides the accuracies; `facial-bench score` computes the other definitions."""


def definition_digest(definition: Definition) -> str:
    """SHA-256 of what a metric claims to be: id, version, unit, direction and formula.

    Two results whose definitions differ in any of these are different quantities, whatever their names.
    """
    return digest(
        {
            "id": definition.id,
            "version": definition.version,
            "unit": definition.unit,
            "higher_is_better": definition.higher_is_better,
            "formula": definition.formula,
        }
    )


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
