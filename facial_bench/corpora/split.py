"""The split by clip, and the windows within a part: fixed by names and lengths alone, never by a seed.

The rule is protocol.md's: a window never shares a recording (or, with one recording, a clip; or, with
one clip, a stretch of time) with a window on the other side of the split.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from facial_bench.core.protocol import Protocol

MOST_FOLDS = 5
"""Of a rotated split: each fold trains identity classifiers and a method of its own."""


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
    or more, else its one recording in time. Source: docs/protocol.md, "split".
    """
    parts: dict[str, str] = {}
    timed: dict[str, list[Segment]] = {"train": [], "test": []}
    notes: dict[str, str] = {}
    people: dict[str, list[ClipEntry]] = defaultdict(list)
    for entry in entries:
        people[entry.identity].append(entry)
    for identity, own in people.items():
        units = _units(own)
        if len({entry.recording for entry in own}) == 1:
            notes[identity] = "one recording: split by clip" if len(units) > 1 else "one recording: split in time"
        if len(units) > 1:
            for part, names in _divide(identity, units, protocol).items():
                parts.update({entry.id: part for name in names for entry in units[name]})
        else:
            for part, segments in _divide_in_time(own, protocol).items():
                timed[part].extend(segments)

    def collect(part: str) -> tuple[Segment, ...]:
        whole = [Segment(e.id, e.identity, 0, e.frames) for e in entries if parts.get(e.id) == part]
        order = {entry.id: k for k, entry in enumerate(entries)}
        return tuple(sorted(whole + timed.get(part, []), key=lambda s: (order[s.clip], s.start)))

    return Split(collect("train"), collect("validation"), collect("test"), notes)


def split_folds(entries: Sequence[ClipEntry], protocol: Protocol) -> tuple[Split, ...]:
    """The splits of an evaluation: the one split, or (protocol.folds "all") a rotation that tests every unit once.

    There are as many folds as the identity with the most units has units, two at least and MOST_FOLDS at most. An
    identity with more units than folds deals them out, longest first, to the fold with least; one with a single
    recording is cut into as many stretches of time, one window lost on each side of a cut. In a fold that tests
    nothing of an identity all of its motion trains. There is no validation part. Source: docs/protocol.md, "folds".
    """
    if protocol.folds == "one":
        return (split_clips(entries, protocol),)
    people: dict[str, list[ClipEntry]] = defaultdict(list)
    for entry in entries:
        people[entry.identity].append(entry)
    units = {identity: _units(own) for identity, own in people.items()}
    count = min(max(2, *(len(own) for own in units.values())), MOST_FOLDS)
    tested: list[dict[str, tuple[int, int]]] = [{} for _ in range(count)]  # fold -> clip -> frames tested of it
    for identity, own in units.items():
        if len(own) > 1:
            for fold, names in enumerate(_deal(own, count)):
                tested[fold].update({e.id: (0, e.frames) for name in names for e in own[name]})
        else:
            for fold, stretch in enumerate(_stretches(people[identity], count)):
                tested[fold].update(stretch)
    return tuple(_fold(entries, people, units, part, protocol) for part in tested)


def _deal(units: Mapping[str, Sequence[ClipEntry]], count: int) -> list[list[str]]:
    """Unit names dealt to `count` folds, the longest first, each to the fold with the fewest frames."""
    frames = {name: sum(entry.frames for entry in clips) for name, clips in units.items()}
    folds: list[list[str]] = [[] for _ in range(count)]
    for name in sorted(units, key=lambda name: (-frames[name], name)):
        least = min(range(count), key=lambda k: (sum(frames[other] for other in folds[k]), k))
        folds[least].append(name)
    return folds


def _stretches(own: Sequence[ClipEntry], count: int) -> list[dict[str, tuple[int, int]]]:
    """The frames of an identity's clips, laid end to end, cut into `count` equal stretches: clip -> frames."""
    own = sorted(own, key=lambda entry: entry.id)
    total = sum(entry.frames for entry in own)
    stretches: list[dict[str, tuple[int, int]]] = []
    for k in range(count):
        low, high, offset = round(k * total / count), round((k + 1) * total / count), 0
        stretches.append({})
        for entry in own:
            start, stop = max(low - offset, 0), min(high - offset, entry.frames)
            if start < stop:
                stretches[-1][entry.id] = (start, stop)
            offset += entry.frames
    return stretches


def _fold(
    entries: Sequence[ClipEntry],
    people: Mapping[str, Sequence[ClipEntry]],
    units: Mapping[str, Mapping[str, Sequence[ClipEntry]]],
    tested: Mapping[str, tuple[int, int]],
    protocol: Protocol,
) -> Split:
    """One rotation: the frames tested, and what is left to train on."""
    train, test, notes = [], [], {}
    for entry in entries:
        start, stop = tested.get(entry.id, (0, 0))
        if start < stop:
            test.append(Segment(entry.id, entry.identity, start, stop))
        in_time = len(units[entry.identity]) == 1
        if in_time:
            notes[entry.identity] = "one recording: split in time"
        elif len({own.recording for own in people[entry.identity]}) == 1:
            notes[entry.identity] = "one recording: split by clip"
        gap = protocol.window if in_time and start < stop else 0
        for low, high in ((0, start - gap), (stop + gap if stop else 0, entry.frames)):
            if high > low:
                train.append(Segment(entry.id, entry.identity, low, high))
    return Split(tuple(train), (), tuple(test), notes)


def _units(own: Sequence[ClipEntry]) -> dict[str, list[ClipEntry]]:
    """unit name -> its clips; one unit means: split in time."""
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
    own = sorted(own, key=lambda entry: entry.id)
    total = sum(entry.frames for entry in own)
    last_train = round((1 - protocol.test_share) * total)
    ranges = {"train": (0, last_train), "test": (last_train + protocol.window, total)}
    parts: dict[str, list[Segment]] = {"train": [], "test": []}
    for part, (low, high) in ranges.items():
        offset = 0
        for entry in own:
            start, stop = max(low - offset, 0), min(high - offset, entry.frames)
            if start < stop:
                parts[part].append(Segment(entry.id, entry.identity, start, stop))
            offset += entry.frames
    return parts
