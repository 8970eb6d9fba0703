"""The sound of a speech: a voice made of harmonics under moving formants, and noise for consonants."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, sosfilt

from facial_bench.corpora.synthetic.noise import smooth_noise
from facial_bench.corpora.synthetic.speech import RATE, SILENCE, Speech
from facial_bench.corpora.synthetic_video.looks import Look

SOUND_RATE = 16_000
"""Samples a second."""
_TOP = 4500.0
"""Hz, of the highest harmonic."""
# Formants, Hz (after the usual tables of English vowels, rounded), and the voice's level, 0..1.
_VOICED = """
AA AY 730 1090 2440 1 | AE AW 660 1720 2410 1 | AH 640 1190 2390 1 | AO OY 570 840 2410 1 | EH EY 530 1840 2480 1
ER R 490 1350 1690 0.9 | IH IY 330 2150 2900 1 | OW 480 950 2400 1 | UH UW 350 950 2240 0.9 | L 360 1100 2600 0.7
W 300 700 2200 0.7 | Y 290 2200 2950 0.7 | M N NG 270 1200 2200 0.45 | B D G JH 250 1300 2400 0.2
V DH Z ZH 280 1500 2500 0.3
"""
# Noise: band, Hz, and level; the end of a stop is a burst, the rest hisses all along.
_NOISE = """
S Z 4200 7600 0.5 | SH ZH CH JH 2100 5600 0.5 | F V TH DH 1500 7400 0.16 | HH 600 3500 0.16
P B 500 1600 0.5 | T D 3000 7000 0.5 | K G 1300 3200 0.5
"""
_STOPS = frozenset(["P", "B", "T", "D", "K", "G", "CH"])


def _table(text: str, values: int) -> dict[str, list[float]]:
    """Phone -> its numbers."""
    rows: dict[str, list[float]] = {}
    for entry in text.replace("\n", "|").split("|"):
        words = entry.split()
        for phone in words[:-values]:
            rows[phone] = [float(word) for word in words[-values:]]
    return rows


def speech_sound(speech: Speech, look: Look, rng: np.random.Generator) -> np.ndarray:
    """(n,) float32 at `SOUND_RATE`, -1..1: as long as the speech, in step with its phones and its loudness."""
    grid = len(speech.energy)  # samples at RATE; the middle of the first lies at half a step
    count = round(grid / RATE * SOUND_RATE)
    times, steps = np.arange(count) / SOUND_RATE, (np.arange(grid) + 0.5) / RATE
    at = np.searchsorted(speech.start, steps, side="right") - 1
    voiced = _voice(speech, look, at, times, steps, rng)
    sound = voiced + _consonants(speech, at, times, steps, rng)
    sound += 0.0008 * rng.standard_normal(count)  # a room
    return (0.7 * sound / np.abs(sound).max()).astype(np.float32)


def _voice(
    speech: Speech, look: Look, at: np.ndarray, times: np.ndarray, steps: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(n,) the harmonics; the pitch rises with stress, falls along a phrase, and trembles."""
    table = _table(_VOICED, 4)
    neutral = [500.0, 1500.0, 2500.0, 0.0]
    rows = np.array([table.get(phone, neutral) for phone in speech.phones])[at]
    formants = gaussian_filter1d(rows[:, :3], 2.0, axis=0) * look.tract
    level = gaussian_filter1d(rows[:, 3], 1.2) * (0.15 + 0.85 * speech.energy)
    pitch = look.pitch * np.exp(
        0.22 * speech.stress - 0.2 * speech.phrase_end + 0.03 * smooth_noise(len(steps), 0.3, RATE, rng)
    )
    phase = 2 * np.pi * np.cumsum(np.interp(times, steps, pitch)) / SOUND_RATE
    sound = np.zeros(len(times))
    width = np.array([70.0, 100.0, 150.0])
    for number in range(1, int(_TOP / pitch.mean()) + 1):
        tone = number * pitch[:, None]
        # A resonance has the height of its quality at its own frequency; harmonics of a voice fall by 1 / n.
        gain = formants**2 / np.sqrt((formants**2 - tone**2) ** 2 + (width * tone) ** 2)
        strength = level * np.minimum(gain.prod(axis=1), 30) / number * (tone[:, 0] < 7000)
        sound += np.interp(times, steps, strength) * np.sin(number * phase)
    return sound / max(float(np.abs(sound).max()), 1e-9)


def _consonants(
    speech: Speech, at: np.ndarray, times: np.ndarray, steps: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(n,) hiss and bursts."""
    table = _table(_NOISE, 3)
    white = rng.standard_normal(len(times))
    sound = np.zeros(len(times))
    share = (steps - speech.start[at]) / speech.duration[at]
    stop = np.array([phone in _STOPS for phone in speech.phones])[at]
    shape = np.where(stop, np.exp(-0.5 * ((share - 0.75) / 0.12) ** 2), np.sin(np.pi * np.clip(share, 0, 1)) ** 0.5)
    for low, high, level in sorted({tuple(row) for row in table.values()}):
        own = np.array([phone != SILENCE and table.get(phone) == [low, high, level] for phone in speech.phones])[at]
        band = sosfilt(butter(2, [low, high], "bandpass", fs=SOUND_RATE, output="sos"), white)
        envelope = gaussian_filter1d(own * shape * level * (0.3 + 0.7 * speech.energy), 0.8)
        sound += np.interp(times, steps, envelope) * band / band.std() * 0.35
    return sound
