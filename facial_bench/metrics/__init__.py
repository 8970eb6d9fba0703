"""Metrics: pure float64 functions, one small file per family, each with its definition."""

from __future__ import annotations

from facial_bench.protocol import digest
from facial_bench.types import MetricSpec


def definition_digest(spec: MetricSpec) -> str:
    """SHA-256 of what a metric claims to be: id, version, unit, direction and formula.

    Two results whose definitions differ in any of these are different quantities, whatever their names.
    """
    return digest({
        "id": spec.id, "version": spec.version, "unit": spec.unit,
        "higher_is_better": spec.higher_is_better, "formula": spec.formula,
    })  # fmt: skip
