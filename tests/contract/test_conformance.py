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
from facial_bench.corpora.corpus import Corpus
from facial_bench.errors import FacialBenchError
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.testing import Subject, checks, conclude, make_subject
from facial_bench.types import Clip, Context, GeneratorSpec, Motion, Request


class Good:
    """The mean state of the identity, a little audio, a little noise; learns one number."""

    def __init__(self, context: Context) -> None:
        if context.options:
            raise FacialBenchError(f"no option {', '.join(context.options)}; there are none.")
        self.gain = np.zeros(1)

    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        self.gain = np.array([1.0 + np.random.default_rng(context.seed).random()])

    def state(self, one: Request) -> np.ndarray:
        found = np.tile(one.initial_state, (one.frames, 1)).astype(np.float32)
        found[:, :3] += self.gain.astype(np.float32) * one.audio[:, :3]
        found[:, 64] += 0.01 * np.random.default_rng(one.seed).standard_normal(one.frames)
        return found

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
        found = super().state(one)
        found[one.frames // 2 + 1 :, 5] = np.nan
        return found


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
        found = super().state(one) + np.float32(self.last)
        self.last = float(one.audio[0, 0])
        return found


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


class TakesAnyOption(Good):
    def __init__(self, context: Context) -> None:
        self.gain = np.zeros(1)


class CannotFit(Good):
    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        raise ValueError("two\nlines")


DEFECTS: dict[str, type[Good]] = {
    "lengths": Short,
    "audio is used": Deaf,
    "identity is used": Nobody,
    "seed": Unseeded,
    "refit": UnseededFit,
    "state between clips": Carries,
    "batch": Batches,
    "save and load": Forgets,
    "request": Scribbles,
    "options": TakesAnyOption,
    "fit": CannotFit,
}


@pytest.fixture(scope="module")
def corpus(make_corpus: Callable[..., Corpus]) -> Corpus:
    return make_corpus(people=("a", "b"), clips=3, frames=400)


def subject(corpus: Corpus, create: Callable[[Context], Any], reference: str = "none") -> Subject:
    return make_subject(GeneratorSpec("toy", "a toy", reference, create), corpus)


def states(made: Subject) -> dict[str, str]:
    return {check.name: check.run(made).state for check in checks()}


def test_a_good_method_passes_everything(corpus: Corpus) -> None:
    found = states(subject(corpus, Good))
    assert {name for name, state in found.items() if state == "property"} == {"look-ahead", "speed"}
    assert set(found.values()) - {"skip"} == {"pass", "property"}
    assert found["device"] in ("pass", "skip"), "skipped where there is no GPU"


@pytest.mark.parametrize("name", DEFECTS)
def test_every_defect_fails_the_check_of_its_name(name: str, corpus: Corpus) -> None:
    made = subject(corpus, DEFECTS[name])
    finding = next(check for check in checks() if check.name == name).run(made)
    assert finding.state == "fail"
    assert finding.text
    assert "\n" not in finding.text


def test_every_check_that_can_fail_has_its_broken_method() -> None:
    assert {check.name for check in checks()} - set(DEFECTS) == {"held-out motion", "device", "look-ahead", "speed"}


@pytest.mark.parametrize("broken", [Doubles, NotANumber])
def test_what_is_no_motion_fails_the_lengths(broken: type[Good], corpus: Corpus) -> None:
    finding = next(check for check in checks() if check.name == "lengths").run(subject(corpus, broken))
    assert finding.state == "fail"
    assert "expected" in finding.text


def test_a_store_of_objects_is_refused(corpus: Corpus) -> None:
    finding = next(check for check in checks() if check.name == "save and load").run(subject(corpus, StoresObjects))
    assert "give numpy arrays" in finding.text


def test_a_method_that_knows_the_held_out_motion_is_found(corpus: Corpus) -> None:
    class Oracle(Good):
        def state(self, one: Request) -> np.ndarray:
            clip = one.id.removeprefix("self/").partition("@")[0]
            if clip.startswith("check"):
                return super().state(one)
            return corpus.clip(clip).motion.state()

    finding = next(check for check in checks() if check.name == "held-out motion").run(subject(corpus, Oracle))
    assert finding.state == "fail"
    assert "given back" in finding.text


def test_a_null_model_need_not_hear(corpus: Corpus) -> None:
    finding = next(check for check in checks() if check.name == "audio is used")
    assert finding.run(subject(corpus, Deaf, "null model")).state == "property"


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
    from facial_bench.testing import Finding

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
    spec = load_plugins(installed=[]).get("generators", "method", name).spec
    found = states(make_subject(spec, corpus))
    assert "fail" not in found.values(), found


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
    return [GeneratorSpec("still", "does not move", "{reference}", lambda context: Still())]
"""


def run_check(path: Path, corpus: Corpus, *more: str) -> Any:
    return CliRunner().invoke(main, ["check", str(path), "--corpus", str(corpus.path), *more])


def test_a_file_is_checked_as_a_plugin(tmp_path: Path, corpus: Corpus) -> None:
    path = tmp_path / "still.py"
    path.write_text(PLUGIN.format(extra="import torch", reference="none"))
    found = run_check(path, corpus)
    assert found.exit_code == 1
    told = found.stdout
    for name in ("light import", "options", "audio is used"):
        assert any(line.startswith(name) and " fail " in line for line in told.splitlines()), name
    assert "listing it imports torch" in told
    assert "Error: 3 checks failed: still: light import, still: options, still: audio is used." in found.stderr


def test_findings_as_json(tmp_path: Path, corpus: Corpus) -> None:
    path = tmp_path / "still.py"
    path.write_text(PLUGIN.format(extra="", reference="null model"))
    told = json.loads(run_check(path, corpus, "--json").stdout)
    assert told["still"]["light import"] == {"state": "pass", "text": ""}
    assert told["still"]["audio is used"]["state"] == "property"


def test_a_file_without_methods_is_one_line(tmp_path: Path, corpus: Corpus) -> None:
    path = tmp_path / "empty.py"
    path.write_text("import facial_bench\n@facial_bench.hookimpl\ndef facial_bench_generators():\n    return []\n")
    found = run_check(path, corpus)
    assert found.exit_code == 1
    assert "registers no method" in found.stderr
    assert run_check(tmp_path / "none.py", corpus).exit_code == 1
