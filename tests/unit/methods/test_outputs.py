"""Files of finished outputs: which one answers, how long it must be, in which unit it is, and what is told of it."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.corpora.rotated_split import split_folds
from facial_bench.errors import FacialBenchError, GenerationError
from facial_bench.evaluation.requests import Task, make_tasks, mean_states, with_clip_cameras
from facial_bench.methods.check_outputs import check_outputs
from facial_bench.methods.finished_output import Output, read_output
from facial_bench.methods.output_files import MOTION_ENDINGS, find_output, folder_digest
from facial_bench.methods.output_time import fits
from facial_bench.methods.precomputed import Precomputed
from facial_bench.metrics.identity import CROSS, SELF
from facial_bench.reports.corpus_table import request_rows
from facial_bench.types import Context, CorpusInfo, Motion
from tests.helpers.faces import Lines
from tests.helpers.media import moving, write_video

Arrays = Mapping[str, np.ndarray]


@pytest.fixture(scope="module")
def corpus(make_corpus: Callable[..., Corpus]) -> Corpus:
    return make_corpus(people=("a", "b", "c"), clips=3, frames=200, name="outputs")


@pytest.fixture(scope="module")
def tasks(corpus: Corpus) -> list[Task]:
    (split,) = split_folds(corpus.entries, Protocol())
    initial = mean_states(corpus.segments(split.train))
    made = make_tasks(corpus.segments(split.test), corpus.info.identities, initial, 25.0, 0)
    return with_clip_cameras(made)


def read(tasks: list[Task], info: CorpusInfo, folder: Path, arrays: Arrays, rate: float | None = None) -> Output:
    np.savez(folder / "one.npz", **arrays)
    return read_output(folder / "one.npz", rate, tasks[0].request, info)


def state(task: Task) -> np.ndarray:
    return task.clip.motion.state().astype(np.float64)


# Which file


def test_what_lies_behind_links_is_digested(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    np.save(tmp_path / "a" / "x.npy", np.zeros((3, 71)))
    (tmp_path / "outputs").mkdir()
    os.symlink(tmp_path / "a", tmp_path / "outputs" / "self")
    os.symlink(tmp_path / "outputs", tmp_path / "outputs" / "round")
    before = folder_digest(tmp_path / "outputs")
    np.save(tmp_path / "a" / "x.npy", np.ones((3, 71)))
    assert folder_digest(tmp_path / "outputs") != before
    assert before != folder_digest(tmp_path / "a")


def test_a_cross_driven_output_names_its_person(tmp_path: Path) -> None:
    for name in ("x@0", "x@0=b"):
        (tmp_path / "cross").mkdir(exist_ok=True)
        np.save(tmp_path / "cross" / f"{name}.npy", np.zeros((3, 71)))
    assert find_output(tmp_path, "cross/x@0", (".npy",), "b").stem == "x@0=b"
    assert find_output(tmp_path, "cross/x@0", (".npy",), "c").stem == "x@0", "whoever is asked for"
    (tmp_path / "cross" / "x@0.npy").unlink()
    with pytest.raises(GenerationError, match="no output cross/x@0=c"):
        find_output(tmp_path, "cross/x@0", (".npy",), "c")


@pytest.mark.parametrize("chosen", [(), ("a", "c")])
@pytest.mark.parametrize("folds", ["one", "all"])
def test_requests_are_those_of_a_run(corpus: Corpus, chosen: tuple[str, ...], folds: str) -> None:
    """With and without --identities and --fold all: the same stretches, the same people."""
    people = corpus.select(chosen) if chosen else corpus
    header, *rows = request_rows(people, folds)
    listed = [dict(zip(header, row, strict=True)) for row in rows]
    expected = {}
    for split in split_folds(people.entries, replace(Protocol(), folds=folds)):
        initial = mean_states(people.segments(split.train))
        for task in make_tasks(people.segments(split.test), people.info.identities, initial, 25.0, 0):
            mark = f"={task.request.identity}" if task.driving == CROSS else ""
            expected[f"{task.request.id}{mark}"] = (task.request.identity, task.clip.frames)
    assert {row["request"]: (row["identity"], row["frames"]) for row in listed} == expected
    assert {row["identity"] for row in listed} == set(people.info.identities)


# How long


@pytest.mark.parametrize("rate", [15, 20, 24, 29.97, 30, 50, 60])
@pytest.mark.parametrize("frames", [100, 128, 471, 472, 750])
def test_rounded_counts_at_any_rate_fit_and_one_less_than_the_floor_does_not(rate: float, frames: int) -> None:
    seconds = frames / 25
    assert fits(round(seconds * rate), rate, frames, 25)
    assert not fits(int(seconds * rate - 1 - max(0, rate / 50)), rate, frames, 25)
    assert not fits(int((seconds + 0.2) * rate), rate, frames, 25)


def test_the_end_is_held_and_nothing_else(tasks: list[Task], corpus: Corpus, tmp_path: Path) -> None:
    known = state(tasks[0])[:, 70]
    times = np.arange(8 * 30) / 30 * 25
    output = read(tasks, corpus.info, tmp_path, {"blink": np.interp(times, np.arange(200), known)}, 30.0)
    assert len(output.parts["blink"]) == 200
    np.testing.assert_allclose(output.parts["blink"][::5], known[::5], atol=1e-6)
    assert not output.notes


def test_what_is_needed_and_which_rate_would_fit_is_said(tasks: list[Task], corpus: Corpus, tmp_path: Path) -> None:
    for frames, rate, told in (
        (240, None, "240 frames of blink, 200 were asked for (8.00 s at 25 frames a second): that is 30 frames"),
        (240, None, "--option fps=30 would fit"),
        (160, None, "--option fps=20 would fit"),
        (200, 30.0, "240 were asked for (8.00 s at 30 frames a second): that is 25 frames a second"),
        (130, None, "130 frames of blink, 200 were asked for (8.00 s at 25 frames a second)"),
    ):
        with pytest.raises(GenerationError) as problem:
            read(tasks, corpus.info, tmp_path, {"blink": np.zeros(frames)}, rate)
        assert told in str(problem.value)
    assert "fit" not in str(problem.value)
    with pytest.raises(GenerationError, match="one length"):
        read(tasks, corpus.info, tmp_path, {"blink": np.zeros(200), "pose": np.zeros((199, 6))})


# NaN


def test_a_lost_frame_counts_as_the_mean_state_and_no_other(tasks: list[Task], corpus: Corpus, tmp_path: Path) -> None:
    """What the method could have given itself: nothing can be gained by it."""
    task = next(one for one in tasks if one.driving == SELF)
    given = state(task)
    given[50, 3] = np.nan
    place = tmp_path / f"{task.request.id}.npy"
    place.parent.mkdir()
    np.save(place, given)
    context = Context(corpus.info, 0, "cpu", options={"motions": str(tmp_path)}, face_model=corpus.face_model)
    (motion,) = Precomputed(context).generate([task.request])
    made = motion.state()
    np.testing.assert_array_equal(made[50], task.request.initial_state)
    rest = np.arange(200) != 50
    np.testing.assert_array_equal(made[rest], given[rest].astype(np.float32))
    given[:21, 3] = np.nan
    np.save(place, given)
    with pytest.raises(GenerationError, match="state holds NaN or infinities in 22 of 200 frames"):
        Precomputed(context).generate([task.request])


# Names and units


def test_the_pose_by_either_name(tasks: list[Task], corpus: Corpus, tmp_path: Path) -> None:
    pose = state(tasks[0])[:, 64:70]
    one = read(tasks, corpus.info, tmp_path, {"pose": pose}).parts
    two = read(tasks, corpus.info, tmp_path, {"rotation": pose[:, :3], "translation": pose[:, 3:]}).parts
    for name in ("pose", "rotation", "translation"):
        np.testing.assert_array_equal(one[name], two[name])


def wrong(part: slice, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Task], Arrays]:
    """A state with something wrong in some of its columns."""

    def make(task: Task) -> Arrays:
        spoiled = state(task)
        spoiled[:, part] = change(spoiled[:, part])
        return {"state": spoiled}

    return make


ROTATION, TRANSLATION, BLINK = slice(64, 67), slice(67, 70), slice(70, 71)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (wrong(ROTATION, np.degrees), "beyond 2 pi: angles are in rad (degrees?)"),
        (wrong(BLINK, lambda b: 100 * b), "this corpus is 0..1 (closure): percent?"),
        (wrong(BLINK, lambda b: 5 * b), "this corpus is 0..1 (closure): AU45, 0..5?"),
        (wrong(BLINK, lambda b: b - 2), "blink reaches -1"),
        (lambda task: {"landmarks": task.clip.landmarks / 256}, "pixels are wanted"),
        (lambda task: {"landmarks": task.clip.landmarks[:, :, :2] * 4}, "of another picture size?"),
        (lambda task: {"face": np.zeros((200, 71))}, "FACIAL's own `face` (T, 71) has other columns"),
        (lambda task: {"poses": np.zeros((200, 6))}, "holds poses (pose?), expected some of"),
    ],
)
def test_what_is_surely_something_else_is_refused(
    tasks: list[Task], corpus: Corpus, tmp_path: Path, make: Callable[[Task], Arrays], told: str
) -> None:
    with pytest.raises(GenerationError) as problem:
        read(tasks, corpus.info, tmp_path, make(tasks[0]))
    assert told in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda place: place * [1, 1, -1], "in OpenCV and OpenFace positive; the pose is not used"),
        (lambda place: place * 10, "cm: mm?; the pose is not used"),
        (lambda place: place / 100, "cm: m?; the pose is not used"),
    ],
)
def test_a_head_that_is_nowhere_loses_its_pose_alone(
    tasks: list[Task], corpus: Corpus, tmp_path: Path, change: Callable[[np.ndarray], np.ndarray], told: str
) -> None:
    output = read(tasks, corpus.info, tmp_path, wrong(TRANSLATION, change)(tasks[0]))
    assert {"expression", "blink"} <= set(output.parts)
    assert "pose" not in output.parts
    (note,) = output.notes
    assert note.endswith(told)


def test_what_only_looks_like_something_else_is_told(tasks: list[Task], corpus: Corpus, tmp_path: Path) -> None:
    for make, told in ((wrong(BLINK, lambda b: 1 - b), "upside down?"), (wrong(ROTATION, lambda r: r + 1), "degrees?")):
        output = read(tasks, corpus.info, tmp_path, make(tasks[0]))
        assert told in output.notes[0]
        assert "pose" in output.parts


def test_the_state_of_facial_is_not_taken_for_ours(tasks: list[Task], corpus: Corpus, tmp_path: Path) -> None:
    """Rotation in degrees, translation, AU45, expression: the shape is the same."""
    ours = state(tasks[0])
    theirs = np.concatenate([np.degrees(ours[:, 64:67]), ours[:, 67:70], 5 * ours[:, 70:], ours[:, :64]], axis=1)
    np.save(tmp_path / "one.npy", theirs)
    with pytest.raises(GenerationError, match="FACIAL's own `face`"):
        read_output(tmp_path / "one.npy", None, tasks[0].request, corpus.info)
    ours[:, 69] *= -1
    np.save(tmp_path / "one.npy", ours)
    assert "pose" not in read_output(tmp_path / "one.npy", None, tasks[0].request, corpus.info).parts


# Other programs' files


def test_a_mat_of_deep3d_gives_its_pose(tasks: list[Task], corpus: Corpus, tmp_path: Path) -> None:
    pose = state(tasks[0])[:, 64:70]
    arrays = {"id": np.zeros((200, 80)), "exp": state(tasks[0])[:, :64], "angle": pose[:, :3]}
    savemat(tmp_path / "one.mat", {**arrays, "trans": pose[:, 3:] / 10 + [0, 0, 10]})
    output = read_output(tmp_path / "one.mat", None, tasks[0].request, corpus.info)
    np.testing.assert_allclose(output.parts["pose"], pose, atol=1e-9)
    assert "expression" not in output.parts
    assert "another face model" in output.notes[0]
    own = replace(corpus.info, tracker="deep3d")
    assert "expression" in read_output(tmp_path / "one.mat", None, tasks[0].request, own).parts


def test_a_folder_of_one_mat_a_frame_is_one_output(tasks: list[Task], corpus: Corpus, tmp_path: Path) -> None:
    """Numbered from 1, in natural order; the file that is not there is a lost frame."""
    pose, folder = state(tasks[0])[:, 64:70], tmp_path / tasks[0].request.id
    folder.mkdir(parents=True)
    for k, (rotation, translation) in enumerate(zip(pose[:, :3], pose[:, 3:], strict=True), 1):
        one = {"id": np.zeros((1, 80)), "exp": np.zeros((1, 64)), "angle": rotation[None]}
        savemat(folder / f"{k}.mat", {**one, "trans": translation[None] / 10 + [0, 0, 10]})
    (folder / "60.mat").unlink()
    assert find_output(tmp_path, tasks[0].request.id, MOTION_ENDINGS) == folder
    output = read_output(folder, None, tasks[0].request, corpus.info)
    assert np.flatnonzero(output.lost).tolist() == [59]
    kept = ~output.lost
    np.testing.assert_allclose(output.parts["pose"][kept], pose[kept], atol=1e-9)
    lines = told(corpus, tmp_path)
    assert any(line.startswith(f"outputs: 1 of {len(tasks)} requests") for line in lines.said), lines.said
    assert not any("answer no request" in line for line in lines.warnings)
    (folder / "2.mat").rename(folder / "999999999.mat")
    with pytest.raises(GenerationError, match=r"rows for 199 of 999999999 frames"):
        read_output(folder, None, tasks[0].request, corpus.info)
    (folder / "9.mat").write_bytes(b"torn")
    with pytest.raises(GenerationError, match=r"9\.mat"):
        read_output(folder, None, tasks[0].request, corpus.info)


def test_a_csv_of_openface_is_read_as_it_is_imported(
    tasks: list[Task], corpus: Corpus, real_data: Path, tmp_path: Path
) -> None:
    (source, *_) = sorted((real_data / "other-formats").rglob("*.csv"))
    with source.open(encoding="utf-8") as stream:
        table = list(csv.reader(stream))
    header, body = table[0], table[1:101]
    stamp = [name.strip() for name in header].index("timestamp")
    for k, row in enumerate(body):
        row[stamp] = f"{k / 25:.3f}"
    with (tmp_path / "one.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *body])
    request = replace(tasks[0].request, audio=tasks[0].request.audio[:100], camera=None)
    scale = replace(corpus.info, blink_scale="AU45")
    output = read_output(tmp_path / "one.csv", None, request, scale)
    assert {"landmarks", "rotation", "blink"} <= set(output.parts)
    assert len(output.parts["landmarks"]) == 100
    assert "blink" not in read_output(tmp_path / "one.csv", None, request, corpus.info).parts


# The folder


def put(folder: Path, outputs: Mapping[str, Arrays]) -> Path:
    for name, arrays in outputs.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        np.savez(folder / f"{name}.npz", **arrays)
    return folder


def told(corpus: Corpus, folder: Path, **options: str) -> Lines:
    lines = Lines()
    check_outputs(corpus, {"motions": str(folder), **options}, Protocol(), lines)
    return lines


def test_a_whole_folder_is_one_line(tasks: list[Task], corpus: Corpus, tmp_path: Path) -> None:
    lines = told(corpus, put(tmp_path, {task.request.id: {"state": state(task)} for task in tasks}))
    assert lines.said == [f"outputs: {len(tasks)} of {len(tasks)} requests are answered"]
    assert not lines.warnings


def test_what_is_missing_extra_unread_and_wrong_is_a_line_each(
    tasks: list[Task], corpus: Corpus, tmp_path: Path
) -> None:
    own = [task for task in tasks if task.driving == SELF]
    outputs: dict[str, Arrays] = {task.request.id: {"state": state(task)} for task in own}
    outputs[own[0].request.id] = {"state": state(own[0]), "poses": np.zeros((200, 6))}
    outputs[own[1].request.id] = {"state": state(own[1])[:150]}
    outputs["self/other@0"] = {"state": np.zeros((3, 71))}
    lines = told(corpus, put(tmp_path, outputs))
    first, second = lines.said
    assert first == f"outputs: {len(own)} of {len(tasks)} requests are answered, none of the {len(own)} that other " + (
        "people's speech drives"
    )
    assert second.startswith(f"outputs: {own[1].request.id}: ")
    assert "150 frames of state, 200 were asked for" in second
    assert [line.split(":")[0] for line in lines.warnings] == [
        f"nothing reads the arrays poses (pose?) of {own[0].clip.id}@0.npz",
        f"1 files in {tmp_path} answer no request",
    ]


def test_videos_are_opened_and_their_length_is_told(tasks: list[Task], corpus: Corpus, tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV is not installed: pip install -r requirements-video.txt")
    for task, frames in zip(tasks[:2], (200, 120), strict=True):
        write_video(tmp_path / f"{task.request.id}.mp4", moving(frames))
    (tmp_path / f"{tasks[2].request.id}.mp4").write_text("no video")
    lines = Lines()
    check_outputs(corpus, {"videos": str(tmp_path)}, Protocol(), lines)
    assert any(
        line.startswith(f"outputs: {tasks[2].request.id}: ") and "opened as a video" in line for line in lines.said
    )
    (warning,) = lines.warnings
    assert "has 120 frames of video, 200 were asked for (8.00 s at 25 frames a second), as the file says" in warning


def test_landmarks_of_another_picture_are_told(tasks: list[Task], corpus: Corpus, tmp_path: Path) -> None:
    outputs = {task.request.id: {"landmarks": task.clip.landmarks * 1.6} for task in tasks}
    lines = told(corpus, put(tmp_path, outputs))
    (line,) = [line for line in lines.warnings if "picture of" in line]
    assert "landmarks look like those of a picture of 410 x 410, this clip's is 256 x 256" in line


def test_of_chosen_people_who_speaks_must_be_named(tasks: list[Task], corpus: Corpus, tmp_path: Path) -> None:
    some = corpus.select(("a", "c"))
    outputs = {task.request.id: {"state": state(task)} for task in tasks}
    (line,) = [line for line in told(some, put(tmp_path, outputs)).warnings if "name no person" in line]
    assert "requests --identities" in line


def test_a_folder_without_an_output_that_can_be_scored_stops_the_run(
    tasks: list[Task], corpus: Corpus, tmp_path: Path
) -> None:
    with pytest.raises(FacialBenchError, match=r"No output in .* can be scored; self/"):
        told(corpus, tmp_path)
    bad = {task.request.id: {"blink": 100 * task.clip.motion.blink} for task in tasks[:2]}
    with pytest.raises(FacialBenchError, match="percent"):
        told(corpus, put(tmp_path, bad))


def test_motion_without_any_trouble_is_left_alone(tasks: list[Task], corpus: Corpus, tmp_path: Path) -> None:
    for task in tasks:
        assert isinstance(task.clip.motion, Motion)
        np.savez(tmp_path / "one.npz", state=state(task), landmarks=task.clip.landmarks)
        assert not read_output(tmp_path / "one.npz", None, task.request, corpus.info).notes
