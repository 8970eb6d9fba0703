"""The losses of FACIAL-GAN. A secondary source: the supplement gives no formula (see README).

States are standardised, (B, T, 71): expression 0..63, pose 64..69, blink 70. Every term is a mean over its
own numbers, so a term does not weigh more for having more columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from facial_bench.types import EXPRESSION_WIDTH
from facial_bench_facial.options import LossWeights


def mean_square(difference: Tensor) -> Tensor:
    """Mean of squares: the L2 loss of a term, a scalar."""
    return difference.square().mean()


def regression_loss(output: Tensor, target: Tensor, state: Tensor, weights: LossWeights) -> Tensor:
    """Expression, pose and blink (mean squares), their velocities, and the first state (L1).

    w_e |e^ - e|^2 + w_ev |de^ - de|^2 + the same of pose p and blink b + w_s |x^_0 - s|_1, where d is the
    difference of neighbouring frames and |.| a mean. output, target (B, T, 71); state (B, 71). A scalar.
    """
    error = (output - target).float()
    change = error.diff(dim=1)  # the difference of the differences: d is linear
    expression, pose, blink = slice(0, EXPRESSION_WIDTH), slice(EXPRESSION_WIDTH, -1), slice(-1, None)
    total = weights.first_state * (output[:, 0].float() - state).abs().mean()
    for part, weight, velocity in (
        (expression, weights.expression, weights.expression_velocity),
        (pose, weights.pose, weights.pose_velocity),
        (blink, weights.blink, weights.blink_velocity),
    ):
        total = total + weight * mean_square(error[..., part]) + velocity * mean_square(change[..., part])
    return total


def generator_adversarial_loss(scores: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Least-squares GAN, the generator's side: sum_k w_k mean (D_k(generated) - 1)^2, a scalar.

    Args:
        scores: of every discriminator k, any shape.
        weights: w_k.
    """
    terms = [weight * mean_square(score.float() - 1) for score, weight in zip(scores, weights, strict=True)]
    return torch.stack(terms).sum()


def discriminator_loss(real: Sequence[Tensor], generated: Sequence[Tensor]) -> Tensor:
    """Least-squares GAN, the discriminators' side: sum_k (mean (D_k(real) - 1)^2 + mean D_k(generated)^2) / 2."""
    pairs = zip(real, generated, strict=True)
    return torch.stack([0.5 * (mean_square(r.float() - 1) + mean_square(g.float())) for r, g in pairs]).sum()


def finite(value: Tensor) -> bool:
    """Whether a loss is a number; waits for the device, so for intervals only."""
    return bool(torch.isfinite(value))
