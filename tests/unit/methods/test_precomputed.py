"""Finished outputs: what is there is scored as if it had been generated, what is not there is never guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facial_bench import Session
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.errors import FacialBenchError, PluginError
from facial_bench.evaluation.clip_metrics import make_sample
from facial_bench.evaluation.result import Result
from facial_bench.evaluation.run import fold_tasks
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.isolation.conditions import Isolation
from facial_bench.methods.finished_output import read_output
from facial_bench.methods.output_arrays import read_held
from facial_bench.methods.output_files import output_names
from facial_bench.methods.precomputed import Precomputed
from facial_bench.metrics.catalog import built_in_metrics
from facial_bench.metrics.identity import SELF
from facial_bench.statistics.aggregate import is_scored
from facial_bench.types import Context, Motion
from tests.helpers.sessions import make_session, ready, run_one

METRICS = ("lmd", "lmd/canonical", "lmd/raw-face", "pose_speed", "blink_rate", "frechet/pose", "copying_index")


Run = Callable[..., Result]


@pytest.fixture(scope="module")
def corpus(make_corpus: Callable[..., Corpus]) -> Corpus:
    return make_corpus(clips=3, name="outputs")


@pytest.fixture(scope="module")
def session(small_protocol: Protocol, tmp_path_factory: pytest.TempPathFactory) -> Session:
    return make_session(tmp_path_factory.mktemp("cache"), small_protocol, metrics=METRICS)


@pytest.fixture(scope="module")
def setup(session: Session, corpus: Corpus) -> EvaluationSetup:
    return ready(session, corpus)


@pytest.fixture(scope="module")
def run(session: Session, corpus: Corpus) -> Run:
    """run(out, method="precomputed", isolation="in-process", option=...) -> the result."""

    def evaluate(out: Path, method: str = "precomputed", isolation: Isolation = "in-process", **options: str) -> Result:
        return run_one(session, method, corpus, out, options=options, isolation=isolation)

    return evaluate


def real(setup: EvaluationSetup) -> dict[str, Motion]:
    """request -> the real motion of its clip (of a cross-driven one: somebody's)."""
    return {task.request.id: task.clip.motion for task in fold_tasks(setup.folds[0], 0)}


def put(folder: Path, outputs: dict[str, dict[str, np.ndarray]]) -> Path:
    for name, arrays in outputs.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        np.savez(folder / f"{name}.npz", **arrays)
    return folder


@pytest.mark.parametrize("form", ["state.npy", "state.npz", "as stored", "parts.npz"])
def test_outputs_of_a_method_score_as_the_method(setup: EvaluationSetup, run: Run, tmp_path: Path, form: str) -> None:
    direct = run(tmp_path / "direct", "phase-randomised", "process")
    motions = tmp_path / "direct" / "outputs" / "phase-randomised" / "seed-0" / "motions"
    folder = tmp_path / "given"
    for path in motions.rglob("*.safetensors"):
        parts = read_held(path).parts
        target = folder / path.relative_to(motions).with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        state = np.concatenate([parts["expression"], parts["pose"], parts["blink"][:, None]], axis=1)
        if form == "state.npy":
            np.save(f"{target}.npy", state)
        elif form == "state.npz":
            np.savez(f"{target}.npz", state=state)
        elif form == "parts.npz":
            np.savez(f"{target}.npz", **parts)
    result = run(tmp_path / "made", isolation="process", motions=str(motions if form == "as stored" else folder))
    assert {name: metric.value for name, metric in result.metrics.items()} == {
        name: metric.value for name, metric in direct.metrics.items()
    }
    assert result.method.inputs


def test_landmarks_alone_have_landmark_distances_alone(setup: EvaluationSetup, run: Run, tmp_path: Path) -> None:
    tasks = {task.request.id: task for task in fold_tasks(setup.folds[0], 0)}
    for depth in (2, 3):
        given = {name: {"landmarks": task.clip.landmarks[:, :, :depth]} for name, task in tasks.items()}
        result = run(tmp_path / f"out{depth}", motions=str(put(tmp_path / f"given{depth}", given)))
        metrics = result.metrics
        assert "nothing can be asked of it" in result.behaviour.reason
        assert metrics["lmd"].value == pytest.approx(0, abs=1e-9)
        assert metrics["lmd/raw-face"].value == 0
        for name, part in {
            "lmd/canonical": "expression",
            "pose_speed": "pose",
            "blink_rate": "blink",
            "frechet/pose": "pose",
            "copying_index": "pose and blink",
            "pose_accuracy": "pose",
            "pose_accuracy/cross-raw": "pose",
            "blink_accuracy": "blink",
        }.items():
            assert metrics[name].value is None, name
            assert metrics[name].status in ("absent", "refused"), name
            if metrics[name].status == "absent":
                assert metrics[name].reason == f"needs {part}, and this output holds none that can be used"
            assert metrics[name].n_failed == 0 or metrics[name].status == "refused"
        assert {row.status for row in result.clips} == {"ok"}


def test_tracks_get_their_expression_as_the_real_ones_did(setup: EvaluationSetup, run: Run, tmp_path: Path) -> None:
    """Of real tracks, everything the benchmark can say is said, and it is what the real motion scores."""
    given = {
        task.request.id: {
            "landmarks": task.clip.landmarks,
            "rotation": task.clip.motion.pose[:, :3],
            "translation": task.clip.motion.pose[:, 3:],
            "blink": task.clip.motion.blink,
        }
        for task in fold_tasks(setup.folds[0], 0)
    }
    metrics = run(tmp_path / "out", motions=str(put(tmp_path / "given", given))).metrics
    assert metrics["lmd"].value == pytest.approx(0, abs=1e-9)
    assert metrics["lmd/canonical"].value < 0.2, "the made-up corpus's own model fits its landmarks that well"
    assert metrics["pose_speed"].value == pytest.approx(setup.references["pose_speed"].ceiling.value, rel=1e-6)


def test_what_is_missing_or_bad_counts_as_failed(setup: EvaluationSetup, run: Run, tmp_path: Path) -> None:
    motions = real(setup)
    given = {name: {"state": motion.state()} for name, motion in motions.items()}
    names = [name for name in given if name.startswith(SELF)]
    whole = run(tmp_path / "whole", motions=str(put(tmp_path / "a", given)))
    del given[names[0]]
    result = run(tmp_path / "part", motions=str(put(tmp_path / "b", given)))
    (row,) = [row for row in result.clips if row.status == "failed"]
    assert row.request == names[0]
    assert row.reason.startswith(f"no output {names[0]} (.safetensors, .npz, .npy) or {names[0].split('/')[1]}"[:40])
    assert result.metrics["lmd"].n_failed == 1
    entry = row.metrics["pose_accuracy/raw"]
    assert entry.value == 0, "a missing clip is wrong in every window"
    assert result.metrics["pose_accuracy/raw"].n_clips == whole.metrics["pose_accuracy/raw"].n_clips


def test_a_part_that_others_hold_and_this_one_lacks_is_a_failure_not_an_absence(
    setup: EvaluationSetup, run: Run, tmp_path: Path
) -> None:
    given = {name: {"state": motion.state()} for name, motion in real(setup).items()}
    first = next(iter(given))
    given[first] = {"blink": given[first]["state"][:, 70]}
    result = run(tmp_path / "out", motions=str(put(tmp_path / "given", given)))
    row = next(row for row in result.clips if row.request == first)
    accuracy = row.metrics["pose_accuracy/raw"]
    assert (accuracy.value, accuracy.failed) == (0, True)
    assert accuracy.reason == "needs pose, and this output holds none that can be used"
    assert result.metrics["pose_accuracy/raw"].n_failed == 1
    lips = row.metrics["lmd"]
    others = [one.metrics["lmd"].value for one in result.clips if one.request != first and "lmd" in one.metrics]
    assert (row.status, lips.failed) == ("ok", True)
    assert lips.value > max(others), "it counts as a still face, the others are real motion"
    assert result.metrics["lmd"].status == "ok"
    assert result.metrics["lmd"].n_failed == 1
    assert is_scored(row, "blink_rate"), "what it holds is scored"


def test_other_files_are_another_run(setup: EvaluationSetup, run: Run, tmp_path: Path) -> None:
    given = {name: {"state": motion.state()} for name, motion in real(setup).items()}
    folder = put(tmp_path / "given", given)
    first = run(tmp_path / "out", motions=str(folder))
    again = run(tmp_path / "out", motions=str(folder))
    assert again.digest == first.digest
    name = next(iter(given))
    put(folder, {name: {"state": np.roll(given[name]["state"], 5, axis=0)}})
    changed = run(tmp_path / "out", motions=str(folder))
    assert changed.method.inputs != first.method.inputs
    assert changed.metrics["lmd"].value > first.metrics["lmd"].value


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "takes --option motions=DIR or --option videos=DIR, one of them"),
        ({"motions": "a", "videos": "b"}, "one of them"),
        ({"motions": "nowhere"}, "No folder at nowhere"),
        ({"motion": "a"}, "method precomputed: unknown option 'motion'. Did you mean 'motions'?"),
        ({"motions": ".", "fps": "fast"}, "fps=fast is no rate"),
        ({"motions": ".", "tracker": "dot"}, "goes with"),
        ({"videos": "."}, "does not say which tracker it was built with"),
        ({"videos": ".", "tracker": "dot"}, "Unknown tracker 'dot'"),
    ],
)
def test_wrong_options_are_told_before_the_work(
    run: Run, tmp_path: Path, options: dict[str, str], complaint: str
) -> None:
    with pytest.raises(FacialBenchError, match=complaint.replace("(", r"\(")) as problem:
        run(tmp_path, **options)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"state": np.zeros((300, 70))}, r"state is float64 of shape \(300, 70\), expected \(T, 71\)"),
        ({"blink": np.full(300, np.nan)}, "blink holds NaN"),
        ({"jaw": np.zeros(3)}, "holds jaw, expected some of"),
        ({"landmarks": np.zeros((300, 67, 2))}, "landmarks is"),
        ({"blink": np.array(["a"] * 300)}, "blink is <U1"),
        ({}, "holds nothing"),
    ],
)
def test_bad_arrays_are_told_in_one_line(
    setup: EvaluationSetup, corpus: Corpus, tmp_path: Path, arrays: dict[str, np.ndarray], complaint: str
) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(PluginError, match=complaint):
        read_output(tmp_path / "bad.npz", None, fold_tasks(setup.folds[0], 0)[0].request, corpus.info)


