"""The audio features `phones`: from samples to one row a frame."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from facial_bench.errors import CorpusError, unknown_name
from facial_bench.media.audio_features import phones
from facial_bench.types import Sound
from facial_bench_pocketsphinx.model import PHONES, find_model, read_states, version
from facial_bench_pocketsphinx.posteriors import phone_logposteriors

RATE = 16_000
"""Samples a second that the acoustic model was trained on."""
LOUDEST = 2.0
"""Largest sample that still counts as -1..1: decoders overshoot a little."""


class Phones:
    """42 phone log posteriors, ln of their mean over each frame; see `facial_bench.media.audio_features.phones`.

    Raises:
        FacialBenchError: an option, or an acoustic model that is missing or another than the English one.
    """

    width = len(PHONES)

    def __init__(self, options: Mapping[str, str]) -> None:
        for name in options:
            raise unknown_name("option of the audio features phones", name, (), "They take no option.")
        folder = find_model()
        self._states = read_states(folder / "mdef")
        content = hashlib.sha256(version().encode())
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            content.update(b"\0" + path.name.encode() + b"\0" + path.read_bytes())
        self.digest = content.hexdigest()

    def compute(self, sound: Sound, frames: int, fps: float) -> np.ndarray:
        """(frames, 42) float32, natural logs, in the order of `PHONES`.

        Raises:
            CorpusError: a sound that is empty, not finite, or not 16 kHz mono within -1..1.
            FacialBenchError: the score log could not be written or read.
        """
        return phones(phone_logposteriors(to_int16(sound), self._states), frames, fps)


def to_int16(sound: Sound) -> np.ndarray:
    """(n,) int16, what the front end takes; samples that were made from 16-bit ones come back exactly.

    Raises:
        CorpusError: empty, not finite, or not 16 kHz mono within -1..1.
    """
    samples = np.asarray(sound.samples)
    if samples.ndim != 1 or sound.rate != RATE:
        raise CorpusError(f"the sound of {sound.name} is {samples.shape} at {sound.rate} Hz, expected (n,) at {RATE}")
    if not len(samples):
        raise CorpusError(f"the sound of {sound.name} is empty")
    if not np.isfinite(samples).all():
        where = int(np.flatnonzero(~np.isfinite(samples))[0])
        raise CorpusError(f"the sound of {sound.name} holds NaN or infinities, first at sample {where}")
    if np.abs(samples).max() > LOUDEST:
        raise CorpusError(f"the sound of {sound.name} reaches {np.abs(samples).max():.4g}, expected -1..1")
    return np.clip(np.rint(samples.astype(np.float64) * 32768), -32768, 32767).astype(np.int16)
