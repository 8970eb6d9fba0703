"""The methods as the benchmark meets them: fit, generate, save, load, options, ablations."""

from __future__ import annotations

import copy
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from toy_corpus import make_clip, make_context, make_request

from facial_bench.errors import CorpusError, FacialBenchError, GenerationError
from facial_bench.types import Generator, Stateful
from facial_bench_facial.options import settings_for
from facial_bench_facial.plugin import facial_bench_generators

NAMES = ["facial", "facial-no-gtem", "facial-no-gloc", "facial-no-adversarial", "facial-no-finetuning"]


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
    assert sum(counts["facial"]) == sum(counts["facial-no-adversarial"]) == 3 + 1 + 2 * 2
    assert counts["facial"][1] >= 1 and counts["facial-no-adversarial"][1] == 0


def test_adversarial_gradients_are_the_plain_ones() -> None:
    """One shared pass gives what two separate, textbook backward passes at the same parameters give."""
    from facial_bench_facial.discriminator import PatchDiscriminator, state_image
    from facial_bench_facial.losses import discriminator_loss, generator_adversarial_loss, regression_loss
    from facial_bench_facial.networks import FaceGenerator
    from facial_bench_facial.trainer import Trainer, build

    settings = settings_for("quick", {})
    generator, discriminator = build(lambda: FaceGenerator(29), 0, "cpu"), build(PatchDiscriminator, 1, "cpu")
    rng = torch.Generator().manual_seed(0)
    audio, states = torch.randn(2, 143, 29, generator=rng), torch.randn(2, 128, 71, generator=rng)
    output = generator(audio, states[:, 0])
    score = generator_adversarial_loss(discriminator(state_image(output)))
    loss = regression_loss(output, states, states[:, 0], settings.weights) + settings.weights.adversarial * score
    expected = torch.autograd.grad(loss, list(generator.parameters()))
    scores = discriminator(state_image(states)), discriminator(state_image(output.detach()))
    expected_d = torch.autograd.grad(discriminator_loss(*scores), list(discriminator.parameters()))
    trainer = Trainer(generator, discriminator, settings, "cpu")
    trainer.set_learning_rate(0.0)
    value = trainer.adversarial_step(audio, states)
    torch.testing.assert_close(value, loss.detach())
    for network, gradients in ((generator, expected), (discriminator, expected_d)):
        for parameter, gradient in zip(network.parameters(), gradients, strict=True):
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-5)


def fit_told(clips, name: str, **options: str) -> tuple[list[str], list[tuple[float, float, str]]]:
    """What a fit logs, and how it says how far it is."""
    lines, told = [], []
    context = replace(make_context(**options), log=lines.append, progress=lambda *one: told.append(one))
    spec(name).create(context).fit(clips, context)
    return lines, told


def test_a_step_is_the_one_that_plain_training_makes() -> None:
    """Autograd may give a gradient in another order of memory than its parameter's: each number must meet its own."""
    from facial_bench_facial.losses import regression_loss
    from facial_bench_facial.networks import FaceGenerator
    from facial_bench_facial.trainer import Trainer, build

    settings = settings_for("quick", {})
    generator = build(lambda: FaceGenerator(29), 0, "cpu")
    plain = copy.deepcopy(generator).train()
    rng = torch.Generator().manual_seed(0)
    audio, states = torch.randn(4, 143, 29, generator=rng), torch.randn(4, 128, 71, generator=rng)
    trainer = Trainer(generator, None, settings, "cpu")
    trainer.set_learning_rate(1e-3)
    trainer.generator_step(audio, states)
    optimiser = torch.optim.Adam(plain.parameters(), lr=1e-3)
    regression_loss(plain(audio, states[:, 0]), states, states[:, 0], settings.weights).backward()
    optimiser.step()
    for (name, ours), theirs in zip(generator.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-5, msg=name)