def test_damaged_files_lengths_rates_and_pickles(setup: EvaluationSetup, corpus: Corpus, tmp_path: Path) -> None:
    task = fold_tasks(setup.folds[0], 0)[0]
    request = replace(task.request, audio=task.request.audio[:100])
    name = request.id.split("/")[1]
    made = Precomputed(Context(corpus.info, 0, "cpu", options={"motions": str(tmp_path)}))

    def asked() -> Motion:
        return made.generate([request])[0]

    state = task.clip.motion.state()[:103].astype(np.float64)
    for length, fine in ((99, False), (100, True), (102, True), (103, False)):
        np.save(tmp_path / f"{name}.npy", state[:length])
        if fine:
            np.testing.assert_array_equal(asked().state(), state[:100].astype(np.float32))
        else:
            with pytest.raises(PluginError, match=f"has {length} frames of state, 100 were asked for"):
                asked()
    (tmp_path / f"{name}.npy").write_bytes(b"\x93NUMPY damaged")
    with pytest.raises(PluginError, match="cannot be read"):
        asked()
    np.save(tmp_path / f"{name}.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(PluginError, match="cannot be read"):
        asked()
    quick = Precomputed(Context(corpus.info, 0, "cpu", options={"motions": str(tmp_path), "fps": "50"}))
    double = np.repeat(state, 2, axis=0)[:200]
    np.save(tmp_path / f"{name}.npy", double)
    np.testing.assert_allclose(quick.generate([request])[0].state(), state[:100], atol=1e-5)


def test_a_system_is_called_by_its_name(setup: EvaluationSetup, run: Run, tmp_path: Path) -> None:
    given = {name: {"state": motion.state()} for name, motion in real(setup).items()}
    result = run(tmp_path / "out", motions=str(put(tmp_path / "given", given)), name="theirs")
    assert result.method.label == "precomputed@theirs"
    assert (tmp_path / "out" / "outputs" / "precomputed@theirs" / "seed-0" / "result.json").is_file()
    with pytest.raises(FacialBenchError, match="cannot name a file"):
        run(tmp_path / "out", motions=str(tmp_path / "given"), name="../theirs")


def test_names_of_outputs() -> None:
    assert output_names("self/s02a@0") == ["self/s02a@0", "s02a@0", "self/s02a", "s02a"]
    assert output_names("self/s01a@829") == ["self/s01a@829", "s01a@829"]
    assert output_names("cross/s02a@0") == ["cross/s02a@0", "cross/s02a"]


@pytest.mark.parametrize("metric", built_in_metrics(), ids=lambda one: one.id)
def test_a_metric_looks_at_what_it_says_and_nothing_else(metric: object, corpus: Corpus) -> None:
    """With every other part taken away the value is the same: `needs` is true."""
    clips = [corpus.clip(entry.id) for entry in corpus.entries if entry.identity == "a"]
    moved = replace(
        clips[0].motion, expression=clips[1].motion.expression, pose=clips[1].motion.pose, blink=clips[1].motion.blink
    )
    whole = make_sample(corpus.face_model, corpus.info, clips[0], moved)
    keep = {"landmarks": ("expression", "pose")}
    parts = {part for need in metric.needs for part in keep.get(need, (need,))}  # type: ignore[attr-defined]
    bare = Motion(**{name: getattr(moved, name) if name in parts else None for name in ("expression", "pose", "blink")})
    sample = make_sample(corpus.face_model, corpus.info, clips[0], bare)
    if "landmarks" not in metric.needs:  # type: ignore[attr-defined]
        sample = replace(sample, generated_landmarks=None)
    if "expression" not in metric.needs:  # type: ignore[attr-defined]
        sample = replace(sample, generated_face=None)
    more = ()
    if metric.prepare is not None:  # type: ignore[attr-defined]
        from facial_bench.types import Person

        own = [make_sample(corpus.face_model, corpus.info, clip, clip.motion) for clip in clips]
        more = (metric.prepare(Person("a", own[1:], own[:1])),)  # type: ignore[attr-defined]
    a, b = (metric.compute(one, *more) for one in (whole, sample))  # type: ignore[attr-defined]
    a, b = (one.values if hasattr(one, "values") else one for one in (a, b))
    np.testing.assert_array_equal(a, b)
