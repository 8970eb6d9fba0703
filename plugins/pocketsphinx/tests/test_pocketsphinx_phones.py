"""The phone posteriors: what they agree with, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from facial_bench.errors import CorpusError, FacialBenchError
from facial_bench.media.audio_features import phones
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.types import Sound
from facial_bench_pocketsphinx import posteriors
from facial_bench_pocketsphinx.features import Phones, to_int16
from facial_bench_pocketsphinx.model import PHONES, find_model, read_states
from facial_bench_pocketsphinx.posteriors import phone_logposteriors

RATE = 16_000


@pytest.fixture(scope="session")
def tracks() -> Path:
    """Clips with phone posteriors that were computed elsewhere."""
    folder = Path(os.environ.get("FACIAL_BENCH_DATA") or "nowhere") / "real-tracks"
    if not folder.is_dir():
        pytest.skip("real data: FACIAL_BENCH_DATA does not name a folder with real-tracks")
    return folder


@pytest.fixture(scope="session")
def features() -> Phones:
    return Phones({})


@pytest.fixture(scope="session")
def states() -> np.ndarray:
    return read_states(find_model() / "mdef")


def noise(n: int, seed: int = 0) -> np.ndarray:
    """(n,) int16: noise whose loudness comes and goes, three times a second."""
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 2000, n) * (1 + np.sin(6 * np.pi * np.arange(n) / RATE))).astype(np.int16)


def sound(samples: np.ndarray, rate: int = RATE) -> Sound:
    """Integers become -1..1."""
    samples = np.asarray(samples)
    full = 32768 if samples.dtype == np.int16 else 1
    return Sound((samples / full).astype(np.float32), rate, "ann", 0.0)


def test_registered() -> None:
    assert "pocketsphinx" in {point.name for point in entry_points(group="facial_bench")}
    spec = load_plugins([]).get("audio_features", "kind of audio features", "phones").spec
    assert spec.create({}).width == 42


def test_states_of_the_model(states: np.ndarray) -> None:
    assert states.shape == (42, 3)
    np.testing.assert_array_equal(states, np.arange(126).reshape(42, 3))  # those without context come first


def test_phones_are_those_of_the_reference(tracks: Path) -> None:
    assert json.loads((tracks / "manifest.json").read_text())["phones"] == list(PHONES)


@pytest.mark.parametrize("clip", ["s01c", "s02a", "s03c"])
def test_the_reference_to_its_rounding(clip: str, tracks: Path, states: np.ndarray, features: Phones) -> None:
    with np.load(tracks / "clips" / f"{clip}.npz") as arrays:
        audio, reference = arrays["audio"], arrays["phone_logposterior"].astype(np.float64)
        fps = float(arrays["fps"])
    ours = phone_logposteriors(audio, states)
    assert ours.shape == reference.shape
    assert np.abs(ours - reference).max() < 0.016  # half a step of float16 below -32
    assert (ours.argmax(axis=1) == reference.argmax(axis=1)).mean() > 0.995
    frames = int(len(audio) / RATE * fps)
    rows = features.compute(sound(audio), frames, fps)
    np.testing.assert_allclose(rows, phones(reference, frames, fps), atol=0.016)


def test_pieces_of_one_recording_depend_on_the_whole(tracks: Path, states: np.ndarray) -> None:
    """s04a..e are cut from one recording whose posteriors were computed before the cuts."""
    clips = [np.load(tracks / "clips" / f"s04{letter}.npz") for letter in "abcde"]
    reference = np.concatenate([clip["phone_logposterior"] for clip in clips]).astype(np.float64)
    ours = phone_logposteriors(np.concatenate([clip["audio"] for clip in clips]), states)
    assert len(ours) == len(reference) and np.median(np.abs(ours - reference)) < 0.002
    alone = phone_logposteriors(clips[0]["audio"], states)
    assert np.median(np.abs(alone - reference[: len(alone)])) > 0.05


def test_probabilities_and_shape(features: Phones, states: np.ndarray) -> None:
    posterior = phone_logposteriors(noise(RATE), states)
    assert posterior.shape == (99, 42) and np.isfinite(posterior).all()
    np.testing.assert_allclose(np.exp(posterior).sum(axis=1), 1, atol=1e-12)
    rows = features.compute(sound(noise(RATE)), 25, 25.0)
    assert rows.shape == (25, 42) and rows.dtype == np.float32
    np.testing.assert_allclose(np.exp(rows).sum(axis=1), 1, atol=1e-5)


def test_one_sound_whatever_came_before(features: Phones) -> None:
    first = features.compute(sound(noise(RATE)), 25, 25.0)
    features.compute(sound(noise(2 * RATE, 1)), 50, 25.0)
    np.testing.assert_array_equal(features.compute(sound(noise(RATE)), 25, 25.0), first)
    assert Phones({}).digest == features.digest and len(features.digest) == 64


def test_integers_survive_floats() -> None:
    every = np.arange(-32768, 32768).astype(np.int16)
    np.testing.assert_array_equal(to_int16(sound(every)), every)
    np.testing.assert_array_equal(to_int16(sound(np.array([1.0, -1.5], np.float32))), [32767, -32768])


@pytest.mark.parametrize("samples", [1, 159, 409, 410, 569, 570, 640])
def test_short_sounds(samples: int, features: Phones) -> None:
    rows = features.compute(sound(noise(samples)), 1, 25.0)
    assert rows.shape == (1, 42) and np.isfinite(rows).all()


def test_silence_is_silence(features: Phones) -> None:
    rows = features.compute(sound(np.zeros(RATE, np.int16)), 25, 25.0)
    assert np.isfinite(rows).all()


@pytest.mark.parametrize(
    ("samples", "rate", "problem"),
    [
        (np.zeros(0, np.float32), RATE, "is empty"),
        (np.array([0.0, np.nan]), RATE, "first at sample 1"),
        (np.array([0.0, np.inf]), RATE, "NaN or infinities"),
        (np.zeros((5, 2)), RATE, r"\(5, 2\) at 16000 Hz"),
        (np.zeros(5), 44_100, "at 44100 Hz, expected"),
        (np.array([0.0, 3000.0]), RATE, "reaches 3000, expected -1..1"),
    ],
)
def test_impossible_sounds(samples: np.ndarray, rate: int, problem: str, features: Phones) -> None:
    with pytest.raises(CorpusError, match=f"the sound of ann.*{problem}"):
        features.compute(sound(samples, rate), 2, 25.0)


def test_no_option() -> None:
    with pytest.raises(FacialBenchError, match=r"Unknown option .* 'model'.*They take no option"):
        Phones({"model": "x"})


def test_the_log_is_removed(features: Phones, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    features.compute(sound(noise(RATE)), 25, 25.0)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(FacialBenchError, match="set TMPDIR to a folder with room"):
        features.compute(sound(noise(RATE)), 25, 25.0)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda log: log[:-7], "ends within a row"),
        (lambda log: log[: len(log) // 2], "within a row|rows for"),
        (lambda log: log[:20], "no header"),
        (lambda log: log.replace(b"\x44\x33\x22\x11", b"\x11\x22\x33\x44", 1), "unknown header"),
        (lambda log: b"", "no header"),
    ],
)
def test_damaged_logs(damage, problem: str, states: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    decode = posteriors._decode

    def damaged(samples: np.ndarray, folder: str) -> None:
        decode(samples, folder)
        log = next(Path(folder).glob("*.sen"))
        log.write_bytes(damage(log.read_bytes()))

    monkeypatch.setattr(posteriors, "_decode", damaged)
    with pytest.raises(FacialBenchError, match=problem) as caught:
        phone_logposteriors(noise(RATE), states)
    assert "\n" not in str(caught.value)


def test_a_full_disk(states: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1_000_000))
    with pytest.raises(FacialBenchError, match=r"the disk is full.*1 MB of temporary disk a second"):
        phone_logposteriors(noise(RATE), states)


def test_damaged_models(tmp_path: Path) -> None:
    data = (find_model() / "mdef").read_bytes()
    other = tmp_path / "mdef"
    for content, problem in [
        (b"", "BMDF"),
        *((data[:end], "cannot be read") for end in (6, 500, 1070, 1200, -1000)),
        (data.replace(b"SIL\0", b"SIX\0", 1), "42 of PocketSphinx's English model"),
    ]:
        other.write_bytes(content)
        with pytest.raises(FacialBenchError, match=problem):
            read_states(other)
    with pytest.raises(FacialBenchError, match="cannot be read"):
        read_states(tmp_path / "missing")


def test_a_wheel_without_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pocketsphinx

    monkeypatch.setattr(pocketsphinx, "get_model_path", lambda subpath=None: str(tmp_path))
    with pytest.raises(FacialBenchError, match=r"there is no .*mdef\. Install the wheel"):
        Phones({})
