"""A run from end to end on tiny corpora, and what it does with methods that go wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from facial_bench import Session
from facial_bench.core.progress import Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.corpora.split import split_clips
from facial_bench.errors import FacialBenchError, GenerationError, PluginError
from facial_bench.evaluation.result import Result, read_result
from facial_bench.evaluation.result_rows import Results
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.metrics.identity import accuracy_definitions
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.types import Clip, Context, Generator, Motion, Request
from tests.helpers.faces import Echo, Lines
from tests.helpers.sessions import as_method, make_session, ready, run_one, with_methods

Run = Callable[..., Result]
VOICES: set[tuple[str, bytes]] = set()
"""(identity, its audio) of every clip that a test of this module runs on: what no method is told."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, small_protocol: Protocol) -> Session:
    return make_session(tmp_path_factory.mktemp("cache"), small_protocol)


@pytest.fixture(scope="module")
def corpus(make_corpus: Callable[..., Corpus]) -> Corpus:
    """Two people, told apart by the size of their motion; nine recordings each: fewer could not be decided."""
    return make_corpus(clips=9, frames=200, scales=[0.3, 3.0])


@pytest.fixture(scope="module")
def setup(session: Session, corpus: Corpus) -> EvaluationSetup:
    return ready(session, corpus)


@pytest.fixture
def run(session: Session, corpus: Corpus, tmp_path: Path) -> Run:
    """run(create=Echo, ...) -> the result of the method `echo`, by default of the corpus of this module."""

    def evaluate(
        create: Callable[[Context], Generator] = Echo,
        out: Path = tmp_path,
        corpus: Corpus = corpus,
        report: Reporter | None = None,
        declared: dict[str, str] | None = None,
        **config: Any,
    ) -> Result:
        VOICES.update((clip.identity, clip.audio.tobytes()) for clip in map(corpus.clip, corpus.records))
        own = with_methods(session, as_method(create, options=declared or {}), report=report)
        return run_one(own, "echo", corpus, out, **config)

    return evaluate


