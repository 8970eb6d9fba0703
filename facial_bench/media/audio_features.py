"""Audio features: one row per frame of motion, computed at the protocol's rate straight from the sound.

Frame t stands for the interval of one frame's length centred on t / fps; a feature is averaged over that
interval before the logarithm is taken, so that no part of the sound falls between two frames.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.signal import ShortTimeFFT, resample_poly
from scipy.signal.windows import hann

MEL_RATE = 16_000
"""Sampling rate at which the mel bands are taken, Hz: what speech corpora share."""
MEL_WINDOW = 400
"""25 ms Hann window, samples."""
MEL_HOP = 160
"""10 ms, samples."""
MEL_FFT = 512
"""Samples of a zero-padded transform."""
MEL_RANGE = (80.0, 7600.0)
"""Outer edges of the lowest and the highest band, Hz."""
PHONE_RATE = 100.0
"""Rows of phone posteriors a second."""
FLOOR = 1e-10
"""Smallest power or probability whose logarithm is taken: -23.03."""


@dataclass(frozen=True)
class AudioKind:
    """A kind of audio features that can be computed from a clip's arrays."""

    name: str
    width: int
    """F."""
    needs: tuple[str, ...]
    """Names of the arrays that `compute` takes."""
    compute: Callable[[Mapping[str, np.ndarray], int, float], np.ndarray]
    """compute(arrays, frames, fps) -> (frames, F) float32, finite."""


def audio_kinds() -> dict[str, AudioKind]:
    """name -> kind. A further kind is a further line here."""

    def mel(arrays: Mapping[str, np.ndarray], frames: int, fps: float) -> np.ndarray:
        return mel29(arrays["audio"], int(arrays["audio_rate"]), frames, fps)

    def phone(arrays: Mapping[str, np.ndarray], frames: int, fps: float) -> np.ndarray:
        return phones(arrays["phone_logposterior"], frames, fps)

    kinds = (
        AudioKind("mel29", 29, ("audio", "audio_rate"), mel),
        AudioKind("phones", 42, ("phone_logposterior",), phone),
    )
    return {kind.name: kind for kind in kinds}


