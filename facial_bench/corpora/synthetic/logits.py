"""CTC-like character logits: what an acoustic model with 29 symbols would say of the speech."""

from __future__ import annotations

import numpy as np

from facial_bench.corpora.synthetic.speech import FRAME_RATE, RATE, Speech

SYMBOLS = "abcdefghijklmnopqrstuvwxyz' "
"""The first 28 symbols in order; the blank comes last, so that a row is 29 wide."""
BLANK = len(SYMBOLS)

# Letters that a recogniser takes for each other, for the runners-up.
_CONFUSABLE = ("aeiou", "bp", "dt", "ckgq", "fv", "szcx", "mn", "lr", "uw", "iy", "hj")


def character_logits(speech: Speech, rng: np.random.Generator) -> np.ndarray:
    """(T, 29) float32 at 25 fps, order a-z, apostrophe, space, blank.

    A character is a spike of one frame, with a weaker shoulder on either side and weaker look-alikes; elsewhere the
    blank wins. The whole row is multiplied by a gain that follows the loudness of the speech: this is the only way
    in which prosody reaches the features, as a recogniser is surer of what is said loudly.
    """
    frames, text = speech.frames, speech.text
    symbol = np.array([SYMBOLS.index(character) for character in text])
    rows = rng.standard_normal((frames, BLANK + 1)).clip(-2, 2) * 0.12
    rows[:, :BLANK] -= 1.0
    rows[:, BLANK] += 1.0
    alike = _look_alikes()
    at = speech.character_frame
    strength = rng.uniform(0.85, 1.15, size=len(at))[:, None]
    peak = np.zeros((len(at), BLANK + 1))
    peak[np.arange(len(at)), symbol] = 1.0
    peak += alike[symbol]
    for shift, share in ((-1, 0.15), (0, 1.0), (1, 0.2)):
        near = at + shift
        inside = (near >= 0) & (near < frames)
        np.add.at(rows, near[inside], 2.6 * share * (strength * peak)[inside])
    rows[at, BLANK] -= 1.2
    return (rows * gain(speech)[:, None]).astype(np.float32)


def gain(speech: Speech) -> np.ndarray:
    """(T,) the factor on the logits: 3 in silence, up to 12 in the loudest syllable."""
    return 3.0 + 9.0 * at_frames(speech.energy, speech.frames)


def at_frames(curve: np.ndarray, frames: int) -> np.ndarray:
    """(T, ...) samples of a curve of `RATE` at the frames' times t / 25."""
    step = int(RATE / FRAME_RATE)
    return curve[: frames * step : step]


def _look_alikes() -> np.ndarray:
    """(28, 29) the spike of every symbol seen from the others, 0..1."""
    matrix = np.zeros((BLANK, BLANK + 1))
    for group in _CONFUSABLE:
        for a in group:
            for b in group:
                if a != b:
                    matrix[SYMBOLS.index(a), SYMBOLS.index(b)] = 0.2
    return matrix
