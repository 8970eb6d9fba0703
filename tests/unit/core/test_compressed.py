"""Compressed lines: what is written is read; what is damaged, or claims to be huge, is refused in one line."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from facial_bench.core.compressed import read_lines, write_lines
from facial_bench.errors import ResultError

HINT = "Restore it."


def read(path: Path, largest: int = 2**20) -> list[bytes]:
    return read_lines(path, ResultError, HINT, largest)


@pytest.mark.parametrize("lines", [[b"one"], [b"one", b"", b"three"], [b"x" * 100_000] * 3])
def test_lines_are_read_as_they_were_written_and_the_bytes_are_the_same(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / "a.xz"
    write_lines(path, lines)
    assert read(path) == lines
    before = path.read_bytes()
    write_lines(path, lines)
    assert path.read_bytes() == before


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xz"
    write_lines(path, [b"0" * 2**20] * 50)
    assert path.stat().st_size < 50_000
    with pytest.raises(ResultError, match=r"a\.xz unpacks to more than 1 MiB.* Restore it\."):
        read(path)
    write_lines(path, [b"0" * (2**20 - 1)])
    assert len(read(path)[0]) == 2**20 - 1, "just as much as is allowed"


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: b"",
        lambda packed: b"no xz at all",
        lambda packed: packed[:-20],
        lambda packed: packed[:50],
        lambda packed: packed[:60] + bytes([packed[60] ^ 1]) + packed[61:],
        lambda packed: packed + b"more",
        lambda packed: packed + packed,
        lambda packed: lzma.compress(b""),
        lambda packed: lzma.compress(b"no end of line"),
        lambda packed: lzma.compress(b"x\n", lzma.FORMAT_ALONE),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path, damage: object) -> None:
    path = tmp_path / "a.xz"
    write_lines(path, [bytes([48 + k % 60, 48 + k * k % 70]) for k in range(500)])
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(ResultError, match=r"a\.xz is damaged: .* Restore it\.") as problem:
        read(path)
    assert "\n" not in str(problem.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"a\.xz does not exist\. Restore it\."):
        read(tmp_path / "a.xz")
    with pytest.raises(ResultError, match=r"cannot be unpacked \(.*directory"):
        read(tmp_path)
