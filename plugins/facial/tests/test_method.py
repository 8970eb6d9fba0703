"""The methods as the benchmark meets them: fit, generate, save, load, options, ablations."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from toy_corpus import make_clip, make_context, make_request

from facial_bench.errors import CorpusError, FacialBenchError, GenerationError
from facial_bench.types import Generator, Stateful
from facial_bench_facial.data import Batch
from facial_bench_facial.plugin import facial_bench_generators

NAMES = ["facial"] + [f"facial-{one}" for one in ("no-gtem", "no-gloc", "no-adversarial", "paper-weights")]
NAMES += ["facial-no-finetuning"]


def arrays(motion) -> np.ndarray:
    return motion.state()


def spec(name: str):
    return {s.name: s for s in facial_bench_generators()}[name]


def test_specs_are_cheap_and_named() -> None:
    assert [s.name for s in facial_bench_generators()] == NAMES
    code = "import sys, facial_bench_facial.plugin as p; p.facial_bench_generators(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", NAMES)
def test_every_method_generates_what_was_asked_for(fitted, name: str) -> None:
    method = fitted(name)
    assert isinstance(method, Generator) and isinstance(method, Stateful)
    requests = [make_request("ann", 1), make_request("bob", 50), make_request("ann", 128), make_request("bob", 300)]
    for request, motion in zip(requests, method.generate(requests), strict=True):
        assert motion.expression.shape == (request.frames, 64) and motion.expression.dtype == np.float32
        assert motion.pose.shape == (request.frames, 6) and motion.pose.dtype == np.float32
        assert motion.blink.shape == (request.frames,) and motion.blink.dtype == np.float32
        assert np.isfinite(motion.state()).all()
        assert motion.blink.min() >= 0 and motion.blink.max() <= 1


def test_alone_or_in_a_batch_is_the_same(fitted) -> None:
    method = fitted()
    requests = [make_request("ann", 300, 1), make_request("bob", 200, 2), make_request("ann", 140, 3)]
    together = method.generate(requests)
    for request, motion in zip(requests, together, strict=True):
        np.testing.assert_allclose(arrays(method.generate([request])[0]), arrays(motion), atol=1e-5)


def test_same_seed_same_motion_other_seed_other_motion(fitted, clips) -> None:
    context = make_context()
    again = spec("facial").create(context)
    state = torch.random.get_rng_state()
    torch.manual_seed(99)  # the global state is neither used ...
    before = torch.random.get_rng_state()
    again.fit(clips, context)
    assert torch.equal(torch.random.get_rng_state(), before)  # ... nor touched
    torch.random.set_rng_state(state)
    request = make_request("ann", 200)
    expected = arrays(fitted().generate([request])[0])
    np.testing.assert_array_equal(arrays(again.generate([request])[0]), expected)
    assert np.abs(arrays(fitted(seed=4).generate([request])[0]) - expected).max() > 1e-3


def test_saved_and_loaded_motion_is_identical(fitted, tmp_path) -> None:
    from safetensors.numpy import load_file, save_file

    for name in ("facial", "facial-no-gtem", "facial-no-finetuning"):
        save_file(fitted(name).state_dict(), tmp_path / "state.safetensors")
        loaded = spec(name).create(make_context())
        loaded.load_state_dict(load_file(tmp_path / "state.safetensors"), make_context())
        for who in ("ann", "bob"):
            request = make_request(who, 200)
            expected = arrays(fitted(name).generate([request])[0])
            np.testing.assert_array_equal(arrays(loaded.generate([request])[0]), expected)


def test_a_state_that_does_not_fit_is_refused(fitted) -> None:
    state = fitted().state_dict()
    with pytest.raises(FacialBenchError, match=r"facial-no-gloc.*one of facial"):
        spec("facial-no-gloc").create(make_context()).load_state_dict(state, make_context())
    wide = make_context(features=42)
    with pytest.raises(FacialBenchError, match="for 29 audio features"):
        spec("facial").create(wide).load_state_dict(state, wide)
    for missing in ("about", "base/fusion.weight", "statistics/audio"):
        part = {key: value for key, value in state.items() if key != missing}
        with pytest.raises(FacialBenchError, match=r"does not fit.*fit anew"):
            spec("facial").create(make_context()).load_state_dict(part, make_context())


def test_personal_statistics_come_back(fitted, clips) -> None:
    """The level of the pose is that of the identity's training frames, whoever speaks."""
    for who, pitch, depth in (("ann", 0.1, -25.0), ("bob", -0.1, -27.0)):
        motion = fitted().generate([make_request(who, 400)])[0]
        own = np.concatenate([c.motion.pose for c in clips if c.identity == who])
        assert np.abs(motion.pose.mean(axis=0) - own.mean(axis=0)).max() < 3 * own.std(axis=0).max() + 1e-3
        assert motion.pose[:, 5].mean() == pytest.approx(depth, abs=0.8)
        assert motion.pose[:, 0].mean() == pytest.approx(pitch, abs=0.15)


