"""Entries: what a metric leaves in the row of a clip, whole and in blocks, or the reason why it leaves nothing.

See `statistics.rows` for what an entry holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from msgspec import UNSET

from facial_bench.core.errors import one_line
from facial_bench.core.types import Items, MetricSpec, Sample
from facial_bench.statistics.rows import Entry


def lacking(needs: Collection[str], parts: Collection[str], absent: bool = False) -> Entry | None:
    """The entry of a metric for an output without the parts that it needs; None where they are there.

    Args:
        needs: the parts that the metric looks at.
        parts: those that the output holds.
        absent: whether the metric is absent then, because no output of the method holds them.
    """
    gone = [name for name in needs if name not in parts]
    return (
        no_value(f"needs {' and '.join(gone)}, and this output holds none that can be used", absent) if gone else None
    )


def no_value(reason: str, absent: bool = False) -> Entry:
    """The entry of a clip that a metric gives nothing for."""
    return Entry(value=None, reason=reason, absent=absent)


def failed_entry(reason: str) -> Entry:
    """The entry of a clip that counts as failed for a metric; what chance gets there is to be filled in."""
    return Entry(value=None, reason=reason, failed=True)


class Found(NamedTuple):
    """What a metric says of a clip."""

    entry: Entry
    scored: np.ndarray | None = None
    """(T,) bool, the valid frames that have a value; of a metric with a value for each frame."""
    whole: bool = True
    """Whether no value is missing."""


def find(spec: MetricSpec, compute: Callable[[Sample], Any], sample: Sample, block: int) -> Found:
    """What a metric says of a clip.

    Args:
        spec: its definition.
        compute: its function, prepared for the person.
        sample: of the clip.
        block: frames of a block, and of a clip that counts in full.
    """
    edges, valid = make_edges(len(sample.valid), block), sample.valid
    try:
        computed = compute(sample)
        if spec.pool is not None:
            entry = _pooled_entry(spec, computed, edges)
            return Found(entry, whole=entry.part is not UNSET)
        values = np.asarray(computed, dtype=np.float64)
    except Exception as problem:
        reason = one_line(f"metric {spec.id} raised {type(problem).__name__}: {problem}")
        return Found(no_value(reason), whole=False)
    if values.ndim == 0:
        entry = _scalar_entry(spec, compute, sample, float(values), block)
        return Found(entry, whole=entry.value is not None)
    if values.shape != valid.shape:
        return Found(no_value(f"metric {spec.id} gave shape {values.shape} for {len(valid)} frames"), whole=False)
    scored = valid & np.isfinite(values)
    whole = bool((scored == valid).all())
    if not scored.any():
        return Found(no_value("no frame can be scored"), scored, whole)
    weight = min(int(scored.sum()) / block, 1)
    share = weight / int(scored.sum())
    sums = ((float(values[a:b][scored[a:b]].sum()), int(scored[a:b].sum())) for a, b in edges)
    entry = Entry(
        value=float(values[scored].mean()),
        weight=weight,
        blocks=tuple((total * share, n * share) for total, n in sums if n),
        frames=(int(scored.sum()), int(valid.sum())),
    )
    return Found(entry, scored, whole)


def hidden_by(metric: str, generated: Found, real: Found) -> str:
    """What the generated motion hides of what the real one shows, in a few words; empty where it hides nothing."""
    if generated.scored is None or real.scored is None:
        return "" if real.entry.numbers is None else f"{generated.entry.reason}, and the real motion has a value there"
    frames = np.flatnonzero(real.scored & ~generated.scored)
    if not len(frames):
        return ""
    return f"{metric} has no value in {len(frames)} frames, the first is {frames[0]}, and the real motion has one there"


def _scalar_entry(
    spec: MetricSpec, compute: Callable[[Sample], Any], sample: Sample, value: float, block: int
) -> Entry:
    """A value of the whole clip, and of its blocks, which weigh as many frames as can be scored in each; blocks in
    which it is not defined are left out."""
    weight = min(int(sample.valid.sum()) / block, 1)
    if not np.isfinite(value) or not weight:
        return no_value(f"{spec.id} is not defined for this clip")
    edges = make_edges(len(sample.valid), block)
    parts = [(_value_of(compute, sample[a:b]), int(sample.valid[a:b].sum())) for a, b in edges]
    known = [(part, frames) for part, frames in parts if np.isfinite(part) and frames] or [(value, 1)]
    share = weight / sum(frames for _, frames in known)
    return Entry(
        value=value, weight=weight, blocks=tuple((part * frames * share, frames * share) for part, frames in known)
    )


def _value_of(compute: Callable[[Sample], Any], block: Sample) -> float:
    """What a metric of whole clips says of a block; NaN where it cannot be computed there."""
    try:
        return float(compute(block))
    except Exception:  # a block without speech, say: the clip has its value all the same
        return float("nan")


def _pooled_entry(spec: MetricSpec, items: Any, edges: Sequence[tuple[int, int]]) -> Entry:
    """What a clip's items reduce to, as a whole and block by block."""
    if not isinstance(items, Items) or spec.pool is None:
        return no_value(f"metric {spec.id} gave a {type(items).__name__}, expected Items")
    frames, values = np.asarray(items.frames), np.asarray(items.values, dtype=np.float64)
    if frames.ndim != 1 or len(frames) != len(values) or not np.isfinite(values).all():
        return no_value(f"metric {spec.id} gave {len(frames)} frames for {values.shape} finite values")
    inside = [values[(frames >= a) & (frames < b)] for a, b in edges]
    part, *blocks = (tuple(float(number) for number in spec.pool.reduce(own)) for own in (values, *inside))
    return Entry(part=part, blocks=tuple(blocks), items=len(frames))


def make_edges(frames: int, block: int) -> list[tuple[int, int]]:
    """Blocks of `block` frames; a shorter rest belongs to the last one."""
    cuts = [k * block for k in range(max(frames // block, 1))] + [frames]
    return list(itertools.pairwise(cuts))
