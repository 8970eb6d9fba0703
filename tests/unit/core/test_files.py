"""Files: written whole or not at all, read without trust."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from facial_bench.core.files import (
    cannot_read,
    cannot_write,
    file_beside,
    file_digest,
    holds_apart,
    read_arrays,
    read_json,
    require_writable,
    write_arrays,
    write_bytes,
    write_json,
)
from facial_bench.errors import CorpusError, FacialBenchError


def is_one_line(problem: pytest.ExceptionInfo[BaseException]) -> bool:
    return "\n" not in str(problem.value)


def test_bytes_replace_a_file_and_leave_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "file"
    write_bytes(path, b"one")
    write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["file"]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(CorpusError, match=r"Cannot write .*file: No space left on device\. Free some space") as problem:
        write_bytes(path, b"new", CorpusError)
    assert is_one_line(problem)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"], "no temporary file is left"


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "Free some space, or choose another folder with --out."),
        (errno.EDQUOT, "Your quota is used up: free some space, or choose another folder with --out."),
        (errno.EROFS, "Choose a folder that can be written in with --out."),
        (errno.EACCES, "Change its permissions, or choose another folder with --out."),
        (errno.ENAMETOOLONG, "Choose a shorter name."),
        (errno.EIO, "Choose another folder with --out."),
    ],
)
def test_the_advice_is_against_what_the_system_said(number: int, advice: str) -> None:
    said = cannot_write("it", OSError(number, os.strerror(number)), "with --out")
    assert said == f"Cannot write it: {os.strerror(number)}. {advice}"


def test_permissions_are_named_where_they_are_the_reason() -> None:
    denied, broken = (OSError(number, os.strerror(number)) for number in (errno.EACCES, errno.EIO))
    assert cannot_read("it", denied) == "it cannot be read: Permission denied. Change its permissions."
    assert cannot_read("it", broken) == "it cannot be read: Input/output error."


def test_a_folder_is_tried_before_it_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_writable(tmp_path / "new" / "one")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(FacialBenchError, match=r"Cannot write .*file/x: Not a directory"):
        require_writable(tmp_path / "file" / "x")
    with pytest.raises(FacialBenchError, match=r"File name too long\. Choose a shorter name\.$"):
        require_writable(tmp_path / ("x" * 300))

    def refuse(*arguments: object, **more: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("facial_bench.core.files.tempfile.TemporaryFile", refuse)
    with pytest.raises(FacialBenchError, match=r"Read-only file system\. Choose a folder that can be written in\.$"):
        require_writable(tmp_path)


def test_names_that_a_file_system_holds_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "not" / "yet"
    assert holds_apart(place, "Anna", "bo")
    assert not holds_apart(place, "Anna", "Anna")
    monkeypatch.setattr(Path, "touch", lambda path: (path.parent / path.name.lower()).write_bytes(b""))
    assert not holds_apart(place, "Anna", "anna"), "as a file system that ignores capitals"
    assert not list(tmp_path.iterdir())


def test_an_ending_may_be_in_capitals(tmp_path: Path) -> None:
    assert file_beside(tmp_path / "a.mp4", ".wav") == tmp_path / "a.wav"
    for name in ("a.b.WAV", "a.WAV", "[a].Wav", "aa.wav"):
        (tmp_path / name).touch()
    assert file_beside(tmp_path / "a.mp4", ".wav") == tmp_path / "a.WAV"
    assert file_beside(tmp_path / "[a].mp4", ".wav") == tmp_path / "[a].Wav"
    assert file_beside(tmp_path / "no" / "a.mp4", ".wav") == tmp_path / "no" / "a.wav"


def test_an_interruption_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")

    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(path, b"new")
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"old", ["file"])


@pytest.mark.parametrize("target", ["/dev/null/x", "/proc/facial-bench/x"])
def test_a_folder_that_cannot_be_is_one_line(target: str) -> None:
    with pytest.raises(FacialBenchError, match=r"Cannot write .*Choose another folder\.$") as problem:
        write_bytes(Path(target), b"")
    assert is_one_line(problem)


def test_a_folder_in_the_way_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file" / "inside").mkdir(parents=True)
    with pytest.raises(FacialBenchError, match="Cannot write"):
        write_bytes(tmp_path / "file", b"x")
    assert os.listdir(tmp_path) == ["file"]


def test_json_keeps_every_digit_and_the_order_of_keys(tmp_path: Path) -> None:
    value = {"z": [0.1 + 0.2, 1 / 3, 5e-324, -0.0, 1.7976931348623157e308, 2**62], "a": {"text": "é → 目"}, "m": None}
    write_json(tmp_path / "x.json", value)
    read = read_json(tmp_path / "x.json", FacialBenchError, "")
    assert read == value
    assert list(read) == ["z", "a", "m"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_json_refuses_what_is_no_number_when_it_writes(tmp_path: Path, value: float) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "x.json", {"a": [value]})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": -1e999}',
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"a": 1}}',
        b"\xef\xbb\xbf{}",
        b'{"a": "\\ud800"}',
        b'{"\\udc00": 1}',
        b'{"a": 1' + b"0" * 400 + b"}",
        b'{"a": 1' + b"0" * 5000 + b"}",
    ],
    ids=[
        "empty",
        "open",
        "nan",
        "inf",
        "-inf",
        "overflow",
        "-overflow",
        "bytes",
        "deep",
        "rest",
        "bom",
        "surrogate",
        "key",
        "large",
        "larger",
    ],
)
def test_json_that_cannot_be_trusted_is_one_line(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "x.json").write_bytes(text)
    with pytest.raises(CorpusError, match=r"x\.json cannot be read as JSON .* The hint\.") as problem:
        read_json(tmp_path / "x.json", CorpusError, "The hint.")
    assert is_one_line(problem)
    assert len(str(problem.value)) < 500


def test_a_pair_of_surrogates_is_text(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": "\\ud83d\\ude00"}')
    assert read_json(tmp_path / "x.json", CorpusError, "") == {"a": "😀"}


def test_absent_json_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"x\.json does not exist\. The hint"):
        read_json(tmp_path / "x.json", CorpusError, "The hint.")
    with pytest.raises(CorpusError, match="cannot be read as JSON"):
        read_json(tmp_path, CorpusError, "The hint.")


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "float32": rng.standard_normal((3, 4)).astype(np.float32),
        "float64": rng.standard_normal(5),
        "scalar": np.array(2.5),
        "bool": np.array([True, False]),
        "int": np.arange(3),
        "empty": np.zeros((0, 7), np.float32),
        "strided": rng.standard_normal((4, 6))[::2, ::-1],
        "fortran": np.asfortranarray(rng.standard_normal((3, 2))),
    }
    path = tmp_path / "x.safetensors"
    sha = write_arrays(path, arrays, {"note": "n"})
    read, metadata = read_arrays(path, FacialBenchError, "")
    assert metadata == {"note": "n"}
    assert set(read) == set(arrays)
    for name, array in arrays.items():
        assert read[name].shape == array.shape, name
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)
    assert sha == file_digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert write_arrays(path, arrays, {"note": "n"}) == sha, "equal arrays give equal bytes"


@pytest.mark.parametrize("bad", [np.array([object()]), np.array(["x"]), np.zeros(2, complex), {"a": 1}, None])
def test_what_is_no_array_of_numbers_is_not_stored(tmp_path: Path, bad: object) -> None:
    with pytest.raises(FacialBenchError, match=r"Cannot store .*named arrays of numbers") as problem:
        write_arrays(tmp_path / "x", {"a": bad})  # type: ignore[dict-item]
    assert is_one_line(problem)
    assert not list(tmp_path.iterdir())


def header(dtype: str, size: int) -> bytes:
    text = json.dumps({"a": {"dtype": dtype, "shape": [2], "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(text)) + text + b"\0" * size


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04.",
        b"\xff" * 64,
        header("F32", 4),
        header("F32", 8)[:-1],
        header("BF16", 4),
        header("F8_E4M3", 2),
        header("F99", 2),
        struct.pack("<Q", 2**62) + b"{}",
    ],
)
def test_arrays_that_cannot_be_read_are_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(CorpusError, match=r"x\.safetensors cannot be read as safetensors .* The hint\.") as problem:
        read_arrays(tmp_path / "x.safetensors", CorpusError, "The hint.")
    assert is_one_line(problem)


def test_absent_arrays_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="does not exist"):
        read_arrays(tmp_path / "x", CorpusError, "")
    with pytest.raises(CorpusError, match="cannot be read"):
        read_arrays(tmp_path, CorpusError, "")
