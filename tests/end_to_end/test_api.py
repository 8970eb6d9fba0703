"""facial_bench from Python: a plain script, as a user would write it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import facial_bench
from facial_bench import RunConfig, Session
from facial_bench.corpora.corpus import Corpus
from facial_bench.errors import FacialBenchError
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.types import MetricSpec
from tests.helpers.sessions import make_session, plugin_module

SCRIPT = """
import pickle
import sys
from pathlib import Path

import facial_bench
from facial_bench import RunConfig, Session

corpus, out = sys.argv[1:]
config = RunConfig("mean-motion", corpus=corpus, out=out)
result = facial_bench.evaluate(pickle.loads(pickle.dumps(config)))
assert result.metrics["lmd"].status == "ok" and result.metrics["lmd"].value > 0
facial_bench.evaluate(RunConfig("frozen", corpus=corpus, out=out))

results = facial_bench.load_results(out)
assert len(results) == 2 and {one.method.label for one in results} == {"mean-motion", "frozen"}
rows = results.to_rows()
assert {row["method"] for row in rows if row["metric"] == "lmd"} == {"mean-motion", "frozen"}
assert next(row["value"] for row in rows if row["method"] == "mean-motion") == result.metrics["lmd"].value
clips = results.to_rows(clips=True)
assert {row["request"] for row in clips} == {row.request for row in result.clips if row.driving == "self"}

place = Path(out) / "short" / "mean-motion"
verdict = facial_bench.verify(place / "seed-0")
assert not verdict.differences and verdict.compared > 100
again = facial_bench.rescore(place / "seed-0", "lmd*")
assert again["lmd"].value == result.metrics["lmd"].value and "lmd/atvg" in again
comparison = facial_bench.compare(place, place.with_name("frozen"), metrics=["lmd"])
(pair,) = comparison.pairs
assert pair.verdict == "no difference found", pair.verdict
assert facial_bench.load_corpus(corpus).info.name == "short"
print("torch" in sys.modules, len(rows))
"""


@pytest.fixture(scope="module")
def short(make_corpus: Callable[..., Corpus]) -> Corpus:
    """Clips too short for the identity classifiers: a run takes seconds."""
    return make_corpus(clips=8, frames=60, name="short")


def test_a_plain_script(short: Corpus, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(short.path), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "FACIAL_BENCH_CACHE": str(tmp_path / "cache")},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("True ")
    assert done.stderr == "", "the API prints nothing"


def test_the_front_is_lazy_and_complete() -> None:
    code = "import sys, facial_bench; print(sorted({'torch', 'numpy', 'pluggy', 'msgspec'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    for name in facial_bench.__all__:
        assert getattr(facial_bench, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'evalute'"):
        facial_bench.evalute  # noqa: B018


def test_one_call_evaluates_one_seed() -> None:
    with pytest.raises(FacialBenchError, match="one seed, got 2"):
        facial_bench.evaluate(RunConfig("frozen", seeds=(0, 1)))


def test_a_session_makes_a_corpus_ready_once(short: Corpus, tmp_path: Path, small_protocol: object) -> None:
    session = make_session(tmp_path / "cache", small_protocol)  # type: ignore[arg-type]
    config = RunConfig("frozen", corpus=str(short.path), out=str(tmp_path / "out"), seeds=(0, 1), device="cpu")
    paths = [path for path, _ in session.evaluate(config)]
    assert [path.parent.name for path in paths] == ["seed-0", "seed-1"]
    first = session.prepare(short, session.measured(), "one", "cpu")
    assert session.prepare(short, session.measured(), "one", "cpu") is first


def test_results_are_a_sequence_of_plain_rows(short: Corpus, tmp_path: Path, small_protocol: object) -> None:
    session = make_session(tmp_path / "cache", small_protocol)  # type: ignore[arg-type]
    config = RunConfig("frozen", corpus=str(short.path), out=str(tmp_path / "out"), seeds=(0, 1), device="cpu")
    list(session.evaluate(config))
    results = facial_bench.load_results(tmp_path / "out")
    assert len(results) == 2 and len(results[:1]) == 1
    assert repr(results) == "<2 results of frozen>"
    for row in (*results.to_rows(), *results.to_rows(clips=True)):
        assert all(value is None or isinstance(value, (str, int, float)) for value in row.values())


def test_a_plugins_metric_is_shown_and_ranks_nobody(tmp_path: Path) -> None:
    own = MetricSpec("mine", 1, "px", False, "f", lambda sample: 0.0, family="lips", ranked=True)
    session = Session(load_plugins(installed=[], modules=[plugin_module(metrics=[own])]), cache=tmp_path)
    known = session.definitions()
    assert (known["mine"].family, known["mine"].ranked) == ("lips", False)
    assert known["lmd"].ranked
    assert [spec.id for spec in session.measured()][-1] == "mine"


def test_looking_at_results_needs_no_torch() -> None:
    code = (
        "import sys, facial_bench\n"
        "facial_bench.load_results('leaderboards')\n"
        "try: facial_bench.compare('none', 'other')\n"
        "except Exception as problem: print(type(problem).__name__, 'torch' in sys.modules)\n"
    )
    root = Path(facial_bench.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout == "ResultError False\n"
