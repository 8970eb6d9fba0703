"""A .mat comes from anybody: arrays of numbers are read as SciPy reads them, damage is one line and no crash."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from facial_bench.errors import CorpusError
from facial_bench.media.mat_files import read_mat

HELD = {
    "exp": np.arange(24, dtype=np.float32).reshape(4, 6),
    "lm": np.arange(12.0).reshape(2, 3, 2),
    "count": np.array([[7]], np.uint8),
    "a_long_name": np.arange(3, dtype=np.int64)[None],
    "none": np.zeros((0, 5)),
    "valid": np.array([[True, False]]),
    "text": "words",
    "complex": np.array([[1j]]),
    "record": {"a": 1.0},
}


@pytest.mark.parametrize("packed", [False, True])
def test_arrays_come_back_as_scipy_reads_them(tmp_path: Path, packed: bool) -> None:
    savemat(tmp_path / "a.mat", HELD, do_compression=packed)
    read, theirs = read_mat(tmp_path / "a.mat"), loadmat(tmp_path / "a.mat")
    assert set(read) == {"exp", "lm", "count", "a_long_name", "none", "valid"}
    for name, array in read.items():
        np.testing.assert_array_equal(array, theirs[name])
        assert array.dtype == theirs[name].dtype


def test_a_real_file(real_data: Path) -> None:
    path = real_data / "other-formats" / "deep3dface_s02a.mat"
    np.testing.assert_array_equal(read_mat(path)["coeff"], loadmat(path)["coeff"])


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda whole: b"MATLAB 7.3 MAT-file" + whole[19:], r"it is a \.mat of version 7\.3: save it with -v7"),
        (lambda whole: whole[:126] + b"MI" + whole[128:], "no header of version 5"),
        (lambda whole: b"", "no header of version 5"),
        (lambda whole: whole[:-40], "it ends early"),
        (lambda whole: whole[:128] + struct.pack("<II", 14, 10**9) + whole[136:], "it ends early"),
        (lambda whole: whole[:128] + struct.pack("<I", 9) + whole[132:], "an element of type 9 where a matrix belongs"),
        (
            lambda whole: whole[:160] + struct.pack("<i", 5) + whole[164:],
            r"exp holds 24 numbers for the shape \(5, 6\)",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, spoil: object, complaint: str) -> None:
    savemat(tmp_path / "a.mat", {"exp": HELD["exp"]})
    (tmp_path / "a.mat").write_bytes(spoil((tmp_path / "a.mat").read_bytes()))  # type: ignore[operator]
    with pytest.raises(CorpusError, match=complaint):
        read_mat(tmp_path / "a.mat")


def test_no_changed_byte_is_a_crash(tmp_path: Path) -> None:
    """SciPy's reader ends the process at some of these."""
    savemat(tmp_path / "a.mat", HELD)
    whole, rng, refused = (tmp_path / "a.mat").read_bytes(), np.random.default_rng(1), 0
    for place in range(128, len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << int(rng.integers(8))
        (tmp_path / "b.mat").write_bytes(changed)
        try:
            read_mat(tmp_path / "b.mat")
        except CorpusError:
            refused += 1
    assert refused > 100
