"""All definitions that come with facial-bench."""

from __future__ import annotations

from dataclasses import replace

from facial_bench.core.digests import digest
from facial_bench.core.types import Definition, MetricSpec
from facial_bench.metrics.blink import blink_metrics
from facial_bench.metrics.distribution import distribution_metrics
from facial_bench.metrics.head import head_metrics
from facial_bench.metrics.lmd import landmark_metrics
from facial_bench.metrics.sync import sync_metrics
from facial_bench.metrics.vertex import vertex_metrics

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


def built_in_metrics() -> tuple[MetricSpec, ...]:
    """Every definition, family by family, with the parts of a motion that it looks at."""
    every = (
        *landmark_metrics(),
        *vertex_metrics(),
        *sync_metrics(),
        *head_metrics(),
        *blink_metrics(),
        *distribution_metrics(),
    )
    return tuple(replace(spec, needs=_needs(spec.id)) for spec in every)


def _needs(metric: str) -> tuple[str, ...]:
    """The parts that a built-in metric looks at; the first beginning that fits its id decides."""
    table = {
        "lmd/canonical": ("expression",),
        "lmd": ("landmarks",),
        "lvd": ("landmarks",),
        "pose": ("pose",),
        "beat": ("pose",),
        "frechet/pose": ("pose",),
        "blink": ("blink",),
        "copying_index": ("pose", "blink"),
    }
    return next((needs for beginning, needs in table.items() if metric.startswith(beginning)), ("expression",))
