"""verify, score and the checked leaderboard: whatever is changed by hand is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from facial_bench import RunConfig, Session
from facial_bench.cli import main
from facial_bench.core.files import read_arrays, write_arrays
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.errors import ResultError
from facial_bench.evaluation.result import Result as Record
from facial_bench.evaluation.result import read_result, result_digest
from facial_bench.evaluation.verify import Verdict
from facial_bench.metrics import landmark_distances
from facial_bench.reports.archive import write_archive
from facial_bench.reports.ledger import read_ledger
from tests.helpers.sessions import make_session

pytestmark = pytest.mark.slow


SWAY = """
import numpy as np
from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

class Sway:
    def __init__(self, context):
        pass

    def fit(self, clips, context):
        pass

    def generate(self, requests):
        made = []
        for one in requests:
            state = np.tile(one.initial_state, (one.frames, 1))
            state[:, 0] += 0.5 * np.cumsum(one.audio[:, 0]) / np.sqrt(np.arange(1, one.frames + 1))
            state[:, 64] += 0.1 * one.audio[:, 1]
            state[:, 70] += np.where(np.arange(one.frames) % 60 < 5, 0.5, 0.0)
            made.append(Motion.from_state(state.astype(np.float32)))
        return made

@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("sway", "moves head, lids and mouth with the audio", "none", Sway)]
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def corpus(make_corpus: Callable[..., Corpus]) -> Corpus:
    return make_corpus(clips=8, frames=180, scales=[0.3, 3.0])


@pytest.fixture(scope="module")
def session(corpus: Corpus, cache: Path, small_protocol: Protocol) -> Session:
    """All metrics of the command line; `verify` finds the corpus made ready by the runs."""
    return make_session(cache, small_protocol, metrics=None, corpus=corpus.path)


