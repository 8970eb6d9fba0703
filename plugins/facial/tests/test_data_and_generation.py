"""Statistics, windows and chains."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from toy_corpus import make_clip

from facial_bench.errors import CorpusError
from facial_bench.types import Motion
from facial_bench_facial.data import measure, plan, training_set
from facial_bench_facial.generation import chain_starts, generate_states


def test_standardised_and_back(clips) -> None:
    statistics = measure(clips)
    state = clips[0].motion.state()
    back = statistics.physical_state("ann", statistics.standard_state("ann", state))
    np.testing.assert_allclose(back, state, atol=1e-5)
    ann = np.concatenate([statistics.standard_state("ann", c.motion.state()) for c in clips if c.identity == "ann"])
    np.testing.assert_allclose(ann[:, [64, 69]].mean(axis=0), 0, atol=1e-3)  # the pose: per person
    np.testing.assert_allclose(ann[:, [64, 69]].std(axis=0), 1, atol=1e-3)
    everyone = np.concatenate([statistics.standard_state(c.identity, c.motion.state()) for c in clips])
    assert np.median(ann[:, 70]) == pytest.approx(0, abs=1e-3)  # blink: around the person's median ...
    assert np.sqrt((everyone[:, 70] ** 2).mean()) == pytest.approx(1, abs=1e-3)  # ... on one scale for everybody
    assert len({own[1, 70] for own in statistics.states.values()}) == 1
    assert np.sqrt((everyone[:, :64] ** 2).mean()) == pytest.approx(1, abs=1e-3)  # expression: one number
    assert len(np.unique(statistics.states["ann"][1, :64])) == 1


def test_invalid_frames_do_not_count(clips) -> None:
    clip = clips[0]
    valid = np.arange(clip.frames) != 50
    broken = Motion(clip.motion.expression.copy(), clip.motion.pose.copy(), clip.motion.blink.copy())
    broken.pose[50] = np.nan
    statistics = measure([replace(clip, motion=broken, valid=valid), *clips[1:]])
    assert np.isfinite(statistics.states["ann"]).all()
    data = training_set([replace(clip, motion=broken, valid=valid)], statistics, 1, "cpu")
    assert data.starts.tolist() == list(range(51, 200 - 128 + 1))
    with pytest.raises(CorpusError, match="clip 'ann0' has motion that is not finite"):
        measure([replace(clip, motion=broken), *clips[1:]])


def test_windows_are_the_clips_own_frames(clips) -> None:
    statistics = measure(clips)
    short = make_clip("short", "bob", 100, np.random.default_rng(5))
    data = training_set([short, *clips], statistics, 5, "cpu")
    assert len(data.starts) == 4 * 15 and [len(w) for w in data.windows.values()] == [30, 30]
    batch = data.batch(data.windows["bob"][[3, 14]], data.windows["ann"][[3, 14, 20]])
    assert batch.audio.shape == (2, 143, 29) and batch.states.shape == (2, 128, 71)
    source = statistics.standard_audio(clips[2].audio)
    np.testing.assert_array_equal(batch.audio[0], source[15 - 8 : 15 + 135])
    np.testing.assert_array_equal(batch.audio[1, :-7], source[70 - 8 : 70 + 128][:136])
    np.testing.assert_array_equal(batch.states[0], statistics.standard_state("bob", clips[2].motion.state())[15:143])
    assert batch.other.shape == (3, 143, 29)
    np.testing.assert_array_equal(batch.other[0], statistics.standard_audio(clips[0].audio)[15 - 8 : 15 + 135])
    first = data.batch(data.windows["bob"][:1], data.windows["bob"][:0])
    np.testing.assert_array_equal(first.audio[0, :8], np.repeat(source[:1], 8, axis=0))  # the edge is held
    assert first.other.shape == (0, 143, 29)


def test_everybody_has_the_number_of_their_place(clips) -> None:
    """Whoever has no window has no number, and the order of the clips plays no part."""
    short = make_clip("short", "abe", 100, np.random.default_rng(5))
    everybody = [short, *reversed(clips)]
    data = training_set(everybody, measure(everybody), 5, "cpu")
    assert list(data.windows) == ["ann", "bob"]
    for number, windows in enumerate(data.windows.values()):
        assert data.batch(windows, windows[:0]).people.tolist() == [number] * 30


def test_nothing_to_learn_from_is_said(clips) -> None:
    short = [make_clip(f"s{i}", "ann", 127, np.random.default_rng(i)) for i in range(3)]
    with pytest.raises(CorpusError, match="no training clip has 128 valid frames"):
        training_set(short, measure(short), 5, "cpu")
    with pytest.raises(CorpusError, match="no valid frame"):
        measure([replace(clips[0], valid=np.zeros(200, bool))])


def test_a_plan_is_whole_epochs_in_new_orders() -> None:
    windows = torch.arange(10, 16)
    drawn = plan(windows, 4, 6, torch.Generator().manual_seed(0))
    assert drawn.shape == (6, 4)
    epochs = drawn.flatten().view(4, 6).tolist()
    assert [sorted(epoch) for epoch in epochs] == [list(range(10, 16))] * 4, (
        "a batch may begin in one and end in another"
    )
    assert len({tuple(epoch) for epoch in epochs}) > 1
    assert torch.equal(plan(windows, 4, 6, torch.Generator().manual_seed(0)), drawn)
    assert not torch.equal(plan(windows, 4, 6, torch.Generator().manual_seed(1)), drawn)


def test_a_batch_may_be_larger_than_an_epoch() -> None:
    (batch,) = plan(torch.tensor([3, 5]), 5, 1, torch.Generator().manual_seed(0)).tolist()
    assert sorted(batch[:2]) == sorted(batch[2:4]) == [3, 5] and batch[4] in (3, 5)


@pytest.mark.parametrize(("batch", "steps"), [(4, 0), (0, 5), (0, 0)])
def test_an_empty_plan_draws_nothing(batch: int, steps: int) -> None:
    rng = torch.Generator().manual_seed(0)
    before = rng.get_state()
    drawn = plan(torch.arange(5), batch, steps, rng)
    assert drawn.shape == (steps, batch) and drawn.dtype == torch.int64
    assert torch.equal(rng.get_state(), before)


@pytest.mark.parametrize("frames", [1, 2, 127, 128, 129, 255, 256, 300, 381, 382, 383, 5000])
def test_chain_covers_every_frame_and_ends_with_the_audio(frames: int) -> None:
    starts = chain_starts(frames)
    assert starts[0] == 0 and starts[-1] + 128 == max(frames, 128)
    assert all(0 < b - a <= 127 for a, b in itertools.pairwise(starts))
    assert starts[: len(starts) - 1] == [127 * i for i in range(len(starts) - 1)]


class Counter(nn.Module):
    """Frame t of a window is its initial state + t: chained rightly, the result counts on across joins."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = 0

    def forward(self, audio: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        assert audio.shape[1:] == (143, 3)
        self.largest = max(self.largest, len(audio))
        return state.unsqueeze(1) + torch.arange(128.0).view(1, -1, 1)


def test_chaining_joins() -> None:
    lengths = [1, 100, 128, 129, 400, 5000]
    audio = [np.zeros((n, 3), np.float32) for n in lengths]
    initial = [np.full(71, 10.0 * i, np.float32) for i in range(len(lengths))]
    network = Counter()
    for i, states in enumerate(generate_states(network, audio, initial, "cpu")):
        np.testing.assert_array_equal(states, np.repeat(10.0 * i + np.arange(lengths[i])[:, None], 71, axis=1))
    assert network.largest == len(lengths)
    generate_states(network, [np.zeros((5, 3), np.float32)] * 200, [initial[0]] * 200, "cpu")
    assert network.largest == 64
