"""Every term by hand, at zero, and against a loop."""

from __future__ import annotations

import pytest
import torch

from facial_bench_facial.losses import discriminator_loss, generator_adversarial_loss, regression_loss
from facial_bench_facial.options import LossWeights, paper_weights, released_weights


def only(**weights: float) -> LossWeights:
    return LossWeights(**{name: weights.get(name, 0.0) for name in LossWeights.__dataclass_fields__})


def test_zero_for_a_perfect_motion() -> None:
    target = torch.randn(2, 128, 71)
    assert regression_loss(target.clone(), target, target[:, 0], paper_weights()) == 0
    ones, zeros = (torch.ones(2, 1, 16), torch.ones(2, 1, 4, 4)), (torch.zeros(2, 1, 16), torch.zeros(2, 1, 4, 4))
    assert generator_adversarial_loss(ones, (3.0, 8.0)) == 0 == discriminator_loss(ones, zeros)


@pytest.mark.parametrize(
    ("part", "columns", "velocity"),
    [
        ("expression", slice(0, 64), "expression_velocity"),
        ("pose", slice(64, 70), "pose_velocity"),
        ("blink", slice(70, 71), "blink_velocity"),
    ],
)
def test_hand_worked_terms(part: str, columns: slice, velocity: str) -> None:
    target = torch.zeros(1, 4, 71)
    output = target.clone()
    output[0, 2, columns] = 3.0  # one frame of four off by 3: mean square 9/4; two of three steps off by 3: 18/3
    state = target[:, 0]
    assert regression_loss(output, target, state, only(**{part: 1.0})).item() == pytest.approx(9 / 4)
    assert regression_loss(output, target, state, only(**{velocity: 1.0})).item() == pytest.approx(6.0)
    others = [name for name in ("expression", "pose", "blink") if name != part]
    for other in others:
        assert regression_loss(output, target, state, only(**{other: 1.0, f"{other}_velocity": 1.0})) == 0


def test_hand_worked_first_state_and_adversarial() -> None:
    output = torch.zeros(1, 4, 71)
    state = torch.full((1, 71), -2.0)
    assert regression_loss(output, output, state, only(first_state=10.0)).item() == pytest.approx(20.0)
    scores = torch.tensor([[0.5, 3.0]]), torch.tensor([-1.0])
    assert generator_adversarial_loss(scores[:1], [1.0]).item() == pytest.approx((0.25 + 4) / 2)
    assert generator_adversarial_loss(scores, [3.0, 8.0]).item() == pytest.approx(3 * (0.25 + 4) / 2 + 8 * 4)
    real, generated = torch.tensor([[0.5]]), torch.tensor([[2.0], [0.0]])  # there may be more of the generated
    assert discriminator_loss([real], [generated]).item() == pytest.approx((0.25 + 4 / 2) / 2)
    both = discriminator_loss([real, torch.tensor([3.0])], [generated, torch.tensor([1.0])])
    assert both.item() == pytest.approx((0.25 + 4 / 2) / 2 + (4 + 1) / 2)


def test_every_score_has_its_weight() -> None:
    with pytest.raises(ValueError, match="zip"):
        generator_adversarial_loss([torch.ones(2)], [1.0, 2.0])
    with pytest.raises(ValueError, match="zip"):
        discriminator_loss([torch.ones(2)], [torch.ones(2), torch.ones(2)])


@pytest.mark.parametrize("weights", [LossWeights(), paper_weights(), released_weights()])
def test_against_a_loop(weights: LossWeights) -> None:
    rng = torch.Generator().manual_seed(0)
    output, target = torch.randn(2, 5, 71, generator=rng), torch.randn(2, 5, 71, generator=rng)
    state = torch.randn(2, 71, generator=rng)

    def squares(columns: range, change: bool) -> float:
        terms = []
        for b in range(2):
            for t in range(1 if change else 0, 5):
                for k in columns:
                    error = output[b, t, k].double() - target[b, t, k].double()
                    if change:
                        error = error - (output[b, t - 1, k].double() - target[b, t - 1, k].double())
                    terms.append(float(error) ** 2)
        return sum(terms) / len(terms)

    first = sum(abs(float(output[b, 0, k]) - float(state[b, k])) for b in range(2) for k in range(71)) / 142
    expected = weights.first_state * first
    for columns, weight, velocity in (
        (range(64), weights.expression, weights.expression_velocity),
        (range(64, 70), weights.pose, weights.pose_velocity),
        (range(70, 71), weights.blink, weights.blink_velocity),
    ):
        expected += weight * squares(columns, False) + velocity * squares(columns, True)
    assert regression_loss(output, target, state, weights).item() == pytest.approx(expected, rel=1e-5)
