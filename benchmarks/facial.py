"""FACIAL-GAN: a training step and generation, against the plain formulation and against the arithmetic itself."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import torch
from facial_bench_facial.discriminator import PatchDiscriminator, state_image
from facial_bench_facial.networks import CONTEXT, WINDOW, FaceGenerator
from facial_bench_facial.options import settings_for
from facial_bench_facial.trainer import Trainer, build

from benchmarks.arithmetic import adversarial_count, count_layers, matrix_rate, training_count
from benchmarks.loop import LoopTrainer, with_weights_of
from benchmarks.timing import Timing, interleaved, peak_memory

Row = dict[str, object]
FEATURES, BATCH = 29, 16


def data(batch: int = BATCH) -> tuple[torch.Tensor, torch.Tensor]:
    """audio (B, 143, 29) and states (B, 128, 71), random."""
    rng = torch.Generator().manual_seed(0)
    return torch.randn(batch, CONTEXT, FEATURES, generator=rng), torch.randn(batch, WINDOW, 71, generator=rng)


def trainers(**options: str) -> tuple[Trainer, LoopTrainer]:
    """Ours and the plain one, with the same initial generator."""
    settings = settings_for("paper", options)
    generator = build(lambda: FaceGenerator(FEATURES), 0, "cpu")
    plain = LoopTrainer(with_weights_of(generator), settings.weights)
    return Trainer(generator, build(PatchDiscriminator, 1, "cpu"), settings, "cpu"), plain


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
    """Adversarial and generator-only steps at batch 16; floor = counted operations / matrix-product rate."""
    audio, states = data()
    ours, plain = trainers()
    generator = count_layers(ours.generator, audio, states[:, 0])
    classifier = count_layers(ours.discriminator, state_image(states))
    counts = {"adversarial": adversarial_count(generator, classifier), "generator-only": training_count(generator)}
    steps = {
        "adversarial": (ours.adversarial_step, plain.adversarial_step),
        "generator-only": (ours.generator_step, plain.generator_step),
    }
    rows = []
    for name, (fast, slow) in steps.items():
        rates: list[float] = []
        candidates: dict[str, Callable[[], object]] = {
            "ours": lambda fast=fast: fast(audio, states),
            "loop": lambda slow=slow: slow(audio, states),
            "rate": lambda rates=rates: rates.append(matrix_rate(3)),
        }
        times = interleaved(candidates, repetitions)
        # Best against best, and turn against turn: both sides of a ratio from the same moment of a shared machine.
        floor = 2 * counts[name] / max(rates)
        pairs = zip(times["ours"].runs, rates[1:], strict=True)
        turns = [seconds * rate / (2 * counts[name]) for seconds, rate in pairs]
        label = f"training step, {name}, batch {BATCH} ({counts[name] / 1e9:.1f} G multiply-adds)"
        rows.append({**row(label, times["ours"], times["loop"], floor), "median turn / floor": median(turns)})
    return rows


def generation_rows(repetitions: int) -> list[Row]:
    """One sequence of 128 frames."""
    audio, states = data(1)
    generator = build(lambda: FaceGenerator(FEATURES), 0, "cpu").eval()
    plain = with_weights_of(generator)
    with torch.inference_mode():
        calls = {"ours": lambda: generator(audio, states[:, 0]), "loop": lambda: plain(audio, states[:, 0])}
        times = interleaved(calls, 3 * repetitions)
    return [row(f"generation of {WINDOW} frames, alone", times["ours"], times["loop"])]


def variant_rows(repetitions: int) -> list[Row]:
    """What bfloat16 and torch.compile add: the generator-only step with each, in turns with the plain one."""
    audio, states = data()
    rows = []
    for name, options in (("bf16", {"precision": "bf16"}), ("torch.compile", {"compile": "yes"})):
        changed, plain = trainers(**options)[0], trainers()[0]
        try:
            times = interleaved(
                {
                    "changed": lambda changed=changed: changed.generator_step(audio, states),
                    "plain": lambda plain=plain: plain.generator_step(audio, states),
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
    start = "from benchmarks.facial import data, trainers\nours, plain = trainers()\naudio, states = data()\n"
    return [
        {"what": f"peak memory, {name}", "MiB": peak_memory(start + code)}
        for name, code in (
            ("networks only", ""),
            ("adversarial step, ours", "ours.adversarial_step(audio, states)"),
            ("adversarial step, loop", "plain.adversarial_step(audio, states)"),
        )
    ]
