"""Pictures beside the real ones -> the entries of a row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("skimage", reason="scikit-image is not installed: pip install -r requirements-video.txt")
pytest.importorskip("flip_evaluator", reason="flip-evaluator is not installed: pip install -r requirements-video.txt")

from facial_bench.metrics.image.definitions import image_metrics
from facial_bench.metrics.image.maps import Maps
from facial_bench.metrics.image.pair import Pair
from facial_bench.rendering.crop import recording_crop
from facial_bench.rendering.scoring import score
from tests.helpers.faces import make_clip, make_model

SIZE, T = 64, 45
METRICS = [
    metric
    for metric in image_metrics(SIZE)
    if metric.id.split("/")[0] in ("l1", "psnr", "temporal_error", "motion_ratio")
]
CLIP = make_clip(make_model(("ann",)), "ann", "ann0", T, 3, 1.0)
CROP = recording_crop([CLIP], [], SIZE)
RNG = np.random.default_rng(1)
REAL = RNG.integers(0, 256, (T, SIZE, SIZE, 3), np.uint8)
MADE = np.clip(REAL + RNG.normal(0, 9, REAL.shape), 0, 255).astype(np.uint8)


def scored(real=REAL, made=MADE, clip=CLIP, missing=(), block=128):
    sights = [(None if k in missing else real[k], 0.001 * k) for k in range(len(real))]
    return score(METRICS, clip, CROP, sights, list(made), block)


def test_blocks_give_what_the_whole_gives() -> None:
    pair = Pair(REAL, MADE, CROP.points(CLIP.landmarks), None)
    found = scored()
    for metric in METRICS:
        assert found.entries[metric.id].value == pytest.approx(
            metric.value(metric.measure(pair, Maps(pair))), rel=1e-12
        )
    assert found.frames == (T, T) and found.farthest == pytest.approx(0.044)


def test_frames_without_a_picture_or_a_face_count_nowhere() -> None:
    valid = np.ones(T, bool)
    valid[[0, 20]] = False
    other = MADE.copy()
    other[[0, 20, 31]] = 0
    clip = replace(CLIP, valid=valid)
    found = scored(made=other, clip=clip, missing=(31,))
    assert found.frames == (42, 45)
    kept = [k for k in range(T) if k not in (0, 20, 31)]
    whole = np.abs(REAL[kept].astype(float) - MADE[kept]).mean()
    assert found.entries["l1"].value == pytest.approx(whole)
    assert found.entries["l1"].frames == (42, 45)
    again = scored(made=MADE, clip=clip, missing=(31,))
    assert found.entries == again.entries, "what was rendered there is not looked at, not even as the frame before"


def test_the_same_pictures() -> None:
    found = scored(made=REAL)
    assert found.entries["l1"].value == 0 and found.entries["temporal_error/face"].value == 0
    assert found.entries["motion_ratio/face"].value == 1
    assert found.entries["psnr"].value == pytest.approx(10 * np.log10(255**2 * 12))


def test_weights_and_blocks_are_those_of_the_house() -> None:
    entry = scored(block=10).entries["l1"]
    assert entry.weight == 1 and len(entry.blocks) == 4
    assert sum(total for total, _ in entry.blocks) == pytest.approx(entry.value)
    assert sum(weight for _, weight in entry.blocks) == pytest.approx(1)
    assert scored(block=90).entries["l1"].weight == 0.5


def test_nothing_to_score_is_no_score() -> None:
    found = scored(missing=range(T))
    assert found.frames == (0, T)
    assert {entry.value for entry in found.entries.values()} == {None}
    assert found.entries["l1"].reason == "no frame can be scored"
    still = scored(real=np.repeat(REAL[:1], T, axis=0))
    assert still.entries["motion_ratio/face"].value is None and still.entries["l1"].value > 0


def test_another_number_of_pictures_is_an_error() -> None:
    with pytest.raises(ValueError, match="argument"):
        scored(made=MADE[:-1])