@pytest.fixture(scope="module")
def kept(session: Session, corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two seeds of a method, in a process of its own: else no board would take it."""
    out, file = tmp_path_factory.mktemp("kept"), tmp_path_factory.mktemp("plugin") / "sway.py"
    file.write_text(SWAY)
    config = RunConfig("sway", str(corpus.path), (0, 1), "cpu", plugins=(str(file),), out=str(out))
    for _ in session.evaluate(config):
        pass
    return out


@pytest.fixture
def runs(kept: Path, tmp_path: Path, cache: Path, small_protocol: Protocol, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to spoil, as the command line sees it: there it is of the protocol, and the classifiers are cached."""
    monkeypatch.setenv("FACIAL_BENCH_CACHE", str(cache))
    monkeypatch.setattr("facial_bench.api.Protocol", lambda: small_protocol)
    shutil.copytree(kept, tmp_path / "runs")
    return tmp_path / "runs"


def folder(runs: Path, seed: int = 0) -> Path:
    return runs / "tiny" / "sway" / f"seed-{seed}"


def digest_of(content: dict[str, Any]) -> str:
    return result_digest(msgspec.convert(content, Record))


def spoil(runs: Path, change: Callable[[dict[str, Any]], None], honest_digest: bool = False) -> Path:
    """Change a result by hand; with `honest_digest` by a hand that knows of the digest."""
    path = folder(runs) / "result.json"
    result = json.loads(path.read_text())
    change(result)
    if honest_digest:
        result["digest"] = digest_of(result)
    path.write_text(json.dumps(result))
    return path


def call(*arguments: Any) -> Result:
    found = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


def verify(session: Session, runs: Path) -> Verdict:
    return session.verify(folder(runs), read_result(folder(runs) / "result.json"))


def differences(session: Session, runs: Path) -> tuple[str, ...]:
    return verify(session, runs).differences


def test_an_untouched_result_is_verified(session: Session, runs: Path) -> None:
    verdict = verify(session, runs)
    assert verdict.differences == ()
    assert verdict.rounded == 0
    assert verdict.compared > 500


def numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the numbers of a JSON value are."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, (*path, key))
    elif isinstance(value, list):
        for k, inner in enumerate(value):
            yield from numbers(inner, (*path, k))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path


def nudge(result: dict[str, Any], path: tuple[Any, ...]) -> Callable[[], None]:
    """Change a digit of the number there, a count stays a count; what changes it back."""
    for key in path[:-1]:
        result = result[key]
    last, value = path[-1], result[path[-1]]
    result[last] = value * 1.001 if isinstance(value, float) and abs(value) > 1e-6 else value + 1
    return partial(result.__setitem__, last, value)


def test_a_changed_digit_in_any_number_is_found(session: Session, runs: Path) -> None:
    """By the digest, whichever number it is; and by the recomputation, where a hand has mended the digest."""
    whole = json.loads((folder(runs) / "result.json").read_text())
    places = [p for key in ("metrics", "references", "clips") for p in numbers(whole[key], (key,))]
    assert len(places) > 500
    for place in places:
        change_back = nudge(whole, place)
        assert digest_of(whole) != whole["digest"], place
        change_back()
    assert digest_of(whole) == whole["digest"]
    rng = np.random.default_rng(0)
    by_kind = {kind: [p for p in places if p[0] == kind] for kind in ("metrics", "references", "clips")}
    changed = [own[k] for own in by_kind.values() for k in rng.choice(len(own), 8, replace=False)]
    for place in changed:
        nudge(whole, place)
    whole["digest"] = digest_of(whole)
    found = session.verify(folder(runs), msgspec.convert(whole, Record)).differences
    assert len(found) == len(changed), (changed, found)
    assert all("stored" in line and "recomputed" in line for line in found)


def test_the_place_and_both_numbers_are_named(session: Session, runs: Path) -> None:
    spoil(runs, lambda result: result["metrics"]["lmd"].update(value=0.125), honest_digest=True)
    (line,) = differences(session, runs)
    assert line.startswith("metrics.lmd.value: 0.125 stored, ")


def test_another_function_is_named_before_its_values(
    session: Session, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = json.loads((folder(runs) / "result.json").read_text())
    assert len(result["metrics"]["lmd"]["probe"]) == 64
    assert "probe" not in result["metrics"]["pose_accuracy"], "no function of a sample computes it"
    before = landmark_distances.aligned_distance
    monkeypatch.setattr(landmark_distances, "aligned_distance", lambda *given: 0.9 * before(*given))
    first, *others = differences(session, runs)
    assert first.startswith("metrics[lmd].probe: ")
    assert first.endswith("recomputed: the function that computed it is another one")
    assert others and all("lmd" in line for line in others)
    assert not any(".probe" in line for line in others)


def test_a_result_without_a_probe_is_verified_by_its_values(session: Session, runs: Path) -> None:
    def forget(result: dict[str, Any]) -> None:
        for entry in result["metrics"].values():
            entry.pop("probe", None)

    spoil(runs, forget, honest_digest=True)
    assert differences(session, runs) == ()


def test_a_result_changed_by_hand_is_found_by_its_digest(session: Session, runs: Path) -> None:
    spoil(runs, lambda result: result["conduct"].update(look_ahead_ms=40.0))
    assert differences(session, runs) == (
        "digest: the file was changed after it was written (its content has another digest)",
    )


def test_a_swapped_motion_is_found(session: Session, runs: Path) -> None:
    motions = sorted((folder(runs) / "motions" / "self").iterdir())
    shutil.copy(motions[1], motions[0])
    found = differences(session, runs)
    assert motions[0].name in found[0]
    assert "not the motion that was scored" in found[0]


def test_a_motion_swapped_together_with_its_digest_is_found_by_its_scores(session: Session, runs: Path) -> None:
    from facial_bench.core.files import file_digest

    motion = min((folder(runs) / "motions" / "self").iterdir())
    arrays = read_arrays(motion, ResultError, "")[0]
    write_arrays(motion, {**arrays, "expression": arrays["expression"] * 0.9})
    name = f"self/{motion.stem}"

    def mend(result: dict[str, Any]) -> None:
        next(row for row in result["clips"] if row["request"] == name)["motion"] = file_digest(motion)

    spoil(runs, mend, honest_digest=True)
    assert any(line.startswith(f"clips[{name}].metrics.lmd") for line in differences(session, runs))


def test_a_missing_motion_is_found(session: Session, runs: Path) -> None:
    min((folder(runs) / "motions" / "cross").iterdir()).unlink()
    assert "missing" in differences(session, runs)[0]


def test_a_row_left_out_or_made_up_is_found(session: Session, runs: Path) -> None:
    def drop(result: dict[str, Any]) -> None:
        result["clips"].append({**result["clips"].pop(), "request": "self/../../etc@0"})

    spoil(runs, drop, honest_digest=True)
    found = "\n".join(differences(session, runs))
    assert "is missing" in found
    assert "is no request of this corpus" in found


def test_the_command_says_verified_or_what_differs(runs: Path, corpus: Corpus) -> None:
    good = call("verify", folder(runs), folder(runs, 1), "--corpus", corpus.path)
    assert good.exit_code == 0
    assert good.stdout.count("verified; ") == 2
    spoil(runs, lambda result: result["metrics"]["lmd"].update(value=0.99))
    bad = call("verify", folder(runs), "--corpus", corpus.path)
    assert bad.exit_code == 1
    assert "metrics.lmd.value: 0.99 stored" in bad.stdout
    assert "Error: Not verified" in bad.stderr
    told = json.loads(call("verify", folder(runs), "--corpus", corpus.path, "--json").stdout)
    assert [entry["verified"] for entry in told.values()] == [False]


def test_the_corpus_is_found_or_asked_for(
    runs: Path, corpus: Corpus, make_corpus: Callable[..., Corpus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("verify", folder(runs)).exit_code == 0, "where it was when the result was made"
    (tmp_path / "deep" / "elsewhere").mkdir(parents=True)
    with monkeypatch.context() as moved:
        moved.chdir(tmp_path / "deep" / "elsewhere")
        assert call("verify", folder(runs)).exit_code == 0, "from whatever folder"
    other = make_corpus(clips=4, name="other")
    wrong = call("verify", folder(runs), "--corpus", other.path)
    assert wrong.exit_code == 1
    assert "has another digest" in wrong.stderr
    spoil(runs, lambda result: result["environment"].pop("corpus_path"))
    gone = call("verify", folder(runs))
    assert "Name it with --corpus" in gone.stderr
    assert gone.stderr.strip().count("\n") == 0


@pytest.mark.parametrize("content", ["", "{}", "[1]", "\x00"])
def test_a_file_that_is_no_result_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "result.json").write_text(content)
    for command in (["verify", tmp_path], ["score", tmp_path, "--metric", "lmd"], ["verify", tmp_path / "none"]):
        found = call(*command)
        assert found.exit_code == 1
        assert found.stderr.startswith("Error: ")
        assert found.stderr.strip().count("\n") == 0


def test_one_method_under_all_definitions_is_one_command(runs: Path, corpus: Corpus) -> None:
    found = call("score", folder(runs), "--metric", "lmd*", "--corpus", corpus.path)
    assert found.exit_code == 0, found.stderr
    for name in ("lmd", "lmd/atvg", "lmd/raw-face", "lmd/iod", "lmd/canonical-3d"):
        assert f"\n{name} ↓" in found.stdout
    assert "lve" not in found.stdout


def test_scores_are_those_of_the_run(runs: Path, corpus: Corpus) -> None:
    told = json.loads(call("score", folder(runs), "--metric", "lmd", "--metric", "*_accuracy", "--json").stdout)
    stored = json.loads((folder(runs) / "result.json").read_text())["metrics"]
    assert set(told["metrics"]) == {"lmd", "pose_accuracy", "blink_accuracy"}
    for name, entry in told["metrics"].items():
        assert entry == stored[name]


def test_scoring_refuses_what_it_does_not_know_or_trust(runs: Path, corpus: Corpus) -> None:
    unknown = call("score", folder(runs), "--metric", "lmx", "--corpus", corpus.path)
    assert unknown.exit_code == 1
    assert "Did you mean" in unknown.stderr
    motions = sorted((folder(runs) / "motions" / "self").iterdir())
    shutil.copy(motions[1], motions[0])
    swapped = call("score", folder(runs), "--metric", "lmd", "--corpus", corpus.path)
    assert swapped.exit_code == 1
    assert "not the motion that was scored" in swapped.stderr


def board(runs: Path, out: Path, *more: str) -> Result:
    return call("leaderboard", "--results", runs, "--out", out, *more)


def test_a_board_holds_verified_results_and_its_ledger_says_so(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "boards"
    first = board(runs, out)
    assert first.exit_code == 0, first.stderr
    entries = read_ledger(out)
    assert [entry.seed for entry in entries] == [0, 1]
    text = (out / "tiny.md").read_text()
    assert f"2 results, all verified; ledger entry 2, hash `{entries[1].hash[:16]}`." in text
    before = (out / "ledger.jsonl").read_bytes()
    assert board(runs, out).exit_code == 0
    assert (out / "ledger.jsonl").read_bytes() == before, "what is entered is not entered again"
    assert board(runs, out, "--check").exit_code == 0


def test_a_result_that_is_not_true_is_named_and_left_out(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "boards"
    spoil(runs, lambda result: result["metrics"]["lmd"].update(value=0.001), honest_digest=True)
    found = board(runs, out)
    assert found.exit_code == 0
    assert "left out: " in found.stderr and "metrics.lmd.value: 0.001 stored" in found.stderr
    assert "1 results, all verified" in (out / "tiny.md").read_text()
    spoil(runs, lambda result: result["metrics"]["lmd"].update(value=0.002))
    assert "changed after it was written" in board(runs, out).stderr


def test_without_a_single_verified_result_there_is_no_board(runs: Path, tmp_path: Path) -> None:
    for path in runs.rglob("*.safetensors"):
        path.unlink()
    found = board(runs, tmp_path / "boards")
    assert found.exit_code == 1
    assert "No verified result" in found.stderr
    assert not (tmp_path / "boards").exists()


def test_an_edited_line_of_a_board_is_found(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "boards"
    board(runs, out)
    path = out / "tiny.md"
    lines = path.read_text().splitlines()
    row = next(k for k, line in enumerate(lines) if line.startswith("| sway"))
    lines[row] = lines[row].replace("2", "1", 1)
    path.write_text("\n".join(lines) + "\n")
    found = board(runs, out, "--check")
    assert found.exit_code == 1
    assert f"tiny.md, line {row + 1}" in found.stderr


def test_check_looks_at_the_results_beside_the_board(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "boards"
    board(runs, out)
    (archive,) = out.glob("*.results.jsonl.xz")
    whole = archive.read_bytes()
    for spoiled, said in ((whole[:-20], "is damaged"), (None, "does not exist")):
        archive.write_bytes(spoiled) if spoiled else archive.unlink()
        found = board(runs, out, "--check")
        assert found.exit_code == 1 and archive.name in found.stderr and said in found.stderr, found.stderr
    write_archive(archive, [])
    found = board(runs, out, "--check")
    assert found.exit_code == 1 and f"{archive} holds other results" in found.stderr
    archive.write_bytes(whole)
    assert board(runs, out, "--check").exit_code == 0


def test_an_edited_result_is_found_by_check_without_its_motions(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "boards"
    board(runs, out)
    for path in runs.rglob("*.safetensors"):
        path.unlink()
    assert board(runs, out, "--check").exit_code == 0, "the ledger is enough"
    spoil(runs, lambda result: result["metrics"]["lmd"].update(value=0.001), honest_digest=True)
    found = board(runs, out, "--check")
    assert found.exit_code == 1
    assert "not in the ledger" in found.stderr
