"""The square that is rendered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("PIL", reason="Pillow is not installed: pip install -r requirements-video.txt")

from facial_bench.core.errors import CorpusError
from facial_bench.rendering.crop import MARGIN, cut, recording_crop
from facial_bench.types import Crop
from tests.helpers.faces import make_clip, make_model


def a_clip(frames: int = 40, seed: int = 3):
    return make_clip(make_model(("ann",)), "ann", "ann0", frames, seed, 1.0)


def test_pixels_go_where_points_go() -> None:
    """A bright square in the camera's picture lies in the crop where `points` says."""
    image = np.zeros((120, 160, 3), np.uint8)
    image[50:60, 70:90] = 255
    crop = Crop(left=40.5, top=20.25, side=80.0, size=64)
    seen = cut(image, crop).astype(float).mean(axis=2)
    y, x = np.indices(seen.shape) + 0.5
    centre = np.array([(seen * x).sum(), (seen * y).sum()]) / seen.sum()
    np.testing.assert_allclose(centre, crop.points(np.array([[80.0, 55.0]]))[0], atol=0.05)  # uint8
    assert seen.sum() / 255 == pytest.approx(10 * 20 * (64 / 80) ** 2, rel=0.02), "antialiased: nothing is lost"


def test_a_whole_picture_of_its_own_size_is_itself() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    np.testing.assert_array_equal(cut(image, Crop(0, 0, 64, 64)), image)


def test_beyond_the_border_the_border_goes_on() -> None:
    image = np.tile(np.arange(64, dtype=np.uint8)[:, None, None], (1, 64, 3))
    seen = cut(image, Crop(-32, -32, 128, 128))
    assert (seen[:32] == 0).all() and (seen[-32:] == 63).all()
    np.testing.assert_array_equal(seen[32:96, 5, 0], np.arange(64))
    assert cut(image, Crop(-500, 10, 40, 64)).shape == (64, 64, 3), "even where nothing of the picture is left"


def test_the_square_is_around_the_training_landmarks() -> None:
    training, asked = a_clip(), a_clip(seed=5)
    moved = replace(asked, landmarks=asked.landmarks + 300)
    crop = recording_crop([training], [moved], 128)
    low = training.landmarks[..., :2].min(axis=(0, 1))
    high = training.landmarks[..., :2].max(axis=(0, 1))
    assert crop.left < low[0] < high[0] < crop.left + crop.side
    assert crop.top < low[1] < high[1] < crop.top + crop.side
    assert crop.side <= MARGIN * (high - low).max() + 1e-6
    assert recording_crop([], [moved], 128).left == pytest.approx(recording_crop([asked], [], 128).left + 300, abs=1e-3)


def test_frames_without_a_face_do_not_count() -> None:
    clip = a_clip()
    wild = clip.landmarks.copy()
    wild[7] += 5000
    valid = np.arange(clip.frames) != 7
    assert recording_crop([replace(clip, landmarks=wild, valid=valid)], [], 128) == recording_crop(
        [replace(clip, valid=valid)], [], 128
    )
    with pytest.raises(CorpusError, match="No face was found in any frame of"):
        recording_crop([replace(clip, valid=np.zeros(clip.frames, bool))], [], 128)
