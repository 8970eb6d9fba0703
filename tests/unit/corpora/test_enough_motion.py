"""Who has too little motion for the identity classifiers, and what is said to do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from facial_bench.core.protocol import Protocol
from facial_bench.corpora.enough_motion import lacking_windows, motion_note, read_masks
from facial_bench.corpora.split import ClipEntry
from facial_bench.corpus import Corpus
from facial_bench.metrics.identity import HELD_OUT, TRAINING
from facial_bench.types import Clip

PROTOCOL = Protocol()
ROTATED = Protocol(folds="all")


def people(**frames: Sequence[int]) -> tuple[list[ClipEntry], dict[str, np.ndarray]]:
    """person=(frames of each clip, a recording each) -> entries and masks without a gap."""
    rows = [ClipEntry(f"{p}{k}", p, f"{p}{k}", n) for p, own in frames.items() for k, n in enumerate(own)]
    return rows, {row.id: np.ones(row.frames, bool) for row in rows}


def test_enough_is_enough() -> None:
    rows, masks = people(a=(300, 300), b=(128, 128))
    assert lacking_windows(rows, masks, PROTOCOL) == {}
    assert motion_note(rows, masks, PROTOCOL) == ""


def test_what_there_is_and_what_is_needed() -> None:
    rows, masks = people(a=(300, 300), b=(122, 300), c=(300, 300), d=(100, 90))
    assert lacking_windows(rows, masks, PROTOCOL) == {
        "b": "122 test frames in a row, 128 needed",
        "d": "100 training frames and 90 test frames in a row, 128 needed",
    }
    note = motion_note(rows, masks, PROTOCOL)
    assert note.startswith("b: 122 test frames") and note.endswith("; leave out with --identities a,c")


def test_frames_without_a_face_break_a_window() -> None:
    rows, masks = people(a=(300, 300), b=(300, 300))
    masks["b0"][[80, 190, 280]] = False  # of 81..189 a scored window could begin at 96
    assert lacking_windows(rows, masks, PROTOCOL) == {"b": "94 test frames in a row, 128 needed"}


def test_a_rotation_is_advised_only_where_it_helps() -> None:
    rows, masks = people(a=(300, 300), b=(600,))
    assert lacking_windows(rows, masks, PROTOCOL) == {"b": "112 test frames in a row, 128 needed"}
    assert lacking_windows(rows, masks, ROTATED) == {}
    assert motion_note(rows, masks, PROTOCOL) == "b: 112 test frames in a row, 128 needed; try --fold all"
    rows, masks = people(a=(300, 300), b=(600,), c=(300, 300))
    assert motion_note(rows, masks, PROTOCOL).endswith("; try --fold all or leave out with --identities a,c")
    rows, masks = people(a=(300, 300), b=(500,))
    assert lacking_windows(rows, masks, ROTATED) == {"b": "122 training frames in a row in a fold, 128 needed"}
    assert motion_note(rows, masks, PROTOCOL) == "b: 72 test frames in a row, 128 needed; add longer clips"
    assert "--fold all" not in motion_note(rows, masks, ROTATED)


def test_classifiers_of_the_held_out_part_need_a_window_of_everybody_in_every_fold() -> None:
    rows, masks = people(a=(300,) * 5, b=(300, 300))
    assert lacking_windows(rows, masks, PROTOCOL, HELD_OUT) == {}
    assert lacking_windows(rows, masks, ROTATED, HELD_OUT) == {"b": "0 test frames in a row in a fold, 128 needed"}
    assert lacking_windows(rows, masks, ROTATED, TRAINING) == {}, "all of b trains where nothing of b is tested"
    assert motion_note(rows, masks, ROTATED) == "b: 0 test frames in a row in a fold, 128 needed; try --fold one"
    assert motion_note(rows, masks, ROTATED, TRAINING) == ""


def test_one_identity_cannot_be_told_apart() -> None:
    note = motion_note(*people(a=(300, 300)), PROTOCOL)
    assert note == "telling people apart takes at least two, here is a alone; add clips of another person"


def test_masks_are_the_clips_own(make_corpus: Callable[..., Corpus]) -> None:
    def blink_out(clip: Clip) -> Clip:
        return replace(clip, valid=np.arange(clip.frames) != 7)

    corpus = make_corpus(("a", "b"), clips=2, frames=30, edit=blink_out)
    masks = read_masks(corpus)
    assert list(masks) == ["a0", "a1", "b0", "b1"]
    assert all(mask.sum() == 29 and not mask[7] for mask in masks.values())
