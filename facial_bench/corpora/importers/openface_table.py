"""The table of one OpenFace CSV: numbers as any computer writes them, one face, every row at its own frame.

A spreadsheet may have saved it (`;` or tabs for commas, decimal commas, UTF-16, a first line `sep=;`), Windows prints
NaN as `-nan(ind)` or `-1.#IND`, and rows of frames without a face may be missing: they are put back by frame number.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError, one_line, printable
from facial_bench.core.types import LANDMARKS

FASTEST = 200.0
"""Frames a second above which time stamps are taken for wrong."""
CONFIDENT = 0.7
"""Confidence below which a frame counts as without a face."""
FLAGS = {
    "-2Dfp": tuple(f"{axis}_{k}" for axis in "xy" for k in range(LANDMARKS)),
    "-3Dfp": tuple(f"{axis}_{k}" for axis in "XYZ" for k in range(LANDMARKS)),
    "-pose": tuple(f"pose_{kind}{axis}" for kind in "TR" for axis in "xyz"),
    "-aus": ("AU45_r",),
}
"""OpenFace's options -> the columns that each adds, of those that are read."""
ALWAYS = ("timestamp", "confidence", "success")
"""Columns that OpenFace writes whatever its options."""
NO_NUMBER = re.compile(r"[+-]?(nan(\(\w*\))?|1[.,]#\w+)|n/?a|#n/a|", re.IGNORECASE)
"""How NaN is printed: by C on Linux, by C on Windows, by pandas and R, by spreadsheets."""
WHOLE = re.compile(r"\s*[+-]?\d+(e[+-]?\d+)?\s*", re.IGNORECASE)
MARKS = ",."


@dataclass(frozen=True, eq=False)
class FaceTable:
    """What is read of one face, in the order of the file."""

    columns: Mapping[str, np.ndarray]
    """name -> (n,) finite numbers, 0 in rows without a face."""
    faces: np.ndarray
    """(n,) bool: rows with a face that OpenFace is sure of."""
    frames: np.ndarray
    """(n,) whole numbers of the frames, increasing."""
    times: np.ndarray
    """(n,) seconds since the video began, increasing."""


def read_face_table(path: Path, rate: float | None, face: int | None) -> FaceTable:
    """The rows of one face.

    Args:
        path: The CSV.
        rate: Frames a second; None to believe its time stamps.
        face: Which `face_id`, needed where there are several.

    Raises:
        CorpusError: damaged, without the columns or the face, NaN in a frame with a face, or times of no video; names
            line and column.
    """
    names, lines, rows = _read_rows(path)
    optional = [name for name in ("frame", "face_id") if name in names]
    wanted = [*optional, *ALWAYS, *(name for group in FLAGS.values() for name in group)]
    _require(names, wanted, len(rows))
    columns = _numbers(names, wanted, lines, rows)
    if "face_id" in columns:
        chosen = _rows_of_face(columns["face_id"], face)
        columns = {name: values[chosen] for name, values in columns.items()}
        lines = [lines[row] for row in chosen]
    faces = (columns["success"] > 0) & (columns["confidence"] >= CONFIDENT)
    for name, values in columns.items():
        bad = np.flatnonzero(~np.isfinite(values) & (faces | (name in (*optional, *ALWAYS))))
        if len(bad):
            raise CorpusError(f"line {lines[bad[0]]}, column {name} is {values[bad[0]]}")
    if not faces.any():
        raise CorpusError("no frame has a face that OpenFace is sure of")
    held = {name: np.where(np.isfinite(values), values, 0.0) for name, values in columns.items()}
    frames = held.get("frame", np.arange(1.0, len(faces) + 1))
    bad = np.flatnonzero((np.diff(frames, prepend=-1) <= 0) | (frames >= 1e9) | (np.mod(frames, 1) != 0))
    if len(bad):
        after = f" after {frames[bad[0] - 1]:g}" if bad[0] else ""
        told = f"line {lines[bad[0]]}, column frame is {frames[bad[0]]:g}{after}"
        raise CorpusError(f"{told}: the rows of one face of one video are numbered upwards")
    return FaceTable(held, faces, frames, _times(frames, held["timestamp"], rate))


