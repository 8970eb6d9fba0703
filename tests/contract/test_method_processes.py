"""A method in a process of its own: it fails alone, and what it does not see it cannot use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from facial_bench import Session
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.errors import FacialBenchError, PluginError
from facial_bench.evaluation.result import Result
from facial_bench.evaluation.setup import EvaluationSetup
from tests.helpers.faces import Lines
from tests.helpers.processes import all_gone, running
from tests.helpers.sessions import make_session, ready, run_one

PLUGIN = Path(__file__).with_name("misbehaving.py")
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def corpus(make_corpus: Callable[..., Corpus]) -> Corpus:
    """Clips too short for identity classifiers: none are trained."""
    return make_corpus(clips=4, frames=100)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, small_protocol: Protocol) -> Session:
    return make_session(tmp_path_factory.mktemp("cache"), small_protocol, metrics=["lmd"], plugin_files=[PLUGIN])


@pytest.fixture(scope="module")
def setup(session: Session, corpus: Corpus) -> EvaluationSetup:
    return ready(session, corpus)


@pytest.fixture
def run(session: Session, setup: EvaluationSetup, corpus: Corpus, tmp_path: Path) -> Run:
    def evaluate(method: str = "stateful", out: str = "out", report: Lines | None = None, **config: object) -> Result:
        session.report = report or Lines()
        return run_one(session, method, corpus, tmp_path / out, **config)

    return evaluate


@pytest.fixture(scope="module")
def whole(
    session: Session, setup: EvaluationSetup, corpus: Corpus, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, object]:
    """The motions of a run that nothing disturbs."""
    return values(run_one(session, "stateful", corpus, tmp_path_factory.mktemp("whole")))


def first_of(setup: EvaluationSetup, number: int = 0) -> tuple[str, str]:
    """The request of a test clip, and what marks it."""
    clip = setup.folds[0].test[number]
    return f"self/{clip.id}@{clip.start}", f"{clip.identity}:{float(clip.audio[0, 0]):.6f}"


def failed(result: Result) -> dict[str, str]:
    return {row.request: str(row.reason) for row in result.clips if row.status == "failed"}


def values(result: Result) -> dict[str, object]:
    return {row.request: row.motion for row in result.clips if row.status == "ok"}


def test_a_process_gives_what_the_harness_itself_would(run: Run) -> None:
    apart, here = run(), run(out="here", isolation="in-process")
    assert (apart.method.isolation, here.method.isolation) == ("process", "in-process")
    assert apart.metrics == here.metrics
    assert apart.clips == here.clips
    assert apart.behaviour == here.behaviour


def test_what_a_method_takes_is_in_the_result(run: Run) -> None:
    timing = run().timing
    assert timing["method_processes"] == 1
    assert 0 < float(timing["method_cpu_s"]) < 60
    assert 10 < float(timing["method_peak_memory_mib"]) < 400, "the process's own, not the harness's"


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        ("kill", "its process was ended by SIGKILL (out of memory, or killed by somebody)"),
        ("segfault", "its process was ended by SIGSEGV"),
        ("exit", "its process ended with status 3"),
        ("leave", "raised SystemExit: enough (misbehaving.py, line "),
        ("raise", "raised ValueError: out of ideas (misbehaving.py, line "),
    ],
)
def test_it_fails_for_the_request_in_hand_and_for_no_other(
    run: Run, setup: EvaluationSetup, whole: dict[str, object], then: str, reason: str, tmp_path: Path
) -> None:
    name, mark = first_of(setup)
    report = Lines()
    result = run(report=report, options={"at": mark, "then": then})
    assert set(failed(result)) == {name}
    assert failed(result)[name].startswith(reason)
    assert str(tmp_path) not in failed(result)[name], "a result holds no path of this machine"
    assert values(result) == {request: motion for request, motion in whole.items() if request != name}
    (warning,) = report.warnings
    assert f"failed on {name}: {reason}" in warning
    kept = Path(warning.rpartition(" in ")[2])
    assert kept.is_file()
    assert ("out of\nideas" if then == "raise" else "") in kept.read_text()


@pytest.mark.parametrize("method", ["stateful", "stateless"])
def test_a_process_killed_in_the_middle_of_a_fit_is_replaced_once(
    run: Run, whole: dict[str, object], method: str, tmp_path: Path
) -> None:
    report, log = Lines(), tmp_path / "log"
    result = run(method, report=report, options={"fit": f"kill@{tmp_path / 'flag'}", "log": str(log)})
    assert not failed(result)
    assert values(result) == whole
    assert any("ended by SIGKILL" in line and "fitted again, in a new process" in line for line in report.warnings)
    assert log.read_text().count("fit") == 2
    with pytest.raises(PluginError, match="could not be fitted: its process was ended by SIGKILL"):
        run(method, out="always", options={"fit": "kill"})


def test_what_was_fitted_is_not_fitted_again(run: Run, setup: EvaluationSetup, tmp_path: Path) -> None:
    name, mark = first_of(setup)
    log = tmp_path / "log"
    result = run(options={"at": mark, "then": "kill", "log": str(log)})
    assert set(failed(result)) == {name}
    lines = [line.split(maxsplit=1)[1] for line in log.read_text().splitlines()]
    assert (lines.count("fit"), lines.count("load")) == (1, 3), "it died in the batch, alone, and when it was probed"
    assert lines.index("load") > lines.index("generate 4")


def test_a_method_without_state_is_fitted_again_once(run: Run, setup: EvaluationSetup, tmp_path: Path) -> None:
    name, mark = first_of(setup, 1)
    log = tmp_path / "log"
    result = run("stateless", options={"at": mark, "then": f"kill@{tmp_path / 'flag'}", "log": str(log)})
    assert not failed(result), "it died once, and each request was asked for alone"
    assert log.read_text().count("fit") == 2
    twice = run("stateless", out="twice", options={"at": mark, "then": "kill", "log": str(log)})
    assert name in failed(twice)
    assert any("was fitted again once already" in reason for reason in failed(twice).values())


def test_a_process_killed_by_somebody_else_is_replaced(
    run: Run, setup: EvaluationSetup, whole: dict[str, object], tmp_path: Path
) -> None:
    """`kill -9` while it works on a request: the process that takes its place makes the rest."""
    log = tmp_path / "log"
    _, mark = first_of(setup)

    def kill() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and not (tmp_path / "flag").exists():
            time.sleep(0.01)
        time.sleep(0.1)
        os.kill(int(log.read_text().split()[0]), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    result = run(options={"at": mark, "then": f"wait@{tmp_path / 'flag'}", "log": str(log)})
    killer.join()
    assert not failed(result)
    assert values(result) == whole


@pytest.mark.parametrize("then", ["sleep", "spin"])
def test_what_never_answers_is_ended(run: Run, setup: EvaluationSetup, then: str) -> None:
    name, mark = first_of(setup)
    result = run("stateful", options={"at": mark, "then": then}, timeout=1.5)
    assert set(failed(result)) == {name}
    assert failed(result)[name].startswith("its process gave no answer to `generate` within 1.5 s (--timeout)")
    start = time.monotonic()
    with pytest.raises(PluginError, match="could not be fitted: its process gave no answer to `fit` within 1 s"):
        run(out="fit", options={"fit": then}, timeout=1)
    assert time.monotonic() - start < 20


def test_what_prints_without_end_is_ended(run: Run, setup: EvaluationSetup, tmp_path: Path) -> None:
    name, mark = first_of(setup)
    report = Lines()
    result = run(report=report, options={"at": mark, "then": "shout"})
    assert "it printed more than is kept" in failed(result)[name]
    assert len(report.said) < 1000
    assert max(map(len, report.said)) < 1000


def test_what_it_prints_is_shown_and_kept(run: Run, tmp_path: Path) -> None:
    report = Lines()
    run(report=report)
    assert "fitted to 6 clips" in report.said
    assert (tmp_path / "out/tiny/stateful/seed-0/method.log").read_text() == "fitted to 6 clips\n"


def test_a_traceback_is_shown_where_it_is_wanted(run: Run, tmp_path: Path) -> None:
    options = {"fit": "raise"}
    with pytest.raises(
        PluginError, match=r"raised ValueError: out of ideas \(misbehaving.py, line \d+\); trace"
    ) as told:
        run(options=options)
    assert 'misbehaving.py", line' in str(told.value.__cause__)
    assert "out of\nideas" in (tmp_path / "out/tiny/stateful@fit=raise/seed-0/error.log").read_text()


def test_children_of_a_method_end_with_it(run: Run, setup: EvaluationSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = f"FACIAL_BENCH_TEST_{os.getpid()}_{time.monotonic_ns()}"
    monkeypatch.setenv(mark, "1")
    name, sound = first_of(setup)
    assert set(failed(run(options={"at": sound, "then": "child"}))) == {name}
    monkeypatch.delenv(mark)
    assert all_gone(mark)


SCRIPT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job's children are born deaf to it
from pathlib import Path
from dataclasses import replace
from facial_bench.core.protocol import Protocol
from tests.helpers.sessions import make_session, run_one

out, corpus, plugin, log, fit = sys.argv[1:]
protocol = replace(Protocol(), resamples=200, name="small")
session = make_session(Path(out) / "cache", protocol, metrics=["lmd"], plugin_files=[plugin])
run_one(session, "stateful", Path(corpus), Path(out), options={"log": log, **({"fit": fit} if fit else {})})
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_harness_that_ends_leaves_nothing_running(
    corpus: Corpus, tmp_path: Path, how: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the same command goes on, to the same result."""
    mark = f"FACIAL_BENCH_TEST_{os.getpid()}_{time.monotonic_ns()}"
    monkeypatch.setenv(mark, "1")
    log, flag, root = tmp_path / "log", tmp_path / "flag", Path(__file__).parents[2]
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), str(corpus.path), str(PLUGIN), str(log)]
    process = subprocess.Popen([*command, f"wait@{flag}"], cwd=root, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 100
    while not flag.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert len(running(mark)) == 3, "the harness, the watcher, the method"
    process.send_signal(how)
    process.wait(20)
    assert all_gone(mark)
    if how != signal.SIGKILL:
        return
    subprocess.run([*command, f"wait@{flag}"], cwd=root, check=True)
    again = (tmp_path / f"tiny/stateful@fit=wait@{flag.name}").parent
    assert len(list(again.glob("stateful@*/seed-0/result.json"))) == 1
    assert log.read_text().count("fit") == 2
    assert all_gone(mark)


def test_no_interpreter_and_no_method_are_one_line(run: Run, tmp_path: Path) -> None:
    with pytest.raises(FacialBenchError, match=r"No Python interpreter at /no/python. Correct --python"):
        run(python="/no/python")
    (tmp_path / "python").write_text("#!/bin/sh\necho cannot\nexit 7\n")
    (tmp_path / "python").chmod(0o755)
    with pytest.raises(FacialBenchError, match="its process ended with status 7"):
        run(python=str(tmp_path / "python"))
    with pytest.raises(FacialBenchError, match="frozen is built in: it runs under this interpreter"):
        run("frozen", python=sys.executable)
