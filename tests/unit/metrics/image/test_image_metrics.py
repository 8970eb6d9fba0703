"""Pixel metrics: which there are, their values on a clip against loops, by hand, and what each does not see."""

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from facial_bench.core.types import FAMILIES
from facial_bench.metrics.catalog import definition_digest
from facial_bench.metrics.image.definitions import image_metrics
from facial_bench.metrics.image.maps import Maps
from facial_bench.metrics.image.metric import mean_of_rows, ratio_of_sums
from facial_bench.metrics.image.pair import Pair

SIZE = 48
METRICS = {one.id: one for one in image_metrics(SIZE)}
PER_REGION = [
    f"{name}{variant}" for name in ("psnr", "ssim", "l1", "flip") for variant in ("", "/face", "/mouth", "/eyes")
]
BEST = {"psnr": 10 * math.log10(12 * 255**2), "ssim": 1, "l1": 0, "flip": 0, "sharpness": 1, "temporal_error": 0}
BEST["motion_ratio"] = 1
BOXES = {"face": (8, 8, 40, 40), "mouth": (18, 29, 30, 35), "eyes": (14, 14, 34, 22)}
"""Left, top, right, bottom of the regions of `make_pair`."""


@pytest.fixture
def rng():
    return np.random.default_rng(12)


def make_pair(rng, frames=5, before=True, noise=10.0):
    smooth = gaussian_filter(rng.normal(size=(frames + 1, SIZE, SIZE, 3)), (1, 2, 2, 0)) * 400 + 128
    real, rendered = to_bytes(smooth), to_bytes(smooth + rng.normal(size=smooth.shape) * noise)
    return Pair(real[1:], rendered[1:], landmarks(frames), (real[0], rendered[0]) if before else None)


def to_bytes(values):
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def landmarks(frames):
    """Boxes x 10.67..37.33 (face), 20..28 x 30..34 (mouth), 16..32 x 16..20 (eyes)."""
    points = np.full((68, 2), 24.0)
    points[0], points[1] = 24 - 32 / 2.4, 24 + 32 / 2.4
    points[36:48] = 24, 18
    points[[36, 45]] = [16, 16], [32, 20]
    points[48:] = 24, 32
    points[[48, 54]] = [20, 30], [28, 34]
    return np.tile(points, (frames, 1, 1))


def value(id_, pair):
    return METRICS[id_].value(METRICS[id_].measure(pair, Maps(pair)))


def changed(pair, **parts):
    return Pair(**({name: getattr(pair, name) for name in ("real", "rendered", "landmarks", "before")} | parts))


def test_which_metrics_there_are():
    assert list(METRICS) == [*PER_REGION, "sharpness", "temporal_error/face", "motion_ratio/face"]
    assert [one.id for one in image_metrics(256) if one.id not in METRICS] == ["ms_ssim"]
    assert not [one.id for one in image_metrics(255) if one.id == "ms_ssim"]
    with pytest.raises(ValueError, match="11 px a side or more, these have 10"):
        image_metrics(10)


def test_the_face_and_the_mouth_are_ranked():
    ranked = {f"{name}/{region}" for name in ("psnr", "ssim", "l1", "flip") for region in ("face", "mouth")}
    assert {one.id for one in image_metrics(256) if one.ranked} == ranked


def test_every_record_is_complete():
    every = image_metrics(256)
    for one in every:
        assert one.family == "pictures" in FAMILIES
        assert 10 < len(one.meaning) <= 75, f"{one.id}: {one.meaning}"
        assert one.formula and one.origin and one.pitfalls
        assert "\n" not in one.meaning + one.formula + one.origin + one.pitfalls
    assert len({one.meaning for one in every}) == len({definition_digest(one) for one in every}) == len(every)
    assert {definition_digest(one) for one in image_metrics(64)} <= {definition_digest(one) for one in every}


def test_the_formulas_state_the_regions():
    assert "landmarks 0..67 (x 1.2 about" in METRICS["psnr/face"].formula
    assert "landmarks 48..67 (x 1.5 about" in METRICS["l1/mouth"].formula
    assert "landmarks 36..47 (width x 1.3, height x 2 about" in METRICS["flip/eyes"].formula


@pytest.mark.parametrize("id_", METRICS)
def test_the_real_video_itself_is_best(rng, id_):
    pair = make_pair(rng)
    same = changed(pair, rendered=pair.real, before=(pair.before[0], pair.before[0]))
    assert value(id_, same) == pytest.approx(BEST[id_.split("/")[0]], abs=1e-9)


def region_pixels(region):
    left, top, right, bottom = BOXES[region]
    return [(row, column) for row in range(top, bottom) for column in range(left, right)]