def _read_rows(path: Path) -> tuple[list[str], list[int], list[list[str]]]:
    """The names of the columns, and of each row after them its line and its cells."""
    try:
        with path.open("rb") as raw:
            wide = raw.read(2) in (b"\xff\xfe", b"\xfe\xff")
        with path.open(encoding="utf-16" if wide else "utf-8-sig", newline="") as stream:
            start, first = 0, stream.readline()
            if first.startswith("sep="):
                start, first = 1, stream.readline()
            separator = max(",;\t", key=first.count)
            header = [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]
            reader = csv.reader(stream, delimiter=separator)
            numbered = [(reader.line_num + 1 + start, row) for row in reader if row]
    except (OSError, UnicodeError, csv.Error) as problem:
        raise CorpusError(f"it cannot be read as CSV ({one_line(problem)})") from None
    return header, [line for line, _ in numbered], [row for _, row in numbered]


def _require(names: Sequence[str], wanted: Sequence[str], rows: int) -> None:
    lacking = [name for name in wanted if name not in names]
    if any(name in lacking for name in ALWAYS):
        held = ", ".join(map(printable, names[:6])) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        raise CorpusError(
            f"it lacks the column {lacking[0]}, which every CSV of OpenFace has; it holds {held or 'none'}"
        )
    if lacking:
        flags = [flag for flag, group in FLAGS.items() if set(group) & set(lacking)]
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise CorpusError(f"it lacks the column {lacking[0]}{more}; OpenFace writes them with {' '.join(flags)}")
    if not rows:
        raise CorpusError("it holds no frame")


def _numbers(
    names: Sequence[str], wanted: Sequence[str], lines: Sequence[int], rows: Sequence[Sequence[str]]
) -> dict[str, np.ndarray]:
    """name -> (rows,) of the wanted columns, NaN where the file says so; one decimal mark for all of a file."""
    places = {name: names.index(name) for name in wanted}
    columns = {name: np.full(len(rows), np.nan) for name in wanted}
    marks: dict[str, str] = {}
    for number, (line, row) in enumerate(zip(lines, rows, strict=True)):
        if len(row) != len(names):
            raise CorpusError(
                f"line {line} has {len(row)} columns, the first {len(names)}{_split_decimals(row, names)}"
            )
        for name, place in places.items():
            cell = row[place].strip()
            if NO_NUMBER.fullmatch(cell):
                continue
            for mark in MARKS:
                if mark not in marks and mark in cell:
                    marks[mark] = f"line {line}, column {name}: '{printable(cell)[:30]}'"
            try:
                columns[name][number] = float(cell.replace(",", ".").replace("_", "?"))  # Python reads 1_0 as 10
            except ValueError:
                raise CorpusError(f"line {line}, column {name}: '{printable(cell)[:30]}' is no number") from None
    if len(marks) == 2:
        raise CorpusError(f"it has decimal commas ({marks[',']}) and decimal points ({marks['.']}); write all alike")
    return columns


def _split_decimals(row: Sequence[str], names: Sequence[str]) -> str:
    """What to say of a row in which the commas of decimals are separators too; nothing of other rows."""
    if len(row) <= len(names) or not all(WHOLE.fullmatch(cell) or NO_NUMBER.fullmatch(cell.strip()) for cell in row):
        return ""
    remedy = "save it with decimal points, or with ';' between the columns"
    return f", all of them whole numbers: its decimal commas separate columns too; {remedy}"


def _rows_of_face(ids: np.ndarray, face: int | None) -> np.ndarray:
    """Indices of the rows of the face that is asked for, or of the only one."""
    found, counts = np.unique(ids, return_counts=True)
    held = ", ".join(f"{number:g} ({count} rows)" for number, count in zip(found[:8], counts, strict=False))
    if face is None and len(found) > 1:
        raise CorpusError(f"it holds several faces, face_id {held}: choose one with --option face=ID")
    if face is not None and face not in found:
        raise CorpusError(f"it holds no face {face}; its face_id: {held}")
    return np.flatnonzero(ids == (found[0] if face is None else face))


def _times(frames: np.ndarray, stamps: np.ndarray, rate: float | None) -> np.ndarray:
    """(n,) seconds: by the numbers of the frames, which OpenFace counts from 1, or as stamped."""
    if rate is not None:
        return (frames - min(1.0, frames[0])) / rate
    steps = np.diff(stamps)
    if not len(steps) or steps.min() <= 0 or 1 / np.median(steps / np.diff(frames)) > FASTEST:
        raise CorpusError("its time stamps are not those of a video; name its rate with --option fps=RATE")
    return stamps
