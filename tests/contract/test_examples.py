"""The methods that docs/tutorial.md and docs/plugins.md show keep to the contract as they stand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from facial_bench.cli import main
from facial_bench.corpora.corpus import Corpus

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def corpus(make_corpus: Callable[..., Corpus]) -> Corpus:
    return make_corpus(people=("a", "b"), clips=3, frames=400)


def examples(page: str) -> dict[str, str]:
    """name -> content of the files that a page shows: `# NAME` or `# file: NAME` in the first line of a block."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return dict(re.findall(r"```(?:python|toml)\n# (?:file: )?(\S+\.(?:py|toml))\n(.*?)```", text, re.DOTALL))


def assert_kept(told: dict[str, dict[str, dict[str, str]]], name: str) -> None:
    (method,) = told
    assert method == name
    assert not {check: one["text"] for check, one in told[name].items() if one["state"] == "fail"}
    assert told[name]["audio is used"]["state"] == "pass"
    assert {check for check, one in told[name].items() if one["state"] == "skip"} <= {"device", "save and load"}


@pytest.mark.parametrize(
    ("page", "file", "name"),
    [("docs/tutorial.md", "loudness.py", "loudness"), ("docs/plugins.md", "louder.py", "louder")],
)
def test_a_file_of_the_documentation_passes_the_check(
    page: str, file: str, name: str, corpus: Corpus, tmp_path: Path
) -> None:
    (tmp_path / file).write_text(examples(page)[file])
    done = CliRunner().invoke(main, ["check", str(tmp_path / file), "--corpus", str(corpus.path), "--json"])
    assert done.exit_code == 0, done.output
    assert_kept(json.loads(done.stdout), name)


def test_the_package_of_the_documentation_passes_the_check(corpus: Corpus, tmp_path: Path) -> None:
    files = {name: text for name, text in examples("docs/plugins.md").items() if name.startswith("src/")}
    assert len(files) == 3
    for name, text in files.items():
        path = tmp_path / name.removeprefix("src/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    info = tmp_path / "facial_bench_sway-0.1.0.dist-info"  # as pip would install it
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: facial-bench-sway\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[facial_bench]\nsway = facial_bench_sway.plugin\n")
    command = [sys.executable, "-m", "facial_bench", "check", "sway", "--corpus", str(corpus.path), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert_kept(json.loads(done.stdout), "sway")


def test_no_method_of_the_documentation_is_left_out() -> None:
    """A page that shows one more method is checked for it here."""
    for page, classes in {"docs/tutorial.md": ["Loudness"], "docs/plugins.md": ["Louder", "Sway"]}.items():
        blocks = "".join(examples(page).values())
        shown = re.findall(r"^class (\w+)(?:(?!^class ).)*?def generate\(", blocks, re.DOTALL | re.MULTILINE)
        assert shown == classes
        everything = (ROOT / page).read_text(encoding="utf-8")
        assert everything.count("def generate(") == len(classes), "each stands in a block with a file's name"
