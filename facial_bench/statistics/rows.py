"""Rows: what each metric found in each clip that a method was asked for. All statistics are computed from these.

A key that a file may lack is `msgspec.UNSET` or the default here, and is then not written either: reading and writing
again gives the same content, so the same digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

Whole = Annotated[int, msgspec.Meta(ge=1 - 2**63, le=2**63 - 1)]
"""A whole number that any reader of JSON can take."""
Number = Whole | float
"""A finite number; 1 and 1.0 stay apart, as they do in the digest."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a metric found in a clip: a value, a part of a pooled one, or the reason why there is neither."""

    value: Number | UnsetType | None = UNSET
    """In the unit of the metric; None where there is none; UNSET where the metric is pooled."""
    weight: Number = 0
    """How much the value counts: the number of windows of an accuracy; else 1, and less of a clip of which fewer frames
    were scored than a window has: their number / window. 0 without a value."""
    part: tuple[Number, ...] | UnsetType = UNSET
    """Of a pooled metric: what the clip's items reduce to."""
    blocks: tuple[tuple[Number, ...], ...] = ()
    """(value * weight, weight > 0) of each block of the clip, whose weights sum to the clip's, or what each reduces to
    where the metric is pooled. A stored result has them where the clip is the only one of its person, and nowhere
    else."""
    frames: tuple[Whole, Whole] | UnsetType = UNSET
    """Frames scored, and frames that could be; where the metric has a value for each frame."""
    items: Whole | UnsetType = UNSET
    """How many items a pooled metric found."""
    reason: str = ""
    """Why there is no value, or none of the method's own."""
    absent: bool = False
    """Whether no output of the method holds what the metric needs: then nothing failed."""
    failed: bool = False
    """Whether the clip counts as failed for this metric: what it holds is then the value of chance in this clip, or a
    worse one, and counts in every estimate; it holds none where chance has none, or where no direction is better."""

    @property
    def numbers(self) -> tuple[Number, ...] | None:
        """What stands for the clip in an estimate: (value * weight, weight), or the part; None where there is none."""
        if self.part is not UNSET:
            return self.part
        if self.value is UNSET or self.value is None:
            return None
        return self.value * self.weight, self.weight


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One clip that a method was asked for."""

    request: str
    """`driving/clip@start`; one row each."""
    clip: str
    start: Whole
    """First frame within the clip."""
    frames: Whole
    driving: str
    """`self`: by the person's own speech; `cross`: by somebody else's."""
    identity: str
    """Whose motion was asked for."""
    status: Literal["ok", "failed"]
    reason: str = ""
    """Why the method failed: it raised, gave what is no motion or none of a face, or hid a frame."""
    metrics: Mapping[str, Entry]
    """id -> what it found; a metric that does not look at this clip has no entry."""
    fold: str = ""
    """`fold-1` ... where the split is rotated."""
    motion: str = ""
    """SHA-256 of the stored motion that was scored."""
