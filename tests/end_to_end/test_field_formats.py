"""Files as their makers and their owners' programs write them: each small case through the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.io import loadmat, savemat

from facial_bench.cli import main
from facial_bench.corpora.corpus import Corpus, open_corpus
from tests.helpers.faces import openface_rows
from tests.helpers.media import tone, write_sound


@pytest.fixture
def cases(real_data: Path) -> Path:
    folder = real_data / "cases"
    if not folder.is_dir():
        pytest.skip(f"cases of the field: {folder} is not there")
    return folder


def bring(source: Path, dest: Path, format_: str, *options: str) -> tuple[Corpus | None, str]:
    """The corpus of an import, None where it failed, and all that it said."""
    words = [word for option in options for word in ("--option", option)]
    done = CliRunner().invoke(main, ["corpus", "import", str(source), str(dest), "--format", format_, *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return (open_corpus(dest) if done.exit_code == 0 else None), done.output


def same(one: Corpus, other: Corpus, name: str, of: str, frames: np.ndarray | slice = slice(None)) -> None:
    """Two clips hold the same motion in some frames, and the same sound."""
    left, right = one.clip(name), other.clip(of)
    for what in ("pose", "blink", "expression"):
        np.testing.assert_allclose(
            getattr(left.motion, what)[frames], getattr(right.motion, what)[frames], atol=1e-5, err_msg=what
        )
    np.testing.assert_array_equal(left.landmarks[frames], right.landmarks[frames])
    np.testing.assert_array_equal(left.audio, right.audio)
    np.testing.assert_array_equal(left.valid[frames], right.valid[frames])


def test_deep3d_of_the_pytorch_code(cases: Path, tmp_path: Path) -> None:
    source = cases / "deep3d-pytorch-keys"
    (one, said) = bring(source / "s02a.mat", tmp_path / "one", "deep3d", "image_size=224x224")
    assert one, said
    (other, said) = bring(source / "coeff-reference" / "s02a.mat", tmp_path / "other", "deep3d", "image_size=224x224")
    assert other, said
    same(one, other, "s02a", "s02a")


def test_deep3d_with_a_file_a_frame(cases: Path, tmp_path: Path) -> None:
    """Without two frames in which no face was found; names are not padded with zeros."""
    source = cases / "deep3d-pytorch-keys"
    (tmp_path / "in" / "s02a").mkdir(parents=True)
    held = {key: array for key, array in loadmat(source / "s02a.mat").items() if not key.startswith("_")}
    for frame in range(25):
        if frame not in (11, 12):
            savemat(tmp_path / "in" / "s02a" / f"{frame}.mat", {key: array[[frame]] for key, array in held.items()})
    for ending in ("wav", "blink.npy", "landmarks.npy"):
        shutil.copy(source / f"s02a.{ending}", tmp_path / "in" / f"s02a.{ending.upper()}")
    (one, said) = bring(tmp_path / "in", tmp_path / "one", "deep3d", "image_size=224x224")
    assert one, said
    assert "s02a: s02, 25 frames, 2 without a face" in said
    (other, said) = bring(source / "coeff-reference" / "s02a.mat", tmp_path / "other", "deep3d", "image_size=224x224")
    assert other, said
    assert np.flatnonzero(~one.clip("s02a").valid).tolist() == [11, 12]
    np.testing.assert_array_equal(
        np.delete(one.clip("s02a").landmarks, (11, 12), axis=0),
        np.delete(other.clip("s02a").landmarks, (11, 12), axis=0),
    )


def test_nan_as_windows_prints_it(cases: Path, tmp_path: Path) -> None:
    corpus, said = bring(cases / "openface-nan-ind", tmp_path / "made", "openface")
    assert corpus, said
    assert "left out" not in said
    assert 0 < (~corpus.clip("p01").valid).sum() <= 4, "two frames at the rate of the file"


def test_rows_that_are_missing_are_frames_without_a_face(cases: Path, tmp_path: Path) -> None:
    corpus, said = bring(cases / "openface-rows-missing-with-fps", tmp_path / "made", "openface", "fps=30")
    assert corpus, said
    left, right = corpus.clip("p01"), corpus.clip("reference")
    assert left.frames == right.frames
    lost = np.flatnonzero(~left.valid)
    np.testing.assert_array_equal(lost, np.arange(lost[0], lost[-1] + 1), "one stretch")
    assert abs(lost[0] - 15 / 30 * 25) <= 1
    assert abs(lost[-1] - 27 / 30 * 25) <= 1
    np.testing.assert_allclose(left.landmarks[left.valid], right.landmarks[left.valid], atol=1e-4)


def test_spreadsheets_are_read_or_told(cases: Path, tmp_path: Path) -> None:
    corpus, said = bring(cases / "openface-spreadsheet", tmp_path / "made", "openface")
    assert corpus, said
    assert [entry.id for entry in corpus.entries] == ["semicolon"]
    assert "left out: decimalcomma.csv: line 2 has" in said
    assert "its decimal commas separate columns too" in said


def test_sound_of_eight_bits(cases: Path, tmp_path: Path) -> None:
    corpus, said = bring(cases / "wav-8-bit-stereo", tmp_path / "made", "openface")
    assert corpus, said
    assert corpus.clip("p01").audio.std() > 0.5


def test_endings_in_capitals(cases: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for ending in ("csv", "wav"):
        shutil.copy(cases / "wav-8-bit-stereo" / f"p01.{ending}", tmp_path / "in" / f"P01.{ending.upper()}")
    corpus, said = bring(tmp_path / "in", tmp_path / "made", "openface")
    assert corpus, said


def test_the_face_is_chosen(tmp_path: Path) -> None:
    rows = [openface_rows(40, face=face, away=30 * face) for face in (0, 1)]
    path = tmp_path / "both.csv"
    path.write_text("\n".join(",".join(row) for row in [*rows[0], *rows[1][1:]]))
    write_sound(tmp_path / "both.wav", tone(1.6))
    corpus, said = bring(path, tmp_path / "none", "openface")
    assert corpus is None
    assert said.strip().endswith("choose one with --option face=ID.")
    places = []
    for face in ("0", "1"):
        corpus, said = bring(path, tmp_path / face, "openface", f"face={face}")
        assert corpus, said
        places.append(corpus.clip("both").motion.pose[:, 3].mean())
    assert places[1] - places[0] == pytest.approx(3.0, abs=1e-3), "cm"