@pytest.fixture(scope="module")
def still(session: Session, corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The result of `Echo`, with nothing wrong."""
    return run_one(with_methods(session, as_method()), "echo", corpus, tmp_path_factory.mktemp("still"))


def deterministic_part(result: Result) -> Result:
    return msgspec.structs.replace(result, environment={}, timing={})


def test_a_result_holds_every_metric_with_its_references(run: Run, tmp_path: Path) -> None:
    result = run()
    assert {"lmd", "lmd/canonical", "pose_accuracy", "blink_accuracy", "pose_accuracy/rotation"} <= {*result.metrics}
    pose = result.metrics["pose_accuracy"]
    assert pose.status == "ok"
    assert pose.value == pytest.approx(0.5), "a constant is given to one of the two people"
    assert pose.skill == pytest.approx(0)
    assert result.references["pose_accuracy"].ceiling.value > 0.9
    assert result.references["pose_accuracy"].chance == 0.5
    assert result.metrics["lmd"].skill == pytest.approx(0, abs=1e-9), "the mean state is the chance of a distance"
    assert read_result(tmp_path / "tiny/echo/seed-0/result.json") == result


def test_real_motion_reaches_the_ceiling(setup: EvaluationSetup, run: Run) -> None:
    truth = {clip.audio.tobytes(): clip.motion for clip in setup.folds[0].test}

    class Oracle(Echo):
        def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
            still = super().generate(requests)
            return [truth[r.audio.tobytes()] if self_driven(r) else m for r, m in zip(requests, still, strict=True)]

    result = run(Oracle)
    for name in ("lmd", "lmd/canonical", "pose_accuracy/paper", "blink_accuracy/paper"):
        assert result.metrics[name].value == result.references[name].ceiling.value
    assert result.metrics["pose_accuracy/paper"].skill == pytest.approx(1)
    assert result.metrics["pose_accuracy"].value >= result.references["pose_accuracy"].ceiling.value, "learned by heart"


def test_the_method_sees_nothing_of_the_test_motion(setup: EvaluationSetup, run: Run) -> None:
    seen: list[Echo] = []

    def create(context: Context) -> Echo:
        seen.append(Echo(context))
        return seen[-1]

    run(create)
    (used,) = [method for method in seen if method.fitted]
    fitted = {clip.id for clip in used.fitted}
    assert fitted == {segment.clip for segment in setup.folds[0].split.train}
    assert not fitted & {segment.clip for segment in setup.folds[0].split.test}
    assert set(vars(used.asked[0])) == {"id", "identity", "audio", "initial_state", "fps", "seed", "camera"}
    means = {r.identity: r.initial_state for r in used.asked}
    for person, state in means.items():
        own = np.concatenate([clip.motion.state() for clip in used.fitted if clip.identity == person])
        np.testing.assert_allclose(state, own.mean(0), atol=1e-4)


def test_cross_driving_asks_for_k_with_the_audio_of_k_plus_one(run: Run, make_corpus: Callable[..., Corpus]) -> None:
    seen: list[Request] = []

    class Watch(Echo):
        def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
            seen.extend(requests)
            return super().generate(requests)

    corpus = make_corpus(people=("a", "b", "c"), clips=3, scales=[0.3, 1.0, 3.0])
    run(Watch, corpus=corpus)
    heard = {
        clip.audio.tobytes(): clip.identity for clip in corpus.segments(split_clips(corpus.entries, Protocol()).test)
    }
    cross = [(r.identity, heard[r.audio.tobytes()]) for r in seen[:6] if not self_driven(r)]
    assert sorted(cross) == [("a", "b"), ("b", "c"), ("c", "a")]


def test_an_id_says_nothing_of_clip_or_order(run: Run) -> None:
    seen: list[str] = []

    class Watch(Echo):
        def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
            seen.extend(r.id for r in requests)
            return super().generate(requests)

    run(Watch)
    assert len(seen) > 16 and len(set(seen)) == len(seen)
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in seen)
    assert sorted(seen) != seen


def test_requests_cannot_be_changed(run: Run) -> None:
    class Vandal(Echo):
        def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
            requests[0].audio[:] = 0
            return super().generate(requests)

    with pytest.raises(GenerationError, match=r"failed on all .* raised ValueError"):
        run(Vandal)


def test_the_same_seed_gives_the_same_result_and_another_seed_asks_otherwise(run: Run, tmp_path: Path) -> None:
    class Noise(Echo):
        def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
            still = super().generate(requests)
            noise = [np.random.default_rng(r.seed).normal(0, 0.1, (r.frames, 71)) for r in requests]
            return [Motion.from_state((m.state() + n).astype(np.float32)) for m, n in zip(still, noise, strict=True)]

    first = run(Noise, tmp_path / "1", seeds=(4,))
    assert deterministic_part(run(Noise, tmp_path / "2", seeds=(4,))) == deterministic_part(first)
    other = run(Noise, tmp_path / "3", seeds=(5,))
    assert other.metrics["lmd"].value != first.metrics["lmd"].value


def self_driven(request: Request) -> bool:
    """Whether the audio is the person's own."""
    return (request.identity, request.audio.tobytes()) in VOICES


def wrong(change: Callable[[Motion], Any]) -> type[Echo]:
    """A method that spoils the motion of the first self-driven clip."""

    class Wrong(Echo):
        target = b""

        def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
            motions = list(super().generate(requests))
            for k, request in enumerate(requests):
                if self_driven(request) and request.identity == "a":
                    self.target = self.target or request.audio.tobytes()
                    motions[k] = change(motions[k]) if request.audio.tobytes() == self.target else motions[k]
            return motions

    return Wrong


def raise_it(motion: Motion) -> Motion:
    raise RuntimeError("out of\nideas")


def spoil(name: str, value: float) -> Callable[[Motion], Motion]:
    def change(motion: Motion) -> Motion:
        array = getattr(motion, name).copy()
        array[3] = value
        return replace(motion, **{name: array})

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: m[:-1], r"expected expression of shape \(200, 64\), got \(199, 64\)"),
        (lambda m: replace(m, pose=m.pose[:, :3]), r"expected pose of shape \(200, 6\), got \(200, 3\)"),
        (lambda m: replace(m, blink=m.blink[:, None]), r"expected blink of shape \(200,\), got \(200, 1\)"),
        (lambda m: replace(m, pose=m.pose.astype(int)), "expected pose as floating-point numbers, got int64"),
        (lambda m: replace(m, blink=m.blink.tolist()), "expected blink as a numpy array .*, got list"),
        (lambda m: None, "expected a Motion, got None: Motion.from_state"),
        (lambda m: m.state(), "expected a Motion, got ndarray: Motion.from_state"),
        (spoil("blink", np.nan), "expected finite blink, got NaN or infinities in 1 frames, first 3"),
        (spoil("expression", np.inf), "expected finite expression, got NaN or infinities in 1 frames, first 3"),
        (raise_it, r"raised RuntimeError: out of ideas \(test_run.py, line \d+\)"),
    ],
    ids=["length", "width", "shape", "dtype", "list", "none", "array", "nan", "infinity", "raises"],
)
def test_one_bad_clip_is_named_counted_and_stops_no_other(
    setup: EvaluationSetup, run: Run, still: Result, change: Callable[[Motion], Any], reason: str
) -> None:
    lines = Lines()
    result = run(wrong(change), report=lines)
    failed = [row for row in result.clips if row.status == "failed"]
    assert len(failed) == 1
    (warning,) = lines.warnings
    assert "test-plugin: method echo failed on self/a" in warning
    assert re.search(reason, failed[0].reason), failed[0].reason
    assert result.metrics["lmd"].n_failed == 1
    pose = result.metrics["pose_accuracy"]
    assert (pose.n_failed, pose.n_clips) == (1, len(setup.folds[0].test))
    assert pose.value <= still.metrics["pose_accuracy"].value, "a failed clip is wrong, never left out"