def test_training_lowers_the_loss(clips) -> None:
    losses = []
    for steps in ("20", "60"):
        lines, _ = fit_told(clips, "facial", steps=steps, adversarial_steps="0", fine_tune_steps="0")
        (line,) = (line for line in lines if line.startswith("training: "))
        losses.append(float(line.split("loss ")[1]))
    assert losses[1] < 0.85 * losses[0]


def test_progress_counts_every_step_and_lines_stay_few(clips) -> None:
    options = {"steps": "45", "adversarial_steps": "1", "fine_tune_steps": "30"}
    lines, told = fit_told(clips, "facial", **options)
    assert [one for one in told if one[2] == "training"] == [(n, 46, "training") for n in (20, 40, 45, 46)]
    done = [one[:2] for one in told if one[2] == "fine-tuning"]
    assert done == [(20, 60), (30, 60), (50, 60), (60, 60)], "both people are one part of the work"
    assert lines[0].startswith("facial: ") and "training windows of 2 identities" in lines[0]
    assert [line.partition(",")[0] for line in lines[1:]] == [
        "training: 45 generator steps",
        "training: 1 adversarial steps",
        "fine-tuning of ann: 30 generator steps",
        "fine-tuning of bob: 30 generator steps",
    ]
    assert {one[2] for one in fit_told(clips, "facial-no-finetuning", **options)[1]} == {"training"}


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


def test_options(fitted) -> None:
    for options, message in (
        ({"weights": "mine"}, r"weights=mine is not known; use weights=paper\|released"),
        ({"steps": "-3"}, "steps=-3 is not known; use a whole number from 0 up"),
        ({"batch": "1"}, "batch=1 is not known; use a whole number from 2 up"),
        ({"precision": "fp16"}, r"use precision=fp32\|tf32\|bf16"),
    ):
        with pytest.raises(FacialBenchError, match=message):
            settings_for("quick", options)
    good = {"weights": "released", "precision": "bf16", "compile": "yes", "smooth": "no"}
    for name in spec("facial").options:
        changed = settings_for("quick", {name: good.get(name, "7")})
        assert changed != settings_for("quick", {}), f"{name} is declared, so it changes something"
    with pytest.raises(FacialBenchError, match="Unknown budget 'fast'"):
        settings_for("fast", {})
    assert settings_for("paper", {"weights": "released"}).fine_tune_learning_rate == 1e-5
    assert settings_for("paper", {"steps": "7"}).steps == 7
    rough, smooth = (fitted(smooth=s).generate([make_request("ann", 150)])[0] for s in ("no", "yes"))
    np.testing.assert_array_equal(rough.expression, smooth.expression)
    assert np.abs(np.diff(rough.pose, 2, axis=0)).sum() > np.abs(np.diff(smooth.pose, 2, axis=0)).sum()


def test_paper_budget_counts_epochs() -> None:
    from facial_bench_facial.options import Variant
    from facial_bench_facial.training import fine_tuning_phases, general_phases

    settings = settings_for("paper", {})
    general, tuning = general_phases(settings, Variant(), 1000), fine_tuning_phases(settings, Variant(), 100)
    assert [(p.steps, p.batch, p.adversarial) for p in general if p.steps] == [(50 * 16, 64, True)]
    assert [(p.steps, p.batch, p.adversarial) for p in tuning if p.steps] == [(10 * 7, 16, True)]
    assert {p.learning_rate for p in (*general, *tuning)} == {1e-4}


def test_bf16_training_step_is_close_to_the_fp32_one() -> None:
    from facial_bench_facial.networks import FaceGenerator
    from facial_bench_facial.trainer import Trainer, build

    rng = torch.Generator().manual_seed(0)
    audio, states = torch.randn(2, 143, 29, generator=rng), torch.randn(2, 128, 71, generator=rng)
    losses = {}
    for precision in ("fp32", "tf32", "bf16"):
        trainer = Trainer(
            build(lambda: FaceGenerator(29), 0, "cpu"), None, settings_for("quick", {"precision": precision}), "cpu"
        )
        losses[precision] = float(trainer.generator_step(audio, states))
    assert losses["bf16"] != losses["fp32"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.02)
