"""Whether every person of a corpus has motion enough for the identity classifiers: one usable window, at least, to
train on in every fold and one to be judged in some fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from facial_bench.core.protocol import Protocol
from facial_bench.core.windows import longest_stretch
from facial_bench.corpora.corpus import Corpus
from facial_bench.corpora.rotated_split import split_folds
from facial_bench.corpora.split import ClipEntry, Segment
from facial_bench.metrics.identity import HELD_OUT


def read_masks(corpus: Corpus) -> dict[str, np.ndarray]:
    """Clip id -> (T,) bool, frames with a face."""
    return {entry.id: corpus.clip(entry.id).valid for entry in corpus.entries}


def lacking_windows(
    entries: Sequence[ClipEntry], masks: Mapping[str, np.ndarray], protocol: Protocol, trained_on: str = HELD_OUT
) -> dict[str, str]:
    """Identity -> what it has and what it needs ("122 test frames in a row, 128 needed"); empty when all is well.

    Args:
        entries: The corpus's clips.
        masks: Clip id -> (T,) bool, frames with a face.
        protocol: Says how the clips are split and how long a window is.
        trained_on: The part that the classifiers are trained on: `HELD_OUT`, or `TRAINING` for those of the paper.
    """
    splits = split_folds(entries, protocol)
    lacking, training, scoring = {}, protocol.training_stride, protocol.scoring_stride
    for person in dict.fromkeys(entry.identity for entry in entries):
        test = max(_longest(split.test, person, masks, scoring) for split in splits)
        if trained_on == HELD_OUT:
            test = min(test, *(_longest(split.test, person, masks, training) for split in splits))
            train = max(_longest(split.train, person, masks, scoring) for split in splits)
        else:
            train = min(_longest(split.train, person, masks, training) for split in splits)
        short = [f"{n} {part} frames" for part, n in (("training", train), ("test", test)) if n < protocol.window]
        if short:
            where = " in a fold" if len(splits) > 1 else ""
            lacking[person] = f"{' and '.join(short)} in a row{where}, {protocol.window} needed"
    return lacking


def motion_note(
    entries: Sequence[ClipEntry], masks: Mapping[str, np.ndarray], protocol: Protocol, trained_on: str = HELD_OUT
) -> str:
    """Why no identity classifiers can be trained and what to do about it, in one line; empty when all is well.
    Arguments as `lacking_windows`."""
    people = list(dict.fromkeys(entry.identity for entry in entries))
    if len(people) < 2:
        return f"telling people apart takes at least two, here is {' '.join(people)} alone; add clips of another person"
    lacking = lacking_windows(entries, masks, protocol, trained_on)
    if not lacking:
        return ""
    rest = [person for person in people if person not in lacking]
    remedies = []
    other = "all" if protocol.folds == "one" else "one"
    if not lacking_windows(entries, masks, replace(protocol, folds=other), trained_on):
        remedies.append(f"try --fold {other}")
    if len(rest) > 1:
        remedies.append(f"leave out with --identities {','.join(rest)}")
    named = "; ".join(f"{person}: {text}" for person, text in lacking.items())
    return f"{named}; {' or '.join(remedies) or 'add longer clips'}"


def _longest(segments: Sequence[Segment], person: str, masks: Mapping[str, np.ndarray], stride: int) -> int:
    own = [masks[segment.clip][segment.start : segment.stop] for segment in segments if segment.identity == person]
    return max((longest_stretch(valid, stride) for valid in own), default=0)
