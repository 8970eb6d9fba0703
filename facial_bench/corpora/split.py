"""The split by clip, and the windows within a part: fixed by names and lengths alone, never by a seed.

The rule is protocol.md's: a window never shares a recording (or, with one recording, a clip; or, with
one clip, a stretch of time) with a window on the other side of the split. Within one recording a gap
stays between the two sides.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from facial_bench.core.protocol import Protocol
from facial_bench.corpora.gap import Pieces, keep_gap, natural


@dataclass(frozen=True)
class ClipEntry:
    """What the split needs to know of a clip."""

    id: str
    identity: str
    recording: str
    frames: int
    """Length at the protocol's rate."""


@dataclass(frozen=True)
class Segment:
    """Frames start..stop-1 of a clip."""

    clip: str
    identity: str
    start: int
    stop: int

    @property
    def frames(self) -> int:
        """Length, frames."""
        return self.stop - self.start


@dataclass(frozen=True)
class Split:
    """The three parts, each in the corpus's order."""

    train: tuple[Segment, ...]
    validation: tuple[Segment, ...]
    test: tuple[Segment, ...]
    notes: Mapping[str, str] = field(default_factory=dict)
    """identity -> how it was split, where that deserves a word ("one recording: split by clip")."""


def split_clips(entries: Sequence[ClipEntry], protocol: Protocol) -> Split:
    """Split the clips of each identity by the protocol's rule.

    Units are the recordings of an identity if there are two or more, else its clips if there are three
    or more, else its one recording in time; clips of one recording lose what lies close to the other side of the
    split. Source: docs/protocol.md, "split".
    """
    parts: dict[str, list[Segment]] = {"train": [], "validation": [], "test": []}
    notes: dict[str, str] = {}
    people: dict[str, list[ClipEntry]] = defaultdict(list)
    for entry in entries:
        people[entry.identity].append(entry)
    for identity, own in people.items():
        units = units_of(own)
        single = len({entry.recording for entry in own}) == 1
        if single:
            notes[identity] = "one recording: split by clip" if len(units) > 1 else "one recording: split in time"
        divided = _divide(identity, units, protocol) if len(units) > 1 else {}
        for part, segments in ({} if divided else _divide_in_time(own, protocol)).items():
            parts[part] += segments
        for part, names in divided.items():
            clips = [entry for name in names for entry in units[name]]
            pieces: Pieces = {entry.id: [(0, entry.frames)] for entry in clips}
            if single:
                tested = {name: (0, units[name][0].frames) for name in divided["test"]}
                pieces = keep_gap(own, tested, protocol)[part == "test"]
            parts[part] += [Segment(e.id, identity, start, stop) for e in clips for start, stop in pieces[e.id]]
    order = {entry.id: k for k, entry in enumerate(entries)}
    train, validation, test = (
        tuple(sorted(own, key=lambda s: (order[s.clip], s.start))) for own in (parts[name] for name in parts)
    )
    return Split(train, validation, test, notes)


def units_of(own: Sequence[ClipEntry]) -> dict[str, list[ClipEntry]]:
    """What of an identity is never divided between the parts: unit name -> its clips. One unit: split in time."""
    recordings: dict[str, list[ClipEntry]] = defaultdict(list)
    for entry in own:
        recordings[entry.recording].append(entry)
    if len(recordings) >= 2:
        return dict(recordings)
    if len(own) >= 3:
        return {entry.id: [entry] for entry in own}
    return dict(recordings)


def _divide(identity: str, units: Mapping[str, Sequence[ClipEntry]], protocol: Protocol) -> dict[str, list[str]]:
    """part -> unit names, for an identity with two units or more."""
    seconds = {name: sum(entry.frames for entry in clips) / protocol.fps for name, clips in units.items()}
    total = sum(seconds.values())
    if len(units) < protocol.min_units:
        target = protocol.test_share * total
        test = min(sorted(units), key=lambda name: abs(seconds[name] - target))
        return {"test": [test], "train": [name for name in units if name != test]}
    order = sorted(units, key=lambda name: hashlib.sha256(f"{identity}/{name}".encode()).hexdigest())
    taken, count = 0.0, 0
    while taken < protocol.test_share * total - 1e-9 and count < len(order) - 2:
        taken, count = taken + seconds[order[count]], count + 1
    rest = order[count:]
    sizes = np.cumsum([seconds[name] for name in rest[:-1]])
    held = 1 + int(np.argmin(np.abs(sizes - protocol.validation_share * total)))
    return {"test": order[:count], "validation": rest[:held], "train": rest[held:]}


def _divide_in_time(own: Sequence[ClipEntry], protocol: Protocol) -> dict[str, list[Segment]]:
    """First 60 % of the frames train, then a gap of one window, the rest is tested."""
    own = sorted(own, key=lambda entry: natural(entry.id))
    total = sum(entry.frames for entry in own)
    last_train = round((1 - protocol.test_share) * total)
    ranges = {"train": (0, last_train), "test": (last_train + protocol.gap, total)}
    parts: dict[str, list[Segment]] = {"train": [], "test": []}
    for part, (low, high) in ranges.items():
        offset = 0
        for entry in own:
            start, stop = max(low - offset, 0), min(high - offset, entry.frames)
            if start < stop:
                parts[part].append(Segment(entry.id, entry.identity, start, stop))
            offset += entry.frames
    return parts