def test_fine_tuning_makes_people_differ(fitted) -> None:
    """The same sound and the same standardised state: only a fine-tuned network can tell the two people apart."""
    for name, differ in (("facial", True), ("facial-no-finetuning", False)):
        method = fitted(name)
        asked = make_request("ann", 150)
        standard = []
        for who in ("ann", "bob"):
            state = method.statistics.physical_state(who, np.zeros(71, np.float32))
            motion = method.generate([replace(asked, identity=who, initial_state=state)])[0]
            standard.append(motion.expression)
        assert (np.abs(standard[0] - standard[1]).max() > 1e-4) == differ


def test_the_initial_state_matters(fitted) -> None:
    request = make_request("ann", 128)
    other = request.initial_state.copy()
    other[70] += 0.3
    moved = arrays(fitted().generate([replace(request, initial_state=other)])[0])
    assert np.abs(moved - arrays(fitted().generate([request])[0])).max() > 1e-4


def test_no_adversarial_takes_as_many_steps_and_no_discriminator(clips, monkeypatch) -> None:
    from facial_bench_facial import trainer

    taken = []
    for kind in ("generator_step", "adversarial_step"):
        original = getattr(trainer.Trainer, kind)
        monkeypatch.setattr(
            trainer.Trainer, kind, lambda self, *a, o=original, k=kind: (taken.append(k), o(self, *a))[1]
        )
    counts = {}
    for name in ("facial", "facial-no-adversarial"):
        taken.clear()
        context = make_context()
        spec(name).create(context).fit(clips, context)
        counts[name] = (taken.count("generator_step"), taken.count("adversarial_step"))
    assert counts == {"facial": (3, 1 + 2 * 2), "facial-no-adversarial": (3 + 1 + 2 * 2, 0)}


def test_a_person_is_fine_tuned_as_the_one_that_the_discriminator_knows(clips, monkeypatch) -> None:
    from facial_bench_facial import trainer

    judged: dict[int, set[int]] = {}
    original = trainer.Trainer.adversarial_step

    def step(self: trainer.Trainer, batch: Batch) -> torch.Tensor:
        own = judged.setdefault(id(self.discriminator), set())
        own |= set(batch.people.tolist())
        kept.append(self.discriminator)  # an id is used again once its object is gone
        return original(self, batch)

    kept: list[object] = []
    monkeypatch.setattr(trainer.Trainer, "adversarial_step", step)
    context = make_context(adversarial_steps="8")
    spec("facial").create(context).fit(clips, context)
    assert list(judged.values()) == [{0, 1}, {0}, {1}], "everybody, then a copy for ann and one for bob"


def fit_told(clips, name: str, **options: str) -> tuple[list[str], list[tuple[float, float, str]]]:
    """What a fit logs, and how it says how far it is."""
    lines, told = [], []
    context = replace(make_context(**options), log=lines.append, progress=lambda *one: told.append(one))
    spec(name).create(context).fit(clips, context)
    return lines, told


