"""The command line: exit codes, one-line errors, and one run of the whole protocol."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from facial_bench.cli import Commands, main
from facial_bench.cli.common import aligned, parse_options
from facial_bench.core.errors import FacialBenchError
from facial_bench.core.protocol import Protocol
from facial_bench.core.version import __version__
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.evaluation.result import decode_result, read_result
from facial_bench.plugin_api.find_corpus import cache_folder
from tests.helpers.results import make_result, make_row, store

METHOD = """
import numpy as np
from facial_bench import hookimpl
from facial_bench.types import CorpusSpec, GeneratorSpec, ImporterSpec, MetricSpec, Motion

class Chatty:
    def fit(self, clips, context):
        print("fitting")

    def generate(self, requests):
        print("generating")
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]

def exploding(*arguments):
    raise ZeroDivisionError("over\\nzero")

@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("chatty", "two\\nlines", "nobody", lambda context: Chatty()),
            GeneratorSpec("exploding", "raises", "nobody", exploding)]

@hookimpl
def facial_bench_corpora():
    return [CorpusSpec("exploding", "1", "raises", exploding)]

@hookimpl
def facial_bench_importers():
    return [ImporterSpec("exploding", "raises", exploding)]

@hookimpl
def facial_bench_metrics():
    def compute(sample):
        return np.abs(sample.generated.blink - sample.reference.blink)

    return [MetricSpec("blink_distance", 1, "closure", False, "|b - b^|", compute)]
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("FACIAL_BENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def tiny(make_corpus: Callable[..., Corpus]) -> Path:
    """Two people, told apart by the size of their motion."""
    return make_corpus(clips=8, frames=180, scales=[0.3, 3.0]).path


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(METHOD)
    return tmp_path / "mine.py"


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def refused(*arguments: object) -> str:
    """The one line of a user's error: exit 1, nothing on standard output."""
    result = invoke(*arguments)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stdout == ""
    (line,) = [line for line in result.stderr.splitlines() if not line.startswith(("warning", "corpus:", "left out"))]
    assert line.startswith("Error: ")
    assert len(line) < 1000
    return line


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["corpus", "import", "-h"], ["leaderboard", "-h"], ["--version"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom facial_bench.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n"
        "    assert not end.code\n"
        "heavy = {'torch', 'numpy', 'scipy', 'pluggy', 'tabulate', 'rich', 'jinja2', 'msgspec'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = python(code, *arguments)
    assert done.returncode == 0, done.stderr
    assert "facial-bench" in done.stdout or "Usage" in done.stdout


def test_version_and_module() -> None:
    assert __version__ in invoke("--version").stdout
    done = subprocess.run([sys.executable, "-m", "facial_bench", "-h"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Usage: facial-bench [OPTIONS]")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["run"],
        ["run", "--method", "frozen", "--seed", "x"],
        ["run", "--method", "frozen", "--seed", "-1"],
        ["run", "--method", "frozen", "--seed", "0,1"],
        ["run", "--method", "frozen", "--option", "novalue"],
        ["run", "--method", "frozen", "--option", "=x"],
        ["run", "--method", "frozen", "--device", "tpu"],
        ["run", "--method", "frozen", "--budget", "huge"],
        ["corpus", "import", "a", "b"],
        ["corpus", "nonsense"],
        ["corpus", "info"],
        ["run", "--nonsense"],
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_bad_option_is_found_before_anything_is_trained(tiny: Path, tmp_path: Path) -> None:
    assert invoke("run", "--method", "frozen", "--corpus", tiny, "--option", "x").exit_code == 2
    assert not (tmp_path / "cache").exists()


def test_errors_before_a_run(tiny: Path, tmp_path: Path, plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    run = ("run", "--corpus", tiny, "--out", tmp_path / "out")
    assert "Unknown method 'frozn'. Did you mean 'frozen'? Available: " in refused(*run, "--method", "frozn")
    assert "No CUDA device" in refused(*run, "--method", "frozen", "--device", "cuda")
    assert "Unknown identity 'z'" in refused(*run, "--method", "frozen", "--identities", "a,z")
    assert "none.py cannot be loaded: no such file" in refused(
        *run, "--method", "frozen", "--plugin", tmp_path / "none.py"
    )
    assert "Unknown corpus (or folder) 'sinthetic'. Did you mean 'synthetic'?" in refused(
        "run", "--method", "frozen", "--corpus", "sinthetic"
    )
    assert "No corpus folder at" in refused("run", "--method", "frozen", "--corpus", tmp_path / "none")
    assert "Is this a corpus folder?" in refused("run", "--method", "frozen", "--corpus", plugin.parent)
    exploding = refused("run", "--method", "frozen", "--corpus", "exploding", "--plugin", plugin)
    assert (
        "mine.py: making the corpus exploding failed: raised ZeroDivisionError: over zero (mine.py, line 15)."
        in exploding
    )
    assert not (tmp_path / "out").exists()


def test_a_metric_cannot_take_the_name_of_the_protocols(tiny: Path, tmp_path: Path, plugin: Path) -> None:
    plugin.write_text(METHOD.replace("blink_distance", "blink_accuracy"))
    run = ("run", "--corpus", tiny, "--method", "frozen", "--out", tmp_path / "out")
    text = refused(*run, "--metric-plugin", plugin)
    assert "mine.py registers the metric 'blink_accuracy', which the protocol defines" in text


@pytest.mark.parametrize("command", ["methods", "corpora", "metrics"])
def test_listings_name_what_there_is_and_who_failed(command: str, tmp_path: Path, plugin: Path) -> None:
    result = invoke(command, "--plugin", plugin)
    assert result.exit_code == 0
    names = [line.split()[0] for line in result.stdout.splitlines() if line]
    assert {"methods": "chatty", "corpora": "exploding", "metrics": "blink_distance"}[command] in names
    assert {"methods": "frozen", "corpora": "synthetic", "metrics": "lmd"}[command] in names
    (tmp_path / "bad.py").write_text(
        METHOD.replace('return [CorpusSpec("exploding"', 'return [3, CorpusSpec("exploding"')
    )
    result = invoke("corpora", "--plugin", tmp_path / "bad.py")
    assert result.exit_code == 0
    assert "warning: bad.py failed to load: TypeError: facial_bench_corpora gave a int" in result.stderr
    assert "warning" not in result.stdout


def test_corpus_info_and_verify(tiny: Path, tmp_path: Path) -> None:
    result = invoke("corpus", "info", tiny)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    digest = open_corpus(tiny).info.digest[:16]
    assert lines[0].startswith(
        f"tiny 1  digest {digest}  25 fps  audio noise29 x 29  landmarks px  length cm  blink closure"
    )
    assert lines[2].split() == ["a0", "a", "7.20", *lines[2].split()[3:]]
    assert {line.split()[-2] for line in lines[2:18]} == {"train", "validation", "test"}
    assert invoke("corpus", "verify", tiny).stdout == f"16 clips verified, digest {digest}\n"
    damaged = shutil.copytree(tiny, tmp_path / "damaged")
    (damaged / "clips/b3.safetensors").write_bytes(b"x")
    assert "b3.safetensors was truncated or altered" in refused("corpus", "verify", damaged)
    assert "No corpus folder" in refused("corpus", "info", tmp_path / "none")
    (damaged / "corpus.json").write_text("[" * 100_000)
    assert "cannot be read as JSON" in refused("corpus", "info", damaged)


def test_corpus_make_and_import_refuse_in_one_line(tmp_path: Path, plugin: Path) -> None:
    assert "Unknown corpus 'sinthetic'" in refused("corpus", "make", "sinthetic", tmp_path / "c")
    assert "exists already" in refused("corpus", "make", "synthetic", tmp_path)
    assert "Unknown format 'trakcs'. Did you mean 'tracks'?" in refused(
        "corpus", "import", tmp_path, tmp_path / "c", "--format", "trakcs"
    )
    assert "manifest.json" in refused("corpus", "import", tmp_path, tmp_path / "c", "--format", "tracks")
    text = refused("corpus", "import", tmp_path, tmp_path / "c", "--format", "exploding", "--plugin", plugin)
    assert "mine.py: importing" in text
    assert "ZeroDivisionError" in text
    assert "failed: ZeroDivisionError" in refused("corpus", "make", "exploding", tmp_path / "c", "--plugin", plugin)
    assert not (tmp_path / "c").exists()


@pytest.mark.slow
def test_corpus_make(tmp_path: Path) -> None:
    result = invoke("corpus", "make", "synthetic", tmp_path / "c")
    assert (result.exit_code, result.stdout) == (0, f"corpus: {tmp_path / 'c'}\n")
    assert len(open_corpus(tmp_path / "c").info.identities) == 5


def test_corpus_import(real_data: Path, tmp_path: Path) -> None:
    manifest = json.loads((real_data / "real-tracks/manifest.json").read_text())
    keep = [
        min((c for c in manifest["clips"] if c["identity"] == person), key=lambda c: c["frames"])
        for person in ("s01", "s02")
    ]
    assert len(keep) == 2
    source = tmp_path / "source"
    source.mkdir()
    (source / "manifest.json").write_text(json.dumps({**manifest, "clips": keep}))
    for clip in keep:
        (source / clip["file"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(real_data / "real-tracks" / clip["file"], source / clip["file"])
    result = invoke("corpus", "import", source, tmp_path / "c", "--format", "tracks", "--audio", "phones")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"corpus: {tmp_path / 'c'}\n"
    assert invoke("corpus", "verify", tmp_path / "c").exit_code == 0
    assert "Unknown" in refused("corpus", "import", source, tmp_path / "d", "--format", "tracks", "--audio", "nonsense")


@pytest.fixture(scope="module")
def short_protocol() -> Protocol:
    """The whole protocol, its networks trained in fewer steps."""
    rules = Protocol()
    classifiers = replace(rules.classifiers, steps=20, learning_rate=1e-2)
    return replace(rules, classifiers=classifiers, realism=replace(rules.realism, steps=5))


@pytest.fixture(scope="module")
def finished(tiny: Path, short_protocol: Protocol, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run of the whole protocol, two seeds, as JSON; its cache serves the tests after it."""
    base = tmp_path_factory.mktemp("finished")
    (base / "mine.py").write_text(METHOD)
    arguments = [
        "run",
        "--method",
        "chatty",
        "--plugin",
        str(base / "mine.py"),
        "--metric-plugin",
        str(base / "mine.py"),
        "--corpus",
        str(tiny),
        "--device",
        "cpu",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACIAL_BENCH_CACHE", str(base / "cache"))
        patch.setattr("facial_bench.api.Protocol", lambda: short_protocol)
        result = CliRunner().invoke(
            main, [*arguments, "--seed", "3", "--seed", "4", "--seed", "3", "--out", str(base / "out"), "--json"]
        )
    return {"base": base, "arguments": arguments, "result": result}


@pytest.fixture
def again(finished: dict[str, Any], short_protocol: Protocol, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("FACIAL_BENCH_CACHE", str(finished["base"] / "cache"))
    monkeypatch.setattr("facial_bench.api.Protocol", lambda: short_protocol)
    return finished


@pytest.mark.slow
def test_json_is_all_that_stands_on_standard_output(finished: dict[str, Any]) -> None:
    result: Result = finished["result"]
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [one["seed"] for one in found] == [3, 4], "a seed given twice is run once"
    for one in found:
        printed = decode_result(json.dumps(one).encode(), "stdout")
        assert read_result(finished["base"] / f"out/tiny/chatty/seed-{one['seed']}/result.json") == printed
        assert one["method"]["plugin"] == "mine.py"
        assert one["metrics"]["blink_distance"]["status"] == "ok"
    assert "fitting" in result.stderr
    assert "fitting" not in result.stdout
    assert "identity classifiers: 15/15" in result.stderr


@pytest.mark.slow
def test_a_single_seed_is_one_object_and_without_json_a_table(again: dict[str, Any], tmp_path: Path) -> None:
    result = invoke(*again["arguments"], "--out", tmp_path / "out", "--json")
    assert json.loads(result.stdout)["seed"] == 0
    assert json.loads(result.stdout)["timing"]["classifiers_cached"] is True
    result = invoke(*again["arguments"], "--out", tmp_path / "out", "--all")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[1] == "chatty on tiny, seed 0, cpu"
    assert lines[-1] == f"result: {tmp_path / 'out/tiny/chatty/seed-0/result.json'}"
    assert any(line.startswith("blink_distance ↓") for line in lines)
    assert "generation:" in result.stderr


@pytest.mark.slow
def test_a_boxed_method_leaderboard_and_check(again: dict[str, Any], tmp_path: Path) -> None:
    results, boards = again["base"] / "out", tmp_path / "boards"
    plugin = ("--plugin", again["base"] / "mine.py")
    left_out = invoke("leaderboard", "--results", results, "--out", boards)
    assert "No plugin here computes blink_distance" in left_out.stderr, "what cannot be computed is not verified"
    assert "No verified result" in left_out.stderr.splitlines()[-1]
    (tmp_path / "taken").write_text("")
    assert "Cannot write" in refused("leaderboard", "--results", results, "--out", tmp_path / "taken", *plugin)
    made = invoke("leaderboard", "--results", results, "--out", boards, *plugin)
    assert (made.exit_code, made.stdout) == (0, f"board: {boards / 'tiny.md'}\n")
    assert "| chatty" in (boards / "tiny.md").read_text()
    assert (
        invoke("leaderboard", "--results", results, "--out", boards, "--check", *plugin).stdout
        == f"checked: {boards / 'tiny.md'}\n"
    )
    with (boards / "tiny.md").open("a") as stream:
        stream.write("best ever\n")
    found = refused("leaderboard", "--results", results, "--out", boards, "--check", *plugin)
    assert re.search(r"tiny\.md, line \d+\. Run without --check\.", found)


@pytest.mark.slow
def test_errors_within_a_run(again: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    run = again["arguments"]
    for arguments, expected in (
        ((*run, "--out", tmp_path / "taken"), "Cannot write"),
        (
            ("run", "--method", "frozen", *run[3:], "--option", "a=b", "--out", tmp_path),
            "method frozen: unknown option 'a'",
        ),
        (
            ("run", "--method", "exploding", *run[3:], "--out", tmp_path),
            "method exploding could not be created: raised ZeroDivisionError",
        ),
    ):
        result = invoke(*arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert expected in result.stderr.splitlines()[-1]
        assert result.stderr.splitlines()[-1].startswith("Error: ")
        assert "Traceback" not in result.stderr


def test_leaderboard_errors(tmp_path: Path) -> None:
    assert "No results below" in refused("leaderboard", "--results", tmp_path / "none")
    rows = [make_row(p, f"{p}{k}", {"lmd": 0.5 + k}) for p in "ab" for k in (0, 1)]
    folder = store(tmp_path / "results", make_result(rows))
    assert "No verified result" in refused("leaderboard", "--results", folder, "--out", tmp_path / "out")
    path = folder / "c0/m0/seed-0/result.json"
    path.write_text(path.read_text().replace('"label": "tiny"', '"label": "../../x"'))
    assert "changed after it was written" in refused("leaderboard", "--results", folder, "--check")
    path.write_text("{")
    assert "result.json cannot be read as JSON" in refused("leaderboard", "--results", folder, "--check")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("problem", "expected", "status"),
    [
        (KeyboardInterrupt(), "Error: Interrupted. The same command goes on with what was finished.", 130),
        (
            OSError(28, "No space left on device", "/x/y"),
            "Error: No space left on device: /x/y. Free some space, or choose another folder.",
            1,
        ),
        (
            OSError(30, "Read-only file system", "/x"),
            "Error: Read-only file system: /x. Choose a folder that can be written in.",
            1,
        ),
        (OSError(5, "Input/output error"), "Error: Input/output error. Check the path.", 1),
        (OSError(5, "Input/output error", "a\x1b[2J"), "Error: Input/output error: a\ufffd[2J. Check the path.", 1),
        (FacialBenchError("a\x1b]0;b\x07 holds\nno clip."), "Error: a\ufffd]0;b\ufffd holds no clip.", 1),
    ],
)
def test_what_stops_a_command_is_one_line(problem: BaseException, expected: str, status: int) -> None:
    @click.command()
    def stop() -> None:
        raise problem

    class Stopping(Commands):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
            return stop

    result = CliRunner().invoke(Stopping("group"), ["stop"])
    assert (result.exit_code, result.stderr) == (status, expected + "\n")


def test_a_closed_pipe_is_no_error() -> None:
    code = (
        "import os\nr, w = os.pipe()\nos.dup2(w, 1)\nos.close(r)\nfrom facial_bench.cli import main\nmain(['metrics'])"
    )
    done = python(code)
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr


def test_options_are_split_at_the_first_equals_sign() -> None:
    assert parse_options(["a=b", "c=d=e", "f="]) == {"a": "b", "c": "d=e", "f": ""}
    for bad in ("a", "=a", ""):
        with pytest.raises(click.UsageError):
            parse_options([bad])


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACIAL_BENCH_CACHE", "/a")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert cache_folder() == Path("/a")
    monkeypatch.delenv("FACIAL_BENCH_CACHE")
    assert cache_folder() == Path("/b/facial-bench")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path(os.path.expanduser("~/.cache/facial-bench"))


def test_columns() -> None:
    assert aligned([("a", "bb", "c  c"), ("aaa", 1, "line\nline")]) == "a    bb  c c\naaa  1   line line"
