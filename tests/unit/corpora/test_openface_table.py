"""One OpenFace table: numbers as any computer writes them, one face of several, every row at its own frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from facial_bench.corpora.importers.file_track import FileTrack
from facial_bench.corpora.importers.openface import import_openface, read_csv
from facial_bench.errors import CorpusError, FacialBenchError
from facial_bench.types import Camera
from tests.helpers.faces import openface_rows

Rows = list[list[str]]


def write(path: Path, rows: Rows, separator: str = ",", encoding: str = "utf-8", end: str = "\n") -> Path:
    path.write_bytes((end.join(separator.join(row) for row in rows) + end).encode(encoding))
    return path


def cell(rows: Rows, line: int, column: str, value: str) -> Rows:
    place = rows[0].index(column)
    return [row if k != line - 1 else [*row[:place], value, *row[place + 1 :]] for k, row in enumerate(rows)]


def commas(rows: Rows) -> Rows:
    return [[text.replace(".", ",") for text in row] for row in rows]


def same(one: FileTrack, other: FileTrack) -> None:
    np.testing.assert_array_equal(one.times, other.times)
    np.testing.assert_array_equal(one.faces, other.faces)
    for name, values in one.arrays.items():
        np.testing.assert_array_equal(values, other.arrays[name])


@pytest.mark.parametrize(
    "save",
    [
        lambda path, rows: write(path, rows, ", "),
        lambda path, rows: write(path, rows, ";"),
        lambda path, rows: write(path, commas(rows), ";"),
        lambda path, rows: write(path, [["sep=;"], *commas(rows)], ";"),
        lambda path, rows: write(path, commas(rows), "\t", "utf-16", "\r\n"),
        lambda path, rows: write(path, rows, ",", "utf-8-sig", "\r\n"),
        lambda path, rows: write(path, [rows[0], *([f'"{text}"' for text in row] for row in commas(rows[1:]))]),
    ],
    ids=["spaces", "semicolons", "decimal commas", "sep=", "UTF-16", "BOM", "quotes"],
)
def test_however_a_spreadsheet_saves_it_the_numbers_are_the_same(
    tmp_path: Path, save: Callable[[Path, Rows], Path]
) -> None:
    rows = openface_rows(6)
    same(read_csv(save(tmp_path / "saved.csv", rows)), read_csv(write(tmp_path / "plain.csv", rows)))


@pytest.mark.parametrize(
    "text", ["-nan(ind)", "nan(ind)", "-NaN(IND)", "1.#QNAN", "-1.#IND", "1.#INF", "NaN", "", "NA"]
)
def test_nan_in_a_frame_without_a_face_is_no_complaint(tmp_path: Path, text: str) -> None:
    rows = cell(openface_rows(6), 4, "success", "0")
    track = read_csv(write(tmp_path / "a.csv", cell(rows, 4, "pose_Tx", text)))
    assert track.faces.tolist() == [True, True, False, True, True, True]
    with pytest.raises(CorpusError, match="line 5, column pose_Tx is nan"):
        read_csv(write(tmp_path / "a.csv", cell(rows, 5, "pose_Tx", text)))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (
            lambda rows: cell(rows, 3, "x_0", '"1,5"'),
            r"decimal commas \(line 3, column x_0: '1,5'\) and decimal points",
        ),
        (lambda rows: cell(rows, 3, "x_0", '"1,234.5"'), "line 3, column x_0: '1,234.5' is no number"),
        (lambda rows: cell(rows, 3, "x_0", "1_0"), "line 3, column x_0: '1_0' is no number"),
        (lambda rows: cell(rows, 3, "frame", "1"), "line 3, column frame is 1 after 1"),
        (lambda rows: cell(rows, 3, "frame", "1e12"), r"line 3, column frame is 1e\+12 after 1"),
        (lambda rows: [row[1:] for row in commas(rows)], r"whole numbers: its decimal commas separate columns too"),
        (
            lambda rows: [row[5:] for row in rows],
            "it lacks the column timestamp, which every CSV of OpenFace has; it holds",
        ),
        (lambda rows: [row[:-1] for row in rows], "it lacks the column AU45_r; OpenFace writes them with -aus"),
        (lambda rows: [["a", "b"]], "lacks the column timestamp, which every CSV of OpenFace has; it holds a, b"),
        (lambda rows: rows[:1], "it holds no frame"),
        (lambda rows: [*rows, [], ["7"]], "line 9 has 1 columns"),
    ],
)
def test_what_is_said_is_what_is_known(tmp_path: Path, spoil: Callable[[Rows], Rows], complaint: str) -> None:
    with pytest.raises(CorpusError, match=complaint):
        read_csv(write(tmp_path / "a.csv", spoil(openface_rows(6))))


def test_faces_are_chosen_and_never_mixed(tmp_path: Path) -> None:
    first, second = openface_rows(6, face=0), openface_rows(6, face=3, away=40)
    both = [first[0], *(row for pair in zip(first[1:], second[2:5], strict=False) for row in pair), *first[4:]]
    path = write(tmp_path / "both.csv", both)
    with pytest.raises(CorpusError, match=r"several faces, face_id 0 \(6 rows\), 3 \(3 rows\): .*--option face=ID"):
        read_csv(path)
    same(read_csv(path, face=0), read_csv(write(tmp_path / "first.csv", first)))
    same(read_csv(path, face=3), read_csv(write(tmp_path / "second.csv", [second[0], *second[2:5]])))
    with pytest.raises(CorpusError, match=r"it holds no face 1; its face_id: 0"):
        read_csv(path, face=1)
    with pytest.raises(FacialBenchError, match="--option face=ID, a number of the column face_id, not left"):
        import_openface(path, tmp_path / "made", {"face": "left"}, print)


def track(frames: Sequence[int], rate: float = 25.0) -> FileTrack:
    numbers = np.array(frames)
    times = (numbers - min(1, numbers[0])) / rate
    return FileTrack(numbers, times, np.ones(len(times), bool), {"blink": numbers * 1.0}, Camera(64, 64, 50.0))


def test_missing_frames_are_frames_without_a_face() -> None:
    held = track([1, 2, 3, 7, 8]).with_gaps()
    assert held.faces.tolist() == [True, True, True, False, True, True]
    np.testing.assert_allclose(held.times, np.array([0, 1, 2, 4, 6, 7]) / 25)
    assert track([0, 4, 8, 12]).with_gaps().faces.all(), "every fourth frame is a rate"
    assert track([4]).with_gaps().times.tolist() == [3 / 25]


def test_the_length_of_the_sound_says_whether_both_were_cut() -> None:
    held = track(range(101, 201))
    whole, cut = held.on_sound(200 / 25), held.on_sound(100 / 25)
    assert (whole.times[0], whole.faces[0], whole.times[1]) == (0.0, False, 4.0)
    assert (cut.times[0], cut.faces.all()) == (0.0, True)
    assert track(range(1, 101)).on_sound(30.0).faces.all()
