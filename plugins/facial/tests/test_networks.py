"""The networks are the supplement's, size by size."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from facial_bench.errors import FacialBenchError
from facial_bench_facial.networks import (
    FaceGenerator,
    HalvingConvolution,
    LocalGenerator,
    RowConvolution,
    RowNorm,
    StateConvolution,
    TemporalGenerator,
    interpolation_matrix,
)


def shapes_of(network: nn.Module, kinds: tuple[type, ...], *inputs: torch.Tensor) -> list[tuple[int, ...]]:
    """Output shape, without the batch, of every layer of these kinds, in the order they run."""
    seen: list[tuple[int, ...]] = []
    for layer in network.modules():
        if isinstance(layer, kinds):
            layer.register_forward_hook(lambda _m, _i, output: seen.append(tuple(output.shape[1:])))
    network(*inputs)
    return seen


def test_temporal_generator_has_the_sizes_of_table_1() -> None:
    """From the state on rows before channels, the table's 256 x 128 being (128, 256)."""
    network = TemporalGenerator(29)
    audio, state = torch.randn(2, 128, 29), torch.randn(2, 71)
    convolutions = shapes_of(network, (nn.Conv2d, nn.Conv1d), audio, state)
    assert convolutions == [(32, 64, 13), (128, 32, 5), (256, 32, 2), (256, 32, 2), (128, 256), (128, 256), (128, 32)]
    assert network.with_state.weight.shape == (256, 327, 3)
    assert network(audio, state).shape == (2, 128, 32)
    assert network.encoder(audio.unsqueeze(1)).flatten(2).shape == (2, 256, 64)
    assert network.with_state.spread.shape == (128, 3 * 64 + 3)


@pytest.mark.parametrize("positions", [32, 64, 128])
def test_state_convolution_is_torchs_over_the_resized_rows_and_the_state(positions: int) -> None:
    layer = StateConvolution(6, 5, positions)
    rows, state = torch.randn(2, positions, 6), torch.randn(2, 71)
    plain = nn.Conv1d(6 + 71, 5, 3, padding=1)
    plain.load_state_dict(layer.state_dict())
    resized = nn.functional.interpolate(rows.transpose(1, 2), size=128, mode="linear", align_corners=False)
    concatenated = torch.cat([resized, state.unsqueeze(2).expand(-1, -1, 128)], dim=1)
    torch.testing.assert_close(layer(rows, state), plain(concatenated).transpose(1, 2), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("length", [1, 128])
def test_row_convolution_and_row_norm_are_torchs(length: int) -> None:
    layer, norm = RowConvolution(5, 7), RowNorm(7)
    plain, plain_norm = nn.Conv1d(5, 7, 3, padding=1), nn.BatchNorm1d(7)
    plain.load_state_dict(layer.state_dict())
    rows = torch.randn(4, length, 5)
    expected = plain_norm(plain(rows.transpose(1, 2))).transpose(1, 2)
    torch.testing.assert_close(norm(layer(rows)), expected)
    torch.testing.assert_close(norm.running_var, plain_norm.running_var)


def test_local_generator_has_the_sizes_of_table_2() -> None:
    """Rows before channels here, the table's 32 x 8 being (8, 32)."""
    convolutions = shapes_of(LocalGenerator(29), (nn.Conv1d, nn.Linear), torch.randn(3, 16, 29))
    assert convolutions == [(8, 32), (4, 32), (2, 64), (1, 64), (32,)]
    assert LocalGenerator(29)(100 * torch.randn(8, 16, 29)).abs().max() <= 1


@pytest.mark.parametrize("length", [2, 4, 16])
def test_halving_convolution_is_torchs(length: int) -> None:
    layer = HalvingConvolution(5, 7)
    plain = nn.Conv1d(5, 7, 3, stride=2, padding=1)
    plain.load_state_dict(layer.state_dict())
    rows = torch.randn(4, length, 5)
    torch.testing.assert_close(layer(rows), plain(rows.transpose(1, 2)).transpose(1, 2))


@pytest.mark.parametrize("features", [22, 26, 29, 42, 80])
def test_any_width_from_22(features: int) -> None:
    output = FaceGenerator(features)(torch.randn(2, 143, features), torch.randn(2, 71))
    assert output.shape == (2, 128, 71)


def test_too_narrow_audio_is_named() -> None:
    with pytest.raises(FacialBenchError, match=r"21 features.*at least 22"):
        FaceGenerator(21, temporal=False)


@pytest.mark.parametrize("source", [32, 64, 96])
def test_interpolation_is_torchs(source: int) -> None:
    x = torch.randn(3, 5, source)
    expected = nn.functional.interpolate(x.unsqueeze(2), size=(1, 128), mode="bilinear", align_corners=False)
    torch.testing.assert_close(x @ interpolation_matrix(source, 128), expected.squeeze(2))
    torch.testing.assert_close(interpolation_matrix(source, 128).sum(0), torch.ones(128))


def test_local_window_is_frames_t_minus_8_to_t_plus_7() -> None:
    network = FaceGenerator(29).eval()
    with torch.no_grad():
        for parameter in network.temporal.parameters():
            parameter.zero_()  # leave only G_loc's way
    audio, state = torch.randn(1, 143, 29), torch.zeros(1, 71)
    changed = audio.clone()
    changed[:, 8 + 60] += 1  # frame 60 of the window
    moved = (network(changed, state) - network(audio, state)).abs().amax(dim=(0, 2)) > 0
    assert moved.nonzero().flatten().tolist() == list(range(60 - 7, 60 + 8 + 1))


def test_temporal_generator_sees_the_frame_itself() -> None:
    network = FaceGenerator(29, local=False).eval()
    audio, state = torch.randn(1, 143, 29), torch.randn(1, 71)
    outside = audio.clone()
    outside[:, :8], outside[:, 136:] = 9.0, -9.0
    torch.testing.assert_close(network(outside, state), network(audio, state))
    inside = audio.clone()
    inside[:, 8] += 1
    assert (network(inside, state) - network(audio, state))[:, 0].abs().max() > 0


def test_ablations_remove_their_part() -> None:
    audio, state = torch.randn(1, 143, 29), torch.randn(1, 71)
    held = FaceGenerator(29, temporal=False).eval()
    far = audio.clone()
    far[:, 8 + 100 :] += 1  # frame 100 on; without G_tem frame 92 and before cannot know
    difference = (held(far, state) - held(audio, state)).abs().amax(dim=(0, 2))
    assert difference[:93].max() == 0 and difference[93:].max() > 0
    assert (held(audio, state + 1) - held(audio, state)).abs().amax() > 0  # the state still has its way
    full = FaceGenerator(29).eval()
    assert (full(far, state) - full(audio, state))[:, :93].abs().max() > 0
    assert FaceGenerator(29, local=False).local is None
