"""What a method in a sandbox can reach, tried for real where bubblewrap works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from facial_bench import Session
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.errors import FacialBenchError
from facial_bench.isolation.sandbox import require_bubblewrap, sandbox_environment, sandboxed
from tests.helpers.faces import Lines
from tests.helpers.sessions import make_session, run_one

LOOK = """
import os, pathlib, socket
import numpy as np
from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion


def attempt(name, act):
    try:
        print(f"{name}: {act()}")
    except Exception as problem:
        print(f"{name}: refused ({type(problem).__name__})")


class Looks:
    def __init__(self, context):
        options = context.options
        attempt("corpus", lambda: len(list(pathlib.Path(options["corpus"]).iterdir())))
        attempt("results", lambda: len(list(pathlib.Path(options["out"]).iterdir())))
        attempt("home", lambda: sorted(os.listdir(options["home"])))
        attempt("own home", lambda: pathlib.Path.home().joinpath("x").write_text("x"))
        attempt("system", lambda: pathlib.Path("/usr/x").write_text("x"))
        attempt("plugin", lambda: pathlib.Path(__file__).write_text("x"))
        attempt("network", lambda: socket.create_connection(("127.0.0.1", int(options["port"])), 2).close())
        attempt("processes", lambda: len([p for p in os.listdir("/proc") if p.isdigit()]))
        attempt("variables", lambda: sorted(n for n in os.environ if "SECRET" in n or n.startswith("FACIAL")))
        attempt("readable", lambda: pathlib.Path(options["weights"]).read_text())

    def fit(self, clips, context):
        print(f"clips: {len(clips)} {clips[0].frames}")
        attempt("clips folder", lambda: pathlib.Path(clips[0].audio.base.filename).write_text("x"))

    def generate(self, requests):
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]


@hookimpl
def facial_bench_generators():
    names = ("corpus", "out", "home", "port", "weights")
    return [GeneratorSpec("looks", "s", "r", Looks, options={n: "where to look" for n in names})]
"""


@pytest.fixture
def bubblewrap() -> str:
    try:
        return require_bubblewrap()
    except FacialBenchError as problem:
        pytest.skip(str(problem))


@pytest.mark.slow
def test_a_method_in_a_sandbox_sees_its_clips_and_its_own_code(
    bubblewrap: str,
    make_corpus: Callable[..., Corpus],
    small_protocol: Protocol,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import socket

    listening = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setenv("MY_SECRET_KEY", "1")
    monkeypatch.setenv("FACIAL_BENCH_DATA", "/somewhere")
    home, plugin, weights = tmp_path / "home", tmp_path / "code" / "looks.py", tmp_path / "weights" / "w.txt"
    for path in (home, plugin.parent, weights.parent):
        path.mkdir()
    (home / "diary").write_text("dear")
    plugin.write_text(LOOK)
    weights.write_text("trained")
    corpus, out = make_corpus(clips=4), tmp_path / "out"
    where = {"corpus": corpus.path, "out": out, "home": home, "weights": weights, "port": listening.getsockname()[1]}
    options = {name: str(place) for name, place in where.items()}

    def looked(isolation: str, **more: object) -> dict[str, str]:
        session: Session = make_session(tmp_path / "cache", small_protocol, metrics=["lmd"], plugin_files=[plugin])
        session.report = report = Lines()
        result = run_one(session, "looks", corpus, out, options=options, isolation=isolation, label=isolation, **more)
        assert result.method.isolation == isolation
        assert {row.status for row in result.clips} == {"ok"}
        return dict(line.split(": ", 1) for line in report.said if ": " in line)

    inside = looked("sandbox", readable=(str(weights),))
    refused = ("corpus", "results", "home", "system", "plugin", "network", "clips folder")
    assert {name: inside[name] for name in refused if not inside[name].startswith("refused")} == {}
    assert int(inside["processes"]) < 8
    assert (inside["variables"], inside["readable"], inside["own home"]) == ("[]", "trained", "1")
    assert looked("sandbox")["readable"].startswith("refused")
    plugin.write_text(LOOK.replace("pathlib.Path(__file__).write_text", "len"))
    outside = looked("process")
    assert outside["home"] == "['diary']", "without the sandbox the disk is open: it is only another process"
    assert outside["network"] == "None"
    listening.close()


def test_without_bubblewrap_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(
        FacialBenchError, match=r"needs bubblewrap on Linux, and there is none here. Install bubblewrap"
    ):
        require_bubblewrap()


def test_where_bubblewrap_does_not_work_it_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'No permissions to create a new namespace' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(FacialBenchError, match=r"does not work here \(No permissions to create a new namespace\)"):
        require_bubblewrap()


def test_what_is_hidden_is_hidden_also_within_what_is_shown(bubblewrap: str, tmp_path: Path) -> None:
    (tmp_path / "shown" / "secret").mkdir(parents=True)
    (tmp_path / "scratch" / "room").mkdir(parents=True)
    shown, secret, elsewhere = tmp_path / "shown", tmp_path / "shown" / "secret", tmp_path / "elsewhere"
    command = sandboxed(["program"], tmp_path / "scratch", [shown], [secret, elsewhere, tmp_path], "cpu")
    places = [command[k + 1] for k, word in enumerate(command) if word == "--tmpfs"]
    assert places == ["/tmp", str(secret)]
    assert command.index(str(shown)) < command.index(str(secret))
    assert command[-2:] == ["--", "program"]


def test_the_environment_of_a_sandbox_holds_no_secret() -> None:
    given = {"PATH": "/bin", "OMP_NUM_THREADS": "1", "AWS_SECRET": "x", "HOME": "/root", "LC_ALL": "C"}
    assert sandbox_environment(given) == {"PATH": "/bin", "OMP_NUM_THREADS": "1", "LC_ALL": "C"}
