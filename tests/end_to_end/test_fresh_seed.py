"""`verify --fresh-seed`: a method that learns does on clips that nobody has seen what it did; one that looks the public
corpus up does not."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import facial_bench.cli.fresh_seed as command
from facial_bench import RunConfig, Session
from facial_bench.cli import main
from facial_bench.core.protocol import Protocol
from facial_bench.errors import PluginError
from facial_bench.evaluation.named_results import open_result
from facial_bench.plugin_api.manager import load_plugins
from tests.helpers.faces import Lines
from tests.helpers.sessions import run_one

pytestmark = pytest.mark.slow

CHEAT = Path(__file__).parents[2] / "studies" / "attacks" / "regenerate.py"
SOME = ("p2", "p5")
"""Of the five people: less to wait for."""
PLAIN = '''
import numpy as np

from facial_bench.types import Motion


class Plain:
    """The mean face."""

    def __init__(self, context):
        pass

    def fit(self, clips, context):
        print(context.corpus)

    def generate(self, requests):
        return [Motion.from_state(np.tile(one.initial_state, (one.frames, 1))) for one in requests]
'''


@pytest.fixture(scope="module")
def protocol(small_protocol: Protocol) -> Protocol:
    return replace(small_protocol, classifiers=replace(small_protocol.classifiers, seeds=(1,), steps=3))


@pytest.fixture(scope="module")
def session(protocol: Protocol, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Knows the built-ins; plugin files are named by each run."""
    cache = tmp_path_factory.mktemp("cache")
    return Session(
        load_plugins(installed=[]), cache=cache, protocol=protocol, metrics=("lmd", "lmd/canonical"), device="cpu"
    )


@pytest.fixture(scope="module")
def out(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results on the public corpus: of a method that learns, of one that makes the corpus again, of a script."""
    folder = tmp_path_factory.mktemp("out")
    (folder / "plain.py").write_text(PLAIN)
    run_one(session, "ridge", "synthetic", folder, identities=SOME)
    run_one(session, "attack-regenerate", "synthetic", folder, identities=SOME, plugins=(str(CHEAT),))
    run_one(session, f"{folder}/plain.py:Plain", "synthetic", folder, identities=SOME)
    (label,) = folder.glob("synthetic@*")
    return label


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def run_command(session: Session, monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> tuple[int, str, str]:
    """The command line with the short protocol: exit status, standard output, standard error."""
    monkeypatch.setattr(command, "make_session", lambda *_: session)
    done = CliRunner().invoke(main, ["verify", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def test_a_method_that_learns_holds_and_leaves_nothing(
    session: Session, out: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, stdout, stderr = run_command(session, monkeypatch, out / "ridge", "--fresh-seed", "--json")
    assert status == 0, stderr
    (verdict,) = json.loads(stdout).values()
    assert verdict["falls_apart"] == []
    assert verdict["notes"] == []
    assert 0 <= int(verdict["seed"]) < 2**63
    lmd = verdict["metrics"]["lmd"]
    assert lmd["fresh"]["skill"] == pytest.approx(lmd["published"]["skill"], abs=0.1)
    assert lmd["fresh"]["value"] != lmd["published"]["value"]
    assert not list(temporary.iterdir())


def test_a_method_that_makes_the_corpus_again_is_caught(
    session: Session, out: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = out / "attack-regenerate"
    status, stdout, stderr = run_command(session, monkeypatch, folder, "--fresh-seed", "--method-plugin", CHEAT)
    assert status == 1
    assert f"Falls apart on a fresh seed: {folder}/seed-0/result.json." in stderr
    assert "falls apart on clips that it cannot have seen: lmd, lmd/canonical" in stdout
    assert "corpus make synthetic DEST --option seed=" in stdout
    assert not list(temporary.iterdir())


def test_results_share_one_fresh_corpus_and_a_class_of_a_script_is_run_from_its_file(
    session: Session, out: Path, tmp_path: Path
) -> None:
    _, plain = open_result(out / "Plain" / "seed-0")
    lines = Lines()
    listening = Session(session.plugins, cache=tmp_path, protocol=session.protocol, metrics=("lmd",), report=lines)
    first, second = listening.verify_fresh([plain, plain], RunConfig(f"{out.parent}/plain.py:Plain", device="cpu"))
    assert first.seed == second.seed
    assert not first.falls_apart
    assert first.changes[0].fresh.skill == pytest.approx(0.0, abs=1e-9)
    told = "\n".join([*lines.said, *lines.warnings])
    assert told
    assert str(first.seed) not in told


def test_the_traceback_of_a_method_that_cannot_be_fitted_stays(session: Session, out: Path, temporary: Path) -> None:
    _, plain = open_result(out / "Plain" / "seed-0")
    file = temporary / "plain.py"
    file.write_text(PLAIN.replace("print(context.corpus)", "raise ValueError(context.corpus.name)"))
    with pytest.raises(PluginError, match="ValueError: synthetic-fresh") as caught:
        session.verify_fresh([plain], RunConfig(f"{file}:Plain", device="cpu"), seed=3)
    file.unlink()
    logs = [path for path in temporary.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert {path.name for path in logs} <= {"error.log", "method.log", "run.json"}
    (log,) = temporary.rglob("error.log")
    assert str(log) in str(caught.value)
    assert "raise ValueError(context.corpus.name)" in log.read_text()


def test_options_that_have_no_use_are_refused(session: Session, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, _, stderr = run_command(session, monkeypatch, out / "ridge", "--fresh-seed", "--corpus", "synthetic")
    assert (status, "leave --corpus out" in stderr) == (2, True)
    status, _, stderr = run_command(session, monkeypatch, out / "ridge", "--sandbox", "--method-plugin", CHEAT)
    assert (status, "only with --regenerate or --fresh-seed" in stderr) == (2, True)
    both = ("--method-plugin", "a.py:A", "--method-plugin", "b.py:B")
    status, _, stderr = run_command(session, monkeypatch, out / "ridge", "--fresh-seed", *both)
    assert (status, "names one class" in stderr) == (2, True)
    status, _, stderr = run_command(session, monkeypatch, out / "attack-regenerate", "--fresh-seed")
    assert (status, "name it with --method-plugin regenerate.py" in stderr) == (1, True)