def test_one_cause_is_one_warning(run: Run) -> None:
    class Forgets(Echo):
        def generate(self, requests: Sequence[Request]) -> Any:
            super().generate(requests)

    lines = Lines()
    with pytest.raises(GenerationError, match="failed on all 16 clips"):
        run(Forgets, report=lines)
    (warning,) = lines.warnings
    assert re.search(r"failed on self/\S+ and 15 more: generate returned None", warning), warning


def test_a_face_behind_the_camera_fails_the_clip(run: Run) -> None:
    def behind(motion: Motion) -> Motion:
        pose = motion.pose.copy()
        pose[5, 5] = 3.0
        return replace(motion, pose=pose)

    result = run(wrong(behind))
    assert result.metrics["lmd"].n_failed == 1
    assert any("lmd" in row.metrics and "not in view" in row.metrics["lmd"].reason for row in result.clips)


def test_a_fit_that_raises_names_the_plugin_in_one_line(run: Run, tmp_path: Path) -> None:
    class Broken(Echo):
        def fit(self, clips: Sequence[Clip], context: Context) -> None:
            raise KeyError("weights")

    with pytest.raises(PluginError, match=r"test-plugin: method echo could not be fitted: raised KeyError: 'weights'"):
        run(Broken)
    assert "Traceback" in (tmp_path / "tiny/echo/seed-0/error.log").read_text()


def test_our_own_line_is_not_named_where_a_method_takes_other_arguments(run: Run) -> None:
    def create() -> Generator:
        raise AssertionError

    with pytest.raises(PluginError, match=r"could not be created: raised TypeError: .*create\(\) takes 0 .* given;"):
        run(create)


class Learner(Echo):
    """Stores its fit; counts how often it is fitted and asked."""

    fits = 0
    asked_ids: list[str]

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state = np.zeros(1)

    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        type(self).fits += 1
        self.state = np.array([float(len(clips))])

    def state_dict(self) -> dict[str, np.ndarray]:
        return {"state": self.state}

    def load_state_dict(self, state: dict[str, np.ndarray], context: Context) -> None:
        self.state = state["state"]


