"""All definitions that come with facial-bench."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Mapping, Sequence
from functools import cache

from facial_bench.core.digests import digest
from facial_bench.core.errors import FacialBenchError, unknown_name
from facial_bench.core.types import FAMILIES, Definition, MetricSpec
from facial_bench.metrics.blink import blink_metrics
from facial_bench.metrics.coupling import coupling_metrics
from facial_bench.metrics.distribution import distribution_metrics
from facial_bench.metrics.head import head_metrics
from facial_bench.metrics.identity import accuracy_definitions
from facial_bench.metrics.lmd import landmark_metrics
from facial_bench.metrics.realism import realism_definitions
from facial_bench.metrics.sync import sync_metrics
from facial_bench.metrics.vertex import vertex_metrics


def definition_digest(definition: Definition) -> str:
    """SHA-256 of what a metric claims to be: id, version, unit, direction, formula, and chance where it is fixed.

    Two results whose definitions differ in any of these are different quantities, whatever their names. What the
    functions do is the matter of `probe.behaviour_digest`.
    """
    claims = {
        "id": definition.id,
        "version": definition.version,
        "unit": definition.unit,
        "higher_is_better": definition.higher_is_better,
        "formula": definition.formula,
    }
    return digest(claims if definition.chance is None else claims | {"chance": definition.chance})


_HINT = "`facial-bench metrics` lists all."


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
        *coupling_metrics(),
    )
    return tuple(sorted(every, key=lambda spec: FAMILIES.index(spec.family)))


@cache
def network_definitions() -> tuple[Definition, ...]:
    """What networks compute, in every run: the realism metrics and the accuracies."""
    return (*realism_definitions(), *accuracy_definitions())


@cache
def all_definitions() -> Mapping[str, Definition]:
    """id -> definition: `built_in_metrics` and `network_definitions`."""
    return {one.id: one for one in (*built_in_metrics(), *network_definitions())}


def select(patterns: Sequence[str], known: Collection[str]) -> list[str]:
    """The ids that patterns name, in the order of `known`: `lmd`, `lmd/*`, `*accuracy*`.

    Raises:
        FacialBenchError: a pattern that names none.
    """
    for pattern in patterns:
        if not fnmatch.filter(known, pattern):
            if set(pattern) & set("*?["):
                raise FacialBenchError(f"No metric matches '{pattern}'. {_HINT}")
            raise unknown_metric(pattern, known)
    return [name for name in known if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


def unknown_metric(name: str, known: Collection[str]) -> FacialBenchError:
    """The error for a metric that is not known."""
    return unknown_name("metric", name, known, _HINT)


STANDARD = tuple(spec.id for spec in built_in_metrics() if spec.every_run)
"""What every run measures besides what networks compute, in the order of result files; the protocol's digest holds
it."""
