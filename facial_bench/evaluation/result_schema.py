"""What a result file holds, as records; `evaluation.result` reads and writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from facial_bench.statistics.rows import Number, Row, Whole

SCHEMA = "facial-bench result 4"
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""SHA-256 in hexadecimal; boards and folders are called after digests."""
Plain = str | bool | Number | None
Status = Literal["ok", "refused", "failed", "undefined", "absent"]
"""`refused`: on this corpus; `failed`: no clip could be scored; `undefined`: the method failed nowhere, or a person's
clips leave nothing to measure; `absent`: no output holds what it needs."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a result; a key with a default may be missing."""


class ProtocolName(Part, frozen=True, kw_only=True):
    """The rules of the run."""

    name: str
    digest: Digest
    folds: str
    """`one`, or `all` where the split is rotated."""


class NamedCorpus(Part, frozen=True, kw_only=True):
    """Which corpus, and which people of it."""

    name: str
    version: str
    digest: Digest
    label: str
    """Folder and board name."""
    identities: tuple[str, ...]


class CorpusName(NamedCorpus, frozen=True, kw_only=True):
    """What the run was made on."""

    audio: str
    """Kind of the audio features."""
    blink_scale: str
    """`closure` or `AU45`."""
    length_unit: str
    """Of the face model."""
    split: Mapping[str, str]
    """identity -> what is unusual about the split of its clips."""


class MethodName(Part, frozen=True, kw_only=True):
    """What was run."""

    name: str
    label: str
    """Folder and board name."""
    reference: str
    """Where it was published, or what it stands for."""
    plugin: str
    version: str
    """Of the plugin."""
    budget: str
    """`quick`, `standard` or `paper`."""
    options: Mapping[str, str]
    inputs: str = ""
    """Digest of the files that the options name."""
    isolation: str = ""
    """`process`, `sandbox` or `in-process`: how far it was kept apart; empty of a result from before it was."""


class Behaviour(Part, frozen=True, kw_only=True):
    """How the method behaves, measured by the harness in every fold; `reason` alone where it could not be measured,
    with the rest where only some folds could not."""

    uses_audio: bool | UnsetType = UNSET
    look_ahead_frames: Whole | UnsetType | None = UNSET
    """The most of any fold; None where the motion does not follow the audio."""
    look_ahead_ms: Number | UnsetType | None = UNSET
    probed_frames: Whole | UnsetType = UNSET
    """Frames of the requests that were asked for, one a fold."""
    reason: str = ""


class Metric(Part, frozen=True, kw_only=True):
    """A metric over all clips of the run, with its definition."""

    value: Number | None
    """In `unit`; None unless the status is ok."""
    low: Number | None
    """End of the interval; None where none can be had."""
    high: Number | None
    n_clips: Whole
    """Clips that it looks at."""
    n_failed: Whole
    """Those of them without a value."""
    skill: Number | None
    """(value - chance) / (ceiling - chance)."""
    unit: str
    higher_is_better: bool | None
    """None where only the distance to the real value means anything."""
    definition: str
    """SHA-256 of the definition: of what the metric claims to be."""
    status: Status
    reason: str = ""
    """Why there is no value."""
    probe: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?\Z")] = ""
    """SHA-256 of what the metric's functions return on a fixed probe (`metrics.probe`); empty of an accuracy, and of a
    result from before there was one."""


class Ceiling(Part, frozen=True, kw_only=True):
    """What real motion gets, with its interval."""

    value: Number | None
    low: Number | None
    high: Number | None


class Reference(Part, frozen=True, kw_only=True):
    """What a value is read against."""

    ceiling: Ceiling
    ceiling_is: str = ""
    chance: Number | None
    chance_is: str = ""
    parts: Mapping[str, tuple[Number, ...]] = {}
    """identity -> what the person's real test clips reduce to; of a pooled metric."""
    p: Number | UnsetType = UNSET
    """Of the label permutation; of an accuracy."""
    refused: str | UnsetType | None = UNSET
    """Why the accuracy is refused on this corpus; None where it is not; UNSET for other metrics."""


class Result(Part, frozen=True, kw_only=True):
    """The content of result.json, in the order of its keys."""

    schema: str
    protocol: ProtocolName
    corpus: CorpusName
    method: MethodName
    seed: Whole
    device: str
    classifiers: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?\Z")] = ""
    """SHA-256 over the weights of the identity classifiers of every fold; empty where there are none. Results of two
    are results of two measuring instruments."""
    behaviour: Behaviour = msgspec.field(name="conduct")
    environment: Mapping[str, Plain]
    """Versions and machine: no part of the digest."""
    timing: Mapping[str, Plain]
    """Seconds, and the memory used: no part of the digest."""
    digest: str
    """SHA-256 of the rest; empty until it is written."""
    metrics: Mapping[str, Metric]
    references: Mapping[str, Reference]
    """metric -> its ceiling and chance."""
    clips: tuple[Row, ...]
    """One row per request."""
