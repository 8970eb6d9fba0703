"""Small networks that tell generated windows from real ones, each asked about windows that it was not trained on.

Source: Lopez-Paz and Oquab (ICLR 2017). What they say is kept by content: the same windows are told once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from facial_bench.core.device import one_thread
from facial_bench.core.digests import canonical_json, derive_seed
from facial_bench.core.errors import FacialBenchError
from facial_bench.core.files import read_arrays, write_arrays
from facial_bench.core.protocol import RealismSettings
from facial_bench.core.threads import usable_cpus

KEPT = 2000
"""Files of the cache, a few kB each; the oldest go."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Windows of generated motion, each beside a real one of the same clip."""

    generated: np.ndarray
    """(N, T, C) float32."""
    real: np.ndarray
    """(N, T, C) float32."""
    fold: np.ndarray
    """(N,) int, the network that is asked about each pair."""
    trains: np.ndarray
    """(K, N) bool, the pairs that each network is trained on."""


class TwoSampleNetwork(nn.Module):
    """(B, C, T) windows -> (B,) logits of being generated: strided convolutions, mean and maximum over time.

    Args:
        channels: C.
        widths: output channels of the convolutions, each of kernel 5 and stride 2.
    """

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip([channels, *widths[:-1]], widths, strict=True):
            layers += [nn.Conv1d(before, after, 5, stride=2, padding=2), nn.ReLU(), nn.BatchNorm1d(after)]
        self.convolutions = nn.Sequential(*layers)
        self.dense = nn.Linear(2 * widths[-1], 1)

    def forward(self, windows: Tensor) -> Tensor:
        """Logits."""
        seen = self.convolutions(windows)
        logits: Tensor = self.dense(torch.cat([seen.mean(dim=2), seen.amax(dim=2)], dim=1))
        return logits[:, 0]


def told_apart(pairs: Pairs, settings: RealismSettings, cache: Path | None = None) -> np.ndarray:
    """(N,) float64 in {0, 0.5, 1}: the share of the two windows of each pair that its network tells rightly.

    Where a network has nothing to be trained on its pairs count as told apart.

    Args:
        pairs: the windows.
        settings: of the networks.
        cache: folder where answers are kept; None keeps none. A damaged file is made again.
    """
    path = None if cache is None else cache / "realism" / f"{_digest(pairs, settings)}.safetensors"
    if path is not None and path.is_file():
        with suppress(FacialBenchError, KeyError):
            kept = read_arrays(path, FacialBenchError, "")[0]["right"]
            if kept.shape == pairs.fold.shape and kept.dtype == np.uint8 and (kept <= 2).all():
                return kept / 2.0
    right = _cross_fit(pairs, settings)
    if path is not None:
        write_arrays(path, {"right": (2 * right).astype(np.uint8)})
        _forget_oldest(path.parent)
    return right


def _digest(pairs: Pairs, settings: RealismSettings) -> str:
    state = hashlib.sha256(canonical_json([asdict(settings), torch.__version__]).encode())
    state.update(Path(__file__).read_bytes())
    for array in (pairs.generated, pairs.real, pairs.fold, pairs.trains):
        state.update(f"{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return state.hexdigest()[:32]


def _forget_oldest(folder: Path) -> None:
    with suppress(OSError):  # another process may tidy too
        files = sorted(folder.glob("*.safetensors"), key=lambda file: file.stat().st_mtime)
        for file in files[:-KEPT]:
            file.unlink(missing_ok=True)


def _cross_fit(pairs: Pairs, settings: RealismSettings) -> np.ndarray:
    """One network a fold, each on one thread: the result is the same whatever the number of cores. In float64, so that
    what another kind of processor rounds otherwise stays far below what decides about a window."""
    right = np.ones(len(pairs.fold))
    asked = [k for k in range(len(pairs.trains)) if (pairs.fold == k).any() and pairs.trains[k].any()]
    networks = []
    for k in asked:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(settings.seed, "network", str(k)))
            networks.append(TwoSampleNetwork(pairs.real.shape[2], settings.channels).double())
    with one_thread(), ThreadPoolExecutor(usable_cpus(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        told = list(pool.map(lambda k, network: _fold(network, pairs, k, settings), asked, networks))
    for k, own in zip(asked, told, strict=True):
        right[pairs.fold == k] = own
    return right


def _fold(network: TwoSampleNetwork, pairs: Pairs, k: int, settings: RealismSettings) -> np.ndarray:
    """(n,) what a network says of the pairs of its fold, once it is trained."""
    generated, real = (_as_input(side[pairs.trains[k]]) for side in (pairs.generated, pairs.real))
    rng = np.random.default_rng(derive_seed(settings.seed, "pairs", str(k)))
    rows = torch.from_numpy(rng.integers(len(real), size=(settings.steps, settings.batch // 2)))
    goal = torch.arange(2).flip(0).double().repeat_interleave(settings.batch // 2)  # the generated ones come first
    optimizer = torch.optim.Adam(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    for step in range(settings.steps):
        windows = torch.cat([generated[rows[step]], real[rows[step]]])
        loss = nn.functional.binary_cross_entropy_with_logits(network(windows), goal)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    with torch.inference_mode():
        asked = [_as_input(side[pairs.fold == k]) for side in (pairs.generated, pairs.real)]
        made, true = (network(side) > 0 for side in asked)
    return (made.double() + (~true).double()).numpy() / 2


def _as_input(windows: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(windows.transpose(0, 2, 1), dtype=np.float64))
