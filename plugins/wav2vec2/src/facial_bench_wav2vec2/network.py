"""The network at work: logits of a whole sound, computed in pieces of one length."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from facial_bench.errors import FacialBenchError
from facial_bench_wav2vec2.checkpoint import Checkpoint

if TYPE_CHECKING:
    from transformers import Wav2Vec2ForCTC

PIECE = 1000
"""Rows of a piece: 20 s."""
OVERLAP = 200
"""Rows that two pieces share, at least: 4 s, so that every row has heard 2 s to both sides."""


@lru_cache(maxsize=1)
def load_network(checkpoint: Checkpoint) -> Wav2Vec2ForCTC:
    """The network in float32, ready to evaluate; kept for the next video.

    Raises:
        FacialBenchError: weights that do not fit the config.
    """
    import torch
    from transformers import Wav2Vec2ForCTC
    from transformers.utils import logging

    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity(logging.CRITICAL)  # what it would report is raised below
    try:
        loaded: Any = Wav2Vec2ForCTC.from_pretrained(
            checkpoint.folder,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            dtype=torch.float32,
            attn_implementation="sdpa",
        )
        network, report = loaded
    except Exception as problem:  # a config may be wrong in any way
        text = " ".join(str(problem).split())[:300]
        raise FacialBenchError(
            f"{checkpoint.folder} cannot be loaded ({type(problem).__name__}: {text}). Download it again."
        ) from None
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
    missing = sorted(set(map(str, report["missing_keys"])) - {"wav2vec2.masked_spec_embed"})  # used in training only
    missing += sorted(map(str, report["mismatched_keys"]))
    if missing:
        raise FacialBenchError(
            f"{checkpoint.folder} lacks fitting weights for {len(missing)} parts ({missing[0]} ...). Download it again."
        )
    return network.eval()


def run_network(checkpoint: Checkpoint, samples: np.ndarray, piece: int = PIECE, overlap: int = OVERLAP) -> np.ndarray:
    """(m, V) float32 logits of samples (n,) float32 at 16 kHz; row k sees those from k * hop to k * hop + window.

    A sound of more than `piece` rows is computed in pieces of that many, each row taken from the piece in whose middle
    it lies, so that memory does not grow with the sound. A sound shorter than the window is padded with zeros.

    Raises:
        FacialBenchError: weights that do not fit the config, or that give NaN.
    """
    import torch

    network = load_network(checkpoint)
    hop, window = checkpoint.hop, checkpoint.window
    samples = np.pad(np.asarray(samples, np.float32), (0, max(0, window - len(samples))))
    rows = (len(samples) - window) // hop + 1
    parts = []
    for start, first, last in cut_pieces(rows, piece, overlap):
        sound = samples[start * hop : (min(start + piece, rows) - 1) * hop + window]
        with torch.inference_mode():
            logits = network(torch.from_numpy(np.ascontiguousarray(sound))[None]).logits[0].numpy()
        parts.append(logits[first - start : last - start])
    logits = np.concatenate(parts)
    if not np.isfinite(logits).all():
        raise FacialBenchError(f"{checkpoint.folder} gives NaN or infinities: damaged weights? Download it again.")
    return logits


def cut_pieces(rows: int, piece: int, overlap: int) -> list[tuple[int, int, int]]:
    """(start, first, last): the piece of rows start .. start + piece gives the rows first .. last - 1.

    >>> cut_pieces(24, 10, 4)
    [(0, 0, 8), (6, 8, 14), (12, 14, 18), (14, 18, 24)]
    """
    if rows <= piece:
        return [(0, 0, rows)]
    starts = [*range(0, rows - piece, piece - overlap), rows - piece]
    borders = [0, *((left + piece + right) // 2 for left, right in pairwise(starts)), rows]
    return [(start, *border) for start, border in zip(starts, pairwise(borders), strict=True)]
