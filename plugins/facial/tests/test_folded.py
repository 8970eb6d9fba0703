"""The arrangement for generation against the networks themselves."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from facial_bench_facial.folded import FoldedGenerator, PatchProduct, dense
from facial_bench_facial.networks import FaceGenerator


def far_from_trivial(features: int, temporal: bool = True, local: bool = True) -> FaceGenerator:
    """A generator whose batch normalisations shift and scale a lot, some channels by nothing or by less."""
    torch.manual_seed(0)
    generator = FaceGenerator(features, temporal, local).eval()
    for norm in (m for m in generator.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)):
        norm.running_mean.normal_(0, 0.5)
        norm.running_var.uniform_(0.2, 3)
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
        nn.init.zeros_(norm.weight[:2])
    return generator


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("features", [22, 29, 42])
def test_outputs_are_equal(features: int, batch: int) -> None:
    generator = far_from_trivial(features)
    folded = FoldedGenerator(generator)
    audio, state = torch.randn(batch, 143, features), torch.randn(batch, 71)
    with torch.inference_mode():
        torch.testing.assert_close(folded(audio, state), generator(audio, state), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("temporal", "local"), [(False, True), (True, False), (False, False)])
def test_ablations_are_equal(temporal: bool, local: bool) -> None:
    generator = far_from_trivial(29, temporal, local)
    audio, state = torch.randn(2, 143, 29), torch.randn(2, 71)
    with torch.inference_mode():
        torch.testing.assert_close(FoldedGenerator(generator)(audio, state), generator(audio, state), rtol=0, atol=1e-5)


@pytest.mark.parametrize("padding", [(1, 1), (1, 2), (0, 0)])
def test_shift_is_missing_at_the_padding(padding: tuple[int, int]) -> None:
    layer, norm = nn.Conv2d(3, 4, 4, stride=(1, 2)), nn.BatchNorm2d(3).eval()
    nn.init.normal_(norm.bias)
    x = torch.randn(2, 3, 9, 8)
    plain = layer(nn.functional.pad(norm(x), (0, 0, *padding)))
    folded = PatchProduct(layer, norm, padding, 9)(x.permute(0, 2, 3, 1))
    torch.testing.assert_close(folded.permute(0, 3, 1, 2), plain, rtol=0, atol=1e-5)


def test_same_input_gives_the_same_bits() -> None:
    folded = FoldedGenerator(far_from_trivial(29))
    audio, state = torch.randn(3, 143, 29), torch.randn(3, 71)
    with torch.inference_mode():
        first = folded(audio, state)
        assert torch.equal(folded(audio, state), first)
        torch.testing.assert_close(folded(audio[1:2], state[1:2]), first[1:2], rtol=0, atol=1e-5)


def test_later_changes_of_the_network_do_not_reach_it() -> None:
    generator = far_from_trivial(29, temporal=False)
    folded = FoldedGenerator(generator)
    audio, state = torch.randn(1, 143, 29), torch.randn(1, 71)
    with torch.no_grad():
        before = folded(audio, state)
        for parameter in generator.parameters():
            parameter.zero_()
        assert torch.equal(folded(audio, state), before)
    assert not any(parameter.requires_grad for parameter in dense(torch.ones(2, 3), torch.ones(2)).parameters())


def test_folding_draws_no_random_numbers() -> None:
    generator = far_from_trivial(29)
    before = torch.get_rng_state()
    FoldedGenerator(generator)
    assert torch.equal(torch.get_rng_state(), before)
