"""Ceiling and chance of the accuracies, and whether their classifiers can tell people apart at all.

Classifiers trained on one part of the real clips are shown the other part: those of the paper, trained on the training
clips, the held-out ones; those trained on the held-out clips, the training ones. Source: docs/protocol.md, "references"
and "refuse to score".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from facial_bench.core.digests import derive_seed
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Clip
from facial_bench.core.windows import window_starts
from facial_bench.evaluation.clip_scores import Fold, accuracy_entry
from facial_bench.evaluation.result_schema import Ceiling, Reference
from facial_bench.metrics.classifier import forms
from facial_bench.metrics.identity import HELD_OUT, SELF, TRAINING, AccuracyDefinition, accuracy_definitions
from facial_bench.statistics.aggregate import summarise
from facial_bench.statistics.bootstrap import label_permutation_p
from facial_bench.statistics.rows import Entry, Row

JUDGED = {HELD_OUT: "real training clips", TRAINING: "real held-out clips"}
"""What classifiers are trained on -> what their ceiling is made of."""


@dataclass(eq=False)
class _Piece:
    """Real frames that count as one clip in the statistics, with what the classifiers of one or more folds say."""

    clip: Clip
    starts: list[np.ndarray] = field(default_factory=list)
    """Of each fold, (W,) first frames of its windows within the piece."""
    said: list[np.ndarray] = field(default_factory=list)
    """Of each fold, (M, S, W) int: person that each classifier of each form gives a window to."""


def accuracy_references(folds: Sequence[Fold]) -> dict[str, Reference]:
    """id of an accuracy -> its ceiling, chance 1/N, p of the label permutation, and why it is refused, or None.

    Where there are no classifiers every accuracy that asks them is refused.
    """
    references: dict[str, Reference] = {}
    chance = 1 / len(folds[0].classifiers.identities)
    for trained_on, ceiling_is in JUDGED.items():
        own = [one for one in accuracy_definitions() if one.trained_on == trained_on]
        missing = next((m for fold in folds if (m := fold.judging(own[0]).missing)), "")
        if missing:
            nothing = Ceiling(value=None, low=None, high=None)
            refused = Reference(ceiling=nothing, ceiling_is=ceiling_is, chance=chance, chance_is="1/N", refused=missing)
            references.update({one.id: refused for one in own})
            continue
        by_form = _references_of(folds, [one for one in own if one.driving == SELF], ceiling_is, chance)
        references.update({one.id: by_form[one.form] for one in own})
    return {one.id: references[one.id] for one in accuracy_definitions()}


def _references_of(
    folds: Sequence[Fold], accuracies: Sequence[AccuracyDefinition], ceiling_is: str, chance: float
) -> dict[str, Reference]:
    """form -> the reference of the accuracies that look at it; one accuracy for each form of one set of classifiers."""
    protocol, people = folds[0].classifiers.protocol, folds[0].classifiers.identities
    pieces = _judge(folds, accuracies)
    rows = [_row(piece, accuracies, people, protocol) for piece in pieces]
    p_values = _permutation_p(pieces, people, protocol)
    references = {}
    for accuracy, p in zip(accuracies, p_values, strict=True):
        summary = summarise([rows], accuracy.id, protocol)
        ceiling = Ceiling(value=summary.value, low=summary.low, high=summary.high)
        refused = touches_chance("the classifier's ceiling", ceiling, chance, ceiling_is)
        if refused is None and p >= protocol.significance:
            refused = f"the classifier's ceiling {ceiling.value:.2f} is no better than shuffled labels (p = {p:.3f})"
        references[accuracy.form] = Reference(
            ceiling=ceiling, ceiling_is=ceiling_is, chance=chance, chance_is="1/N", p=float(p), refused=refused
        )
    return references


def touches_chance(what: str, ceiling: Ceiling, chance: float, clips: str) -> str | None:
    """Why a metric says nothing on a corpus whose real motion is no better than chance; None where it is better.

    Args:
        what: the ceiling is called.
        ceiling: of real motion.
        chance: of the metric, which is higher for the better.
        clips: the real clips that the ceiling is of.
    """
    if ceiling.value is not None and ceiling.low is not None and ceiling.low > chance:
        return None
    if ceiling.value is None:
        return f"{what} has no value on {clips}"
    ends = "no interval" if ceiling.low is None else f"[{ceiling.low:.2f}, {ceiling.high:.2f}]"
    return f"{what} {ceiling.value:.2f} {ends} on {clips} touches chance {chance:.2f}"


def _judge(folds: Sequence[Fold], accuracies: Sequence[AccuracyDefinition]) -> list[_Piece]:
    """The real clips that a set of classifiers judges, with what it says; those without a window are left out.

    A training clip of several folds is one piece: its windows are judged by each of these folds. Where a recording is
    split in time, a piece is a stretch that some fold tests, as it is for the motion of methods.
    """
    crossed = accuracies[0].trained_on == HELD_OUT
    pieces = [_Piece(clip) for fold in folds for clip in (fold.training if crossed and len(folds) == 1 else fold.test)]
    for fold in folds:
        judges, protocol = fold.judging(accuracies[0]), fold.classifiers.protocol
        for clip in fold.training if crossed else fold.test:
            starts = window_starts(clip.valid, protocol.window, protocol.scoring_stride)
            said = np.stack([judges.predict(forms()[one.form], clip.motion, starts) for one in accuracies])
            for piece in pieces:
                first = starts + clip.start - piece.clip.start
                inside = (first >= 0) & (first < piece.clip.frames)
                if piece.clip.id == clip.id and inside.any():
                    piece.starts.append(first[inside])
                    piece.said.append(said[:, :, inside])
    return [piece for piece in pieces if piece.starts]


def _row(piece: _Piece, accuracies: Sequence[AccuracyDefinition], people: Sequence[str], protocol: Protocol) -> Row:
    """A row of the statistics: each window counts once, whatever the number of folds that judge it."""
    clip, starts, folds = piece.clip, np.concatenate(piece.starts), len(piece.starts)
    right = (np.concatenate(piece.said, axis=2) == people.index(clip.identity)).mean(axis=1)
    entries: dict[str, Entry] = {}
    for accuracy, own in zip(accuracies, right, strict=True):
        entry = accuracy_entry(own, starts, protocol.window)
        if entry is not None:
            blocks = tuple(tuple(number / folds for number in block) for block in entry.blocks)
            entries[accuracy.id] = Entry(value=entry.value, weight=entry.weight / folds, blocks=blocks)
    return Row(
        request=f"train/{clip.id}@{clip.start}",
        clip=clip.id,
        start=clip.start,
        frames=clip.frames,
        driving=SELF,
        identity=clip.identity,
        status="ok",
        metrics=entries,
    )


def _permutation_p(pieces: Sequence[_Piece], people: Sequence[str], protocol: Protocol) -> np.ndarray:
    """(M,) p of the label permutation over the real clips that a set of classifiers judges, all its forms together."""
    votes, windows = [], []
    for piece in pieces:
        said = np.concatenate(piece.said, axis=2)
        counts = (said.reshape(len(said), -1, 1) == np.arange(len(people))).sum(axis=1)
        votes.append(counts / said.shape[1] / len(piece.starts))
        windows.append(said.shape[2] / len(piece.starts))
    return label_permutation_p(
        np.stack(votes, axis=1),
        np.array(windows, float),
        np.array([people.index(piece.clip.identity) for piece in pieces]),
        permutations=protocol.resamples,
        rng=np.random.default_rng(derive_seed(0, "label permutation")),
    )
