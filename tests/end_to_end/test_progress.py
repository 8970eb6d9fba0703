"""Long work shows a bar that moves on a terminal, plain lines elsewhere, and nothing with --quiet."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from facial_bench.cli.progress import EVERY, PlainReporter
from facial_bench.core.progress import OutputClosed
from facial_bench.corpora.corpus import Corpus
from tests.helpers.media import TRACKER, moving, tone, write_video
from tests.helpers.warm_start import WarmStart

SLOW = """
import time
import numpy as np
from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

class Slow:
    def __init__(self, context):
        pass

    def fit(self, clips, context):
        for step in range(1, 31):
            context.progress(step, 30, "fitting, steps")
            time.sleep(0.1)

    def generate(self, requests):
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]

@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("slow", "takes three seconds", "nobody", Slow)]
"""
COMMAND = [sys.executable, "-m", "facial_bench"]
Terminal = Callable[..., tuple[int, str]]


@pytest.fixture
def on_a_terminal(warm: WarmStart, tmp_path: Path) -> Terminal:
    """on_a_terminal(arguments, NAME=value) -> exit status, and all that a command wrote to the terminal that its
    standard error is."""

    def run(arguments: list[str], **environment: str) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        settings = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", **environment}
        with open(os.devnull, "wb") as stdout, open(os.ttyname(theirs), "wb", buffering=0) as stderr:
            process = warm.start([*COMMAND, *arguments], cwd=tmp_path, env=settings, stdout=stdout, stderr=stderr)
        written = b""
        while process.poll() is None or select.select([ours], [], [], 0)[0]:
            if select.select([ours], [], [], 0.1)[0]:
                written += os.read(ours, 65536)
        for end in (ours, theirs):
            os.close(end)
        return process.returncode, written.decode(errors="replace")

    return run


def steps(text: str, total: int) -> set[int]:
    return {int(done) for done in re.findall(rf"(\d+)/{total}\b", text)}


@pytest.fixture(scope="module")
def short(make_corpus: Callable[..., Corpus]) -> Corpus:
    """Clips too short for the identity classifiers, which would take longer than all else here."""
    return make_corpus(clips=3, frames=60, name="short")


def run_slow(corpus: Corpus, place: Path, *more: str) -> list[str]:
    (place / "slow.py").write_text(SLOW)
    return [
        "run",
        "--method",
        "slow",
        "--plugin",
        str(place / "slow.py"),
        "--corpus",
        str(corpus.path),
        "--out",
        str(place / "out"),
        *more,
    ]


def test_a_run_shows_a_bar_that_moves(on_a_terminal: Terminal, short: Corpus, tmp_path: Path) -> None:
    status, text = on_a_terminal(run_slow(short, tmp_path))
    assert status == 0, text
    assert len(steps(text, 30)) >= 5, "the bar did not move"
    assert "━" in text and "fitting, steps" in text
    assert re.search(r"\d/s", text), "no rate"
    assert re.search(r"0:00:0\d", text), "no time left"


def test_no_color_is_heard(on_a_terminal: Terminal, short: Corpus, tmp_path: Path) -> None:
    status, text = on_a_terminal(run_slow(short, tmp_path), NO_COLOR="1")
    assert status == 0 and len(steps(text, 30)) >= 5
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", text), "coloured"


def test_a_dumb_terminal_gets_plain_lines(on_a_terminal: Terminal, short: Corpus, tmp_path: Path) -> None:
    status, text = on_a_terminal(run_slow(short, tmp_path), TERM="dumb")
    assert status == 0 and "━" not in text
    assert "fitting, steps: 1/30" in text and "fitting, steps: 30/30" in text


def test_elsewhere_there_are_plain_lines_and_with_quiet_none(warm: WarmStart, short: Corpus, tmp_path: Path) -> None:
    for more, lines in ((), True), (("--quiet",), False):
        command = [*COMMAND, *run_slow(short, tmp_path, "--fresh", *more)]
        done = warm.run(command)
        assert done.returncode == 0, done.stderr
        assert ("fitting, steps: 30/30" in done.stderr) == lines
        assert ("references, clips: 2/2" in done.stderr) == lines, "nor is there silence before the fit"
        assert "warning: no accuracies" in done.stderr, "warnings are shown all the same"
        assert "lmd" in done.stdout


def test_a_build_shows_a_bar_that_moves(on_a_terminal: Terminal, tmp_path: Path) -> None:
    for name in ("a1", "b1"):
        write_video(tmp_path / "videos" / f"{name}.mp4", moving(150), sound=tone(6.0, beats=(1.0,)))
    command = [
        "corpus",
        "build",
        str(tmp_path / "videos"),
        str(tmp_path / "made"),
        "--tracker",
        "dot",
        "--plugin",
        str(TRACKER),
        "--workers",
        "1",
    ]
    status, text = on_a_terminal(command, DOT_TRACKER_WAIT="0.01")
    assert status == 0, text
    assert len(steps(text, 300)) >= 4, "the bar did not move"
    assert "━" in text and "tracking, frames" in text


def test_plain_lines_come_at_the_start_now_and_then_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    report, now = PlainReporter(True, lines.append), 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for done in range(1, 101):
        now = done * EVERY / 40
        report.progress(done, 100, "work")
    assert lines == ["work: 1/100", "work: 41/100", "work: 81/100", "work: 100/100"]


def test_names_in_lines_do_not_steer_the_terminal() -> None:
    lines: list[str] = []
    report = PlainReporter(True, lines.append, verbose=True)
    report("clip a\x1b[31m")
    report.warn("clip b\r")
    report.detail("  File c\n    d\x9b")
    assert lines == ["clip a\ufffd[31m", "warning: clip b", "  File c", "d\ufffd"]


def test_nobody_is_blamed_for_a_closed_pipe(warm: WarmStart, short: Corpus, tmp_path: Path) -> None:
    """`2>&1 | head` in the middle of a fit: no traceback, no plugin named, what was finished stays."""
    command = " ".join([*COMMAND, *run_slow(short, tmp_path), "2>&1", "|", "head", "-n", "2"])
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stdout + done.stderr and "could not be fitted" not in done.stdout + done.stderr
    assert not issubclass(OutputClosed, Exception)
    again = warm.run([*COMMAND, *run_slow(short, tmp_path)])
    assert again.returncode == 0, again.stderr
