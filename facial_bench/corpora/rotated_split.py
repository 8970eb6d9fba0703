"""The folds of an evaluation: the one split, or a rotation that tests every unit once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from facial_bench.core.protocol import Protocol
from facial_bench.corpora.gap import Pieces, keep_gap, natural
from facial_bench.corpora.split import ClipEntry, Segment, Split, split_clips, units_of

MOST_FOLDS = 5
"""Of a rotated split: each fold trains identity classifiers and a method of its own."""


def split_folds(entries: Sequence[ClipEntry], protocol: Protocol) -> tuple[Split, ...]:
    """The splits of an evaluation: the one split, or (protocol.folds "all") a rotation that tests every unit once.

    There are as many folds as the identity with the most units has units, two at least and MOST_FOLDS at most. An
    identity with more units than folds deals them out, longest first, to the fold with least; one with a single
    recording is cut into as many stretches of time. Within one recording a gap is lost on each side of a cut. In a fold
    that tests nothing of an identity all of its motion trains. There is no validation part. Source: docs/protocol.md,
    "folds".
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
    own = sorted(own, key=lambda entry: natural(entry.id))
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
    train: Pieces = {entry.id: [] if entry.id in tested else [(0, entry.frames)] for entry in entries}
    test: Pieces = {entry.id: [tested[entry.id]] if entry.id in tested else [] for entry in entries}
    notes: dict[str, str] = {}
    for identity, own in people.items():
        if len({entry.recording for entry in own}) == 1:
            how = "in time" if len(units[identity]) == 1 else "by clip"
            notes[identity] = f"one recording: split {how}"
            rest, held = keep_gap(own, tested, protocol)
            train, test = {**train, **rest}, {**test, **held}

    def collect(pieces: Pieces) -> tuple[Segment, ...]:
        return tuple(Segment(e.id, e.identity, *piece) for e in entries for piece in pieces[e.id])

    return Split(collect(train), (), collect(test), notes)
