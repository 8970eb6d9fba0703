"""The folder of a method's process: held while it lives, swept when its owner is gone."""

from __future__ import annotations

import errno
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from facial_bench.errors import FacialBenchError
from facial_bench.isolation import scratch as room
from facial_bench.isolation.scratch import Scratch, sweep
from tests.helpers.faces import make_clip, make_model


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_is_there_until_it_is_closed(temporary: Path) -> None:
    own = Scratch()
    assert own.room.is_dir()
    folder = own.write([make_clip(make_model("a"), "a", "a0", 20, 0)])
    assert (folder / "clips.json").is_file()
    other = Scratch()
    assert own.folder.is_dir(), "another one does not sweep what is in use"
    own.close()
    other.close()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_swept_by_the_next(temporary: Path) -> None:
    code = (
        "import os, sys, tempfile; tempfile.tempdir = sys.argv[1]\nfrom facial_bench.isolation.scratch import Scratch\n"
    )
    code += "own = Scratch(); (own.room / 'x').write_text('x'); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, str(temporary)], check=False)
    assert len(list(temporary.iterdir())) == 1
    Scratch().close()
    assert list(temporary.iterdir()) == []


def test_nobody_elses_folder_is_swept(temporary: Path) -> None:
    (temporary / "facial-bench-notes").mkdir()
    (temporary / "facial-bench-link").symlink_to(temporary / "facial-bench-notes")
    sweep(temporary)
    assert {path.name for path in temporary.iterdir()} == {"facial-bench-notes", "facial-bench-link"}


def test_a_full_disk_is_one_line(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: str, clips: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(room, "write_clips", full)
    own = Scratch()
    with pytest.raises(FacialBenchError, match=r"Cannot write training clips .*: No space left on device. Free some"):
        own.write([])
    own.close()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "missing"))
    with pytest.raises(FacialBenchError, match="No such file or directory"):
        Scratch()
