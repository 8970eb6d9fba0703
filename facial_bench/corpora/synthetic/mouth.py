"""From phones to articulators: viseme targets, coarticulation by dominance, and the inertia of jaw and lips."""

from __future__ import annotations

import numpy as np
from scipy.signal import bilinear, lfilter

from facial_bench.corpora.synthetic.logits import at_frames
from facial_bench.corpora.synthetic.speech import RATE, Speech

ARTICULATORS = ("jaw", "gap", "width", "rounding", "upper_lip", "tuck")
"""jaw 0..1 open; gap cm between the inner lips (never below 0); width -1 narrow .. 1 spread; rounding 0..1 lips
forward; upper_lip 0..1 raised; tuck 0..1 lower lip under the teeth."""

_NATURAL_FREQUENCY = 9.0
"""Hz, of the critically damped articulators: about 60 ms to a target (typical of lips; the jaw is slower)."""

_REACH = 5
"""Phones to either side that a sound is coarticulated with."""

# phones: jaw gap width rounding upper_lip tuck | dominance of each. Dominance 0 leaves an articulator to the
# neighbours, which is what makes "tool" rounded from its first sound.
_VISEMES = """
SIL          0.03 0.00  0.0 0.00 0.0 0.0 | 0.5 0.5 0.5 0.5 0.5 0.5
P B M        0.10 -0.45 0.0 0.10 0.0 0.0 | 1.5 12. 0.3 0.2 1.0 2.0
F V          0.15 0.10  0.1 0.00 0.5 1.0 | 1.5 4.0 0.4 0.3 3.0 12.
TH DH        0.25 0.35  0.1 0.00 0.2 0.0 | 1.0 1.0 0.3 0.3 0.5 1.0
T D N        0.20 0.35  0.2 0.00 0.1 0.0 | 0.8 0.6 0.2 0.2 0.3 1.0
S Z          0.10 0.35  0.5 0.00 0.3 0.0 | 2.0 1.0 1.0 0.5 1.0 1.0
SH ZH CH JH  0.15 0.50 -0.4 0.80 0.5 0.0 | 2.0 1.5 2.0 3.0 1.5 1.0
K G NG HH    0.30 0.45  0.0 0.00 0.0 0.0 | 0.5 0.4 0.1 0.1 0.2 1.0
L            0.35 0.55  0.1 0.00 0.1 0.0 | 0.8 0.8 0.2 0.2 0.3 1.0
R ER         0.25 0.45 -0.3 0.55 0.3 0.0 | 1.0 1.0 1.0 1.5 0.8 1.0
W            0.15 0.15 -0.9 1.00 0.1 0.0 | 1.5 3.0 3.0 4.0 0.8 1.0
Y            0.15 0.35  0.6 0.00 0.1 0.0 | 1.0 1.0 1.0 0.8 0.4 1.0
AA AY        0.90 1.35  0.1 0.05 0.2 0.0 | 2.0 2.0 1.0 1.0 0.6 1.0
AE AW        0.80 1.20  0.5 0.00 0.3 0.0 | 2.0 2.0 1.0 1.0 0.6 1.0
AH           0.55 0.80  0.0 0.05 0.1 0.0 | 1.2 1.2 0.6 0.6 0.5 1.0
AO OY        0.75 1.05 -0.5 0.65 0.1 0.0 | 2.0 2.0 1.5 2.0 0.6 1.0
EH EY        0.55 0.85  0.5 0.00 0.2 0.0 | 1.6 1.6 1.2 1.0 0.6 1.0
IH IY        0.25 0.50  0.8 0.00 0.2 0.0 | 1.4 1.4 1.5 1.0 0.6 1.0
OW           0.50 0.70 -0.7 0.85 0.1 0.0 | 1.8 1.8 2.0 2.5 0.6 1.0
UH UW        0.25 0.35 -0.8 0.90 0.1 0.0 | 1.4 1.6 2.0 2.5 0.6 1.0
"""


def visemes() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Phone -> (6,) targets of `ARTICULATORS` and (6,) dominances."""
    table = {}
    for line in _VISEMES.strip().splitlines():
        left, right = line.split("|")
        *phones, a, b, c, d, e, f = left.split()
        for phone in phones:
            table[phone] = np.array([a, b, c, d, e, f], float), np.array(right.split(), float)
    return table


def articulate(speech: Speech, articulation: float) -> np.ndarray:
    """(T, 6) the articulators at 25 fps; columns as in `ARTICULATORS`.

    Each phone pulls with a Gaussian weight around its middle, as wide as the phone is long (after Cohen and Massaro's
    dominance functions, 1993); the weighted mean of the targets drives a critically damped second-order system, whose
    delay is taken back so that lips and sound agree. articulation multiplies jaw and gap, and stress adds to them.
    """
    table = visemes()
    target = np.array([table[phone][0] for phone in speech.phones])
    dominance = np.array([table[phone][1] for phone in speech.phones])
    effort = articulation * (0.85 + 0.35 * speech.prominence)
    openings = target[:, :2]
    openings[openings > 0] *= np.repeat(effort[:, None], 2, axis=1)[openings > 0]

    delay = 2 / (2 * np.pi * _NATURAL_FREQUENCY)
    times = np.arange(len(speech.energy)) / RATE + delay
    middle = speech.start + speech.duration / 2
    # Only the phones around the present one have a say: the others are many widths away.
    current = np.searchsorted(speech.start, times, side="right") - 1
    near = np.clip(current[:, None] + np.arange(-_REACH, _REACH + 1), 0, len(middle) - 1)
    pull = np.exp(-0.5 * ((times[:, None] - middle[near]) / (0.45 * speech.duration[near])) ** 2) + 1e-9
    driven = np.einsum("tn,tna->ta", pull, (dominance * target)[near]) / np.einsum("tn,tna->ta", pull, dominance[near])
    moved = lfilter(*_critically_damped(), driven - driven[0], axis=0) + driven[0]
    moved[:, 1] = np.maximum(moved[:, 1], 0.0)  # lips meet, and stop
    return at_frames(moved, speech.frames)


def _critically_damped() -> tuple[np.ndarray, np.ndarray]:
    """Numerator and denominator at `RATE` of w^2 / (s + w)^2."""
    w = 2 * np.pi * _NATURAL_FREQUENCY
    return bilinear([w * w], [1, 2 * w, w * w], fs=RATE)
