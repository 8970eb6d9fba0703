"""Which metrics are shares of a clip's windows: they are balanced over people, and their intervals are those of
proportions."""

from __future__ import annotations

from functools import cache

from facial_bench.metrics.identity import accuracies
from facial_bench.metrics.realism import realisms


@cache
def window_shares() -> frozenset[str]:
    """Ids of the metrics whose entries hold a share of the windows of a clip, weighted by their number."""
    return frozenset([*accuracies(), *realisms()])