def test_an_interrupted_run_goes_on_with_what_was_finished(run: Run, tmp_path: Path) -> None:
    calls: list[int] = []

    class Interrupted(Learner):
        fits = 0

        def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
            calls.append(len(requests))
            if len(calls) == 1:
                raise KeyboardInterrupt
            return super().generate(requests)

    with pytest.raises(KeyboardInterrupt):
        run(Interrupted)
    first = run(Interrupted)
    assert Interrupted.fits == 1
    motions = sorted((tmp_path / "tiny/echo/seed-0/motions").rglob("*.safetensors"))
    motions[0].unlink()
    motions[1].write_bytes(motions[1].read_bytes()[:100])
    before = len(calls)
    again = run(Interrupted)
    assert calls[before] == 2, "the missing and the truncated motion are generated anew, the others are not"
    assert deterministic_part(again) == deterministic_part(first)


@pytest.mark.parametrize("change", [{"seeds": (1,)}, {"options": {"a": "b"}}, {"fresh": True}], ids=" ".join)
def test_nothing_is_reused_by_a_run_of_another_kind(run: Run, change: dict[str, Any]) -> None:
    class Counting(Learner):
        fits = 0

    run(Counting, declared={"a": "any text"})
    run(Counting, declared={"a": "any text"})
    assert Counting.fits == 1
    run(Counting, declared={"a": "any text"}, **change)
    assert Counting.fits == 2


class Hides(Echo):
    """Sends the head away in the clips whose sound begins loudest, in 9 frames of 10."""

    def generate(self, requests: Sequence[Request]) -> list[Motion]:
        motions, starts = [], [float(request.audio[0, 0]) for request in requests]
        for request, start in zip(requests, starts, strict=True):
            state = np.tile(request.initial_state, (request.frames, 1))
            if start == max(starts):
                state[np.arange(request.frames) % 10 != 9, 69] = -1e12 * (1 + request.seed % 7)
            motions.append(Motion.from_state(state))
        return motions


def test_hidden_frames_fail_the_clip_and_can_be_verified(
    run: Run, session: Session, still: Result, tmp_path: Path
) -> None:
    """They were left out of the mean, and the clip was fine."""
    lines = Lines()
    result = run(Hides, report=lines)
    failed = [row for row in result.clips if row.status == "failed"]
    assert {row.driving for row in failed} == {"self", "cross"}
    (warning,) = [line for line in lines.warnings if "failed on" in line]
    assert re.search(r"failed on self/\S+ and 1 more: frame 0: the distance from the person's usual place is ", warning)
    for row in failed:
        assert row.reason.startswith("frame 0: the distance from the person's usual place is ")
        assert row.motion, "it was stored, and is looked at again"
        assert all(entry.failed for entry in row.metrics.values())
    assert result.metrics["lmd"].value == pytest.approx(still.metrics["lmd"].value), "still it counts as still"
    verdict = with_methods(session, as_method(Hides)).verify(tmp_path / "tiny/echo/seed-0", result)
    assert verdict.differences == ()
    rows = Results([result]).to_rows(clips=True)
    assert {row["request"] for row in rows if row["failed"]} == {row.request for row in failed}


STORED = """
from pathlib import Path
import numpy as np
from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

class Stored:
    def __init__(self, context):
        self.state = {}

    def fit(self, clips, context):
        with Path(__file__).with_name("fits").open("a") as stream:
            stream.write("x")
        self.state = {"n": np.array(float(len(clips)))}

    def generate(self, requests):
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]

    def state_dict(self):
        return self.state

    def load_state_dict(self, state, context):
        self.state = dict(state)

@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("stored", "a test method", "none", Stored)]
"""


