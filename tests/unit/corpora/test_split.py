"""The split by clip: protocol.md's rule."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facial_bench.core.protocol import Protocol
from facial_bench.core.windows import longest_stretch, window_starts
from facial_bench.corpora.rotated_split import split_folds
from facial_bench.corpora.split import ClipEntry, Split, split_clips

PROTOCOL = Protocol()


def entries(*rows: tuple[str, str, str, int]) -> list[ClipEntry]:
    return [ClipEntry(*row) for row in rows]


def test_twelve_recordings_leave_five_for_test_one_for_validation_six_for_training() -> None:
    split = split_clips(entries(*((f"c{k}", "a", f"r{k}", 400) for k in range(12))), PROTOCOL)
    assert (len(split.test), len(split.validation), len(split.train)) == (5, 1, 6)


def test_the_parts_are_disjoint_and_complete() -> None:
    split = split_clips(entries(*((f"c{k}", "a", f"r{k // 2}", 300 + k) for k in range(16))), PROTOCOL)
    parts = [{segment.clip for segment in part} for part in (split.train, split.validation, split.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 16


def test_clips_of_one_recording_stay_together() -> None:
    split = split_clips(entries(*((f"c{k}", "a", f"r{k // 3}", 200) for k in range(24))), PROTOCOL)
    where = {segment.clip: name for name in ("train", "validation", "test") for segment in getattr(split, name)}
    for k in range(24):
        assert where[f"c{k}"] == where[f"c{k // 3 * 3}"]


def test_few_units_test_the_one_nearest_to_forty_percent_and_validate_none() -> None:
    split = split_clips(entries(("x", "a", "1", 100), ("y", "a", "2", 410), ("z", "a", "3", 490)), PROTOCOL)
    assert [segment.clip for segment in split.test] == ["y"]
    assert split.validation == ()


def test_ties_are_broken_by_name() -> None:
    split = split_clips(entries(("y", "a", "2", 500), ("x", "a", "1", 500)), PROTOCOL)
    assert [segment.clip for segment in split.test] == ["x"]


def test_one_recording_of_three_clips_is_split_by_clip_and_flagged() -> None:
    split = split_clips(entries(*((f"c{k}", "a", "r", 300) for k in range(3))), PROTOCOL)
    assert len(split.test) == 1
    assert split.notes == {"a": "one recording: split by clip"}


def test_one_clip_is_split_in_time_with_a_gap_of_one_window() -> None:
    split = split_clips(entries(("c", "a", "r", 1000)), PROTOCOL)
    assert [(s.start, s.stop) for s in split.train] == [(0, 600)]
    assert [(s.start, s.stop) for s in split.test] == [(728, 1000)]
    assert split.notes == {"a": "one recording: split in time"}


def test_two_clips_of_one_recording_are_split_in_time_across_both() -> None:
    split = split_clips(entries(("c", "a", "r", 600), ("d", "a", "r", 400)), PROTOCOL)
    assert [(s.clip, s.start, s.stop) for s in split.train] == [("c", 0, 600)]
    assert [(s.clip, s.start, s.stop) for s in split.test] == [("d", 128, 400)]


def test_the_order_of_the_clips_changes_nothing() -> None:
    rows = entries(*((f"c{k}", "a", f"r{k}", 300 + 7 * k) for k in range(9)))
    forward, backward = split_clips(rows, PROTOCOL), split_clips(rows[::-1], PROTOCOL)
    for part in ("train", "validation", "test"):
        assert set(getattr(forward, part)) == set(getattr(backward, part))


def test_the_real_tracks_are_split_as_the_protocol_says(real_data: Path) -> None:
    manifest = json.loads((real_data / "real-tracks/manifest.json").read_text())
    rows = [
        ClipEntry(c["clip"], c["identity"], c["source_repository"] + c["source_path"], int(c["seconds"] * 25))
        for c in manifest["clips"]
    ]
    split = split_clips(rows, PROTOCOL)
    assert [segment.clip for segment in split.test] == ["s01a", "s02a", "s03b", "s04b", "s05a"]
    assert split.test[-1].start > 0


def slow_starts(valid: np.ndarray, window: int, stride: int) -> list[int]:
    return [s for s in range(0, len(valid) - window + 1, stride) if all(valid[s : s + window])]


@pytest.mark.parametrize("frames", [0, 1, 127, 128, 129, 500])
def test_windows_are_those_of_the_slow_twin(frames: int) -> None:
    valid = np.random.default_rng(frames).random(frames) > 0.005
    for stride in (1, 5, 16):
        assert window_starts(valid, 128, stride).tolist() == slow_starts(valid, 128, stride)


@pytest.mark.parametrize("frames", [0, 1, 20, 200])
@pytest.mark.parametrize("stride", [1, 5, 16])
def test_a_window_fits_exactly_where_the_longest_stretch_is_long_enough(frames: int, stride: int) -> None:
    valid = np.random.default_rng(frames).random(frames) > 0.03
    longest = longest_stretch(valid, stride)
    for window in range(1, frames + 2):
        assert (len(slow_starts(valid, window, stride)) > 0) == (window <= longest)


ROTATED = Protocol(folds="all")


def held_frames(splits: tuple[Split, ...], clip: str) -> list[tuple[int, int]]:
    return [(s.start, s.stop) for split in splits for s in split.test if s.clip == clip]


def test_the_split_as_it_stands_is_one_fold() -> None:
    given = entries(*((f"c{k}", "a", f"r{k}", 400) for k in range(5)))
    assert split_folds(given, PROTOCOL) == (split_clips(given, PROTOCOL),)


def test_a_rotation_tests_every_unit_once_and_never_trains_on_it() -> None:
    given = entries(
        *((f"a{k}", "a", f"r{k // 2}", 300 + k) for k in range(8)),
        *((f"b{k}", "b", f"q{k}", 200 + k) for k in range(9)),
        ("d", "d", "d", 1000),
    )
    splits = split_folds(given, ROTATED)
    assert len(splits) == 5
    for entry in given[:-1]:
        assert held_frames(splits, entry.id) == [(0, entry.frames)]
    for split in splits:
        held = {segment.clip for segment in split.test if segment.identity != "d"}
        recordings = {entry.recording for entry in given if entry.id in held}
        trained = {segment.clip for segment in split.train}
        assert not recordings & {entry.recording for entry in given if entry.id in trained}
        assert split.validation == ()
        assert {segment.identity for segment in split.train} == {"a", "b", "d"}


def test_one_recording_is_rotated_in_time_with_a_gap_on_both_sides() -> None:
    splits = split_folds(entries(("c", "a", "r", 1000), *((f"x{k}", "b", f"{k}", 300) for k in range(2))), ROTATED)
    assert [[(s.start, s.stop) for s in split.test if s.clip == "c"] for split in splits] == [[(0, 500)], [(500, 1000)]]
    assert [[(s.start, s.stop) for s in split.train if s.clip == "c"] for split in splits] == [
        [(628, 1000)],
        [(0, 372)],
    ]
    assert splits[0].notes == {"a": "one recording: split in time"}
    three = split_folds(entries(("c", "a", "r", 900), *((f"x{k}", "b", f"{k}", 300) for k in range(3))), ROTATED)
    assert [(s.start, s.stop) for s in three[1].train if s.clip == "c"] == [(0, 172), (728, 900)]


def test_more_units_than_folds_are_dealt_out_evenly() -> None:
    splits = split_folds(entries(*((f"c{k}", "a", f"r{k}", 100 * (k + 1)) for k in range(10))), ROTATED)
    assert [sum(segment.frames for segment in split.test) for split in splits] == [1100] * 5


def test_an_identity_with_fewer_units_than_folds_is_trained_on_whole_in_the_others() -> None:
    given = entries(*((f"a{k}", "a", f"{k}", 300) for k in range(3)), *((f"b{k}", "b", f"{k}", 300) for k in range(2)))
    splits = split_folds(given, ROTATED)
    assert [[s.clip for s in split.test if s.identity == "b"] for split in splits] == [["b0"], ["b1"], []]
    assert [s.clip for s in splits[2].train if s.identity == "b"] == ["b0", "b1"]


def test_a_rotation_depends_on_names_and_lengths_alone() -> None:
    given = entries(*((f"c{k}", "a", f"r{k}", 300 + 7 * k) for k in range(7)))
    held = [{s.clip for s in split.test} for split in split_folds(given, ROTATED)]
    assert [{s.clip for s in split.test} for split in split_folds(given[::-1], ROTATED)] == held


def slow_rest(own: list[ClipEntry], tested: set[str], gap: int) -> dict[str, set[int]]:
    """Clip -> frames that are `gap` frames or more from every tested one, counted one by one."""
    line = [(entry.id, frame) for entry in own for frame in range(entry.frames)]
    held = [k for k, (clip, _) in enumerate(line) if clip in tested]
    rest: dict[str, set[int]] = {entry.id: set() for entry in own}
    for k, (clip, frame) in enumerate(line):
        if all(abs(k - other) > gap for other in held):
            rest[clip].add(frame)
    return rest


@pytest.mark.parametrize("seed", range(12))
def test_clips_of_one_recording_keep_a_gap_of_the_slow_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rules = replace(PROTOCOL, gap=12, window=10)
    own = entries(*((f"c{k}", "a", "r", int(rng.integers(5, 60))) for k in range(14)))
    given = [own[k] for k in rng.permutation(len(own))]
    split = split_clips(given, rules)
    tested = {segment.clip for segment in split.test}
    rest = slow_rest(own, tested, 12)
    trained = {(s.clip, f) for part in (split.train, split.validation) for s in part for f in range(s.start, s.stop)}
    assert trained == {(clip, frame) for clip, frames in rest.items() for frame in frames}
    assert sum(s.frames for s in split.test) == sum(entry.frames for entry in own if entry.id in tested)


def test_a_gap_by_hand() -> None:
    """The clip beside the tested one loses 128 frames; one shorter than that is dropped, and the next one loses too."""
    split = split_clips(entries(("c9", "a", "r", 400), ("c10", "a", "r", 100), ("c11", "a", "r", 560)), PROTOCOL)
    assert [(s.clip, s.start, s.stop) for s in split.test] == [("c9", 0, 400)]
    assert [(s.clip, s.start, s.stop) for s in split.train] == [("c11", 28, 560)]
    assert split.notes == {"a": "one recording: split by clip"}


def test_the_test_gives_way_where_the_training_would_be_left_without_a_window() -> None:
    given = entries(("c0", "a", "r", 200), ("c1", "a", "r", 500), ("c2", "a", "r", 200))
    short = split_clips(given, PROTOCOL)
    assert [(s.clip, s.start, s.stop) for s in short.test] == [("c1", 128, 372)]
    assert [(s.clip, s.start, s.stop) for s in short.train] == [("c0", 0, 200), ("c2", 0, 200)]
    hopeless = split_clips(entries(("c0", "a", "r", 130), ("c1", "a", "r", 200), ("c2", "a", "r", 130)), PROTOCOL)
    assert max(s.frames for s in hopeless.train) < PROTOCOL.window
    assert [(s.clip, s.start, s.stop) for s in hopeless.test] == [("c1", 0, 200)]


def test_who_has_no_window_at_all_keeps_what_there_is() -> None:
    """Without a training frame there would be no neutral face, and no corpus."""
    short = split_clips(entries(("c0", "a", "r", 50), ("c1", "a", "r", 50), ("c2", "a", "r", 30)), PROTOCOL)
    assert [(s.clip, s.start, s.stop) for s in short.test] == [("c0", 0, 50)]
    assert [(s.clip, s.start, s.stop) for s in short.train] == [("c1", 0, 50), ("c2", 0, 30)]


def test_recordings_of_their_own_lose_nothing() -> None:
    given = entries(*((f"c{k}", "a", f"r{k}", 300) for k in range(8)))
    assert split_clips(given, PROTOCOL) == split_clips(given, replace(PROTOCOL, gap=0))
    assert split_folds(given, ROTATED) == split_folds(given, replace(ROTATED, gap=0))


def test_a_rotation_keeps_the_gap_between_clips_and_across_a_cut_in_time() -> None:
    by_clip = split_folds(entries(*((f"c{k}", "a", "r", 300) for k in range(3))), ROTATED)
    assert [[(s.clip, s.start, s.stop) for s in split.train] for split in by_clip] == [
        [("c1", 128, 300), ("c2", 0, 300)],
        [("c0", 0, 172), ("c2", 128, 300)],
        [("c0", 0, 300), ("c1", 0, 172)],
    ]
    in_time = split_folds(entries(("c", "a", "r", 500), ("d", "a", "r", 500)), ROTATED)
    assert [[(s.clip, s.start, s.stop) for s in split.train] for split in in_time] == [
        [("d", 128, 500)],
        [("c", 0, 372)],
    ], "the cut falls between two clips"


def test_another_gap_trains_other_classifiers() -> None:
    assert replace(PROTOCOL, gap=64).training_digest() != PROTOCOL.training_digest()
    assert PROTOCOL.gap == PROTOCOL.window
