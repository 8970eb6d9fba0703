"""The generator of FACIAL-GAN: G_tem (supplement, Table 1), G_loc (Table 2) and their fusion.

Axis names: B windows of a batch, T = 128 frames of a window, F audio features, S = 71 numbers of a face state.
A window of audio carries its context: frames -8 .. T+6 around its own, so that the 16-frame window of
frame t (t-8 .. t+7) is a view of it and is never stored.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from facial_bench.errors import FacialBenchError
from facial_bench.types import STATE_WIDTH

WINDOW = 128
BEFORE, AFTER = 8, 7
LOCAL_WINDOW = BEFORE + 1 + AFTER
CONTEXT = BEFORE + WINDOW + AFTER
MIN_FEATURES = 22
LATENT = 32


def temporal_features(width: int) -> int:
    """How many feature columns are left after G_tem's three 4 x 4 convolutions: 2 of 29.

    Raises FacialBenchError below 22, where none is left.
    """
    if width < MIN_FEATURES:
        raise FacialBenchError(
            f"facial: the corpus's audio has {width} features a frame, and G_tem's 4 x 4 convolutions need at least "
            f"{MIN_FEATURES}; import the corpus with a wider audio feature."
        )
    return ((width - 4) // 2 - 3) // 2 - 2


def interpolation_matrix(source: int, target: int) -> Tensor:
    """(source, target) float32 weights of linear interpolation, half-pixel centres, edges held.

    The same numbers as torch's bilinear resize of one axis; as a matrix product its gradient is
    deterministic on every device.
    """
    position = ((torch.arange(target, dtype=torch.float64) + 0.5) * source / target - 0.5).clamp(0, source - 1)
    left = position.floor().long().clamp(max=max(source - 2, 0))
    share = position - left
    matrix = torch.zeros(source, target, dtype=torch.float64)
    columns = torch.arange(target)
    matrix[left, columns] += 1 - share
    matrix[(left + 1).clamp(max=source - 1), columns] += share
    return matrix.float()


class RowNorm(nn.BatchNorm1d):
    """Batch normalisation of rows (B, L, C): a channel's statistics are over all windows and rows."""

    def forward(self, rows: Tensor) -> Tensor:
        """rows (B, L, C) -> (B, L, C)."""
        return super().forward(rows.flatten(0, 1)).view(rows.shape)