def test_a_changed_file_is_another_method_and_what_no_run_made_stays(
    session: Session, corpus: Corpus, tmp_path: Path
) -> None:
    file, lines = tmp_path / "w2.py", Lines()
    file.write_text(STORED)
    folder = tmp_path / "out/tiny/stored/seed-0"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")

    def fits_after_a_run() -> int:
        own = with_methods(session, report=lines)
        own.plugins = load_plugins([file], installed=[])
        run_one(own, "stored", corpus, tmp_path / "out")
        return len((tmp_path / "fits").read_text())

    assert (fits_after_a_run(), fits_after_a_run()) == (1, 1)
    assert not [line for line in lines.said if "changed" in line]
    file.write_text(STORED + "# another\n")
    assert fits_after_a_run() == 2
    (said,) = [line for line in lines.said if "changed" in line]
    assert said.startswith("w2.py changed: the result in ")
    assert (folder / "notes.txt").read_text() == "mine"


def test_classifiers_come_from_the_cache_and_a_damaged_one_is_trained_again(
    make_corpus: Callable[..., Corpus], small_protocol: Protocol, tmp_path: Path
) -> None:
    corpus = make_corpus(clips=3, frames=290, scales=[0.3, 3.0])

    def anew() -> EvaluationSetup:
        return ready(make_session(tmp_path, small_protocol), corpus)

    setup, again = anew(), anew()
    assert (setup.timing["classifiers_cached"], again.timing["classifiers_cached"]) == (False, True)
    assert again.references == setup.references
    for stored in (tmp_path / "classifiers").rglob("*.safetensors"):
        stored.write_bytes(stored.read_bytes()[:500])
    third = anew()
    assert not third.timing["classifiers_cached"]
    assert third.references == setup.references
    assert third.classifiers == again.classifiers == setup.classifiers


def test_people_who_move_alike_get_no_number(run: Run, make_corpus: Callable[..., Corpus]) -> None:
    result = run(corpus=make_corpus(people=("a", "b", "c"), clips=3))
    refused = [result.metrics[one.id] for one in accuracy_definitions()]
    assert all(m.status == "refused" and m.value is None and "ceiling" in m.reason for m in refused)
    assert result.references["pose_accuracy"].ceiling.value is not None
    assert result.metrics["lmd"].status == "ok"


def shorten(clip: Clip) -> Clip:
    return clip[:100] if clip.identity == "b" else clip


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ({"people": ("a",)}, "telling people apart takes at least two, here is a alone; add clips of another person"),
        (
            {"people": ("a", "b", "c"), "edit": shorten},
            "b: 100 training frames and 100 test frames in a row, 128 needed; leave out with --identities a,c",
        ),
    ],
    ids=["one person", "too little motion"],
)
def test_where_no_classifier_can_be_trained_the_lips_are_scored_all_the_same(
    run: Run, make_corpus: Callable[..., Corpus], made: dict[str, Any], why: str
) -> None:
    lines = Lines()
    result = run(corpus=make_corpus(name="little", **made), report=lines)
    assert {metric.status for name, metric in result.metrics.items() if name.startswith("lmd")} == {"ok"}
    for one in accuracy_definitions():
        metric = result.metrics[one.id]
        assert (metric.status, metric.value) == ("refused", None)
        assert metric.reason == f"the identity classifiers cannot be trained: {why}"
    assert [line for line in lines.warnings if "accuracies" in line] == [
        f"no accuracies, the identity classifiers cannot be trained: {why}"
    ]
    assert {row.status for row in result.clips} == {"ok"}


class Mumbles(Echo):
    """Moves the mouth whatever is said."""

    def generate(self, requests: Sequence[Request]) -> list[Motion]:
        states = [np.tile(request.initial_state, (request.frames, 1)) for request in requests]
        for state, request in zip(states, requests, strict=True):
            state[:, :64] += np.random.default_rng(request.seed).normal(size=(request.frames, 64))
        return [Motion.from_state(state) for state in states]