def mel29(audio: np.ndarray, rate: int, frames: int, fps: float) -> np.ndarray:
    """29 mel bands: ln(max(mean power of the band over the frame, 1e-10)).

    The sound is brought to 16 kHz, so that a band means the same whatever the rate (a sound sampled at less leaves the
    upper bands at the floor). Power is that of 25 ms Hann windows every 10 ms, scaled so that a full-scale sine in the
    middle of an FFT bin has 1/4 there.

    Args:
        audio: (n,) mono; integers are divided by their type's full scale, floats are taken as -1..1.
        rate: Samples per second.
        frames: T, the number of rows to return.
        fps: Frames per second.

    Returns:
        (T, 29) float32, lowest band first. Frames after the end of the sound repeat its last 10 ms.

    Raises:
        ValueError: Not mono, empty, not finite, another scale than -1..1, or a rate below 1.

    >>> mel29(np.zeros(16000, np.int16), 16000, 25, 25.0).shape
    (25, 29)
    """
    audio = np.asarray(audio)
    if audio.ndim != 1 or len(audio) == 0 or rate < 1:
        raise ValueError(f"audio is {audio.shape} at {rate} Hz, expected mono samples (n,) at 1 Hz or more")
    if audio.dtype.kind not in "if":
        raise ValueError(f"audio is {audio.dtype}, expected signed integers or floats")
    full_scale = -float(np.iinfo(audio.dtype).min) if audio.dtype.kind == "i" else 1.0
    sound = audio.astype(np.float64) / full_scale
    if not np.abs(sound).max() <= 2:  # decoders overshoot a little; integers stored as floats are another scale
        raise ValueError("audio as floats must be finite and within -1..1")
    if rate != MEL_RATE:
        common = math.gcd(int(rate), MEL_RATE)
        sound = resample_poly(sound, MEL_RATE // common, int(rate) // common)
    if len(sound) < MEL_WINDOW:
        sound = np.pad(sound, (0, MEL_WINDOW - len(sound)))
    transform = ShortTimeFFT(
        hann(MEL_WINDOW, sym=False), MEL_HOP, MEL_RATE, mfft=MEL_FFT, fft_mode="onesided", scale_to="magnitude"
    )
    power = transform.spectrogram(sound, p0=0, p1=len(sound) // MEL_HOP + 1)  # column p is centred on p * 10 ms
    bands = power.T @ mel_filters(29, MEL_FFT, MEL_RATE, MEL_RANGE).T
    slices = MEL_RATE / MEL_HOP
    return np.log(np.maximum(frame_means(bands, slices, -0.5 / slices, frames, fps), FLOOR)).astype(np.float32)


def mel_filters(bands: int, fft: int, rate: float, edges: tuple[float, float]) -> np.ndarray:
    """(bands, fft // 2 + 1) float64: triangles of peak 1, evenly spaced in mel = 2595 log10(1 + Hz / 700).

    >>> mel_filters(29, 512, 16000, (80.0, 7600.0)).shape
    (29, 257)
    """
    low, high = (2595 * np.log10(1 + np.asarray(edges) / 700)).tolist()
    corners = 700 * (10 ** (np.linspace(low, high, bands + 2) / 2595) - 1)
    frequency = np.arange(fft // 2 + 1) * rate / fft
    rising = (frequency - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - frequency) / np.diff(corners)[1:, None]
    return np.maximum(0.0, np.minimum(rising, falling))


def phones(logposterior: np.ndarray, frames: int, fps: float) -> np.ndarray:
    """Log of the mean phone posterior over each frame, ln(max(mean, 1e-10)).

    Args:
        logposterior: (n, 42) natural logs at 100 Hz; row k stands for the 10 ms from k / 100 s.
        frames: T, the number of rows to return.
        fps: Frames per second.

    Returns:
        (T, 42) float32. Frames after the end repeat the last row.

    Raises:
        ValueError: Not (n, 42), empty, or NaN.

    >>> round(float(phones(np.full((100, 42), np.log(1 / 42)), 25, 25.0)[3, 0]), 4)
    -3.7377
    """
    logposterior = np.asarray(logposterior, dtype=np.float64)
    if logposterior.ndim != 2 or logposterior.shape[1] != 42 or len(logposterior) == 0:
        raise ValueError(f"phone posteriors are {logposterior.shape}, expected (n, 42)")
    if np.isnan(logposterior).any() or (logposterior == np.inf).any():
        raise ValueError("phone posteriors hold NaN or +infinity")
    means = frame_means(np.exp(logposterior), PHONE_RATE, 0.0, frames, fps)
    return np.log(np.maximum(means, FLOOR)).astype(np.float32)


def frame_means(values: np.ndarray, rate: float, start: float, frames: int, fps: float) -> np.ndarray:
    """Mean of a piecewise constant signal over each frame's interval, (t +- 1/2) / fps.

    Args:
        values: (n, F); row k holds from start + k / rate to start + (k + 1) / rate seconds.
        rate: Rows a second.
        start: When row 0 begins, seconds.
        frames: T.
        fps: Frames per second.

    Returns:
        (T, F) float64. Before its start and after its end the signal is that of its first and last row.
    """
    edges = ((np.arange(frames + 1) - 0.5) / fps - start) * rate
    first = np.floor(edges[:-1]).astype(np.int64)
    rows = first[:, None] + np.arange(math.ceil(rate / fps) + 1)
    overlap = np.minimum(edges[1:, None], rows + 1) - np.maximum(edges[:-1, None], rows)
    weight = np.maximum(overlap, 0.0) * fps / rate
    # Summed frame by frame: differences of one running sum would drown silence in the rounding of speech.
    return np.einsum("tk,tkf->tf", weight, values[np.clip(rows, 0, len(values) - 1)])
