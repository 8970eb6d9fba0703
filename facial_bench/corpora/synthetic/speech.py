"""From words to timed phones and prosody: who speaks loudly, when, and where the pauses are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from facial_bench.corpora.synthetic.lexicon import VOWELS, Word, sentence
from facial_bench.corpora.synthetic.noise import smooth_noise

RATE = 100.0
"""Samples per second of the curves that the rest of the process is driven by."""
FRAME_RATE = 25.0
"""Frames per second of what the corpus holds; a letter of the transcript takes at least one frame."""

SILENCE = "SIL"
_EMPHASIS = 0.45
"""Share of the content words that are emphasised."""
# Typical durations of read English, seconds; stressed vowels are a third longer.
_DIPHTHONGS = frozenset(["AW", "AY", "EY", "OW", "OY"])
_STOPS = frozenset(["P", "B", "T", "D", "K", "G", "CH", "JH"])
_FRICATIVES = frozenset(["F", "V", "TH", "DH", "S", "Z", "SH", "ZH", "HH"])


@dataclass(frozen=True, eq=False)
class Speech:
    """One spoken text. P phones, C characters, S = samples at `RATE`."""

    text: str
    """What is said: words of a-z and the apostrophe, one space between."""
    phones: tuple[str, ...]
    """(P,) ARPAbet-like names, `SIL` for a pause."""
    start: np.ndarray
    """(P,) s, onset of each phone; phones follow each other without a gap."""
    duration: np.ndarray
    """(P,) s."""
    prominence: np.ndarray
    """(P,) 0..1: 0 for consonants and unstressed vowels, about 0.3 for a stressed one, 0.6..1 when emphasised."""
    character_frame: np.ndarray
    """(C,) int, the frame at 25 fps in which each character of `text` is heard."""
    energy: np.ndarray
    """(S,) 0..1, loudness."""
    stress: np.ndarray
    """(S,) about 0..1, bumps at the emphasised syllables: what heads, brows and lids may follow."""
    pause: np.ndarray
    """(S,) 0..1, silence."""
    phrase_end: np.ndarray
    """(S,) 0..1, bumps of 150 ms where a phrase ends."""

    @property
    def frames(self) -> int:
        """T, frames at 25 fps."""
        return round((self.start[-1] + self.duration[-1]) * FRAME_RATE)


def speak(rng: np.random.Generator, tempo: float = 1.0, shortest: float = 14.0, longest: float = 19.6) -> Speech:
    """Text with its timing and prosody, lasting `shortest` .. `longest` + 0.4 s.

    tempo multiplies every phone's duration (0.8 fast .. 1.2 slow).
    """
    timeline = _Timeline()
    timeline.silence(rng.uniform(0.25, 0.6))
    while timeline.end < shortest:
        for phrase in sentence(rng):
            timeline.phrase(phrase, rng, tempo, longest)
    timeline.silence(0.4)
    return timeline.finish(rng)


class _Timeline:
    """Phones and words, appended one after the other."""

    def __init__(self) -> None:
        self.end = 0.0
        self.phones: list[str] = []
        self.durations: list[float] = []
        self.prominences: list[float] = []
        self.words: list[tuple[str, float, float]] = []

    def _add(self, phone: str, duration: float, prominence: float = 0.0) -> None:
        self.phones.append(phone)
        self.durations.append(duration)
        self.prominences.append(prominence)
        self.end += duration

    def silence(self, seconds: float) -> None:
        self._add(SILENCE, seconds)

    def phrase(self, words: tuple[Word, ...], rng: np.random.Generator, tempo: float, longest: float) -> None:
        """The words and the pause behind them; nothing if they would end later than `longest`."""
        timed = [_time_word(word, rng, tempo, final=i == len(words) - 1) for i, word in enumerate(words)]
        pause = rng.uniform(0.25, 0.9)
        if self.end + sum(durations.sum() for durations, _ in timed) + pause > longest:
            return
        for word, (durations, prominence) in zip(words, timed, strict=True):
            self.words.append((word.text, self.end, self.end + durations.sum()))
            for i, phone in enumerate(word.phones):
                self._add(phone, durations[i], prominence if i == word.stressed else 0.0)
        self.silence(pause)

    def finish(self, rng: np.random.Generator) -> Speech:
        duration = np.array(self.durations)
        start = np.concatenate([[0.0], np.cumsum(duration)[:-1]])
        prominence = np.array(self.prominences)
        # Whole frames: the last silence takes up the rest.
        duration[-1] += np.ceil(self.end * FRAME_RATE) / FRAME_RATE - self.end
        samples = round((start[-1] + duration[-1]) * RATE)
        times = (np.arange(samples) + 0.5) / RATE
        phone_at = np.searchsorted(start, times, side="right") - 1
        silent = np.array([phone == SILENCE for phone in self.phones])
        vowel = np.array([phone in VOWELS for phone in self.phones])

        level = np.where(silent, 0.0, np.where(vowel, 0.45 + 0.55 * prominence, 0.3 + 0.1 * prominence))
        # A speaker is now louder, now softer, over seconds.
        swell = np.exp(0.15 * smooth_noise(samples, 2.0, RATE, rng))
        energy = np.clip(gaussian_filter1d(level[phone_at], 0.05 * RATE) * swell, 0.0, 1.0)

        middle = start + duration / 2
        loud = prominence > 0.5
        stress = _bumps(times, middle[loud], prominence[loud], width=0.08)
        pause = gaussian_filter1d(silent[phone_at].astype(float), 0.04 * RATE)
        ends = start[silent & (start > 0)]
        phrase_end = _bumps(times, ends, np.ones(len(ends)), width=0.15)
        text = " ".join(word for word, _, _ in self.words)
        return Speech(
            text=text,
            phones=tuple(self.phones),
            start=start,
            duration=duration,
            prominence=prominence,
            character_frame=_character_frames(self.words),
            energy=energy,
            stress=stress,
            pause=pause,
            phrase_end=phrase_end,
        )


def _time_word(word: Word, rng: np.random.Generator, tempo: float, *, final: bool) -> tuple[np.ndarray, float]:
    """(phones,) seconds, and the prominence of the stressed syllable."""
    prominence = 0.0
    if word.stressed >= 0:
        prominence = rng.uniform(0.6, 1.0) if rng.random() < _EMPHASIS else rng.uniform(0.15, 0.35)
    seconds = np.array([_typical(phone) for phone in word.phones])
    if word.stressed >= 0:
        seconds[word.stressed] *= 1.25 + 0.35 * prominence
    if final:  # phrase-final lengthening
        seconds[-2:] *= 1.35
    seconds *= tempo * np.exp(0.15 * rng.standard_normal(len(seconds)))
    # Every letter, the blank between two equal ones and the space behind take a frame of the transcript.
    doubles = sum(a == b for a, b in zip(word.text, word.text[1:], strict=False))
    least = (len(word.text) + doubles + 1) / FRAME_RATE
    return seconds * max(1.0, least / seconds.sum()), prominence


def _typical(phone: str) -> float:
    """Seconds, unstressed, at tempo 1."""
    if phone in _DIPHTHONGS:
        return 0.125
    if phone in VOWELS:
        return 0.085
    if phone in _STOPS:
        return 0.085
    if phone in _FRICATIVES:
        return 0.095
    return 0.075  # nasals, liquids, glides


def _character_frames(words: list[tuple[str, float, float]]) -> np.ndarray:
    """(C,) strictly increasing frames; letters spread evenly over their word, a blank between equal neighbours."""
    frames: list[int] = []
    previous, last = "", -1
    for index, (text, start, end) in enumerate(words):
        wanted = [(letter, start + (i + 0.5) * (end - start) / len(text)) for i, letter in enumerate(text)]
        if index:
            wanted.insert(0, (" ", start))
        for character, when in wanted:
            last = max(int(when * FRAME_RATE), last + (2 if character == previous else 1))
            frames.append(last)
            previous = character
    return np.array(frames)


def _bumps(times: np.ndarray, centres: np.ndarray, heights: np.ndarray, width: float) -> np.ndarray:
    """(S,) sum of Gaussian bumps of the given standard deviation, s."""
    return np.exp(-0.5 * ((times[:, None] - centres) / width) ** 2) @ heights
