"""The conformance checks: a good method passes all, each broken one fails the check named after its defect."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from facial_bench.cli import main
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.corpora.split import split_clips
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.testing import Finding, Subject, checks, conclude, make_subject
from facial_bench.types import Clip, Context, GeneratorSpec, Motion, Request


class Good:
    """The mean state of the identity, a little audio, a little noise; learns one number."""

    def __init__(self, context: Context) -> None:
        self.gain = np.zeros(1)

    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        self.gain = np.array([1.0 + np.random.default_rng(context.seed).random()])

    def state(self, one: Request) -> np.ndarray:
        state = np.tile(one.initial_state, (one.frames, 1)).astype(np.float32)
        state[:, :3] += self.gain.astype(np.float32) * one.audio[:, :3]
        state[:, 64] += 0.01 * np.random.default_rng(one.seed).standard_normal(one.frames)
        return state

    def generate(self, requests: Sequence[Request]) -> list[Motion]:
        return [Motion.from_state(self.state(one)) for one in requests]

    def state_dict(self) -> Mapping[str, np.ndarray]:
        return {"gain": self.gain}

    def load_state_dict(self, state: Mapping[str, np.ndarray], context: Context) -> None:
        self.gain = state["gain"]


class Short(Good):
    def state(self, one: Request) -> np.ndarray:
        return super().state(one)[: max(one.frames - one.frames // 128, 1)]


class Doubles(Good):
    def state(self, one: Request) -> np.ndarray:
        return super().state(one).astype(int)


class NotANumber(Good):
    def state(self, one: Request) -> np.ndarray:
        state = super().state(one)
        state[one.frames // 2 + 1 :, 5] = np.nan
        return state


class FarAway(Good):
    def state(self, one: Request) -> np.ndarray:
        state = super().state(one)
        state[one.frames // 2, 69] = -1e12
        return state


class Deaf(Good):
    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        self.gain = np.zeros(1)


class Nobody(Good):
    def state(self, one: Request) -> np.ndarray:
        return super().state(one) - one.initial_state


class Unseeded(Good):
    def state(self, one: Request) -> np.ndarray:
        return super().state(one) + 0.1 * np.random.default_rng().standard_normal(71).astype(np.float32)


class UnseededFit(Good):
    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        self.gain = 1 + np.random.default_rng().random(1)


class Carries(Good):
    last = 0.0

    def state(self, one: Request) -> np.ndarray:
        state = super().state(one) + np.float32(self.last)
        self.last = float(one.audio[0, 0])
        return state


class Batches(Good):
    def generate(self, requests: Sequence[Request]) -> list[Motion]:
        mean = np.mean([one.audio.mean() for one in requests])
        return [Motion.from_state(self.state(one) + np.float32(mean)) for one in requests]


class Forgets(Good):
    def state_dict(self) -> Mapping[str, np.ndarray]:
        return {"gain": np.zeros(1)}


class StoresObjects(Good):
    def state_dict(self) -> Mapping[str, np.ndarray]:
        return {"gain": np.array([{}], dtype=object)}


class Scribbles(Good):
    def state(self, one: Request) -> np.ndarray:
        one.audio.setflags(write=True)
        one.audio[:] = 0
        return super().state(one)


class ReadsUndeclared(Good):
    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        self.gain = np.array([float(context.options.get("gain", "1"))])


class CannotBeCreated(Good):
    def __init__(self, context: Context) -> None:
        raise ValueError("two\nlines")


class CannotFit(Good):
    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        raise ValueError("two\nlines")


class ForgetsToReturn(Good):
    def generate(self, requests: Sequence[Request]) -> None:  # type: ignore[override]
        super().generate(requests)


class Raises(Good):
    def state(self, one: Request) -> np.ndarray:
        raise KeyError(f"clip {one.frames}")


DEFECTS: dict[str, type[Good]] = {
    "create": CannotBeCreated,
    "lengths": Short,
    "bounds": FarAway,
    "audio is used": Deaf,
    "identity is used": Nobody,
    "seed": Unseeded,
    "refit": UnseededFit,
    "state between clips": Carries,
    "batch": Batches,
    "save and load": Forgets,
    "request": Scribbles,
    "options": ReadsUndeclared,
    "fit": CannotFit,
}


@pytest.fixture(scope="module")
def corpus(make_corpus: Callable[..., Corpus]) -> Corpus:
    return make_corpus(people=("a", "b"), clips=3, frames=400)


def subject(corpus: Corpus, create: Callable[[Context], Any], name: str = "toy", **more: Any) -> Subject:
    return make_subject(GeneratorSpec(name, "a toy", "null model", create), corpus, **more)


def held_out(corpus: Corpus) -> dict[bytes, Clip]:
    """Audio -> the test clip that it is of: all that a request tells of it."""
    return {clip.audio.tobytes(): clip for clip in corpus.segments(split_clips(corpus.entries, Protocol()).test)}


def findings(made: Subject) -> dict[str, Finding]:
    return {check.name: check.run(made) for check in checks()}


def states(made: Subject) -> dict[str, str]:
    return {name: finding.state for name, finding in findings(made).items()}


def run(name: str, made: Subject) -> Finding:
    return next(check for check in checks() if check.name == name).run(made)


def test_a_good_method_passes_everything(corpus: Corpus) -> None:
    good = states(subject(corpus, Good))
    assert {name for name, state in good.items() if state == "property"} == {"look-ahead", "speed"}
    assert set(good.values()) - {"skip"} == {"pass", "property"}
    assert {name for name, state in good.items() if state == "skip"} <= {"device"}, "skipped where there is no GPU"


@pytest.mark.parametrize("name", DEFECTS)
def test_every_defect_fails_the_check_of_its_name(name: str, corpus: Corpus) -> None:
    finding = run(name, subject(corpus, DEFECTS[name]))
    assert finding.state == "fail"
    assert finding.text
    assert "\n" not in finding.text


ONE_CAUSE = {
    **DEFECTS,
    "lengths 1": Doubles,
    "lengths 2": NotANumber,
    "lengths 3": ForgetsToReturn,
    "lengths 4": Raises,
}


@pytest.mark.parametrize("name", ONE_CAUSE)
def test_one_cause_is_one_failure(name: str, corpus: Corpus) -> None:
    told = findings(subject(corpus, ONE_CAUSE[name]))
    failed = name.rstrip(" 1234")
    assert [check for check, finding in told.items() if finding.state == "fail"] == [failed]
    skipped = {finding.text for check, finding in told.items() if finding.state == "skip" and check != "device"}
    assert skipped <= {f"as `{failed}` failed"}


def test_what_cannot_be_repeated_is_not_compared(corpus: Corpus) -> None:
    told = findings(subject(corpus, Unseeded))
    skipped = {name for name, finding in told.items() if finding.text == "as `seed` failed"}
    assert skipped == {
        "refit",
        "batch",
        "state between clips",
        "save and load",
        "audio is used",
        "identity is used",
        "look-ahead",
    }
    assert told["lengths"].state == "pass"


def test_two_causes_are_two_failures(corpus: Corpus) -> None:
    class Twice(Good):
        def state(self, one: Request) -> np.ndarray:
            if one.frames == 1:
                raise ValueError("one frame is too few")
            if one.audio.tobytes() not in held_out(corpus):
                return super().state(one)
            raise KeyError("this one")

    told = findings(subject(corpus, Twice))
    assert {name: finding.text for name, finding in told.items() if finding.state == "fail"} == {
        "lengths": "1 frames: raised ValueError: one frame is too few " + told["lengths"].text.partition("too few ")[2],
        "held-out motion": told["held-out motion"].text,
    }
    assert told["held-out motion"].text.startswith("raised KeyError: 'this one' (test_conformance.py")


@pytest.mark.parametrize(
    ("broken", "name", "text"),
    [
        (CannotBeCreated, "create", "could not be created: raised ValueError: two lines (test_conformance.py, line "),
        (CannotFit, "fit", "could not be fitted: raised ValueError: two lines (test_conformance.py, line "),
        (ForgetsToReturn, "lengths", "1 frames: generate returned None, expected a list of one motion"),
        (ReadsUndeclared, "options", "reads gain, which nobody can set; declare it: GeneratorSpec(..., options={NAME"),
    ],
)
def test_the_reason_says_what_to_mend(broken: type[Good], name: str, text: str, corpus: Corpus) -> None:
    assert run(name, subject(corpus, broken)).text.startswith(text)


def test_the_look_ahead_can_be_limited(corpus: Corpus) -> None:
    class Ahead(Good):
        def state(self, one: Request) -> np.ndarray:
            state = super().state(one)
            state[:-3, 0] += one.audio[3:, 0]
            return state

    for limit, state in ((None, "property"), (2, "fail"), (3, "pass")):
        finding = run("look-ahead", subject(corpus, Ahead, max_look_ahead=limit))
        assert finding.state == state
        assert finding.text == "3 frames (120 ms): not causal" + (f"; {limit} allowed" if limit else "")


def test_undeclared_options_never_reach_a_method(corpus: Corpus) -> None:
    finding = run("create", subject(corpus, Good, options={"gian": "2"}))
    assert finding.text == "could not be created: method toy: unknown option 'gian'. Available: none."


def test_every_check_that_can_fail_has_its_broken_method() -> None:
    assert {check.name for check in checks()} - set(DEFECTS) == {"held-out motion", "device", "look-ahead", "speed"}


@pytest.mark.parametrize("broken", [Doubles, NotANumber])
def test_what_is_no_motion_fails_the_lengths(broken: type[Good], corpus: Corpus) -> None:
    finding = run("lengths", subject(corpus, broken))
    assert finding.state == "fail"
    assert "expected" in finding.text


def test_a_store_of_objects_is_refused(corpus: Corpus) -> None:
    finding = run("save and load", subject(corpus, StoresObjects))
    assert "give numpy arrays" in finding.text


def test_a_method_that_knows_the_held_out_motion_is_found(corpus: Corpus) -> None:
    class Oracle(Good):
        def state(self, one: Request) -> np.ndarray:
            clip = held_out(corpus).get(one.audio.tobytes())
            return super().state(one) if clip is None else clip.motion.state()

    finding = run("held-out motion", subject(corpus, Oracle))
    assert finding.state == "fail"
    assert "given back" in finding.text


def test_a_null_model_of_the_benchmark_need_not_hear_and_nobody_else_is_one(corpus: Corpus) -> None:
    for plugin, name, state in (
        ("facial-bench", "frozen", "property"),
        ("facial-bench", "toy", "fail"),
        ("my-plugin", "frozen", "fail"),
    ):
        assert run("audio is used", subject(corpus, Deaf, name, plugin=plugin)).state == state


def test_a_method_that_stores_nothing_skips_the_storing(corpus: Corpus) -> None:
    class Plain:
        def __init__(self, context: Context) -> None:
            self.good = Good(context)

        def fit(self, clips: Sequence[Clip], context: Context) -> None:
            self.good.fit(clips, context)

        def generate(self, requests: Sequence[Request]) -> list[Motion]:
            return self.good.generate(requests)

    assert states(subject(corpus, Plain))["save and load"] == "skip"


def test_the_line_below_counts() -> None:
    assert conclude([Finding("pass"), Finding("fail"), Finding("pass")]) == "2 pass, 1 fail"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        name
        for name, registered in load_plugins(installed=[]).registered("generators").items()
        if not registered.spec.partial
    ],
)
def test_every_method_that_comes_with_the_core_passes(name: str, corpus: Corpus) -> None:
    registered = load_plugins(installed=[]).get("generators", "method", name)
    told = findings(make_subject(registered.spec, corpus, plugin=registered.source.plugin))
    assert not {check: one.text for check, one in told.items() if one.state == "fail"}


PLUGIN = """
import facial_bench
from facial_bench.types import GeneratorSpec, Motion
{extra}

