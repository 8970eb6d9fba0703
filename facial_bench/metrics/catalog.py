"""All definitions that come with facial-bench."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from facial_bench.core.digests import digest
from facial_bench.core.types import FAMILIES, Definition, MetricSpec
from facial_bench.metrics.blink import blink_metrics
from facial_bench.metrics.distribution import distribution_metrics
from facial_bench.metrics.head import head_metrics
from facial_bench.metrics.identity import accuracy_definitions
from facial_bench.metrics.lmd import landmark_metrics
from facial_bench.metrics.sync import sync_metrics
from facial_bench.metrics.vertex import vertex_metrics


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


@cache
def built_in_metrics() -> tuple[MetricSpec, ...]:
    """Every definition that is computed from samples, by family, the lips first."""
    every = (
        *landmark_metrics(),
        *vertex_metrics(),
        *sync_metrics(),
        *head_metrics(),
        *blink_metrics(),
        *distribution_metrics(),
    )
    return tuple(sorted(every, key=lambda spec: FAMILIES.index(spec.family)))


@cache
def all_definitions() -> Mapping[str, Definition]:
    """id -> definition: `built_in_metrics` and the accuracies."""
    return {one.id: one for one in (*built_in_metrics(), *accuracy_definitions())}


STANDARD = tuple(spec.id for spec in built_in_metrics() if spec.every_run)
"""What every run measures besides the accuracies, in the order of result files; the protocol's digest holds it."""