def test_training_lowers_the_loss(clips) -> None:
    losses = []
    for steps in ("20", "60"):
        lines, _ = fit_told(clips, "facial", steps=steps, adversarial_steps="0", fine_tune_steps="0")
        (line,) = (line for line in lines if line.startswith("training: "))
        losses.append(float(line.split("loss ")[1]))
    assert losses[1] < 0.85 * losses[0]


def test_progress_counts_every_step_and_lines_stay_few(clips) -> None:
    options = {"steps": "21", "adversarial_steps": "1", "fine_tune_steps": "21", "batch": "2"}
    lines, told = fit_told(clips, "facial", **options)
    assert [one for one in told if one[2] == "training"] == [(n, 22, "training") for n in (20, 21, 22)]
    done = [one[:2] for one in told if one[2] == "fine-tuning"]
    assert done == [(20, 42), (21, 42), (41, 42), (42, 42)], "both people are one part of the work"
    assert lines[0].startswith("facial: ") and "training windows of 2 identities" in lines[0]
    assert [line.partition(",")[0] for line in lines[1:]] == [
        "training: 21 generator steps",
        "training: 1 adversarial steps",
        "fine-tuning of ann: 21 adversarial steps",
        "fine-tuning of bob: 21 adversarial steps",
    ]
    assert {one[2] for one in fit_told(clips, "facial-no-finetuning")[1]} == {"training"}


def test_divergence_is_said(clips) -> None:
    context = make_context()
    wild = [replace(c, motion=replace(c.motion, pose=c.motion.pose.copy())) for c in clips]
    method = spec("facial").create(context)
    method.settings = replace(method.settings, learning_rate=1e30)
    with pytest.raises(FacialBenchError, match=r"training diverged.*step"):
        method.fit(wild, context)


def test_unusable_input_is_one_clear_error(fitted, clips) -> None:
    with pytest.raises(FacialBenchError, match="21 features"):
        spec("facial").create(make_context(features=21))
    with pytest.raises(CorpusError, match="nothing to learn"):
        context = make_context()
        spec("facial").create(context).fit([make_clip("a", "ann", 90, np.random.default_rng(0))], context)
    with pytest.raises(FacialBenchError, match=r"clip 'ann0' has audio of shape \(200, 29\)"):
        context = make_context(features=42)
        spec("facial").create(context).fit(clips, context)
    bad = clips[0].audio.copy()
    bad[3, 3] = np.inf
    with pytest.raises(CorpusError, match="clip 'ann0' has audio that is not finite"):
        context = make_context()
        spec("facial").create(context).fit([replace(clips[0], audio=bad)], context)
    request = make_request("ann", 20)
    with pytest.raises(GenerationError, match="'cyd', which was not in the training"):
        fitted().generate([replace(request, identity="cyd")])
    with pytest.raises(GenerationError, match="has audio that is not finite"):
        fitted().generate([replace(request, audio=np.full((20, 29), np.nan, np.float32))])
    with pytest.raises(GenerationError, match=r"expected .1 or more, 29"):
        fitted().generate([replace(request, audio=np.zeros((20, 13), np.float32))])
    with pytest.raises(GenerationError, match="not fitted"):
        spec("facial").create(make_context()).generate([request])


def test_the_pose_is_smoothed_unless_a_run_says_otherwise(fitted) -> None:
    rough, smooth = (fitted(smooth=s).generate([make_request("ann", 150)])[0] for s in ("no", "yes"))
    np.testing.assert_array_equal(rough.expression, smooth.expression)
    assert np.abs(np.diff(rough.pose, 2, axis=0)).sum() > np.abs(np.diff(smooth.pose, 2, axis=0)).sum()


@pytest.mark.parametrize("budget", ["quick", "standard", "paper"])
def test_every_budget_and_the_papers_reading_are_fitted(clips, budget: str) -> None:
    for options in ({}, {"discriminator": "paper", "weights": "paper"}):
        context = replace(make_context(**options), budget=budget)
        method = spec("facial").create(context)
        method.fit(clips, context)
        assert np.isfinite(method.generate([make_request("ann", 130)])[0].state()).all()
