"""Motion for audio of any length: windows chained by their states, all sequences of a batch side by side.

A sequence of T frames is covered by windows that start every 127 frames: the last state of one is the initial
state of the next, and the frame that two windows share is kept from the earlier. A last, shorter piece is
covered by a window that ends with the audio; its initial state is the state already generated there. Audio shorter
than a window is continued with its last row, and the motion cut.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from facial_bench.types import STATE_WIDTH
from facial_bench_facial.data import with_context
from facial_bench_facial.networks import CONTEXT, WINDOW

HOP = WINDOW - 1
SIDE_BY_SIDE = 64


def chain_starts(frames: int) -> list[int]:
    """First frames of the windows that cover `frames` frames.

    >>> chain_starts(100), chain_starts(128), chain_starts(300)
    ([0], [0], [0, 127, 172])
    """
    starts = list(range(0, max(frames - WINDOW, 0) + 1, HOP))
    if starts[-1] + WINDOW < frames:
        starts.append(frames - WINDOW)
    return starts


def generate_states(
    generator: nn.Module, audio: Sequence[np.ndarray], initial: Sequence[np.ndarray], device: str
) -> list[np.ndarray]:
    """Standardised audio, (T, F) each, and initial states (71,) -> standardised states (T, 71) float32 each.

    Step k of every sequence's chain runs in one call of the network, 64 windows at most: memory does not grow with
    the length of the audio.
    """
    generator.eval()
    results = [np.zeros((max(len(rows), WINDOW), STATE_WIDTH), np.float32) for rows in audio]
    chains = [chain_starts(len(rows)) for rows in audio]
    padded = [with_context(_at_least_a_window(rows)) for rows in audio]
    for step in range(max(map(len, chains), default=0)):
        active = [i for i, chain in enumerate(chains) if step < len(chain)]
        for group in (active[i : i + SIDE_BY_SIDE] for i in range(0, len(active), SIDE_BY_SIDE)):
            at = [chains[i][step] for i in group]
            windows = np.stack([padded[i][start : start + CONTEXT] for i, start in zip(group, at, strict=True)])
            states = np.stack([results[i][start] if step else initial[i] for i, start in zip(group, at, strict=True)])
            output = _run(generator, windows, states, device)
            for i, start, states_out in zip(group, at, output, strict=True):
                done = chains[i][step - 1] + WINDOW - start if step else 0
                results[i][start + done : start + WINDOW] = states_out[done:]
    return [states[: len(rows)] for states, rows in zip(results, audio, strict=True)]


def _at_least_a_window(audio: np.ndarray) -> np.ndarray:
    """(T, F) -> (max(T, 128), F), its last row held."""
    return np.pad(audio, ((0, max(WINDOW - len(audio), 0)), (0, 0)), mode="edge")


def _run(generator: nn.Module, windows: np.ndarray, states: np.ndarray, device: str) -> np.ndarray:
    with torch.inference_mode():
        output: Tensor = generator(torch.from_numpy(windows).to(device), torch.from_numpy(states).to(device))
        return output.float().cpu().numpy()
