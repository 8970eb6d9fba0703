"""Pickles come from anybody: arrays are read, everything else is refused before it runs."""

from __future__ import annotations

import io
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from facial_bench.errors import CorpusError
from facial_bench.media.safe_pickle import read_pickled_arrays


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_of_every_protocol_come_back(tmp_path: Path, protocol: int) -> None:
    held = {
        "a": np.arange(24.0).reshape(2, 3, 4),
        "f": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "big": np.arange(4, dtype=">i4"),
        "none": np.zeros((0, 29)),
        "scalar": np.float32(2.5),
        "text": "é",
        "nested": [1, (2.5, np.array([True, False]))],
        "names": np.array(["ab", "c"]),
        "nothing": None,
    }
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(held, protocol))
    read = read_pickled_arrays(tmp_path / "a.pkl")
    assert set(read) == set(held)
    for name in ("a", "f", "big", "none", "names"):
        np.testing.assert_array_equal(read[name], held[name])
        assert read[name].dtype == held[name].dtype
        assert read[name].flags.writeable
    assert read["scalar"] == np.float32(2.5)
    assert (read["text"], read["nothing"]) == ("é", None)
    np.testing.assert_array_equal(read["nested"][1][1], [True, False])


def test_python_2_pickles_and_what_facial_released(tmp_path: Path, real_data: Path) -> None:
    numbers = "".join(f"\\x{byte:02x}" for byte in struct.pack("<2d", 1.5, -2)).encode()
    old = (
        b"cnumpy.core.multiarray\n_reconstruct\np0\n(cnumpy\nndarray\np1\n(I0\ntp2\nS'b'\np3\ntp4\nRp5\n(I1\n(I2\n"
        b"tp6\ncnumpy\ndtype\np7\n(S'f8'\np8\nI0\nI1\ntp9\nRp10\n(I3\nS'<'\np11\nNNNI-1\nI-1\nI0\ntp12\nbI00\nS'"
        + numbers
        + b"'\np13\ntp14\nb."
    )
    (tmp_path / "old.pkl").write_bytes(old)
    np.testing.assert_array_equal(read_pickled_arrays(tmp_path / "old.pkl"), [1.5, -2])
    windows = read_pickled_arrays(real_data / "facial-release" / "obama2.pkl")
    assert windows.shape == (731, 16, 29)
    assert np.isfinite(windows).all()


class Evil:
    """Pickles as a call of something else."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> object:
        return self.call


def hostile(trap: Path) -> dict[str, bytes]:
    touch = f"import pathlib; pathlib.Path({str(trap)!r}).touch()"
    dumps = pickle.dumps
    array = dumps(np.arange(3.0), 2)
    return {
        "system": dumps(Evil(os.system, f"touch {trap}")),
        "eval": dumps(Evil(eval, f"open({str(trap)!r}, 'w')")),
        "exec": dumps({"a": [Evil(exec, touch)]}),
        "getattr": b"cbuiltins\ngetattr\n(cos\n__dict__\nS'system'\ntR.",
        "import": b"cimportlib\nimport_module\n(S'os'\ntR.",
        "open": dumps(Evil(open, str(trap), "w")),
        "numpy load": dumps(Evil(np.load, str(trap))),
        "objects": dumps(np.array([{"a": 1}], dtype=object)),
        "objects with evil": dumps(np.array([Evil(os.system, f"touch {trap}")], dtype=object)),
        "record": dumps(np.zeros(2, [("a", "f8"), ("b", "O")])),
        "path": dumps(trap),
        "instance": dumps(io.StringIO()),
        "inst": b"(S'touch " + str(trap).encode() + b"'\nios\nsystem\n.",
        "obj": b"(cos\nsystem\nS'touch " + str(trap).encode() + b"'\no.",
        "persistent": b"Pevil\n.",
        "extension": b"\x80\x02\x82\x01.",
        "build on a function": b"cnumpy.core.multiarray\n_reconstruct\n(dS'a'\nI1\nsb.",
        "build on a class": b"cnumpy\nndarray\nN(dS'made'\nI1\ns\x86b.",
        "half an array": b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR.",
        "a class": b"cnumpy\nndarray\n.",
        "empty": b"",
        "text": b"hello",
        "truncated": array[:-20],
        "more than is there": array.replace(b"K\x03\x85", b"K\xff\x85"),
        "memo bomb": b"\x80\x02]r\xff\xff\xff\x7f.",
        "bytes bomb": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".",
        "deep": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
    }


@pytest.mark.parametrize("name", hostile(Path("trap")))
def test_everything_else_is_refused_in_one_line_and_nothing_runs(tmp_path: Path, name: str) -> None:
    trap, path = tmp_path / "trap", tmp_path / "evil.pkl"
    path.write_bytes(hostile(trap)[name])
    if name == "memo bomb":  # it costs the reader in C 32 GiB; here it is a list
        assert read_pickled_arrays(path) == []
        return
    with pytest.raises(CorpusError, match=r"evil\.pkl (asks|holds|builds|changes|promises|rebuilds|cannot)") as problem:
        read_pickled_arrays(path)
    assert "\n" not in str(problem.value)
    assert not trap.exists()
    np.testing.assert_array_equal(  # and the reader is as good as before
        read_pickled_arrays(_written(tmp_path / "good.pkl", np.arange(3))), [0, 1, 2]
    )


def _written(path: Path, value: object) -> Path:
    path.write_bytes(pickle.dumps(value))
    return path


def test_laughs_are_counted_once_and_files_must_be_there(tmp_path: Path) -> None:
    """A list of two of a list of two ... forty times would be a million million entries if each were visited."""
    laughs: list[object] = [1.0]
    for _ in range(40):
        laughs = [laughs, laughs]
    assert len(read_pickled_arrays(_written(tmp_path / "laughs.pkl", laughs))) == 2
    with pytest.raises(CorpusError, match="cannot be read"):
        read_pickled_arrays(tmp_path / "none.pkl")


def test_an_array_of_a_version_that_numpy_does_not_know_is_refused(tmp_path: Path) -> None:
    content = pickle.dumps(np.arange(3.0), 2)
    state = content.index(pickle.MARK + pickle.BININT1 + b"\x01") + 2
    (tmp_path / "a.pkl").write_bytes(content[:state] + b"\x05" + content[state + 1 :])
    with pytest.raises(CorpusError, match="an array of the unknown version 5: refused"):
        read_pickled_arrays(tmp_path / "a.pkl")


def test_bytes_are_latin1_or_refused(tmp_path: Path) -> None:
    content = pickle.dumps(np.arange(200, dtype=np.uint8), 2)
    assert b"latin1" in content
    (tmp_path / "a.pkl").write_bytes(content.replace(b"latin1", b"datin1"))
    with pytest.raises(CorpusError, match="encodes bytes as 'datin1'"):
        read_pickled_arrays(tmp_path / "a.pkl")
