"""A small procedural corpus: two people whose mouths, heads and eyes follow the sound in their own ways."""

from __future__ import annotations

import numpy as np
import torch

from facial_bench.types import STATE_WIDTH, Camera, Clip, Context, CorpusInfo, Motion, Request
from facial_bench_facial.data import Batch
from facial_bench_facial.networks import CONTEXT, WINDOW

FEATURES = 29


def make_clip(name: str, identity: str, frames: int, rng: np.random.Generator, features: int = FEATURES) -> Clip:
    """Audio is smoothed noise; the face is a fixed linear image of it, the head turns with it."""
    noise = rng.normal(size=(frames + 8, features))
    audio = np.stack([noise[i : i + 9].mean(axis=0) * 3 for i in range(frames)]).astype(np.float32)
    mixing = np.random.default_rng(7).normal(size=(features, 64)) / (1 + np.arange(64))
    person = 1.0 if identity == "ann" else -1.0
    expression = (audio @ mixing * 0.3).astype(np.float32)
    pose = np.zeros((frames, 6), np.float32)
    pose[:, 0] = 0.1 * person + 0.05 * person * audio[:, 0]
    pose[:, 5] = -26 + person + 0.2 * audio[:, 1]
    blink = np.clip(0.1 + 0.05 * person + 0.2 * (audio[:, 2] > 1), 0, 1).astype(np.float32)
    landmarks = np.zeros((frames, 68, 3), np.float32)
    motion = Motion(expression, pose, blink)
    return Clip(name, identity, name, audio, motion, landmarks, np.ones(frames, bool), Camera(256, 256, 209.0))


def make_context(features: int = FEATURES, seed: int = 3, **options: str) -> Context:
    """A context with tiny step counts unless `options` say otherwise; `device` may be among them."""
    device = options.pop("device", "cpu")
    chosen = {"steps": "3", "adversarial_steps": "1", "fine_tune_steps": "2", "batch": "4"} | options
    corpus = CorpusInfo("toy", "1", "0" * 64, 25.0, "noise", features, "cm", "px", "closure", ("ann", "bob"))
    return Context(corpus, seed, device, "quick", chosen)


def make_request(identity: str, frames: int, seed: int = 0, features: int = FEATURES) -> Request:
    """A request whose audio is new and whose initial state is plain."""
    rng = np.random.default_rng(1000 + seed)
    clip = make_clip("driving", identity, frames, rng, features)
    state = np.zeros(STATE_WIDTH, np.float32)
    state[64], state[69], state[70] = 0.1, -26.0, 0.1
    return Request(f"self/{identity}{frames}", identity, clip.audio, state, 25.0, seed)


def make_batch(size: int = 2, others: int = 0, features: int = FEATURES, seed: int = 0) -> Batch:
    """Noise, of two people in turn; with other audio or without, the rest is the same."""
    rng = torch.Generator().manual_seed(seed)
    states = torch.randn(size, WINDOW, STATE_WIDTH, generator=rng)
    audio = torch.randn(size, CONTEXT, features, generator=rng)
    other = torch.randn(others, CONTEXT, features, generator=rng)
    return Batch(audio, states, torch.arange(size) % 2, other)
