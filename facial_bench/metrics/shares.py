"""Which metrics are shares: of a clip's windows, which are balanced over people, or of something else in it. Intervals
of shares end at 0 and 1."""

from __future__ import annotations

from functools import cache

from facial_bench.metrics.coupling import coupling_metrics
from facial_bench.metrics.identity import accuracies
from facial_bench.metrics.realism import realisms


@cache
def window_shares() -> frozenset[str]:
    """Ids of the metrics whose entries hold a share of the windows of a clip, weighted by their number."""
    return frozenset([*accuracies(), *realisms()])


@cache
def clip_shares() -> frozenset[str]:
    """Ids of the metrics whose value in a clip lies from 0 to 1: `window_shares`, and the shares of wrong audios."""
    return window_shares() | {one.id for one in coupling_metrics()}
