"""One door for every kind of method: a plugin file, an installed plugin, a class of a script, another environment."""

from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import facial_bench_worker
from facial_bench import RunConfig, Session
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.errors import FacialBenchError, PluginError
from facial_bench.evaluation.result import Result
from tests.helpers.faces import Lines
from tests.helpers.sessions import make_session, run_one

SCRIPT = '''
"""A script with a method in it."""
import sys
import numpy as np
from facial_bench.errors import FacialBenchError
from facial_bench.types import Motion


class Still:
    """The state that a request begins with. It does not move."""

    options = {"scale": "of the state; default 1"}

    def __init__(self, context):
        self.scale = float(context.options.get("scale", "1"))
        if self.scale < 0:
            raise FacialBenchError(f"--option scale={self.scale} is below 0")

    def fit(self, clips, context):
        context.log(f"numpy {np.__version__} torch {'torch' in sys.modules}")
        self.shape = np.shape(context.face_model.basis)

    def generate(self, requests):
        return [Motion.from_state(self.scale * np.tile(r.initial_state, (r.frames, 1))) for r in requests]

    def state_dict(self):
        return {"shape": np.array(self.shape)}

    def load_state_dict(self, state, context):
        self.shape = tuple(state["shape"])
'''


@pytest.fixture(scope="module")
def corpus(make_corpus: Callable[..., Corpus]) -> Corpus:
    return make_corpus(clips=4)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, small_protocol: Protocol) -> Session:
    return make_session(tmp_path_factory.mktemp("cache"), small_protocol, metrics=["lmd"])


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(SCRIPT)
    return path


def still(session: Session, corpus: Corpus, out: Path) -> Result:
    return run_one(session, "mean-motion", corpus, out)


def test_a_class_of_a_script_runs_by_its_file(session: Session, corpus: Corpus, script: Path, tmp_path: Path) -> None:
    result = run_one(session, f"{script}:Still", corpus, tmp_path / "out")
    assert (result.method.name, result.method.plugin, result.method.isolation) == ("Still", "mine.py", "process")
    assert result.clips == still(session, corpus, tmp_path / "still").clips
    with pytest.raises(FacialBenchError, match=r"mine.py: method Still: --option scale=-1.0 is below 0"):
        run_one(session, f"{script}:Still", corpus, tmp_path / "out", options={"scale": "-1"})
    with pytest.raises(FacialBenchError, match=r"method Still: unknown option 'scael'"):
        run_one(session, f"{script}:Still", corpus, tmp_path / "out", options={"scael": "1"})
    with pytest.raises(PluginError, match=r"Plugin mine.py cannot be loaded: no class Nothing in .*mine.py"):
        run_one(session, f"{script}:Nothing", corpus, tmp_path / "out")
    with pytest.raises(PluginError, match=r"Plugin none.py cannot be loaded: no such file"):
        run_one(session, f"{tmp_path / 'none.py'}:Still", corpus, tmp_path / "out")


def test_a_class_at_hand_runs_by_its_file_and_one_of_a_notebook_in_this_process(
    session: Session, corpus: Corpus, script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    made = __import__("mine").Still
    config = RunConfig("Still", corpus=str(corpus.path), out=str(tmp_path / "out"), device="cpu")
    ((_, apart),) = session.evaluate(config, made)
    assert (apart.method.plugin, apart.method.isolation) == ("mine.py", "process")

    class Local(made):  # type: ignore[misc, valid-type]
        """Like one that was typed into a notebook."""

    ((_, here),) = session.evaluate(config, Local)
    assert (here.method.name, here.method.plugin, here.method.isolation) == ("Local", "notebook", "in-process")
    assert here.clips == apart.clips
    sys.modules.pop("mine")


@pytest.fixture(scope="module")
def other_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with an older numpy, without torch, without facial-bench."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    python = place / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    install += ["--disable-pip-version-check", "numpy==1.26.4"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no older numpy could be installed: {done.stderr[-300:]}")
    return python


@pytest.mark.slow
def test_a_method_of_another_environment_runs_from_here(
    session: Session, corpus: Corpus, script: Path, tmp_path: Path, other_environment: Path
) -> None:
    session.report = report = Lines()
    plugin = tmp_path / "plugin.py"
    plugin.write_text(
        SCRIPT
        + textwrap.dedent(
            """
            from facial_bench import hookimpl
            from facial_bench.types import GeneratorSpec, MetricSpec, Clip, Request, Context, TrackerSpec, STATE_WIDTH

            @hookimpl
            def facial_bench_generators():
                return [GeneratorSpec("still", "s", "r", Still, options=Still.options)]

            @hookimpl
            def facial_bench_metrics():
                return [MetricSpec("mine", 1, "1", False, "x", len)]
            """
        )
    )
    config = {"python": str(other_environment), "plugins": (str(plugin),)}
    result = run_one(session, "still", corpus, tmp_path / "out", **config)
    assert result.clips == still(session, corpus, tmp_path / "still").clips
    assert any("numpy 1.26.4 torch False" in line for line in report.said)
    again = run_one(session, "still", corpus, tmp_path / "out", **config)
    assert again.timing["fit_reused"] is True
    by_class = run_one(session, f"{script}:Still", corpus, tmp_path / "class", python=str(other_environment))
    assert by_class.clips == result.clips
    plugin.write_text("import torch\n")
    with pytest.raises(PluginError, match=r"plugin.py cannot be loaded: raised ModuleNotFoundError: No module named"):
        run_one(session, "still", corpus, tmp_path / "out", **config)


@pytest.mark.slow
def test_an_environment_without_numpy_is_one_line(
    session: Session, corpus: Corpus, script: Path, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    with pytest.raises(PluginError, match=r"No module named 'numpy'. Install numpy there"):
        run_one(session, f"{script}:Still", corpus, tmp_path / "out", python=str(tmp_path / "bare/bin/python"))


WORKER = sorted(Path(facial_bench_worker.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", WORKER, ids=lambda path: path.name)
def test_the_worker_keeps_to_the_grammar_of_python_3_8_and_to_numpy(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            own = name.partition(".")[0]
            assert own in sys.stdlib_module_names | {"numpy", "facial_bench_worker"}, f"line {node.lineno}: {name}"
