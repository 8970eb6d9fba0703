"""What an importer finds: endings in any case, folders of frames, names that meet."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat, wavfile

from facial_bench.corpora.importers.common import hear
from facial_bench.corpora.importers.deep3d_files import KEYS, has_one_frame, read_coefficients
from facial_bench.corpora.importers.input_files import InputFile, find_files
from facial_bench.errors import CorpusError


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_endings_in_any_case(tmp_path: Path) -> None:
    touch(tmp_path / "P01.CSV", tmp_path / "P01.Wav", tmp_path / "._P01.csv", tmp_path / "P01.LANDMARKS.NPY")
    (file,) = find_files(tmp_path, ".csv")
    assert (file.name, file.path.name) == ("P01", "P01.CSV")
    assert file.beside(".wav").name == "P01.Wav"
    assert file.beside(".landmarks.npy").name == "P01.LANDMARKS.NPY"
    assert file.beside(".blink.npy") == tmp_path / "P01.blink.npy", "where it should be"


def test_accents_as_macos_writes_them(tmp_path: Path) -> None:
    touch(tmp_path / f"{unicodedata.normalize('NFD', 'jürgen')}.csv", tmp_path / "jürgen.wav")
    assert find_files(tmp_path, ".csv")[0].beside(".wav").is_file()


def test_names_that_meet_are_told_before_the_work(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "b.csv", tmp_path / "a-b.csv")
    with pytest.raises(CorpusError, match=r"a/b\.csv and .*a-b\.csv would both be named a-b"):
        find_files(tmp_path, ".csv")


def frame(path: Path, value: float, frames: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.full((frames, high - low), value) for name, (low, high) in KEYS.items()}
    savemat(path, {**arrays, "lm68": np.zeros((frames, 68, 2))})


def test_a_folder_of_frames_is_a_clip(tmp_path: Path) -> None:
    """In natural order, each at its number; what lies beside the folder or in it belongs to it."""
    for number in (1, 2, 10):
        frame(tmp_path / "anna" / "talk.1" / f"f{number}.mat", number)
    frame(tmp_path / "whole.MAT", 3.0, frames=5)
    touch(tmp_path / "anna" / "talk.1.wav", tmp_path / "anna" / "talk.1" / "some.blink.npy")
    clip, whole = find_files(tmp_path, ".mat", has_one_frame)
    assert (clip.name, clip.identity, whole.name, whole.frames) == ("anna-talk.1", "anna", "whole", ())
    numbers, coeff = read_coefficients(clip)
    assert numbers.tolist() == [1, 2, 10]
    assert coeff[:, 224].tolist() == [1, 2, 10]
    assert clip.beside(".wav").name == "talk.1.wav"
    assert clip.beside(".blink.npy").name == "some.blink.npy"
    assert find_files(tmp_path / "anna" / "talk.1", ".mat", has_one_frame)[0].name == "talk.1"
    before = clip.digest()
    frame(clip.path / "f2.mat", 7.0)
    assert clip.digest() != before
    frame(clip.path / "f2.mat", 7.0, frames=2)
    with pytest.raises(CorpusError, match=r"f2\.mat holds 2 frames, f1\.mat beside it one"):
        read_coefficients(clip)
    (clip.path / "f2.mat").write_bytes(b"MATLAB")
    with pytest.raises(CorpusError, match=r"f2\.mat: it cannot be read as \.mat"):
        read_coefficients(clip)


def read(path: Path) -> np.ndarray:
    return read_coefficients(InputFile("a", "a", path))[1]


def test_the_arrays_of_the_pytorch_code(tmp_path: Path) -> None:
    frame(tmp_path / "a.mat", 2.0, frames=3)
    assert (read(tmp_path / "a.mat") == 2.0).all()
    assert read(tmp_path / "a.mat").shape == (3, 257)
    parts = {name: np.ones((3, high - low)) for name, (low, high) in KEYS.items()}
    savemat(tmp_path / "a.mat", {name: parts[name] for name in ("id", "exp", "angle", "trans")})
    assert (read(tmp_path / "a.mat")[:, 144:224] == 0).all(), "texture is not needed"
    for arrays, complaint in (
        ({"exp": parts["exp"], "x": 1}, r"its id, angle, trans are not there, .* it holds exp \(3, 64\), x \(1, 1\)"),
        ({"lm": np.ones((3, 5))}, r"its coeff are not there, expected coeff \(T, 257\), or id, exp, angle, trans of "),
        ({**parts, "angle": np.ones((2, 3))}, "of different lengths: id 3, exp 3, tex 3, angle 2"),
        ({**parts, "trans": np.ones((3, 2))}, r"its trans are float64 \(3, 2\), expected numbers \(T, 3\)"),
    ):
        savemat(tmp_path / "a.mat", arrays)
        with pytest.raises(CorpusError, match=complaint):
            read(tmp_path / "a.mat")


@pytest.mark.parametrize("channels", [1, 2])
def test_eight_bits_are_the_sound_of_sixteen(tmp_path: Path, channels: int) -> None:
    rng, shape = np.random.default_rng(1), (4000,) if channels == 1 else (4000, channels)
    coarse = rng.integers(0, 256, shape).astype(np.uint8)
    heard = []
    for name, samples in (("coarse", coarse), ("fine", ((coarse.astype(np.int16) - 128) * 256))):
        wavfile.write(tmp_path / f"{name}.wav", 16000, samples)
        heard.append(hear(InputFile(name, name, tmp_path / f"{name}.csv")))
    np.testing.assert_array_equal(heard[0][0], heard[1][0])
    assert heard[0][0].ndim == 1
