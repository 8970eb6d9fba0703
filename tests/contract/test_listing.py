"""`methods`, `corpora`, `metrics`, `plugins`: what is installed, where from, what failed; quickly."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from facial_bench.cli import main

MINE = """
from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, TrackerSpec

@hookimpl
def facial_bench_generators():
    options = {"speed": "turns a second; default 1"}
    return [GeneratorSpec("mine", "turns", "nobody, 2024", print, partial=True, options=options)]

@hookimpl
def facial_bench_trackers():
    raise OSError("no weights\\nhere")
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return path


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def imported_after(*arguments: str) -> tuple[int, set[str]]:
    """Exit status of a command in a fresh process, and what it had imported at its end."""
    code = (
        f"import sys\nfrom facial_bench.cli import main\nstatus = 0\ntry:\n    main({list(arguments)!r})\n"
        "except SystemExit as done:\n    status = done.code\nprint('modules:', status, *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    _, status, *modules = done.stdout.splitlines()[-1].split()
    return int(status), set(modules)


@pytest.mark.parametrize("command", ["methods", "corpora", "metrics", "plugins"])
def test_listing_imports_nothing_heavy(command: str) -> None:
    status, modules = imported_after(command)
    assert status == 0
    assert not modules & {"torch", "matplotlib", "tabulate", "safetensors.torch", "rich"}


@pytest.mark.parametrize("command", [("methods", "froze"), ("check", "froze"), ("run", "--method", "froze")])
def test_a_misspelt_method_is_answered_before_torch_is_imported(command: tuple[str, ...]) -> None:
    status, modules = imported_after(*command)
    assert status == 1
    assert "torch" not in modules
    answer = invoke(*command).stderr
    assert "Unknown method 'froze'. Did you mean 'frozen'? Available: " in answer
    assert answer.endswith("Own file? --plugin FILE.py.\n")


def test_a_method_says_what_it_is_and_which_options_it_takes(mine: Path) -> None:
    told = invoke("methods", "mine", "--plugin", mine).stdout.splitlines()
    assert told[0] == "mine: turns"
    assert [re.sub(" {2,}", " | ", line) for line in told[2:]] == [
        "source | mine.py",
        "reference | nobody, 2024",
        "outputs | may lack parts; metrics that need them are then absent, with the reason",
        "--option speed= | turns a second; default 1",
    ]
    assert re.search(r"^options +none$", invoke("methods", "frozen").stdout, re.MULTILINE)


def test_plugins_lists_every_kind_with_its_source_and_what_failed(mine: Path) -> None:
    told = invoke("plugins", "--plugin", mine).stdout
    sections = dict(block.split(":\n", 1) for block in told.strip().split("\n\n"))
    assert list(sections) == [
        "methods",
        "corpora",
        "importers",
        "metrics",
        "trackers",
        "audio features",
        "renderers",
        "picture metrics",
        "failed to load",
    ]
    assert re.search(r"^ +facial-bench [\d.]+ +frozen, mean-motion, ", sections["methods"], re.MULTILINE)
    assert re.search(r"^ +mine\.py +mine$", sections["methods"], re.MULTILINE)
    assert re.search(r"^ +facial-bench [\d.]+ +\d\d metrics$", sections["metrics"], re.MULTILINE)
    assert re.fullmatch(r" +mine\.py +OSError: no weights here", sections["failed to load"])
    assert "failed to load: none" in invoke("plugins").stdout


def test_two_plugins_of_one_name_are_told_of_where_all_are_listed(mine: Path) -> None:
    mine.write_text(MINE.replace('"mine", "turns"', '"frozen", "turns"'))
    done = invoke("plugins", "--plugin", mine)
    assert done.exit_code == 0
    assert re.search(r"^ +error +Two plugins register the generator 'frozen'", done.stdout, re.MULTILINE)
    assert "synthetic" in done.stdout
