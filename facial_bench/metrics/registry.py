"""All definitions that come with facial-bench."""

from __future__ import annotations

from facial_bench.metrics.blink import blink_metrics
from facial_bench.metrics.distribution import distribution_metrics
from facial_bench.metrics.head import head_metrics
from facial_bench.metrics.lmd import landmark_metrics
from facial_bench.metrics.sync import sync_metrics
from facial_bench.metrics.vertex import vertex_metrics
from facial_bench.types import MetricSpec


def built_in_metrics() -> tuple[MetricSpec, ...]:
    """Every definition, family by family."""
    return (
        *landmark_metrics(), *vertex_metrics(), *sync_metrics(), *head_metrics(), *blink_metrics(),
        *distribution_metrics(),
    )  # fmt: skip
