"""The pixel metrics: what each is called, means and rests on.

Notation: I[t] and ^I[t] are the real and the rendered frame t, grey levels 0..255 of three channels.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from facial_bench.metrics.image.changes import change_sums, temporal_error
from facial_bench.metrics.image.detail import decibels, detail
from facial_bench.metrics.image.maps import Maps
from facial_bench.metrics.image.metric import ImageMetric, mean_of_rows, ratio_of_sums
from facial_bench.metrics.image.multi_scale import SMALLEST, WEIGHTS, multi_scale_similarity
from facial_bench.metrics.image.pair import Pair
from facial_bench.metrics.image.pixel_maps import PIXELS_PER_DEGREE, RADIUS
from facial_bench.metrics.image.regions import REGIONS, region_mean


def image_metrics(size: int) -> tuple[ImageMetric, ...]:
    """The definitions of this family, for pictures of a size.

    Args:
        size: S, side of the pictures, pixels. `ms_ssim` is there from 256 on.

    Raises:
        ValueError: Pictures smaller than the window of SSIM, 11 pixels.
    """
    if size < 2 * RADIUS + 1:
        raise ValueError(f"pixel metrics take pictures of {2 * RADIUS + 1} px a side or more, these have {size}")
    metrics = [metric for region in ("picture", *REGIONS) for metric in _of_a_region(region)]
    metrics.sort(key=lambda one: ("psnr", "ssim", "l1", "flip").index(one.id.split("/")[0]))
    return (*metrics, *([_multi_scale()] if size >= SMALLEST else []), _sharpness(), *_over_time())


def _column(values: np.ndarray) -> np.ndarray:
    return values[:, None]


def _box(region: str) -> str:
    """The words of a formula for a region."""
    if region == "picture":
        return "the picture"
    points, wider, taller = REGIONS[region]
    grown = f"x {wider:g}" if wider == taller else f"width x {wider:g}, height x {taller:g}"
    return (
        f"the box of the real landmarks {points[0]}..{points[-1]} ({grown} about its centre; pixels whose centre lies "
        "in it, in the picture)"
    )


_SHOWN = {"picture": "in the whole picture", "face": "in the face", "mouth": "at the mouth", "eyes": "at the eyes"}
_PITFALLS = {
    "picture": "background and clothes, which move by themselves, weigh most",
    "face": "the box holds some hair, neck and background",
    "mouth": "a right mouth in a head that is a pixel off scores badly",
    "eyes": "few pixels, and gaze is in them: a blink or a glance decides it",
}


def _of_a_region(region: str) -> tuple[ImageMetric, ...]:
    variant = "" if region == "picture" else f"/{region}"
    box, shown = _box(region), _SHOWN[region]
    regional = partial(
        ImageMetric, version=1, family="pictures", value=mean_of_rows, ranked=region in ("face", "mouth")
    )
    return (
        regional(
            id=f"psnr{variant}",
            unit="dB",
            higher_is_better=True,
            meaning=f"how near the colours are to the real ones {shown}, in dB",
            formula="mean_t 10 log10(255^2 / max(MSE[t], 1/12)); MSE[t] is the mean of (^I[t] - I[t])^2 over the "
            f"channels and the pixels of {box}; 1/12 is the error of rounding to grey levels, so that equal pictures "
            "have 58.92 dB",
            measure=lambda _, maps: _column(decibels(region_mean(maps.squared, maps.boxes[region]))),
            origin="PSNR of image coding, 8 bit; the floor of the error is ours",
            pitfalls=f"a blurred picture scores better than a sharp one a pixel off; {_PITFALLS[region]}",
        ),
        regional(
            id=f"ssim{variant}",
            unit="1",
            higher_is_better=True,
            meaning=f"how alike the structure is to the real one {shown}",
            formula="mean_t of the SSIM map of ^I[t] and I[t], mean over the channels and the pixels of "
            f"{box} that are {RADIUS} or more from its edge; Gaussian window of 11x11 px, sigma 1.5, K1 = 0.01, K2 = "
            "0.03, range 255, population covariance; the map is of the whole picture",
            measure=lambda _, maps: _column(region_mean(maps.ssim, maps.boxes[region], margin=RADIUS)),
            origin="SSIM (Wang et al. 2004), as scikit-image computes it",
            pitfalls=f"flat areas score high whatever they show; depends on the picture's size; {_PITFALLS[region]}",
        ),
        regional(
            id=f"l1{variant}",
            unit="grey levels",
            higher_is_better=False,
            meaning=f"absolute difference of the colours from the real ones {shown}",
            formula=f"mean_t of |^I[t] - I[t]|, mean over the channels and the pixels of {box}",
            measure=lambda _, maps: _column(region_mean(maps.absolute, maps.boxes[region])),
            origin="mean absolute error; many papers give it in 0..1, which is this over 255",
            pitfalls=f"a shift of brightness weighs as much as a wrong mouth; {_PITFALLS[region]}",
        ),
        regional(
            id=f"flip{variant}",
            unit="1",
            higher_is_better=False,
            meaning=f"the difference from the real one that a viewer sees {shown}",
            formula=f"mean_t of the LDR-FLIP error map of I[t] and ^I[t] at {PIXELS_PER_DEGREE:g} pixels per degree, "
            f"mean over the pixels of {box}; the map is of the whole picture",
            measure=lambda _, maps: _column(region_mean(maps.flip, maps.boxes[region])),
            origin="LDR-FLIP (Andersson et al. 2020), with its authors' evaluator",
            pitfalls=f"of still pictures: flicker does not count; assumes one viewing distance; {_PITFALLS[region]}",
        ),
    )


def _multi_scale() -> ImageMetric:
    weights = ", ".join(f"{weight:g}" for weight in WEIGHTS)
    return ImageMetric(
        id="ms_ssim",
        version=1,
        unit="1",
        higher_is_better=True,
        family="pictures",
        meaning="how alike the structure is to the real one at five resolutions",
        formula="mean_t of prod_{j=1..4} max(cs_j, 0)^{w_j} * max(ssim_5, 0)^{w_5}, w = "
        f"({weights}); cs_j is the mean contrast and structure term of SSIM, ssim_5 the mean SSIM, over the channels "
        f"and the pixels that are {RADIUS} or more from the edge, each scale the mean of 2x2 pixels of the one before; "
        "window and constants as of ssim; the whole picture",
        measure=lambda pair, _: _column(multi_scale_similarity(pair.real, pair.rendered)),
        value=mean_of_rows,
        origin="MS-SSIM (Wang, Simoncelli and Bovik 2003)",
        pitfalls=f"from {SMALLEST} px a side only; {_PITFALLS['picture']}",
    )


def _sharpness() -> ImageMetric:
    return ImageMetric(
        id="sharpness",
        version=1,
        unit="1",
        higher_is_better=None,
        family="pictures",
        meaning="fine detail of the face relative to the real one; 1 is as much",
        formula="sum_t D(^I[t]) / sum_t D(I[t]); D is the mean of |4-neighbour Laplacian| of the luma (0.299 R + 0.587 "
        f"G + 0.114 B) over the pixels of {_box('face')}; not defined where the real sum is 0",
        measure=_detail_rows,
        value=ratio_of_sums,
        origin="absolute Laplacian, a measure of focus; the ratio is ours",
        pitfalls="noise and blocks of compression count as detail, wherever they are: never alone",
    )


def _detail_rows(pair: Pair, maps: Maps) -> np.ndarray:
    return np.stack([detail(frames, maps.boxes["face"]) for frames in (pair.rendered, pair.real)], axis=1)


def _over_time() -> tuple[ImageMetric, ...]:
    box = _box("face")
    timed = partial(ImageMetric, version=1, family="pictures")
    return (
        timed(
            id="temporal_error/face",
            unit="grey levels",
            higher_is_better=False,
            meaning="how far the face's change from frame to frame is from the real one",
            formula="mean_{t>0} of |(^I[t] - ^I[t-1]) - (I[t] - I[t-1])|, mean over the channels and the pixels of "
            f"{box} of frame t; no value in the first frame of a stretch",
            measure=_temporal_rows,
            value=mean_of_rows,
            origin="temporal difference error of video coding",
            pitfalls="a still picture can score better than one that moves at the wrong time: read it beside "
            "motion_ratio/face",
        ),
        timed(
            id="motion_ratio/face",
            unit="1",
            higher_is_better=None,
            meaning="how much the face changes from frame to frame; 1 is as the real one",
            formula="sum_{t>0} sum |^I[t] - ^I[t-1]| / sum_{t>0} sum |I[t] - I[t-1]|, sums over the channels and the "
            f"pixels of {box} of frame t; no value in the first frame of a stretch; not defined where the real one is "
            "still",
            measure=_change_rows,
            value=ratio_of_sums,
            origin="ours, after frame-difference energy",
            pitfalls="flicker counts as motion, and so does the camera's noise in the real video: a clean rendering of "
            "the right motion is below 1",
        ),
    )


def _temporal_rows(pair: Pair, maps: Maps) -> np.ndarray:
    return _no_first(pair, _column(temporal_error(*maps.changes, maps.boxes["face"])))


def _change_rows(pair: Pair, maps: Maps) -> np.ndarray:
    return _no_first(pair, change_sums(*maps.changes, maps.boxes["face"]))


def _no_first(pair: Pair, rows: np.ndarray) -> np.ndarray:
    """The rows, undefined where nothing comes before the frame."""
    if pair.before is None:
        rows[:1] = np.nan
    return rows