@pytest.mark.parametrize("silent", [{"b2"}, {f"b{k}" for k in range(8)}], ids=["a clip", "a person"])
def test_a_real_mouth_that_does_not_move_stops_no_run(
    make_corpus: Callable[..., Corpus], small_protocol: Protocol, tmp_path: Path, silent: set[str]
) -> None:
    def still(clip: Clip) -> Clip:
        if clip.id not in silent:
            return clip
        held = np.tile(clip.motion.expression[:1], (clip.frames, 1))
        return replace(clip, motion=replace(clip.motion, expression=held))

    corpus = make_corpus(clips=8, frames=60, edit=still)
    assert "b2" in {part.clip for part in split_clips(corpus.entries, Protocol()).test}
    session = make_session(tmp_path, small_protocol, as_method(Mumbles), metrics=("lmd", "sync_share"))
    result = run_one(session, "echo", corpus, tmp_path)
    assert result.metrics["lmd"].status == "ok"
    parts = result.references["sync_share"].parts
    assert any(parts["a"]) and any(parts["b"]) == (len(silent) == 1)


def test_invalid_frames_are_not_scored_and_hold_no_window(run: Run, make_corpus: Callable[..., Corpus]) -> None:
    def hide(clip: Clip) -> Clip:
        valid = clip.valid.copy()
        valid[:20] = False
        return replace(clip, valid=valid)

    result = run(corpus=make_corpus(clips=9, scales=[0.3, 3.0], edit=hide))
    row = next(row for row in result.clips if row.driving == "self")
    assert row.metrics["lmd"].frames == (280, 280)
    assert row.metrics["pose_accuracy"].weight == len(range(32, 300 - 127, 16))


def test_a_short_clip_has_distances_but_no_window(run: Run, make_corpus: Callable[..., Corpus]) -> None:
    probe = make_corpus(clips=9, scales=[0.3, 3.0], name="probe")
    short = next(s.clip for s in split_clips(probe.entries, Protocol()).test)
    cut = make_corpus(clips=9, scales=[0.3, 3.0], edit=lambda clip: clip if clip.id != short else clip[:100])
    (row,) = (row for row in run(corpus=cut).clips if row.driving == "self" and row.clip == short)
    assert row.metrics["lmd"].frames == (100, 100)
    assert "pose_accuracy" not in row.metrics


def test_another_frame_rate_is_an_error(
    make_corpus: Callable[..., Corpus], small_protocol: Protocol, tmp_path: Path
) -> None:
    with pytest.raises(FacialBenchError, match=r"25.0 fps, the protocol at 30"):
        run_one(make_session(tmp_path, replace(small_protocol, fps=30.0)), "frozen", make_corpus(), tmp_path)


def test_an_unwritable_folder_is_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(FacialBenchError, match=r"Cannot write .*taken.*--out"):
        run(out=tmp_path / "taken")


def test_training_clips_cannot_be_changed(setup: EvaluationSetup) -> None:
    with pytest.raises(ValueError, match="read-only"):
        setup.folds[0].training[0].motion.pose[:] = 0


@pytest.mark.parametrize("when", ["create", "fit", "state_dict"])
def test_a_method_that_exits_is_named_like_one_that_raises(run: Run, when: str) -> None:
    class Quitter(Learner):
        def __init__(self, context: Context) -> None:
            super().__init__(context)
            self.quit("create")

        def fit(self, clips: Sequence[Clip], context: Context) -> None:
            self.quit("fit")

        def state_dict(self) -> dict[str, np.ndarray]:
            self.quit("state_dict")
            return {}

        def quit(self, now: str) -> None:
            if now == when:
                raise SystemExit(0)

    with pytest.raises(PluginError, match=r"test-plugin: method echo could not be (created|fitted): raised SystemExit"):
        run(Quitter)


def test_a_damaged_fit_is_done_again(run: Run, tmp_path: Path) -> None:
    class Counting(Learner):
        fits = 0

    first = run(Counting)
    stored = tmp_path / "tiny/echo/seed-0/fitted.safetensors"
    stored.write_bytes(stored.read_bytes()[:-3])
    assert deterministic_part(run(Counting)) == deterministic_part(first)
    assert Counting.fits == 2
