"""FACIAL-GAN: training steps and generation, against the plain formulation and against the arithmetic itself."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import torch
from facial_bench_facial.data import Batch
from facial_bench_facial.discriminator import Attributes, PatchDiscriminator
from facial_bench_facial.folded import FoldedGenerator
from facial_bench_facial.networks import CONTEXT, WINDOW, FaceGenerator
from facial_bench_facial.options import settings_for
from facial_bench_facial.trainer import Trainer, build

from benchmarks.arithmetic import adversarial_count, count_layers, forward_count, matrix_rate, training_count
from benchmarks.loop import LoopTrainer, with_weights_of
from benchmarks.timing import Timing, interleaved, peak_memory

Row = dict[str, object]
FEATURES, BATCH, PEOPLE = 29, 16, 5


def data(batch: int = BATCH, others: int = 0) -> Batch:
    """Random windows of five people, and `others` of other audio."""
    rng = torch.Generator().manual_seed(0)
    audio, states = torch.randn(batch, CONTEXT, FEATURES, generator=rng), torch.randn(batch, WINDOW, 71, generator=rng)
    other = torch.randn(others, CONTEXT, FEATURES, generator=rng)
    return Batch(audio, states, torch.arange(batch) % PEOPLE, other)


def trainers(**options: str) -> tuple[Trainer, LoopTrainer]:
    """Ours and the plain one, both with the paper's discriminator and the same initial generator."""
    settings = settings_for("paper", {"discriminator": "paper", "weights": "paper"} | options)
    generator = build(lambda: FaceGenerator(FEATURES), 0, "cpu")
    plain = LoopTrainer(with_weights_of(generator), settings.weights)
    ours = Trainer(generator, build(PatchDiscriminator, 1, "cpu"), settings, "cpu")
    ours.prepare(settings.learning_rate, adversarial=True)
    return ours, plain


def row(name: str, ours: Timing, loop: Timing | None = None, floor: float | None = None) -> Row:
    """One line of the table; ratios of medians, and the floor against the best run."""
    return {
        "what": name,
        "ours, ms": ours.median * 1e3,
        "best, ms": ours.best * 1e3,
        "per-frame loop, ms": loop.median * 1e3 if loop else "",
        "loop / ours": loop.median / ours.median if loop else "",
        "fp32 floor, ms": floor * 1e3 if floor else "",
        "best / floor": ours.best / floor if floor else "",
    }


def training_rows(repetitions: int) -> list[Row]:
    """The paper's two kinds of step at batch 16; floor = counted operations / matrix-product rate."""
    batch, (ours, plain) = data(), trainers()
    generator = count_layers(ours.generator, batch.audio, batch.states[:, 0])
    classifier = count_layers(build(PatchDiscriminator, 1, "cpu"), batch.states, batch.people)
    counts = {"adversarial": adversarial_count(generator, classifier), "generator-only": training_count(generator)}
    steps = {
        "adversarial": (ours.adversarial_step, plain.adversarial_step),
        "generator-only": (ours.generator_step, plain.generator_step),
    }
    rows = []
    for name, (fast, slow) in steps.items():
        rates: list[float] = []
        candidates: dict[str, Callable[[], object]] = {
            "ours": lambda fast=fast: fast(batch),
            "loop": lambda slow=slow: slow(batch),
            "rate": lambda rates=rates: rates.append(matrix_rate(3)),
        }
        times = interleaved(candidates, repetitions)
        # Best against best, and turn against turn: both sides of a ratio from the same moment of a shared machine.
        floor = 2 * counts[name] / max(rates)
        pairs = zip(times["ours"].runs, rates[1:], strict=True)
        turns = [seconds * rate / (2 * counts[name]) for seconds, rate in pairs]
        label = f"training step, {name}, the paper's networks, batch {BATCH} ({counts[name] / 1e9:.1f} G multiply-adds)"
        rows.append({**row(label, times["ours"], times["loop"], floor), "median turn / floor": median(turns)})
    return rows


