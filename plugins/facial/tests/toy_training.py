"""A small training set of noise, and the networks that learn from it."""

from __future__ import annotations

import torch
from toy_corpus import FEATURES

from facial_bench.types import STATE_WIDTH
from facial_bench_facial.data import TrainingSet
from facial_bench_facial.discriminator import Attributes, Discriminator, PatchDiscriminator
from facial_bench_facial.networks import FaceGenerator
from facial_bench_facial.trainer import build


def make_training_set() -> TrainingSet:
    """Noise: two people of 10 and 7 windows."""
    rng = torch.Generator().manual_seed(0)
    audio, states = torch.randn(320, FEATURES, generator=rng), torch.randn(320, STATE_WIDTH, generator=rng)
    starts, people = torch.cat([torch.arange(10), 160 + torch.arange(7)]), (torch.arange(17) >= 10).long()
    return TrainingSet(audio, states, starts, people, {"ann": torch.arange(10), "bob": torch.arange(10, 17)})


def make_networks(judge: str, device: str = "cpu") -> tuple[FaceGenerator, Discriminator]:
    """A generator, and a discriminator of two people: attributes or paper."""
    discriminator = (lambda: Attributes(2)) if judge == "attributes" else PatchDiscriminator
    return build(lambda: FaceGenerator(FEATURES), 0, device), build(discriminator, 1, device)
