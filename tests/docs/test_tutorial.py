"""docs/tutorial.md: every command runs, and prints what the page shows.

The rule that the page states: `...` stands for what is left out, and figures may differ in their last digits.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/tutorial.md"
NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
PART = re.compile(rf"\s*\.\.\.\s*|-{{3,}}|\s+|(?<![\w.]){NUMBER}(?![\w.]*\w)")


def shown(text: str) -> list[tuple[str, str]]:
    """Each command of the page with the output below it."""
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    return [
        (command, output)
        for block in blocks
        for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]


def pattern(output: str) -> tuple[str, list[float]]:
    """A regular expression that the output must match, and the figures that its groups must be near to."""
    parts, figures, last = [], [], 0
    for found in PART.finditer(output):
        parts.append(re.escape(output[last : found.start()]))
        last = found.end()
        if found[0].strip() == "...":
            parts.append(r"(?:.*?)")
        elif found[0].startswith("---"):
            parts.append("-+")
        elif found[0].isspace():
            parts.append(r"\s+")
        else:
            parts.append(f"({NUMBER})")
            figures.append(float(found[0]))
    return "".join([*parts, re.escape(output[last:])]), figures


def check_printed(expected: str, printed: str) -> None:
    """Raise AssertionError unless a command printed what the page shows."""
    wanted, figures = pattern(expected.strip())
    found = re.fullmatch(wanted, printed.strip(), re.DOTALL)
    assert found, f"expected\n{expected}\nprinted\n{printed}"
    assert [float(figure) for figure in found.groups()] == pytest.approx(figures, rel=0.05, abs=0.02)


def test_what_is_shown_and_what_is_printed() -> None:
    check_printed("a 0.0161 [0.015, 0.017]\n...\nboard: x\n", "a   0.01608 [0.0150, 0.0171]\nmore\nboard: x")
    for printed in ("a 0.5 [0.015, 0.017]\nboard: x", "a 0.0161 [0.015, 0.017]\nboard: y"):
        with pytest.raises(AssertionError):
            check_printed("a 0.0161 [0.015, 0.017]\n...board: x\n", printed)
    assert shown("```console\n$ one\n1\n$ two\n```\n") == [("one", "1\n"), ("two", "")]


@pytest.mark.slow
def test_every_command_prints_what_the_page_shows(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    (method,) = re.findall(r"```python\n# file: loudness\.py\n(.*?)```", text, re.DOTALL)
    (tmp_path / "loudness.py").write_text(method)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FACIAL_BENCH")}
    environment = {
        **clean,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "FACIAL_BENCH_CACHE": str(tmp_path / "cache"),
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "200",
    }
    commands = shown(text)
    assert len(commands) == 7
    for command, output in commands:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        check_printed(output, done.stdout)
