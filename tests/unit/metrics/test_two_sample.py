"""Networks that tell windows apart: what they must and cannot tell, the same everywhere, kept by content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from facial_bench.core.protocol import RealismSettings
from facial_bench.metrics import two_sample
from facial_bench.metrics.realism import make_scale, raw_windows, realism_definitions, realisms
from facial_bench.metrics.two_sample import Pairs, told_apart
from tests.helpers.faces import ar1, make_clip, make_model

SHORT = RealismSettings(steps=40, channels=(8, 8), folds=2)


def pairs(generated: np.ndarray, real: np.ndarray) -> Pairs:
    fold = np.arange(len(real)) % 2
    return Pairs(generated, real, fold, np.stack([fold != 0, fold != 1]))


def noise(seed: int, memory: float = 0.9) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([ar1(rng, 128, 2, memory) for _ in range(60)]).astype(np.float32)


def test_another_process_is_told_apart_and_the_same_one_is_not() -> None:
    assert told_apart(pairs(noise(1, 0.2), noise(2)), SHORT).mean() > 0.95
    assert 0.3 < told_apart(pairs(noise(3), noise(2)), SHORT).mean() < 0.7


def test_the_very_same_windows_are_a_half_each() -> None:
    assert (told_apart(pairs(noise(2), noise(2)), SHORT) == 0.5).all()


def test_a_network_without_training_counts_as_told_apart() -> None:
    one = replace(pairs(noise(3), noise(2)), trains=np.zeros((2, 60), bool))
    assert (told_apart(one, SHORT) == 1).all()


def test_a_network_is_not_trained_on_what_it_tells() -> None:
    made = noise(3)
    spoiled = made.copy()
    spoiled[1::2] *= 50  # of fold 1, which trains network 0 alone
    one = replace(pairs(made, noise(2)), trains=np.array([[False] * 60, [True, False] * 30]))
    told = told_apart(replace(one, generated=spoiled), SHORT)
    assert (told[::2] == 1).all()
    np.testing.assert_array_equal(told_apart(one, SHORT)[::2], told[::2])
    assert (told[1::2] >= 0.5).all()


def test_the_same_whatever_the_number_of_threads() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = told_apart(pairs(noise(3), noise(2)), SHORT)
        torch.set_num_threads(2)
        np.testing.assert_array_equal(told_apart(pairs(noise(3), noise(2)), SHORT), one)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_answers_are_kept_by_content_and_damage_is_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = pairs(noise(3), noise(2))
    first = told_apart(one, SHORT, tmp_path)
    (file,) = (tmp_path / "realism").iterdir()
    assert file.stat().st_size < 4096
    calls: list[int] = []
    real = two_sample._cross_fit
    monkeypatch.setattr(two_sample, "_cross_fit", lambda *given: calls.append(1) or real(*given))
    np.testing.assert_array_equal(told_apart(one, SHORT, tmp_path), first)
    assert not calls
    for content in (b"", b"damaged", file.read_bytes()[:-8]):
        file.write_bytes(content)
        np.testing.assert_array_equal(told_apart(one, SHORT, tmp_path), first)
    assert len(calls) == 3
    told_apart(replace(one, generated=one.generated + np.float32(1e-3)), SHORT, tmp_path)
    told_apart(one, replace(SHORT, steps=41), tmp_path)
    assert len(calls) == 5
    assert len(list((tmp_path / "realism").iterdir())) == 3


def test_the_cache_forgets_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two_sample, "KEPT", 2)
    for k in range(4):
        told_apart(pairs(noise(k), noise(9)), replace(SHORT, steps=1), tmp_path)
    assert len(list((tmp_path / "realism").iterdir())) == 2


def test_windows_by_hand() -> None:
    cut = raw_windows(np.array([[1.0], [3.0], [8.0]]), np.array([0]), 3)
    np.testing.assert_allclose(cut[0], [[-3, 0], [-1, 2], [4, 5]])


def test_windows_are_standardised_by_real_training_motion_and_blind_to_the_mean_pose() -> None:
    pose = realisms()["pose_realism"]
    clip = make_clip(make_model(["a"]), "a", "a0", 300, 0)
    starts = np.arange(0, 160, 8)
    scale = make_scale(pose, [clip], [starts], 128)
    windows = scale.windows(pose.signal(clip.motion), starts, 128)
    assert windows.shape == (20, 128, 12)
    np.testing.assert_allclose(windows.std(axis=(0, 1)), 1, rtol=1e-4)
    np.testing.assert_allclose(scale.windows(pose.signal(clip.motion) + 7, starts, 128), windows, atol=1e-4)
    with pytest.raises(ValueError, match="no window of real training motion"):
        make_scale(pose, [clip], [starts[:0]], 128)


def test_what_each_metric_needs() -> None:
    assert {one.id: one.needs for one in realism_definitions()} == {
        "pose_realism": ("pose",),
        "blink_realism": ("blink",),
    }
