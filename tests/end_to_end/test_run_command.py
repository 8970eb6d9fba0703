"""`run`, `show` and `compare` as a user meets them, on clips too short for the identity classifiers, so in seconds."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from facial_bench.cli import main
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.result import as_json, read_result
from facial_bench.metrics.catalog import all_definitions

NOD = """
import numpy as np
from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

class Nod:
    def __init__(self, context):
        self.context = context

    def fit(self, clips, context):
        print("fitting")

    def generate(self, requests):
        return [Motion.from_state(np.tile(r.initial_state * np.float32(SIZE), (r.frames, 1))) for r in requests]

@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("nod", "nods", "nobody", Nod)]
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder and an empty cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACIAL_BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(scope="module")
def short(make_corpus: Callable[..., Corpus]) -> str:
    return str(make_corpus(clips=8, frames=60, name="short").path)


def nod(size: float = 1.0) -> str:
    Path("nod.py").write_text(NOD.replace("SIZE", str(size)))
    return "nod.py"


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def run(short: str, *more: object, method: str = "nod", plugin: str = "nod.py") -> Result:
    done = invoke("run", "--method", method, "--corpus", short, "--plugin", plugin, *more)
    assert done.exit_code == 0, done.stderr
    return done


def test_what_people_see_first_is_short(short: str) -> None:
    nod()
    done = run(short)
    lines = done.stdout.splitlines()
    assert lines[1] == "nod on short, seed 0, cpu"
    shown = [line.split()[0] for line in lines if "↓" in line or "↑" in line]
    assert len(shown) == 8 and set(shown) == {one.id for one in all_definitions().values() if one.ranked}
    assert any(re.fullmatch(r"\d+ more: --all, --family lips\|head\|blinks\|people", line) for line in lines)
    (why,) = [line for line in lines if "refused: the identity classifiers cannot be trained" in line]
    assert "blink_accuracy/cross-raw" in why and "128 needed" in why
    assert any(line.startswith("frechet/mouth, frechet/pose") and " undefined: " in line for line in lines)
    assert lines[-1] == "result: results/short/nod/seed-0/result.json"
    assert "fitting" not in done.stdout and "fitting" in done.stderr


def test_a_finished_result_is_shown_again_in_any_form(short: str) -> None:
    nod()
    first, place = run(short, "--all").stdout, "results/short/nod"
    again = invoke("show", place, "--all")
    assert again.stdout == first
    assert "lve ↓" in invoke("show", place, "--family", "lips").stdout
    assert "lmd ↓" not in invoke("show", place, "--family", "blinks").stdout
    assert invoke("show", place, "--format", "markdown").stdout.startswith("| metric")
    rows = list(csv.DictReader(io.StringIO(invoke("show", place, "--format", "csv").stdout)))
    result = read_result(Path(place, "seed-0/result.json"))
    assert float(rows[0]["value"]) == result.metrics["lmd"].value
    assert json.loads(invoke("show", place, "--json").stdout) == json.loads(json.dumps(as_json(result)))
    clips = list(csv.DictReader(io.StringIO(invoke("show", place, "--clips", "--format", "csv").stdout)))
    assert [row["request"] for row in clips] == [row.request for row in result.clips]


def test_a_run_from_a_file_and_options_win(short: str) -> None:
    nod()
    Path("run.toml").write_text(
        f'method = "nod"\nplugins = ["nod.py"]\ncorpus = "{short}"\nseeds = [3, 4]\nout = "a"\n'
    )
    assert invoke("run", "--config", "run.toml").exit_code == 0
    assert sorted(path.name for path in Path("a/short/nod").iterdir()) == ["seed-3", "seed-4"]
    assert invoke("run", "--config", "run.toml", "--seed", "5", "--out", "b").exit_code == 0
    assert [path.name for path in Path("b/short/nod").iterdir()] == ["seed-5"]
    Path("run.toml").write_text("colour = 1\n")
    refused = invoke("run", "--config", "run.toml", "--method", "nod")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: run.toml: Unknown name 'colour'. Available: budget, ")


