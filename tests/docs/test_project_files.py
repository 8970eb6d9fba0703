"""The files that tell how to cite, contribute and run CI agree with the code."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from facial_bench.cli import main
from facial_bench.core.version import __version__
from facial_bench.plugin_api.manager import load_plugins

ROOT = Path(__file__).parents[2]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_citation_is_of_this_version() -> None:
    (version,) = re.findall(r"^version: (.+)$", read("CITATION.cff"), re.MULTILINE)
    assert version == __version__


def test_readme_and_workflow_name_what_ci_runs() -> None:
    command = read(".ci/run").splitlines()[-1]
    assert f"$ {command}\n" in read("README.md")
    assert "run: .ci/run\n" in read(".github/workflows/ci.yml")


@pytest.mark.parametrize("name", [".pre-commit-config.yaml", ".github/workflows/ci.yml", "CITATION.cff"])
def test_yaml_is_yaml(name: str) -> None:
    assert pytest.importorskip("yaml").safe_load(read(name))


def test_the_form_for_results_asks_for_what_verification_needs() -> None:
    form = pytest.importorskip("yaml").safe_load(read(".github/ISSUE_TEMPLATE/submit-a-result.yml"))
    asked = [field["id"] for field in form["body"] if "id" in field]
    assert len(set(asked)) == len(asked)
    assert {"method", "corpus", "commands", "verify", "files", "code"} <= set(asked)


def test_make_targets_that_the_pages_name_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    pages = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
    named = {target for page in pages for target in re.findall(r"(?:`|\$ )make ([a-z-]+)", read(page))}
    assert {"run", "test", "docs"} <= named <= targets


def test_make_run_gives_commands_that_are_understood() -> None:
    """What they print is held against the board by test_figures.py: the reference takes minutes."""
    told = subprocess.run(["make", "-n", "run"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commands = [words[1:] for words in map(shlex.split, told.splitlines()) if words[0].endswith("/facial-bench")]
    assert [command[0] for command in commands] == ["run", "run", "run", "leaderboard"]
    for name, *words in commands:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        given = command.make_context(name, words).params
        if name == "run":
            assert given["method"] in load_plugins().registered("generators")
            assert str(given["out"]) == "build/results"
