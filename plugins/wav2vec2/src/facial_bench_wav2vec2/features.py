"""The audio features `ctc29`: from samples to one row a frame."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from facial_bench.errors import CorpusError, FacialBenchError, unknown_name
from facial_bench.media.audio_features import FLOOR, frame_means
from facial_bench.types import Sound
from facial_bench_wav2vec2.checkpoint import ALPHABET, RATE, Checkpoint, find_folder, read_checkpoint
from facial_bench_wav2vec2.network import run_network

OPTIONS = ("model", "revision")
LOUDEST = 2.0
"""Largest sample that still counts as -1..1: decoders overshoot a little."""


class Ctc29:
    """29 letter log posteriors, ln(max(mean over the frame, 1e-10)), in the order of `ALPHABET`.

    Args:
        options: `model`, a local folder or a name of the hub; `revision` of the latter.

    Raises:
        FacialBenchError: an option that is missing or unknown, a model that is missing or cannot be used.
    """

    width = len(ALPHABET)

    def __init__(self, options: Mapping[str, str]) -> None:
        for name in options:
            if name not in OPTIONS:
                raise unknown_name("option of the audio features ctc29", name, OPTIONS)
        if not options.get("model"):
            raise FacialBenchError(
                "The audio features ctc29 need --option model=..., a wav2vec 2.0 CTC checkpoint's folder or hub name."
            )
        self._checkpoint = read_checkpoint(find_folder(options["model"], options.get("revision")))
        self.digest = self._checkpoint.digest

    def compute(self, sound: Sound, frames: int, fps: float) -> np.ndarray:
        """(frames, 29) float32, natural logs. Frames after the end repeat the last row of the network.

        Raises:
            CorpusError: a sound that is empty, not finite, or not 16 kHz mono within -1..1.
            FacialBenchError: a model that cannot be loaded.
        """
        samples = check_sound(sound)
        if self._checkpoint.normalise:  # over the clip, as the model's own preparation does
            samples = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
        logits = run_network(self._checkpoint, samples)[:, list(self._checkpoint.columns)]
        return frame_rows(softmax(logits), self._checkpoint, frames, fps)


def softmax(logits: np.ndarray) -> np.ndarray:
    """(m, 29) logits -> (m, 29) float64 probabilities."""
    power = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return power / power.sum(axis=1, keepdims=True)


def frame_rows(posterior: np.ndarray, checkpoint: Checkpoint, frames: int, fps: float) -> np.ndarray:
    """(m, F) probabilities of the network's rows -> (frames, F) float32 logs of their means over each frame.

    Row k sees the samples from k * hop to k * hop + window; it stands for the hop in the middle of them.
    """
    start = (checkpoint.window - checkpoint.hop) / 2 / RATE
    means = frame_means(posterior, RATE / checkpoint.hop, start, frames, fps)
    return np.log(np.maximum(means, FLOOR)).astype(np.float32)


def check_sound(sound: Sound) -> np.ndarray:
    """(n,) float64 samples.

    Raises:
        CorpusError: empty, not finite, or not 16 kHz mono within -1..1.
    """
    samples = np.asarray(sound.samples, np.float64)
    if samples.ndim != 1 or sound.rate != RATE:
        raise CorpusError(f"the sound of {sound.name} is {samples.shape} at {sound.rate} Hz, expected (n,) at {RATE}")
    if not len(samples):
        raise CorpusError(f"the sound of {sound.name} is empty")
    if not np.isfinite(samples).all():
        where = int(np.flatnonzero(~np.isfinite(samples))[0])
        raise CorpusError(f"the sound of {sound.name} holds NaN or infinities, first at sample {where}")
    if np.abs(samples).max() > LOUDEST:
        raise CorpusError(f"the sound of {sound.name} reaches {np.abs(samples).max():.4g}, expected -1..1")
    return samples
