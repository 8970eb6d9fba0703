"""`facial-bench corpus make NAME DEST --option K=V`, and `facial-bench corpora NAME`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from facial_bench.cli import main
from facial_bench.corpora.corpus import open_corpus
from facial_bench.plugin_api.find_corpus import CorpusFinder
from facial_bench.plugin_api.manager import load_plugins

PLUGIN = """
import numpy as np
from facial_bench import hookimpl
from facial_bench.corpora.synthetic import make as make_synthetic
from facial_bench.types import CorpusSpec

def plain(dest):
    dest.mkdir(parents=True)
    (dest / "made.txt").write_text("plain")
    make_synthetic(dest / "corpus", 3)
    for path in (dest / "corpus").iterdir():
        path.rename(dest / path.name)
    (dest / "corpus").rmdir()

def choosy(dest, options):
    if options.get("size", "1") != "1":
        raise ZeroDivisionError("too\\nlarge")
    plain(dest)
    (dest / "made.txt").write_text(str(sorted(options.items())))

@hookimpl
def facial_bench_corpora():
    return [CorpusSpec("plain", "1", "takes no option", plain),
            CorpusSpec("choosy", "2", "takes one", choosy, options={"size": "of it; default 1"})]
"""


@pytest.fixture(autouse=True)
def shorter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Six clips a person; and no test reads or writes the user's cache."""
    monkeypatch.setattr("facial_bench.corpora.synthetic.corpus.CLIPS", 6)
    monkeypatch.setenv("FACIAL_BENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(PLUGIN)
    return tmp_path / "mine.py"


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def refused(*arguments: object) -> str:
    """The one line of a user's error: exit 1, nothing on standard output."""
    done = invoke(*arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    return line


def test_a_corpus_of_a_secret_seed_from_the_command_line(tmp_path: Path) -> None:
    dest = tmp_path / "contest" / "round-1"
    done = invoke("corpus", "make", "synthetic", dest, "--option", "seed=7319406255118203947")
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"corpus: {dest}\n", ""), "no warning, no seed"
    assert open_corpus(dest).info.name == "synthetic-fresh"
    assert "7319406255118203947" not in (dest / "corpus.json").read_text()
    told = invoke("corpus", "info", dest)
    assert told.stdout.startswith("synthetic-fresh 1  digest ")
    assert invoke("corpus", "verify", dest).stdout.startswith("30 clips verified")


def test_seed_and_name_together(tmp_path: Path) -> None:
    done = invoke("corpus", "make", "synthetic", tmp_path / "c", "--option", "name=final", "--option", "seed=0")
    assert done.exit_code == 0
    assert json.loads((tmp_path / "c/corpus.json").read_text())["name"] == "final"


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("seed=-1", "corpus synthetic: the option seed takes a whole number from 0 to 9223372036854775807."),
        ("seed=", "corpus synthetic: the option seed takes a whole number from 0 to 9223372036854775807."),
        ("sead=1", "corpus synthetic: unknown option 'sead'. Did you mean 'seed'? Available: name, seed."),
        (
            "name=a/b",
            "The corpus name 'a/b' cannot name a file: it holds '/'; use letters and digits, and . _ @ = , + -.",
        ),
    ],
)
def test_what_the_corpus_cannot_use_is_refused_in_one_line(tmp_path: Path, option: str, told: str) -> None:
    assert refused("corpus", "make", "synthetic", tmp_path / "c", "--option", option) == f"Error: {told}"
    assert not (tmp_path / "c").exists()


def test_no_value_is_a_usage_error(tmp_path: Path) -> None:
    done = invoke("corpus", "make", "synthetic", tmp_path / "c", "--option", "seed")
    assert done.exit_code == 2
    assert "--option takes K=V, got 'seed'" in done.stderr


def test_a_plugin_without_options_is_called_as_before_and_takes_none(tmp_path: Path, plugin: Path) -> None:
    told = refused("corpus", "make", "plain", tmp_path / "c", "--option", "seed=1", "--plugin", plugin)
    assert told == "Error: corpus plain: unknown option 'seed'. Available: none."
    assert invoke("corpus", "make", "plain", tmp_path / "c", "--plugin", plugin).exit_code == 0
    assert (tmp_path / "c/made.txt").read_text() == "plain"


def test_a_plugin_with_options_gets_them_and_may_fail_in_one_line(tmp_path: Path, plugin: Path) -> None:
    make = ["corpus", "make", "choosy"]
    assert invoke(*make, tmp_path / "c", "--plugin", plugin, "--option", "size=1").exit_code == 0
    assert (tmp_path / "c/made.txt").read_text() == "[('size', '1')]"
    told = refused(*make, tmp_path / "d", "--plugin", plugin, "--option", "size=2")
    assert re.fullmatch(
        r"Error: mine\.py: making the corpus choosy failed: ZeroDivisionError: too large \(mine\.py, line \d+\)\.", told
    )


def test_a_corpus_that_a_run_names_is_made_without_options(tmp_path: Path, plugin: Path) -> None:
    finder = CorpusFinder(load_plugins([plugin], installed=[]), tmp_path / "cache", lambda line: None)
    assert (finder.find("choosy").path / "made.txt").read_text() == "[]"
    assert finder.find("plain").path.parent == tmp_path / "cache/corpora"
    assert finder.find("synthetic").info.name == "synthetic"


def test_corpora_says_of_one_what_it_takes(plugin: Path) -> None:
    told = invoke("corpora", "choosy", "--plugin", plugin).stdout.splitlines()
    assert told[0] == "choosy: takes one"
    assert [re.sub(" {2,}", " | ", line) for line in told[2:]] == [
        "source | mine.py",
        "version | 2",
        "--option size= | of it; default 1",
    ]
    assert re.search(r"^options +none$", invoke("corpora", "plain", "--plugin", plugin).stdout, re.MULTILINE)
    own = invoke("corpora", "synthetic").stdout
    assert re.search(r"^--option seed= .*default: 14, which everybody knows.*guessed$", own, re.MULTILINE)
    assert refused("corpora", "sinthetic").startswith("Error: Unknown corpus 'sinthetic'. Did you mean 'synthetic'?")
