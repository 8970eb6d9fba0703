"""What a killed process leaves half-written goes; what somebody still writes stays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from facial_bench.core.files import write_bytes
from facial_bench.core.unfinished import locked, sweep

KILLED = """
import os, signal, sys
from pathlib import Path
from facial_bench.core import files
os.replace = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
files.write_bytes(Path(sys.argv[1]), b"half")
"""


def test_what_a_killed_process_was_writing_goes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "a.json")], check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".a.json.")
    sweep(tmp_path, "b.json")
    assert left.exists(), "it was to be called otherwise"
    sweep(tmp_path, "a.json")
    assert not left.exists()


def test_what_is_being_written_and_what_is_anothers_stays(tmp_path: Path) -> None:
    (tmp_path / ".made.x1.part").mkdir()
    (tmp_path / ".made.x1.part" / "clip").touch()
    (tmp_path / ".made.x2.part").touch()
    for other in ("made.part", ".hidden", ".made"):
        (tmp_path / other).touch()
    (tmp_path / ".link.part").symlink_to(tmp_path / "made.part")
    with locked(tmp_path / ".made.x1.part"):
        sweep(tmp_path)
        assert (tmp_path / ".made.x1.part" / "clip").exists()
        assert not (tmp_path / ".made.x2.part").exists()
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", ".link.part", ".made", "made.part"]


def test_a_write_sees_to_its_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sweep_and_replace(source: str, dest: Path) -> None:
        sweep(tmp_path)  # another process, just before the end
        Path(source).rename(dest)

    monkeypatch.setattr("os.replace", sweep_and_replace)
    write_bytes(tmp_path / "a", b"whole")
    assert (tmp_path / "a").read_bytes() == b"whole"