def attribute_rows(repetitions: int) -> list[Row]:
    """The default's adversarial step: what the discriminators of pose and lids add to the same windows without them."""
    settings, batch = settings_for("quick", {}), data(others=BATCH)
    generator, discriminator = FaceGenerator(FEATURES), Attributes(PEOPLE)
    trainer = Trainer(generator, discriminator, settings, "cpu")
    trainer.prepare(settings.adversarial_learning_rate, adversarial=True)
    twice, generated = data(2 * BATCH), torch.randn(2 * BATCH, WINDOW, 71)
    times = interleaved(
        {
            "whole": lambda: trainer.adversarial_step(batch),
            "without": lambda: trainer.generator_step(twice),
            "alone": lambda: trainer.judge(discriminator, generated, batch),
        },
        2 * repetitions,
    )
    whole, without, alone = times["whole"], times["without"], times["alone"]
    return [
        {
            "what": f"training step, adversarial, pose and lids, batch {BATCH} and {BATCH} of other audio",
            "ours, ms": whole.median * 1e3,
            f"generator-only, batch {2 * BATCH}, ms": without.median * 1e3,
            "discriminators' passes, ms": alone.median * 1e3,
            "their share": alone.median / whole.median,
            "their share, best": alone.best / whole.best,
            "with / without": whole.median / without.median,
        }
    ]


def generation_rows(repetitions: int) -> list[Row]:
    """One sequence of 128 frames: folded, as the method generates; the networks as they are trained; the loop."""
    batch = data(1)
    network = build(lambda: FaceGenerator(FEATURES), 0, "cpu").eval()
    folded, plain = FoldedGenerator(network), with_weights_of(network)
    floor = 2 * forward_count(count_layers(network, batch.audio, batch.states[:, 0])) / matrix_rate()
    with torch.inference_mode():
        calls = {"ours": folded, "as trained": network, "loop": plain}
        state = batch.states[:, 0]
        times = interleaved(
            {name: lambda call=call: call(batch.audio, state) for name, call in calls.items()}, 5 * repetitions
        )
    ours, trained = times["ours"], times["as trained"]
    return [
        {
            **row(f"generation of {WINDOW} frames, alone", ours, times["loop"], floor),
            "frames/s": WINDOW / ours.median,
            "best, frames/s": WINDOW / ours.best,
            "not folded, ms": trained.median * 1e3,
            "not folded / ours": trained.median / ours.median,
        }
    ]


def variant_rows(repetitions: int) -> list[Row]:
    """What bfloat16 and torch.compile add: the generator-only step with each, in turns with the plain one."""
    batch, rows = data(), []
    for name, options in (("bf16", {"precision": "bf16"}), ("torch.compile", {"compile": "yes"})):
        changed, plain = trainers(**options)[0], trainers()[0]
        try:
            times = interleaved(
                {
                    "changed": lambda changed=changed: changed.generator_step(batch),
                    "plain": lambda plain=plain: plain.generator_step(batch),
                },
                max(repetitions // 2, 1),
            )
        except Exception as error:  # no compiler, or a processor that torch cannot compile for: a fact to report
            rows.append({"what": f"generator-only step, {name}: {type(error).__name__}"})
            continue
        rows.append(
            {
                "what": f"generator-only step, batch {BATCH}, {name}",
                "ms": times["changed"].median * 1e3,
                "without it, ms": times["plain"].median * 1e3,
                "without / with": times["plain"].median / times["changed"].median,
            }
        )
    return rows


def memory_rows(repetitions: int) -> list[Row]:
    """Peak resident memory of fresh processes."""
    start = "from benchmarks.facial import data, trainers\nours, plain = trainers()\nbatch = data()\n"
    return [
        {"what": f"peak memory, {name}", "MiB": peak_memory(start + code)}
        for name, code in (
            ("networks only", ""),
            ("adversarial step, ours", "ours.adversarial_step(batch)"),
            ("adversarial step, loop", "plain.adversarial_step(batch)"),
        )
    ]
