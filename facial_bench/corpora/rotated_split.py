"""The folds of an evaluation: the one split, or a rotation that tests every unit once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from facial_bench.core.protocol import Protocol
from facial_bench.corpora.split import ClipEntry, Segment, Split, split_clips, units_of

MOST_FOLDS = 5
"""Of a rotated split: each fold trains identity classifiers and a method of its own."""


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
    units = {identity: units_of(own) for identity, own in people.items()}
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
