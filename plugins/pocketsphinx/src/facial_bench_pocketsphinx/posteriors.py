"""Phone posteriors at 100 Hz, through the decoder's log of senone scores.

A senone is the density that states of phones share; the decoder's search is not used, only the scores it is fed.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from facial_bench.errors import FacialBenchError
from facial_bench_pocketsphinx.model import find_model

SHIFT = 10
"""Scores are stored in steps of 2**10 times the logarithm of `logbase`, negated."""
HOP = 160
"""Samples a row."""
BLOCK = 1000
"""Rows read from the log at once."""
ROOM = 12_000
"""Bytes of temporary disk that a row needs, with some to spare: 5126 scores of two bytes."""
ORDER = b"\x44\x33\x22\x11"
"""How the log's byte-order mark is stored by a little-endian machine."""


def phone_logposteriors(samples: np.ndarray, states: np.ndarray) -> np.ndarray:
    """ln p(phone | row) = ln sum over the phone's states of the state's likelihood, normalised over phones.

    Phones are taken without context and without a prior. The sound is one utterance: its mean cepstrum is subtracted,
    so every row depends a little on the whole. Decoding starts afresh each time: PocketSphinx carries the Gaussians of
    one utterance's end over to the next.

    Args:
        samples: (n,) int16 at 16 kHz, not empty.
        states: (P, S) senones of each phone, from `read_states`.

    Returns:
        (m, P) float64 natural logs at 100 Hz; row k is of the 25.6 ms from k / 100 s, and m about n / 160 - 1.

    Raises:
        FacialBenchError: the log could not be written or read.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="facial-bench-phones-") as folder:
            # The decoder crashes, and Python with it, when it cannot write its log: look before.
            if shutil.disk_usage(folder).free < ROOM * (len(samples) // HOP + 100):
                raise OSError("the disk is full")
            _decode(samples, folder)
            logs = sorted(Path(folder).glob("*.sen"))
            if len(logs) != 1:
                raise ValueError(f"{len(logs)} files in the folder of logs")
            blocks = [_normalise(scores[:, states], step) for scores, step in _read_log(logs[0])]
        rows = sum(len(block) for block in blocks)
        if not rows or rows + 2 < len(samples) / HOP:
            raise ValueError(f"{rows} rows for {len(samples)} samples")
        return np.concatenate(blocks)
    except (OSError, ValueError, RuntimeError) as problem:
        raise FacialBenchError(
            f"PocketSphinx's log of scores cannot be used ({' '.join(str(problem).split())}). It needs about 1 MB of "
            f"temporary disk a second of sound; set TMPDIR to a folder with room (now {_place()})."
        ) from None


def _place() -> str:
    """The folder that temporary files go to."""
    try:
        return tempfile.gettempdir()
    except OSError:
        return "none"


def _decode(samples: np.ndarray, folder: str) -> None:
    """Let the decoder write the scores of all senones in all rows to a file in the folder."""
    from pocketsphinx import Decoder

    # A search must be chosen for the decoder to run; spotting one word is the cheapest, and its outcome is not used.
    decoder = Decoder(
        hmm=str(find_model()), lm=None, keyphrase="hello", senlogdir=folder, compallsen=True, loglevel="FATAL"
    )
    decoder.start_utt()
    decoder.process_raw(np.ascontiguousarray(samples, "<i2").tobytes(), full_utt=True)
    decoder.end_utt()


def _read_log(path: Path) -> Iterator[tuple[np.ndarray, float]]:
    """Blocks of (k, senones) int16 scores, 0 the best of a row and greater ones worse, and a score step in nats.

    Raises:
        ValueError: not a log of all senones, or cut short.
    """
    with path.open("rb") as stream:
        header = {}
        for line in iter(stream.readline, b"endhdr\n"):
            if not line:
                raise ValueError(f"{path.name} has no header")
            name, _, value = line.decode("utf-8", "replace").strip().partition(" ")
            header[name] = value
        if stream.read(4) != ORDER or "n_sen" not in header or "logbase" not in header:
            raise ValueError(f"{path.name} has an unknown header")
        senones, step = int(header["n_sen"]), math.log(float(header["logbase"])) * 2**SHIFT
        while block := stream.read(2 * (senones + 1) * BLOCK):
            if len(block) % (2 * (senones + 1)):
                raise ValueError(f"{path.name} ends within a row")
            rows = np.frombuffer(block, "<i2").reshape(-1, senones + 1)
            if (rows[:, 0] != senones).any():
                raise ValueError(f"{path.name} holds rows without all senones")
            yield rows[:, 1:], step


def _normalise(scores: np.ndarray, step: float) -> np.ndarray:
    """(m, P, S) scores of the phones' states -> (m, P) log posteriors."""
    phone = _log_sum(-step * scores.astype(np.float64))
    return phone - _log_sum(phone)[:, None]


def _log_sum(values: np.ndarray) -> np.ndarray:
    """ln of the sum of exp over the last axis, whatever the scale."""
    top = values.max(axis=-1, keepdims=True)
    return (top + np.log(np.exp(values - top).sum(axis=-1, keepdims=True)))[..., 0]
