"""The discriminators: sizes, parameters, scores by a loop, and what each may look at."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from facial_bench_facial.discriminator import AttributeDiscriminator, Attributes, PatchDiscriminator, state_image
from facial_bench_facial.options import LossWeights

PEOPLE = torch.tensor([0, 2, 1])


def states(seed: int = 0) -> torch.Tensor:
    return torch.randn(3, 128, 71, generator=torch.Generator().manual_seed(seed))


def known(network: nn.Module) -> nn.Module:
    """The network, each person with an own term."""
    rng = torch.Generator().manual_seed(1)
    for layer in network.modules():
        if isinstance(layer, nn.Embedding):
            layer.weight.data.normal_(generator=rng)
    return network


def seen(discriminator: AttributeDiscriminator, values: torch.Tensor) -> torch.Tensor:
    """(B, T, C) values -> what the first layer is given, (B, T, 2 C)."""
    inputs: list[torch.Tensor] = []
    hook = discriminator.layers.register_forward_pre_hook(lambda _m, given: inputs.append(given[0].detach()))
    discriminator(values, torch.zeros(len(values), dtype=torch.int64))
    hook.remove()
    return inputs[0]


def test_an_attribute_has_the_sizes_and_parameters_told() -> None:
    network, sizes = AttributeDiscriminator(6, 3), []
    for layer in network.modules():
        if isinstance(layer, nn.Conv1d | nn.Linear):
            layer.register_forward_hook(lambda _m, _i, output: sizes.append(tuple(output.shape)))
    assert network(states()[..., 64:70], PEOPLE).shape == (3, 1, 16)
    assert sizes == [(3, 64, 64), (3, 32, 128), (3, 16, 128), (3, 16, 1)]
    by_hand = (12 * 64 * 5 + 64) + (64 * 128 * 5 + 128) + (128 * 128 * 5 + 128) + (128 + 1) + 3 * 128
    assert sum(p.numel() for p in network.parameters()) == by_hand
    lids = (2 * 64 * 5 + 64) - (12 * 64 * 5 + 64) + by_hand
    assert sum(p.numel() for p in Attributes(3).parameters()) == by_hand + lids


@pytest.mark.parametrize("columns", [1, 6])
def test_a_score_by_a_loop(columns: int) -> None:
    network = known(AttributeDiscriminator(columns, 3))
    values = states()[..., :columns]
    weights = {name: value.detach().double().numpy() for name, value in network.named_parameters()}
    for b, person in enumerate(PEOPLE.tolist()):
        motion = values[b].double().numpy()
        rows = np.zeros((128, 2 * columns))
        for t in range(128):
            rows[t, :columns] = motion[t]
            rows[t, columns:] = 3 * (motion[t] - motion[t - 1]) if t else 0
        for number in (0, 2, 4):  # the layers between are leaky ReLUs
            kernel, bias = weights[f"layers.{number}.weight"], weights[f"layers.{number}.bias"]
            out = np.tile(bias, (len(rows) // 2, 1))
            for t in range(len(out)):
                for k in range(5):
                    at = 2 * t - 2 + k
                    if 0 <= at < len(rows):
                        out[t] += kernel[:, :, k] @ rows[at]
            rows = np.where(out > 0, out, 0.2 * out)
        own = weights["score.weight"][0] + weights["person.weight"][person]
        expected = [own @ patch + weights["score.bias"][0] for patch in rows]
        np.testing.assert_allclose(network(values, PEOPLE)[b, 0].detach(), expected, atol=1e-4)


def test_differences_are_tripled_and_the_first_is_none() -> None:
    values = torch.zeros(1, 128, 1)
    values[0, :4, 0] = torch.tensor([1.0, 4.0, 2.0, 2.0])
    given = seen(AttributeDiscriminator(1, 1), values)
    assert given.shape == (1, 128, 2)
    assert given[0, :5].T.tolist() == [[1, 4, 2, 2, 0], [0, 9, -6, 0, -6]]


def test_another_level_changes_the_values_alone() -> None:
    network, values = AttributeDiscriminator(6, 1), states()[..., 64:70]
    level = torch.tensor([5.0, -2.0, 0.0, 1.0, 3.0, 7.0])
    before, after = seen(network, values), seen(network, values + level)
    torch.testing.assert_close(after[..., :6], before[..., :6] + level)
    torch.testing.assert_close(after[..., 6:], before[..., 6:], rtol=0, atol=1e-5)
    people = torch.zeros(3, dtype=torch.int64)
    assert (network(values + level, people) - network(values, people)).abs().max() > 0.01


def test_a_person_counts_once_it_is_learnt_who_they_are() -> None:
    network, values = AttributeDiscriminator(6, 3), states()[:1, :, 64:70].expand(2, -1, -1)
    people = torch.tensor([0, 2])
    scores = network(values, people)
    torch.testing.assert_close(scores[0], scores[1], rtol=0, atol=0)
    (scores[0] - 1).square().mean().add(scores[1].square().mean()).backward()
    gradient = network.person.weight.grad.abs().amax(dim=1)
    assert gradient[0] > 0 and gradient[2] > 0 and gradient[1] == 0, "whoever is not there learns nothing"
    torch.optim.SGD([network.person.weight], lr=0.1).step()
    after = network(values, people).mean(dim=(1, 2))
    assert after[0] > after[1] + 1e-4, "the same motion is more that of the one it was real of"
    torch.testing.assert_close(network(values, torch.tensor([1, 1]))[0], scores[0])


@pytest.mark.parametrize(("term", "own"), [(0, slice(64, 70)), (1, slice(70, 71))], ids=["pose", "lids"])
def test_each_attribute_looks_at_its_own_columns(term: int, own: slice) -> None:
    network, motion = known(Attributes(3)), states()
    others = torch.ones(71, dtype=torch.bool)
    others[own] = False
    strange = torch.where(others, states(9), motion)
    before = network(motion, PEOPLE)
    assert [score.shape for score in before] == [(3, 1, 16), (3, 1, 16)]
    assert torch.equal(network(strange, PEOPLE)[term], before[term])
    leaf = motion.clone().requires_grad_()
    network(leaf, PEOPLE)[term].sum().backward()
    assert ((leaf.grad.abs().amax(dim=(0, 1)) > 0) == ~others).all(), "every column of its own, and no other"


def test_windows_are_judged_one_by_one() -> None:
    network, motion = known(Attributes(3)), states()
    for together, alone in zip(network(motion, PEOPLE), network(motion[1:2], PEOPLE[1:2]), strict=True):
        torch.testing.assert_close(together[1:2], alone)


def test_the_papers_has_the_sizes_and_parameters_noted() -> None:
    network, sizes = PatchDiscriminator(), []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda _m, _i, output: sizes.append(tuple(output.shape[1:])))
    (score,) = network(states(), PEOPLE)
    assert score.shape == (3, 1, 32, 9)
    assert sizes == [(64, 128, 36), (128, 64, 18), (256, 32, 9), (512, 32, 9), (1, 32, 9)]
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, 2) == 1.56
    assert torch.equal(network(states(), PEOPLE.flip(0))[0], score)


def test_state_image_stacks_states_and_differences() -> None:
    image = state_image(torch.tensor([[[1.0, 5.0], [4.0, 5.0], [2.0, 6.0]]]))
    assert image.tolist() == [[[[1, 5], [4, 5], [2, 6], [3, 0], [-2, 1]]]]
    assert state_image(states()).shape == (3, 1, 255, 71)


@pytest.mark.parametrize("network", [Attributes(3), PatchDiscriminator()], ids=["attributes", "paper"])
def test_every_score_has_a_weight(network: Attributes | PatchDiscriminator) -> None:
    assert len(network(states(), PEOPLE)) == len(network.terms)
    assert set(network.terms) <= set(LossWeights.__dataclass_fields__)
