"""OpenFace's CSVs: its axes become ours, its mistakes are told with line and column."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facial_bench.core.geometry import FLIP, RIGID, rotation_matrices
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.importers.input_files import find_files
from facial_bench.corpora.importers.openface import import_openface, read_openface, to_our_rotation
from facial_bench.errors import CorpusError
from tests.helpers.media import tone, write_sound


def table(real_data: Path) -> list[list[str]]:
    with (real_data / "other-formats" / "openface.csv").open() as stream:
        return list(csv.reader(stream))


def put(folder: Path, name: str, rows: list[list[str]], seconds: float = 4.0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    write_sound(folder / f"{name}.wav", tone(seconds))
    return folder / f"{name}.csv"


def at_25(rows: list[list[str]]) -> list[list[str]]:
    place = [name.strip() for name in rows[0]].index("timestamp")
    return [rows[0], *([*row[:place], str(k / 25), *row[place + 1 :]] for k, row in enumerate(rows[1:]))]


def changed(rows: list[list[str]], line: int, column: str, value: str) -> list[list[str]]:
    place = [name.strip() for name in rows[0]].index(column)
    copy = [list(row) for row in rows]
    copy[line - 1][place] = value
    return copy


def test_the_real_file_turns_with_its_landmarks(real_data: Path, tmp_path: Path) -> None:
    """The pose's rotation, in our axes, is the rotation of OpenFace's own 3-D landmarks in our axes; depth is in front
    of the camera; 2-D landmarks are the projection of the 3-D ones."""
    path = put(tmp_path, "a1", at_25(table(real_data)))
    track, _ = read_openface(find_files(path, ".csv")[0])
    rows = table(real_data)
    names = [name.strip() for name in rows[0]]
    points = (
        np.array([[[float(row[names.index(f"{axis}_{k}")]) for axis in "XYZ"] for k in range(68)] for row in rows[1:]])
        * FLIP
    )
    assert track.camera.width == 640
    assert track.camera.height == 360
    assert track.camera.focal == pytest.approx(437.5, abs=0.01)
    assert len(track.valid) == 100
    assert track.valid.all()
    turned = rotation_matrices(track.rotation)
    rigid = list(RIGID)
    centred = points[:, rigid] - points[:, rigid].mean(axis=1, keepdims=True)
    off, mirrored = [], []
    for k in range(0, 100, 7):
        seen = Rotation.align_vectors(centred[k], centred[0])[0]
        for errors, signs in ((off, [1, 1, 1]), (mirrored, [1, -1, -1])):
            told = Rotation.from_euler("xyz", track.rotation[[k, 0]] * signs)
            errors.append(np.degrees((told[0] * told[1].inv() * seen.inv()).magnitude()))
    assert np.mean(off) < 0.7, "degrees; the shape of the face is not quite rigid"
    assert np.mean(mirrored) > 3 * np.mean(off)
    front = points[50] @ turned[50] - (points[50] @ turned[50])[rigid].mean(axis=0)
    assert abs(front[36, 2] - front[45, 2]) < 3, "turned to the front the eyes are equally deep (mm)"
    assert front[30, 2] > front[36, 2] + 10, "and the nose is nearer the viewer"
    assert (track.translation[:, 2] < -40).all(), "cm in front of the camera"
    assert (track.landmarks[:, 30, 2] < track.landmarks[:, 8, 2]).all(), "z grows away from the viewer"
    assert track.blink.max() <= 5


def test_rotation_by_hand() -> None:
    """Yaw and roll turn about axes that point the other way in ours; pitch keeps its axis."""
    for axis, sign in ((0, 1), (1, -1), (2, -1)):
        angles = np.zeros((1, 3))
        angles[0, axis] = 0.2
        np.testing.assert_allclose(to_our_rotation(angles, np.ones(1, bool)), sign * angles, atol=1e-12)
    np.testing.assert_array_equal(to_our_rotation(np.full((1, 3), np.nan), np.zeros(1, bool)), np.zeros((1, 3)))


def make(folder: Path, dest: Path, **options: str) -> tuple[Corpus, list[str]]:
    lines: list[str] = []
    import_openface(folder, dest, options, lines.append)
    return open_corpus(dest), lines


def test_a_folder_is_imported_and_bad_files_are_told(real_data: Path, tmp_path: Path) -> None:
    rows = at_25(table(real_data))
    for name in ("a1", "a2", "b1", "b2"):
        put(tmp_path / "in", name, rows)
    put(tmp_path / "in", "nan", changed(rows, 17, "X_30", "nan"))
    put(tmp_path / "in", "word", changed(rows, 5, "pose_Rx", "left"))
    put(tmp_path / "in", "lost", changed(rows, 9, "success", "0"))
    put(tmp_path / "in", "columns", [row[:100] for row in rows])
    put(tmp_path / "in", "cut", [*rows[:40], rows[40][:200]])
    put(tmp_path / "in", "empty", rows[:1])
    put(tmp_path / "in", "raw", table(real_data))
    put(tmp_path / "in", "short", rows, seconds=1.0)
    put(tmp_path / "in", "mute", rows)
    (tmp_path / "in" / "mute.wav").unlink()
    (tmp_path / "in" / "binary.csv").write_bytes(b"\x00\x81")
    corpus, lines = make(tmp_path / "in", tmp_path / "made")
    told = {line.split(": ")[1]: line for line in lines if line.startswith("left out: ")}
    for name, why in {
        "nan": "line 17, column X_30 is nan",
        "word": "line 5, column pose_Rx: 'left' is no number",
        "columns": "it lacks the column",
        "cut": "line 41 has 200 columns",
        "empty": "it holds no frame",
        "raw": "its time stamps are not those of a video; name its rate with --option fps=RATE",
        "short": "short.wav lasts 1.00 s, the motion 4.00 s",
        "mute": "there is no sound beside it: add mute.wav",
        "binary": "cannot be read as CSV",
    }.items():
        assert why in told.pop(f"{name}.csv"), name
    assert not told
    assert [(e.id, e.identity, e.frames) for e in corpus.entries] == [
        ("a1", "a1", 100),
        ("a2", "a2", 100),
        ("b1", "b1", 100),
        ("b2", "b2", 100),
        ("lost", "lost", 100),
    ]
    assert np.flatnonzero(~corpus.clip("lost").valid).tolist() == [7]
    assert corpus.info.blink_scale == "AU45"
    assert len(corpus.manifest["source"]["left_out"]) == 9


def test_rates_and_refusals(real_data: Path, tmp_path: Path) -> None:
    path = put(tmp_path / "in", "a1", table(real_data))
    with pytest.raises(CorpusError, match=r"Nothing could be imported; a1\.csv: its time stamps"):
        make(path, tmp_path / "made")
    corpus, _ = make(path, tmp_path / "made", fps="30")
    assert corpus.entries[0].frames == 83
    for options, complaint in (
        ({"fps": "x"}, "fps=RATE in frames a second, not x"),
        ({"rate": "3"}, "Available: face, fps"),
    ):
        with pytest.raises(Exception, match=complaint):
            make(path, tmp_path / "other", **options)
    with pytest.raises(CorpusError, match=r"No folder at .*none"):
        make(tmp_path / "none", tmp_path / "other")


def test_a_sound_that_goes_on_without_motion_is_told(real_data: Path, tmp_path: Path) -> None:
    """100 frames that are taken for 100 a second last one second."""
    put(tmp_path / "in", "a1", at_25(table(real_data)))
    lines = make(tmp_path / "in", tmp_path / "made", fps="100")[1]
    (line,) = [line for line in lines if "sound lasts" in line]
    assert "a1: its sound lasts 4.00 s, the motion 1.00 s" in line
    assert "--option fps=RATE" in line
    assert not [line for line in make(tmp_path / "in", tmp_path / "whole")[1] if "sound lasts" in line]