class RowConvolution(nn.Conv1d):
    """A convolution of odd size over rows (B, L, C), zeros around them -> (B, L / stride, C').

    The rows are an image one pixel high, channels last: routines for images take it as it lies in memory, and those for
    one dimension would copy it.
    """

    def __init__(self, before: int, after: int, size: int = 3, stride: int = 1) -> None:
        super().__init__(before, after, size, stride, size // 2)

    def forward(self, rows: Tensor) -> Tensor:
        """rows (B, L, C) -> (B, L / stride, C')."""
        image = rows.transpose(1, 2).unsqueeze(2)
        padding = (0, self.kernel_size[0] // 2)
        image = nn.functional.conv2d(image, self.weight.unsqueeze(2), self.bias, (1, self.stride[0]), padding)
        return image.squeeze(2).transpose(1, 2)


class StateConvolution(nn.Conv1d):
    """Interpolation of P rows to 128 frames, and a convolution of 3, padding 1, over them with the state s repeated on
    every frame: 256 + 71 channels (Table 1).

    Both are linear. So the weights of each tap meet the P rows, which are fewer, and the state, which is one; what a
    frame takes of these 3 P + 3 rows is a constant matrix.
    """

    spread: Tensor
    """(128, 3 P + 3): the interpolation as each tap sees it, position by position, and 0 where a tap of the state meets
    the padding, else 1."""
    bias: Tensor

    def __init__(self, channels: int, after: int, positions: int) -> None:
        super().__init__(channels + STATE_WIDTH, after, 3, padding=1)
        frames = nn.functional.pad(interpolation_matrix(positions, WINDOW), (1, 1))
        rows = torch.stack([frames[:, tap : tap + WINDOW] for tap in range(3)], dim=1).flatten(0, 1)
        present = torch.ones(3, WINDOW)
        present[0, 0] = present[2, -1] = 0
        self.register_buffer("spread", torch.cat([rows, present]).t().contiguous(), persistent=False)

    def forward(self, rows: Tensor, state: Tensor) -> Tensor:  # type: ignore[override]
        """rows (B, P, C), state (B, 71) -> (B, 128, C')."""
        batch, channels = len(rows), rows.shape[2]
        weight = self.weight.permute(2, 0, 1).flatten(0, 1)  # (3 C', C + 71)
        bias = nn.functional.pad(self.bias, (self.out_channels, self.out_channels))  # of the tap that is always there
        own = nn.functional.linear(rows, weight[:, :channels]).view(batch, -1, self.out_channels)
        held = nn.functional.linear(state, weight[:, channels:], bias).view(batch, 3, self.out_channels)
        return self.spread.to(own.dtype) @ torch.cat([own, held], dim=1)


class TemporalGenerator(nn.Module):
    """G_tem: audio (B, 128, F) and the initial state (B, 71) -> z (B, 128, 32). Supplement, Table 1.

    Each convolution is followed by leaky ReLU and batch normalisation, in that order; the last one by
    neither, so that z is unbounded (our choice). Features are never padded; time is padded by 1 on each side,
    and by 1 before and 2 after in the 4 x 4 layer of stride 1: the sizes of the table.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        positions = WINDOW // 4 * temporal_features(features)
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 4, stride=2, padding=(1, 0)),
            nn.LeakyReLU(0.2, inplace=True),
            nn.BatchNorm2d(32),
            nn.Conv2d(32, 128, 4, stride=2, padding=(1, 0)),
            nn.LeakyReLU(0.2, inplace=True),
            nn.BatchNorm2d(128),
            nn.ZeroPad2d((0, 0, 1, 2)),
            nn.Conv2d(128, 256, 4),
            nn.LeakyReLU(0.2, inplace=True),
            nn.BatchNorm2d(256),
            nn.Conv2d(256, 256, (3, 1), padding=(1, 0)),
            nn.LeakyReLU(0.2, inplace=True),
            nn.BatchNorm2d(256),
        ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.with_state = StateConvolution(256, 256, positions)
        self.decoder = nn.Sequential(
            nn.LeakyReLU(0.2),
            RowNorm(256),
            RowConvolution(256, 256),
            nn.LeakyReLU(0.2),
            RowNorm(256),
            RowConvolution(256, LATENT),
        )

    def forward(self, audio: Tensor, state: Tensor) -> Tensor:
        """audio (B, 128, F), state (B, 71) -> z (B, 128, 32)."""
        image = self.encoder(audio.unsqueeze(1))  # (B, 256, 32, w), channels last in memory
        rows = image.permute(0, 2, 3, 1).flatten(1, 2)  # (B, 32 w, 256), no copy
        return self.decoder(self.with_state(rows, state))


class HalvingConvolution(nn.Conv1d):
    """Convolution of 3, stride 2, padding 1 over an even number of rows: (B, L, C) -> (B, L / 2, C').

    Rows 2i-1, 2i and 2i+1 lie side by side and meet the weights in one matrix product: thousands of tiny windows
    are three times quicker that way than through a convolution routine made for images.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, 3, stride=2, padding=1)

    def forward(self, rows: Tensor) -> Tensor:
        """rows (B, L, C), L even -> (B, L / 2, C')."""
        batch, length, channels = rows.shape
        previous = nn.functional.pad(rows[:, 1:-1:2], (0, 0, 1, 0))  # row 2i-1; before the first, zeros
        triples = torch.cat([previous, rows.reshape(batch, length // 2, 2 * channels)], dim=2)
        return nn.functional.linear(triples, self.weight.transpose(1, 2).flatten(1), self.bias)


class LocalGenerator(nn.Module):
    """G_loc: every frame's 16-frame window of audio (B, 16, F) -> c (B, 32). Supplement, Table 2.

    Each convolution (3 x 1, stride 2, padding 1: the features are its channels) is followed by ReLU and batch
    normalisation; the fully connected layer by tanh. `B` counts all windows of all sequences: one call.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        channels = (features, 32, 32, 64, 64)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(channels):
            layers += [HalvingConvolution(before, after), nn.ReLU(), RowNorm(after)]
        self.encoder = nn.Sequential(*layers)
        self.head = nn.Linear(64, LATENT)

    def forward(self, windows: Tensor) -> Tensor:
        """windows (B, 16, F) -> c (B, 32) in -1 .. 1."""
        return torch.tanh(self.head(self.encoder(windows).flatten(1)))


class HeldState(nn.Module):
    """Stands in for G_tem in an ablation: z_t = W s + b on every frame, so that no temporal correlation of the
    audio is left and the initial state still has its way into the fusion."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(STATE_WIDTH, LATENT)

    def forward(self, audio: Tensor, state: Tensor) -> Tensor:
        """audio (B, 128, F) is not looked at; state (B, 71) -> z (B, 128, 32)."""
        return self.project(state).unsqueeze(1).expand(-1, WINDOW, -1)


class FaceGenerator(nn.Module):
    """[z_t, c_t] -> one fully connected layer -> the 71 numbers of frame t.

    `temporal=False` puts `HeldState` in G_tem's place; `local=False` leaves c_t at zero.
    """

    def __init__(self, features: int, temporal: bool = True, local: bool = True) -> None:
        super().__init__()
        temporal_features(features)
        self.temporal = TemporalGenerator(features) if temporal else HeldState()
        self.local = LocalGenerator(features) if local else None
        self.fusion = nn.Linear(2 * LATENT, STATE_WIDTH)

    def forward(self, audio: Tensor, state: Tensor) -> Tensor:
        """audio (B, 143, F): 8 frames before the window, its 128, 7 after; state (B, 71) -> (B, 128, 71)."""
        batch, _, features = audio.shape
        z = self.temporal(audio[:, BEFORE : BEFORE + WINDOW], state)
        if self.local is None:
            c = z.new_zeros(batch, WINDOW, LATENT)
        else:
            windows = audio.unfold(1, LOCAL_WINDOW, 1).transpose(2, 3)  # (B, 128, 16, F), a view
            c = self.local(windows.reshape(batch * WINDOW, LOCAL_WINDOW, features)).view(batch, WINDOW, LATENT)
        return self.fusion(torch.cat([z, c], dim=2))