@pytest.mark.parametrize("region", BOXES)
def test_psnr_and_l1_equal_their_loops(rng, region):
    pair = make_pair(rng, frames=2)
    decibels, gaps = [], []
    for t in range(2):
        every = [
            float(pair.rendered[t, row, column, c]) - float(pair.real[t, row, column, c])
            for row, column in region_pixels(region)
            for c in range(3)
        ]
        decibels.append(10 * math.log10(255**2 / (math.fsum(gap**2 for gap in every) / len(every))))
        gaps.append(math.fsum(map(abs, every)) / len(every))
    assert value(f"psnr/{region}", pair) == pytest.approx(sum(decibels) / 2, rel=1e-12)
    assert value(f"l1/{region}", pair) == pytest.approx(sum(gaps) / 2, rel=1e-12)


def test_ssim_of_the_picture_is_that_of_scikit_image(rng):
    pair = make_pair(rng, frames=2)
    settings = {"channel_axis": 2, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = [
        structural_similarity(one, two, data_range=255, **settings)
        for one, two in zip(pair.real, pair.rendered, strict=True)
    ]
    assert value("ssim", pair) == pytest.approx(np.mean(expected), rel=1e-12)


def test_motion_equals_its_loops(rng):
    pair = make_pair(rng, frames=3)
    real, rendered = ([before, *frames] for before, frames in zip(pair.before, (pair.real, pair.rendered), strict=True))
    errors, sums = [], np.zeros(2)
    for t in range(1, 4):
        error = 0.0
        for row, column in region_pixels("face"):
            for c in range(3):
                steps = [float(v[t][row, column, c]) - float(v[t - 1][row, column, c]) for v in (rendered, real)]
                error += abs(steps[0] - steps[1])
                sums += np.abs(steps)
        errors.append(error / (3 * len(region_pixels("face"))))
    assert value("temporal_error/face", pair) == pytest.approx(sum(errors) / 3, rel=1e-12)
    assert value("motion_ratio/face", pair) == pytest.approx(sums[0] / sums[1], rel=1e-12)


def test_sharpness_equals_its_loop(rng):
    pair = make_pair(rng, frames=2)
    sums = []
    for frames in (pair.rendered, pair.real):
        total = 0.0
        for frame in frames:
            luma = 0.299 * frame[..., 0] + 0.587 * frame[..., 1] + 0.114 * frame[..., 2]
            for row, column in region_pixels("face"):
                around = luma[row - 1, column] + luma[row + 1, column] + luma[row, column - 1] + luma[row, column + 1]
                total += abs(around - 4 * luma[row, column])
        sums.append(total)
    assert value("sharpness", pair) == pytest.approx(sums[0] / sums[1], rel=1e-12)


def test_a_bright_pixel_by_hand():
    """Black videos of two frames; in the second the rendered one has a pixel of 240 in the mouth, the real one 120."""
    real, rendered = np.zeros((2, 2, SIZE, SIZE, 3), np.uint8)
    real[1, 32, 24], rendered[1, 32, 24] = 120, 240
    pair = Pair(real, rendered, landmarks(2), None)
    assert value("l1/mouth", pair) == pytest.approx(120 / 72 / 2)  # of 12 x 6 pixels, in one frame of two
    assert value("l1/face", pair) == pytest.approx(120 / 1024 / 2)
    assert value("l1/eyes", pair) == 0
    assert METRICS["psnr/mouth"].measure(pair, Maps(pair))[1, 0] == pytest.approx(
        10 * math.log10(255**2 / (120**2 / 72))
    )
    assert value("sharpness", pair) == pytest.approx(2)
    assert value("temporal_error/face", pair) == pytest.approx(120 / 1024)
    assert value("motion_ratio/face", pair) == pytest.approx(2)


def test_a_shift_of_brightness_is_no_motion_and_no_detail(rng):
    pair = make_pair(rng)
    real = np.clip(pair.real, 20, 200)
    before = np.clip(pair.before[0], 20, 200)
    brighter = Pair(real, real + np.uint8(30), pair.landmarks, (before, before + np.uint8(30)))
    assert value("temporal_error/face", brighter) == 0
    assert value("motion_ratio/face", brighter) == 1
    assert value("sharpness", brighter) == pytest.approx(1)
    assert value("l1", brighter) == 30


@pytest.mark.parametrize("id_", PER_REGION)
def test_errors_are_the_same_either_way_round(rng, id_):
    pair = make_pair(rng)
    assert value(id_, changed(pair, real=pair.rendered, rendered=pair.real)) == pytest.approx(
        value(id_, pair), abs=1e-6
    )


@pytest.mark.parametrize("id_", [one for one in METRICS if "/" in one and one[:4] not in ("ssim", "flip")])
def test_what_is_outside_a_region_does_not_count(rng, id_):
    pair = make_pair(rng)
    left, top, right, bottom = BOXES[id_.split("/")[1]]
    frames = []
    for video in (pair.rendered, pair.before[1]):
        other = rng.integers(0, 256, video.shape, np.uint8)
        other[..., top:bottom, left:right, :] = video[..., top:bottom, left:right, :]
        frames.append(other)
    assert value(id_, changed(pair, rendered=frames[0], before=(pair.before[0], frames[1]))) == value(id_, pair)


@pytest.mark.parametrize(("id_", "reach"), [("ssim/eyes", 5), ("flip/eyes", 16), ("sharpness", 1)])
def test_what_is_further_from_a_region_than_the_window_does_not_count(rng, id_, reach):
    pair = make_pair(rng)
    bottom = BOXES["face" if id_ == "sharpness" else "eyes"][3] + reach
    other = pair.rendered.copy()
    other[:, bottom:] = rng.integers(0, 256, other[:, bottom:].shape)
    assert value(id_, changed(pair, rendered=other)) == value(id_, pair)


def test_a_still_picture_has_no_motion(rng):
    pair = make_pair(rng)
    frame = pair.rendered[0]
    assert (
        value("motion_ratio/face", changed(pair, rendered=np.stack([frame] * 5), before=(pair.before[0], frame))) == 0
    )


def test_a_blurred_picture_is_less_sharp(rng):
    pair = make_pair(rng)
    blurred = to_bytes(gaussian_filter(pair.real.astype(float), (0, 2, 2, 0)))
    assert value("sharpness", changed(pair, rendered=blurred)) < 0.5


@pytest.mark.parametrize("id_", METRICS)
def test_a_stretch_in_blocks_is_the_stretch(rng, id_):
    whole = make_pair(rng, before=False)
    parts = [
        Pair(whole.real[:2], whole.rendered[:2], whole.landmarks[:2], None),
        Pair(whole.real[2:], whole.rendered[2:], whole.landmarks[2:], (whole.real[1], whole.rendered[1])),
    ]
    rows = METRICS[id_].measure(whole, Maps(whole))
    np.testing.assert_array_equal(np.concatenate([METRICS[id_].measure(part, Maps(part)) for part in parts]), rows)
    assert rows.dtype == np.float64
    assert np.isnan(rows).any(axis=1).tolist() == [id_.startswith(("temporal", "motion")), *[False] * 4]


@pytest.mark.parametrize("id_", [one for one in METRICS if "/" in one or one == "sharpness"])
def test_a_frame_whose_region_is_outside_has_no_value(rng, id_):
    pair = make_pair(rng)
    points = pair.landmarks.copy()
    points[2] += 500
    some = changed(pair, landmarks=points)
    rows = METRICS[id_].measure(some, Maps(some))
    assert np.isnan(rows).any(axis=1).tolist() == [False, False, True, False, False]
    kept = METRICS[id_].measure(pair, Maps(pair))[[0, 1, 3, 4]]
    assert METRICS[id_].value(rows) == METRICS[id_].value(kept)
    assert math.isnan(value(id_, changed(pair, landmarks=points[[2] * 5])))


def test_an_unsharp_or_still_real_video_has_no_ratio(rng):
    pair = make_pair(rng)
    flat = np.full_like(pair.real, 90)
    still = changed(pair, real=flat, before=(flat[0], pair.before[1]))
    assert math.isnan(value("sharpness", still))
    assert math.isnan(value("motion_ratio/face", still))


def test_rows_to_a_value_by_hand():
    assert mean_of_rows(np.array([[1.0], [np.nan], [4.0]])) == 2.5
    assert ratio_of_sums(np.array([[1.0, 2.0], [np.nan, np.nan], [5.0, 6.0]])) == 0.75
    assert math.isnan(mean_of_rows(np.zeros((0, 1))))
    assert math.isnan(ratio_of_sums(np.zeros((0, 2))))
    for function, width in ((mean_of_rows, 2), (ratio_of_sums, 1)):
        with pytest.raises(ValueError, match="rows are"):
            function(np.zeros((3, width)))


def test_maps_are_computed_once(rng):
    maps = Maps(make_pair(rng))
    assert maps.ssim is maps.ssim and maps.flip is maps.flip and maps.boxes is maps.boxes


@pytest.mark.parametrize(
    "part",
    [
        {"real": np.zeros((5, SIZE, SIZE), np.uint8)},
        {"real": np.zeros((5, SIZE, SIZE - 1, 3), np.uint8)},
        {"rendered": np.zeros((4, SIZE, SIZE, 3), np.uint8)},
        {"rendered": np.zeros((5, SIZE, SIZE, 3))},
        {"landmarks": np.zeros((4, 68, 2))},
        {"landmarks": np.zeros((5, 68, 3))},
        {"before": (np.zeros((SIZE, SIZE, 3), np.uint8), np.zeros((SIZE, SIZE), np.uint8))},
        {"before": (np.zeros((SIZE, SIZE, 3)), np.zeros((SIZE, SIZE, 3)))},
    ],
)
def test_a_pair_of_wrong_shape_or_kind_is_refused(rng, part):
    pair = make_pair(rng)
    with pytest.raises(ValueError):
        changed(pair, **part)