class Still:
    def fit(self, clips, context):
        pass
    def generate(self, requests):
        import numpy as np
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]

@facial_bench.hookimpl
def facial_bench_generators():
    return [GeneratorSpec("still", "does not move", "null model", lambda context: Still())]
"""


def run_check(path: Path, corpus: Corpus, *more: str) -> Any:
    return CliRunner().invoke(main, ["check", str(path), "--corpus", str(corpus.path), *more])


def test_a_file_is_checked_as_a_plugin(tmp_path: Path, corpus: Corpus) -> None:
    path = tmp_path / "still.py"
    path.write_text(PLUGIN.format(extra="import torch"))
    done = run_check(path, corpus)
    assert done.exit_code == 1
    rows = {line[:18].strip(): line[18:] for line in done.stdout.splitlines()}
    assert rows["light import"].split(maxsplit=1) == [
        "property",
        "imports torch when listed; as a package import it inside create",
    ]
    assert rows["audio is used"].split(maxsplit=1) == ["fail", "all of the audio changed and the motion did not"]
    assert "Error: 1 check failed: still: audio is used." in done.stderr
    for check in checks():
        assert f"still: {check.name}\n" in done.stderr, "it says which check runs"
    assert "checking still: 17/17" in done.stderr


def test_findings_as_json(tmp_path: Path, corpus: Corpus) -> None:
    path = tmp_path / "still.py"
    path.write_text(PLUGIN.format(extra=""))
    told = json.loads(run_check(path, corpus, "--json").stdout)
    assert told["still"]["light import"] == {"state": "pass", "text": ""}
    assert told["still"]["audio is used"]["state"] == "fail", "no file's method is a null model"
    assert told["still"]["look-ahead"] == {"state": "property", "text": "does not follow the audio"}


def test_the_limit_of_look_ahead_on_the_command_line(tmp_path: Path, corpus: Corpus) -> None:
    path = tmp_path / "ahead.py"
    path.write_text(
        PLUGIN.format(extra="").replace("(r.frames, 1))", "(r.frames, 1)) + np.roll(r.audio, -2, axis=0)[:, :1]")
    )
    told = json.loads(run_check(path, corpus, "--json", "--max-look-ahead", "1").stdout)
    assert told["still"]["look-ahead"]["state"] == "fail"
    assert told["still"]["look-ahead"]["text"].endswith("not causal; 1 allowed")


def test_a_file_without_methods_is_one_line(tmp_path: Path, corpus: Corpus) -> None:
    path = tmp_path / "empty.py"
    path.write_text("import facial_bench\n@facial_bench.hookimpl\ndef facial_bench_generators():\n    return []\n")
    done = run_check(path, corpus)
    assert done.exit_code == 1
    assert "registers no method. Mark facial_bench_generators" in done.stderr
    path.write_text(path.read_text().replace("return []", "[]"))
    said = run_check(path, corpus).stderr
    assert said == (
        "Error: Plugin empty.py cannot be loaded: raised TypeError: facial_bench_generators returned None, "
        "expected a list.\n"
    )
    assert run_check(tmp_path / "none.py", corpus).exit_code == 1
