"""All definitions that come with facial-bench."""

from __future__ import annotations

from dataclasses import replace

from facial_bench.metrics.blink import blink_metrics
from facial_bench.metrics.distribution import distribution_metrics
from facial_bench.metrics.head import head_metrics
from facial_bench.metrics.lmd import landmark_metrics
from facial_bench.metrics.sync import sync_metrics
from facial_bench.metrics.vertex import vertex_metrics
from facial_bench.types import MetricSpec


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
