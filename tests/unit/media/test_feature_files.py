"""Audio features for a build: what is computed here, and what was computed elsewhere."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from facial_bench.errors import CorpusError, FacialBenchError
from facial_bench.media.audio_features import mel29
from facial_bench.media.feature_files import Mel29, Stored, read_feature_array
from facial_bench.types import Sound
from tests.helpers.media import tone


def sound(name: str = "a1", start: float = 0.0, seconds: float = 4.0) -> Sound:
    return Sound(tone(seconds).astype(np.float32), 16_000, name, start)


def test_mel29_is_mel29() -> None:
    np.testing.assert_array_equal(Mel29({}).compute(sound(), 100, 25.0), mel29(sound().samples, 16_000, 100, 25.0))
    with pytest.raises(FacialBenchError, match="Unknown option of the audio features mel29 'bands'"):
        Mel29({"bands": "40"})


def stored(folder: Path, array: np.ndarray, rate: str = "100", name: str = "a1.npy") -> Stored:
    np.save(folder / name, array)
    return Stored({"folder": str(folder), "rate": rate})


def test_arrays_are_found_in_any_case_and_with_accents_written_either_way(tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", np.ones((200, 3)))
    (tmp_path / "array.npy").rename(tmp_path / "Jose\u0301.NPY")
    arrays = Stored({"folder": str(tmp_path), "rate": "50"})
    assert arrays.compute(sound("José"), 10, 25.0).shape == (10, 3)


def test_rows_are_averaged_over_each_frame_from_where_the_clip_begins(tmp_path: Path) -> None:
    """By hand: at 25 rows a second a row is a frame; at 50, a frame is its row and half of each neighbour."""
    rows = np.arange(200.0)[:, None] * [1, -2]
    exact = stored(tmp_path, rows, "25")
    assert exact.width == 2
    np.testing.assert_allclose(exact.compute(sound(), 5, 25.0), rows[:5])
    np.testing.assert_allclose(exact.compute(sound(start=2.0), 5, 25.0), rows[50:55], atol=1e-9)
    double = stored(tmp_path, np.array([[0.0], [1], [4], [9], [16], [25], [36]]), "50")
    wanted = [(0.5 * 1 + 4 + 0.5 * 9) / 2, (0.5 * 9 + 16 + 0.5 * 25) / 2]
    np.testing.assert_allclose(double.compute(sound(), 3, 25.0)[1:, 0], wanted)
    assert exact.digest != double.digest


def test_windows_give_the_row_of_their_frame(tmp_path: Path, real_data: Path) -> None:
    """FACIAL's windows of frame t hold t-8..t+7: neighbouring windows tell the same rows, and row 8 is the frame's."""
    path = real_data / "facial-release" / "obama2.pkl"
    with path.open("rb") as stream:
        assert stream.read(2) == b"\x80\x03"
    rows = read_feature_array(path)
    assert rows.shape == (731, 29)
    frames = np.arange(500.0)[:, None] + np.zeros(29)
    padded = np.pad(frames, ((8, 8), (0, 0)), mode="edge")
    windows = np.stack([padded[t : t + 16] for t in range(500)])
    np.save(tmp_path / "w.npy", windows)
    np.testing.assert_array_equal(read_feature_array(tmp_path / "w.npy"), frames)
    from facial_bench.media.safe_pickle import read_pickled_arrays

    released = read_pickled_arrays(path)
    same = [np.abs(released[9:700, 8 + k] - rows[9 + k : 700 + k]).max() for k in (-3, -1, 0, 1, 3)]
    assert max(same) < 1e-6, "the release's own windows overlap that way"


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.zeros(5), r"float64 of shape \(5,\), expected numbers"),
        (np.zeros((0, 3)), "expected numbers"),
        (np.array([[1.0, np.nan]]), "holds NaN or infinities, first in row 0"),
        (np.array([["a"]]), "<U1"),
        (np.zeros((5, 7, 3)), "expected numbers"),
    ],
)
def test_arrays_that_are_none(tmp_path: Path, array: np.ndarray, complaint: str) -> None:
    with pytest.raises(CorpusError, match=complaint):
        stored(tmp_path, array)


def test_what_is_missing_short_or_hostile(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"there is no array b7\{\.npy,\.npz,\.pkl\}"):
        stored(tmp_path, np.zeros((400, 3))).compute(sound("b7"), 100, 25.0)
    with pytest.raises(CorpusError, match=r"a1\.npy ends after 3\.00 s, the clip after 4\.00 s"):
        stored(tmp_path, np.zeros((300, 3))).compute(sound(), 100, 25.0)
    for options, complaint in (
        ({}, "need --option folder=DIR"),
        ({"folder": str(tmp_path)}, "need --option rate=HZ"),
        ({"folder": str(tmp_path), "rate": "-1"}, "need --option rate=HZ"),
        ({"folder": str(tmp_path / "none"), "rate": "25"}, "an existing folder"),
        ({"dir": "x"}, "Unknown option"),
    ):
        with pytest.raises(FacialBenchError, match=complaint):
            Stored(options)
    (tmp_path / "a1.npy").unlink()
    with pytest.raises(FacialBenchError, match="holds no arrays"):
        Stored({"folder": str(tmp_path), "rate": "25"})

    class Evil:
        def __reduce__(self) -> object:
            return print, ("run",)

    (tmp_path / "a1.pkl").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(CorpusError, match=r"asks for builtins\.print, which is no array: refused"):
        Stored({"folder": str(tmp_path), "rate": "25"})
    (tmp_path / "a1.pkl").unlink()
    np.savez(tmp_path / "a1.npz", one=np.zeros((4, 2)), two=np.zeros(3))
    with pytest.raises(CorpusError, match=r"holds 2 arrays \(one, two\), expected one"):
        Stored({"folder": str(tmp_path), "rate": "25"})