def test_the_environment_sets_common_options(short: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nod()
    monkeypatch.setenv("FACIAL_BENCH_CORPUS", short)
    monkeypatch.setenv("FACIAL_BENCH_OUT", "from-environment")
    monkeypatch.setenv("FACIAL_BENCH_PLUGIN", "nod.py")
    monkeypatch.setenv("FACIAL_BENCH_DEVICE", "cpu")
    assert invoke("run", "--method", "nod").exit_code == 0
    assert Path("from-environment/short/nod/seed-0/result.json").is_file()
    monkeypatch.setenv("FACIAL_BENCH_DEVICE", "tpu")
    assert invoke("run", "--method", "nod").exit_code == 2


def test_each_budget_is_told_to_the_method_and_makes_a_row_of_its_own(short: str) -> None:
    nod()
    Path("nod.py").write_text(Path("nod.py").read_text().replace('"fitting"', '"budget", context.budget'))
    for budget, label in (("quick", "nod"), ("standard", "nod@budget=standard")):
        assert f"budget {budget}" in run(short, "--budget", budget).stderr
        assert read_result(Path("results/short", label, "seed-0/result.json")).method.budget == budget
    made = invoke("leaderboard", "--results", "results", "--out", "boards", "--plugin", "nod.py")
    assert made.exit_code == 0, made.stderr
    assert "nod@budget=standard" in Path("boards/short.md").read_text()


def test_two_versions_of_a_method_are_kept_and_compared(short: str) -> None:
    run(short, "--as", "nod-old", plugin=nod(1.0))
    run(short, "--as", "nod-new", plugin=nod(0.9))
    done = invoke("compare", "results/short/nod-old", "results/short/nod-new", "--metric", "lmd")
    assert done.exit_code == 0, done.stderr
    assert "nod-old" in done.stdout and "nod-new" in done.stdout


def test_results_of_two_folders_are_told_apart(short: str) -> None:
    run(short, "--out", "old", plugin=nod(1.0))
    run(short, "--out", "new", plugin=nod(0.9))
    done = invoke("compare", "old/short/nod", "new/short/nod", "--json")
    assert done.exit_code == 0, done.stderr
    assert {pair["a"] for pair in json.loads(done.stdout)} == {"nod (old/short/nod)"}
    assert "changed" not in done.stderr


def test_a_changed_method_replaces_its_result_when_the_new_one_is_whole(short: str) -> None:
    first = run(short, plugin=nod(1.0))
    assert "replaced" not in first.stderr
    before = Path("results/short/nod/seed-0/result.json").read_text()
    Path("nod.py").write_text("import sys\n" + NOD.replace("SIZE", "1").replace('print("fitting")', "sys.exit(3)"))
    failed = invoke("run", "--method", "nod", "--corpus", short, "--plugin", "nod.py")
    assert failed.exit_code == 1
    assert "nod.py changed: the result in results/short/nod/seed-0 will be replaced" in failed.stderr
    assert Path("results/short/nod/seed-0/result.json").read_text() == before
    assert Path("results/short/nod/seed-0/motions").is_dir()
    run(short, plugin=nod(0.9))
    assert Path("results/short/nod/seed-0/result.json").read_text() != before


def test_seeds_of_two_versions_of_a_method_are_told(short: str) -> None:
    both = run(short, "--seed", "0", "--seed", "1", plugin=nod(1.0))
    assert "another version" not in both.stderr
    part = run(short, "--seed", "0", plugin=nod(0.9))
    assert (
        "warning: results/short/nod/seed-1 is of another version of nod: run it again, or keep one with --as\n"
        in part.stderr
    )
    both = run(short, "--seed", "0", "--seed", "1", plugin="nod.py")
    assert "another version" not in both.stderr


def test_lips_of_one_person_can_be_scored(short: str) -> None:
    nod()
    done = run(short, "--identities", "a")
    assert "lmd ↓" in done.stdout and "telling people apart takes at least two" in done.stdout
    result = read_result(next(Path("results").glob("*/nod/seed-0/result.json")))
    assert result.metrics["lmd"].status == "ok" and result.metrics["pose_accuracy"].status == "refused"


def test_compare_says_what_it_skipped_and_what_is_there(short: str) -> None:
    nod()
    run(short), run(short, method="frozen", plugin="nod.py")
    done = invoke("compare", "results/short/nod", "results/short/frozen")
    assert done.exit_code == 0, done.stderr
    assert "not compared: pose_accuracy, blink_accuracy: nod has no value" in done.stdout
    assert "no difference found" in done.stdout or "is better" in done.stdout
    assert "effect: mean difference" in done.stdout
    wrong = invoke("compare", "results/short/nood", "results/short/frozen")
    assert wrong.exit_code == 1
    assert "There are: results/short/frozen, results/short/nod." in wrong.stderr


def test_typos_are_one_line_and_quick(short: str) -> None:
    nod()
    several = invoke("run", "--method", "nod", "--seed", "0,1")
    assert several.exit_code == 2 and "repeat --seed for each, as in --seed 0 --seed 1" in several.stderr
    metric = invoke("score", "results", "--metric", "lmx*")
    assert metric.exit_code == 1 and len(metric.stderr.splitlines()) == 1 and len(metric.stderr) < 200
    code = (
        "import sys\nfrom facial_bench.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n"
        "    print(end.code, sorted({'torch', 'rich'} & set(sys.modules)))\n"
    )
    for arguments in (["--method", "nood"], ["--method", "frozen", "--corpus", "sinthetic"]):
        done = subprocess.run(
            [sys.executable, "-c", code, "run", *arguments], capture_output=True, text=True, check=True
        )
        assert done.stdout == "1 []\n", "answered before torch is imported"
    assert "Own file? --plugin FILE.py" in invoke("run", "--method", "nood").stderr


def test_a_method_that_fails_says_where_and_verbose_shows_it(short: str) -> None:
    Path("nod.py").write_text(NOD.replace("SIZE", "1").replace('print("fitting")', "1 / 0"))
    plain = invoke("run", "--method", "nod", "--corpus", short, "--plugin", "nod.py")
    assert plain.exit_code == 1 and "Traceback" not in plain.stderr
    assert "could not be fitted: raised ZeroDivisionError" in plain.stderr
    verbose = invoke("run", "--method", "nod", "--corpus", short, "--plugin", "nod.py", "-v")
    assert verbose.exit_code == 1 and "Traceback" in verbose.stderr
    Path("nod.py").write_text(NOD.replace("SIZE", "1").replace("self.context = context", "raise KeyError('weights')"))
    created = invoke("run", "--method", "nod", "--corpus", short, "--plugin", "nod.py")
    assert "could not be created: raised KeyError" in created.stderr
