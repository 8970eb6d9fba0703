"""The fast networks against the plain per-frame loop that the benchmark measures them by."""

from __future__ import annotations

import pytest
import torch

from facial_bench_facial.data import Batch
from facial_bench_facial.networks import FaceGenerator
from facial_bench_facial.options import paper_weights

loop = pytest.importorskip("benchmarks.loop", reason="the benchmarks folder is not beside this distribution")


def warmed_up(features: int = 29) -> FaceGenerator:
    """A generator whose batch normalisation has seen data, so that eval mode is not trivial."""
    rng = torch.Generator().manual_seed(1)
    generator = FaceGenerator(features)
    for _ in range(3):
        generator(torch.randn(4, 143, features, generator=rng), torch.randn(4, 71, generator=rng))
    return generator


@pytest.mark.parametrize("features", [22, 29, 42])
def test_outputs_are_equal(features: int) -> None:
    generator = warmed_up(features).eval()
    plain = loop.with_weights_of(generator, features)
    rng = torch.Generator().manual_seed(0)
    audio, state = torch.randn(3, 143, features, generator=rng), torch.randn(3, 71, generator=rng)
    with torch.no_grad():
        torch.testing.assert_close(generator(audio, state), plain(audio, state), rtol=0, atol=1e-5)


def test_counted_arithmetic_is_the_specifications() -> None:
    arithmetic = pytest.importorskip("benchmarks.arithmetic")
    from facial_bench_facial.discriminator import PatchDiscriminator

    discriminator = arithmetic.count_layers(
        PatchDiscriminator(), torch.randn(1, 128, 71), torch.zeros(1, dtype=torch.int64)
    )
    assert [layer.first for layer in discriminator] == [True, False, False, False, False]
    assert round(16 * arithmetic.forward_count(discriminator) / 1e9, 1) == 8.2
    generator = arithmetic.count_layers(FaceGenerator(29), torch.randn(1, 143, 29), torch.randn(1, 71))
    assert round(16 * arithmetic.forward_count(generator) / 1e9, 1) == 2.0
    by_hand = 32 * 3 * 29 * 8 + 32 * 3 * 32 * 4 + 64 * 3 * 32 * 2 + 64 * 3 * 64 + 64 * 32  # Table 2, one window
    assert sum(layer.forward for layer in generator[7:12]) == 128 * by_hand


def test_plain_training_lowers_its_loss() -> None:
    trainer = loop.LoopTrainer(loop.with_weights_of(warmed_up()), paper_weights(), rate=1e-3)
    rng = torch.Generator().manual_seed(0)
    audio, states = torch.randn(2, 143, 29, generator=rng), torch.randn(2, 128, 71, generator=rng)
    batch = Batch(audio, states, torch.zeros(2, dtype=torch.int64), torch.zeros(0, 143, 29))
    before = trainer.generator(audio, states[:, 0]).sub(states).square().mean()
    for _ in range(3):
        trainer.adversarial_step(batch)
    assert trainer.generator(audio, states[:, 0]).sub(states).square().mean() < before
