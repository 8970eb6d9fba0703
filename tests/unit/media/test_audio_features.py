"""Audio features: bands, timing, silence, any rate."""

import math

import numpy as np
import pytest

from facial_bench.media.audio_features import FLOOR, MEL_RANGE, audio_kinds, frame_means, mel29, mel_filters, phones


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def tone(hz, rate, seconds=2.0, amplitude=1.0):
    return amplitude * np.sin(2 * math.pi * hz * np.arange(int(rate * seconds)) / rate)


def slow_filters(bands, fft, rate, low, high):
    def mel(hz):
        return 2595 * math.log10(1 + hz / 700)

    def hertz(m):
        return 700 * (10 ** (m / 2595) - 1)

    step = (mel(high) - mel(low)) / (bands + 1)
    weights = np.zeros((bands, fft // 2 + 1))
    for band in range(bands):
        left, top, right = (hertz(mel(low) + (band + i) * step) for i in range(3))
        for k in range(fft // 2 + 1):
            hz = k * rate / fft
            if left < hz <= top:
                weights[band, k] = (hz - left) / (top - left)
            elif top < hz < right:
                weights[band, k] = (right - hz) / (right - top)
    return weights


def test_mel_filters_equal_a_loop():
    filters = mel_filters(29, 512, 16000, MEL_RANGE)
    np.testing.assert_allclose(filters, slow_filters(29, 512, 16000, *MEL_RANGE), atol=1e-9)
    assert (filters.max(axis=1) > 0.5).all()


def test_mel_bands_equal_a_loop_over_windows(rng):
    """Every 10 ms a Hann window of 400 samples centred on it, its DFT, the bands; then the mean over each 40 ms."""
    sound = rng.uniform(-0.5, 0.5, 16000)
    filters, window = slow_filters(29, 512, 16000, *MEL_RANGE), 0.5 - 0.5 * np.cos(2 * math.pi * np.arange(400) / 400)
    padded = np.concatenate([np.zeros(200), sound, np.zeros(400)])
    slices = []
    for p in range(101):
        piece = padded[p * 160 : p * 160 + 400] * window / window.sum()
        spectrum = [(piece * np.exp(-2j * math.pi * k * np.arange(400) / 512)).sum() for k in range(257)]
        slices.append(filters @ np.abs(spectrum) ** 2)
    slow = np.empty((25, 29))
    for t in range(25):
        # 40 ms centred on t * 40 ms: two whole slices on each side count 1 and, at both ends, half a slice.
        total, weight = np.zeros(29), 0.0
        for p, share in zip(range(4 * t - 2, 4 * t + 3), (0.5, 1, 1, 1, 0.5), strict=True):
            total, weight = total + share * slices[min(max(p, 0), 100)], weight + share
        slow[t] = np.log(np.maximum(total / weight, FLOOR))
    np.testing.assert_allclose(mel29(sound, 16000, 25, 25.0), slow, atol=1e-5)


def test_a_full_scale_tone_by_hand():
    """1 kHz is bin 32 of 512 at 16 kHz; |amplitude / 2|^2 = 1/4 there, and its neighbours hold the Hann lobe."""
    lobe = [
        np.abs(np.sum(np.hanning(401)[:400] / 200 * np.exp(2j * math.pi * d / 512 * np.arange(400)))) ** 2 / 4
        for d in (-2, -1, 0, 1, 2)
    ]
    assert lobe[2] == pytest.approx(0.25)
    expected = np.log(np.maximum(mel_filters(29, 512, 16000, MEL_RANGE)[:, 30:35] @ lobe, FLOOR))
    bands = mel29(tone(1000, 16000), 16000, 50, 25.0)[25]
    loud = expected > expected.max() - 3
    np.testing.assert_allclose(bands[loud], expected[loud], atol=0.01)
    assert bands.argmax() == expected.argmax()


def test_silence_is_the_floor_everywhere():
    bands = mel29(np.zeros(16000, np.int16), 16000, 25, 25.0)
    assert bands.dtype == np.float32
    np.testing.assert_allclose(bands, math.log(FLOOR), rtol=1e-6)


def test_silence_after_speech_is_silence(rng):
    sound = np.concatenate([rng.uniform(-1, 1, 16000), np.zeros(16000)])
    np.testing.assert_allclose(mel29(sound, 16000, 50, 25.0)[27:], math.log(FLOOR), rtol=1e-6)


def test_twice_as_loud_adds_the_log_of_four(rng):
    sound = rng.uniform(-0.4, 0.4, 16000)
    np.testing.assert_allclose(
        mel29(2 * sound, 16000, 25, 25.0) - mel29(sound, 16000, 25, 25.0), math.log(4), atol=1e-5
    )


def test_integers_and_floats_of_one_sound_agree(rng):
    whole = rng.integers(-20000, 20000, 16000).astype(np.int16)
    np.testing.assert_array_equal(mel29(whole, 16000, 25, 25.0), mel29(whole / 32768, 16000, 25, 25.0))


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_the_bands_mean_the_same_at_every_sampling_rate(rate):
    chord = sum(tone(hz, rate, amplitude=0.2) for hz in (200, 900, 2500, 5000))
    reference = sum(tone(hz, 16000, amplitude=0.2) for hz in (200, 900, 2500, 5000))
    bands, expected = mel29(chord, rate, 50, 25.0)[5:45], mel29(reference, 16000, 50, 25.0)[5:45]
    loud = expected > -12
    assert loud.any(axis=0).sum() >= 4
    np.testing.assert_allclose(bands[loud], expected[loud], atol=0.1)


@pytest.mark.parametrize("fps", [25.0, 30.0, 29.97])
def test_a_click_is_loudest_in_the_frame_whose_time_it_has(fps):
    sound = np.zeros(32000)
    sound[round(17 / fps * 16000)] = 1.0
    energy = mel29(sound, 16000, 40, fps).sum(axis=1)
    assert energy.argmax() == 17
    np.testing.assert_allclose(energy[16], energy[18], atol=0.1 * (energy[17] - energy[0]))


@pytest.mark.parametrize("samples", [1, 3, 399, 15000])
def test_a_sound_that_ends_early_still_gives_every_frame(samples, rng):
    bands = mel29(rng.uniform(-1, 1, samples), 16000, 25, 25.0)
    assert bands.shape == (25, 29)
    assert np.isfinite(bands).all()


@pytest.mark.parametrize(
    ("sound", "rate"),
    [
        (np.zeros((2, 100)), 16000),
        (np.zeros(0), 16000),
        (np.full(100, np.nan), 16000),
        (np.zeros(100), 0),
        (np.full(100, 3000.0), 16000),
        (np.zeros(100, np.uint8), 16000),
    ],
)
def test_what_is_no_mono_sound_is_refused(sound, rate):
    with pytest.raises(ValueError, match="audio"):
        mel29(sound, rate, 25, 25.0)


# --- phones


def test_phone_rows_are_averaged_as_probabilities(rng):
    """Frame 3 is 100..140 ms: rows 10, 11, 12 and 13, and no others."""
    posterior = rng.dirichlet(np.ones(42), 100)
    slow = np.log(posterior[10:14].mean(axis=0))
    np.testing.assert_allclose(phones(np.log(posterior), 25, 25.0)[3], slow, atol=1e-5)
    np.testing.assert_allclose(np.exp(phones(np.log(posterior), 25, 25.0)).sum(axis=1), 1, atol=1e-5)


def test_certain_phones_have_a_floor_and_no_infinity():
    certain = np.full((100, 42), -np.inf)
    certain[:, 7] = 0.0
    features = phones(certain, 25, 25.0)
    np.testing.assert_allclose(features[:, 7], 0, atol=1e-12)
    np.testing.assert_allclose(np.delete(features, 7, axis=1), math.log(FLOOR), rtol=1e-6)


@pytest.mark.parametrize("bad", [np.zeros((10, 41)), np.zeros((0, 42)), np.full((10, 42), np.nan)])
def test_what_is_no_phone_posterior_is_refused(bad):
    with pytest.raises(ValueError, match="phone posteriors"):
        phones(bad, 25, 25.0)


# --- both


@pytest.mark.parametrize(("rate", "fps", "start"), [(100, 25, 0), (100, 30, 0), (100, 29.97, -0.005), (7, 25, 0.1)])
def test_frame_means_equal_an_integral(rng, rate, fps, start):
    values = rng.normal(size=(60, 2))
    means = frame_means(values, rate, start, 12, fps)
    for t in range(12):
        low, high = (t - 0.5) / fps, (t + 0.5) / fps
        total = np.zeros(2)
        for k in range(-1000, 1000):
            overlap = min(high, start + (k + 1) / rate) - max(low, start + k / rate)
            total += max(0.0, overlap) * values[min(max(k, 0), 59)]
        np.testing.assert_allclose(means[t], total * fps, atol=1e-9)


def test_every_kind_gives_its_width(rng):
    arrays = {
        "audio": np.zeros(16000, np.int16),
        "audio_rate": np.int32(16000),
        "phone_logposterior": np.zeros((100, 42)),
    }
    assert set(audio_kinds()) == {"mel29", "phones"}
    for kind in audio_kinds().values():
        features = kind.compute({name: arrays[name] for name in kind.needs}, 25, 25.0)
        assert features.shape == (25, kind.width)
        assert np.isfinite(features).all()
