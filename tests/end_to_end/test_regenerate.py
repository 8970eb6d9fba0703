"""`verify --regenerate`: motion that the method does not give, and failures that are none, are found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from facial_bench import RunConfig, Session
from facial_bench.cli import main
from facial_bench.core.files import file_digest, read_arrays, write_arrays
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.errors import ResultError
from facial_bench.evaluation.named_results import open_result
from facial_bench.evaluation.regenerate import TOLERANCE, largest_change
from facial_bench.evaluation.rescore import rescore
from facial_bench.evaluation.result import Result as Record
from facial_bench.evaluation.result import result_digest, write_result
from facial_bench.evaluation.run import make_metrics
from facial_bench.evaluation.verify import Verdict
from facial_bench.types import Motion
from tests.helpers.faces import make_clip, make_model
from tests.helpers.sessions import make_session

pytestmark = pytest.mark.slow

METHODS = '''
import numpy as np
from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

class Stateless:
    """Noise around the mean of what it was fitted to."""

    def __init__(self, context):
        self.rng = np.random.default_rng(context.seed)

    def fit(self, clips, context):
        self.scale = np.float32(self.rng.uniform(0.001, 0.002))

    def generate(self, requests):
        made = []
        for one in requests:
            noise = np.random.default_rng(one.seed).standard_normal((one.frames, 71)).astype(np.float32)
            made.append(Motion.from_state(one.initial_state + self.scale * noise))
        return made

class Stored(Stateless):
    def state_dict(self):
        return {"scale": np.array([self.scale])}

    def load_state_dict(self, state, context):
        self.scale = state["scale"][0]

@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("stored", "noise", "none", Stored), GeneratorSpec("stateless", "noise", "none", Stateless)]
'''


def test_the_largest_change_by_hand() -> None:
    """Blinks of 0.5 at most that differ by 0.05: a tenth."""
    motion = make_clip(make_model("a"), "a", "a0", 20, 0).motion
    assert largest_change(motion, motion) == 0
    blink = np.full(20, 0.5, np.float32)
    changed = blink.copy()
    changed[3] -= 0.05
    one, two = (Motion(motion.expression, motion.pose, own) for own in (blink, changed))
    assert largest_change(one, two) == largest_change(two, one) == pytest.approx(0.1)
    assert largest_change(one, Motion.from_parts({"blink": blink})) == float("inf")
    assert largest_change(one, Motion(motion.expression, motion.pose, np.nextafter(blink, 1))) > 0, "the last bit"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def corpus(make_corpus: Callable[..., Corpus]) -> Corpus:
    return make_corpus(clips=5, scales=[0.3, 3.0])


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("plugin") / "noise.py"
    file.write_text(METHODS)
    return file


@pytest.fixture(scope="module")
def session(corpus: Corpus, cache: Path, small_protocol: Protocol) -> Session:
    return make_session(cache, small_protocol, metrics=("lmd", "lmd/canonical"), corpus=corpus.path)


@pytest.fixture(scope="module")
def kept(session: Session, corpus: Corpus, plugin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("kept")
    for method in ("stored", "stateless"):
        config = RunConfig(method, str(corpus.path), (3,), "cpu", plugins=(str(plugin),), out=str(out))
        for _ in session.evaluate(config):
            pass
    return out / "tiny"


@pytest.fixture
def runs(kept: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(kept, tmp_path / "runs"))


@pytest.fixture
def like(plugin: Path) -> RunConfig:
    return RunConfig("stored", device="auto", plugins=(str(plugin),))


def again(session: Session, runs: Path, like: RunConfig | None, method: str = "stored") -> Verdict:
    return session.verify(*open_result(runs / method / "seed-3"), regenerate=True, like=like)


def mend(session: Session, folder: Path, change: Callable[[dict[str, Any]], None]) -> Record:
    """Rows changed by a hand that computes every number of them, and the digest, again."""
    content = json.loads((folder / "result.json").read_text())
    change(content)
    record = msgspec.convert(content, Record)
    setup = session.setup_of(record)
    rows, problems = rescore(setup, folder, record)
    assert problems == []
    record = msgspec.structs.replace(record, metrics=make_metrics(rows, setup), clips=tuple(rows))
    return write_result(folder / "result.json", msgspec.structs.replace(record, digest=result_digest(record)))


def test_an_honest_result_is_given_again_to_the_last_bit(session: Session, runs: Path, like: RunConfig) -> None:
    before = {path: file_digest(path) for path in sorted(runs.rglob("*")) if path.is_file()}
    verdict = again(session, runs, like)
    assert verdict.differences == ()
    assert verdict.regenerated is not None
    assert (verdict.regenerated.changed, verdict.regenerated.notes) == (0, ())
    assert verdict.regenerated.requests == len(open_result(runs / "stored" / "seed-3")[1].clips)
    assert {path: file_digest(path) for path in sorted(runs.rglob("*")) if path.is_file()} == before


def test_hard_clips_deleted_and_claimed_as_failures_are_caught_by_asking_again_alone(
    session: Session, runs: Path, like: RunConfig
) -> None:
    folder = runs / "stored" / "seed-3"
    rows = json.loads((folder / "result.json").read_text())["clips"]
    own = [row for row in rows if row["driving"] == "self"]
    hardest = max(own, key=lambda row: row["metrics"]["lmd"]["value"])["request"]

    def claim(content: dict[str, Any]) -> None:
        row = next(row for row in content["clips"] if row["request"] == hardest)
        row.update(status="failed", reason="raised MemoryError: out of memory", motion="")
        (folder / "motions" / f"{hardest}.safetensors").unlink()

    mend(session, folder, claim)
    plain = session.verify(*open_result(folder))
    assert plain.differences == (), "nothing that is stored says so"
    assert "whether what is said to have failed did fail" in plain.as_json()["not_checked"][0]
    assert "--regenerate" in plain.lines()[-1]
    verdict = again(session, runs, like)
    assert verdict.differences == (
        f"clips: {hardest} is said to have failed (raised MemoryError: out of memory), and gives motion now",
    )
    assert not any("failed" in text for text in verdict.not_checked)


def test_motion_that_the_method_does_not_give_is_caught(session: Session, runs: Path, like: RunConfig) -> None:
    folder = runs / "stored" / "seed-3"
    motion = min((folder / "motions" / "self").iterdir())
    arrays = read_arrays(motion, ResultError, "")[0]
    write_arrays(motion, {**arrays, "pose": 0.9 * arrays["pose"]})

    def tell(content: dict[str, Any]) -> None:
        row = next(row for row in content["clips"] if row["request"] == f"self/{motion.stem}")
        row["motion"] = file_digest(motion)

    mend(session, folder, tell)
    assert session.verify(*open_result(folder)).differences == ()
    (line,) = again(session, runs, like).differences
    assert line.startswith("motions: 1 of ")
    assert f"self/{motion.stem} differs most, by 0.1" in line


def test_rounding_of_another_machine_is_told_and_no_difference(session: Session, runs: Path, like: RunConfig) -> None:
    folder = runs / "stored" / "seed-3"
    motion = min((folder / "motions" / "self").iterdir())
    arrays = read_arrays(motion, ResultError, "")[0]
    write_arrays(motion, {**arrays, "pose": np.float32(1 + TOLERANCE / 10) * arrays["pose"]})

    def tell(content: dict[str, Any]) -> None:
        row = next(row for row in content["clips"] if row["request"] == f"self/{motion.stem}")
        row["motion"] = file_digest(motion)

    mend(session, folder, tell)
    verdict = again(session, runs, like)
    assert verdict.differences == ()
    assert verdict.regenerated is not None
    assert verdict.regenerated.changed == 1
    assert 0 < verdict.regenerated.largest < TOLERANCE


def test_a_method_that_fails_now_is_a_difference(session: Session, runs: Path, plugin: Path, like: RunConfig) -> None:
    text = plugin.read_text()
    plugin.write_text(text.replace("            noise =", "            assert len(requests) < 0\n            noise ="))
    try:
        verdict = again(session, runs, like)
    finally:
        plugin.write_text(text)
    assert verdict.regenerated is not None
    assert len(verdict.differences) == verdict.regenerated.requests
    assert all("has motion, and fails now: raised AssertionError" in line for line in verdict.differences)
    assert verdict.regenerated.notes == ("the source of noise.py has changed since the result was made",)


def test_a_method_without_state_is_fitted_again_and_that_is_said(session: Session, runs: Path, plugin: Path) -> None:
    verdict = again(session, runs, RunConfig("stateless", device="auto", plugins=(str(plugin),)), "stateless")
    assert verdict.differences == ()
    assert verdict.regenerated is not None
    assert verdict.regenerated.notes == ("the method keeps no state: it was fitted again, with the seed of the run",)


def test_a_fit_that_is_missing_or_damaged_is_one_line(session: Session, runs: Path, like: RunConfig) -> None:
    fit = runs / "stored" / "seed-3" / "fitted.safetensors"
    fit.write_bytes(b"no fit")
    with pytest.raises(ResultError, match="cannot be loaded by the method that is here"):
        again(session, runs, like)
    fit.unlink()
    with pytest.raises(ResultError, match=r"fitted.safetensors is missing: .* run the method again"):
        again(session, runs, like)


def test_the_command_finds_the_method_by_its_file(
    runs: Path, plugin: Path, corpus: Corpus, cache: Path, small_protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACIAL_BENCH_CACHE", str(cache))
    monkeypatch.setattr("facial_bench.api.Protocol", lambda: small_protocol)

    def call(*arguments: Any) -> Any:
        return CliRunner().invoke(main, ["verify", *map(str, arguments), "--corpus", str(corpus.path)])

    folder = runs / "stored"
    unnamed = call(folder, "--regenerate")
    assert unnamed.exit_code == 1
    assert "--method-plugin noise.py" in unnamed.stderr
    plain = call(folder)
    assert "not checked: whether the motion is the method's" in plain.stdout
    good = call(folder, "--regenerate", "--method-plugin", plugin)
    assert "requests, all the same" in good.stdout, good.stderr
    (told,) = json.loads(call(folder, "--regenerate", "--method-plugin", plugin, "--json").stdout).values()
    assert told["regenerated"]["changed"] == 0
    assert told["not_checked"] == ["how the method behaves (look-ahead, use of the audio)", "timing and environment"]
    assert call(folder, "--regenerate", "--fresh-seed").exit_code == 2
    assert call(folder, "--method-plugin", plugin).exit_code == 2
