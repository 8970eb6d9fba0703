"""What this distribution registers; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import PictureMetricSpec


@hookimpl
def facial_bench_picture_metrics() -> Sequence[PictureMetricSpec]:
    """Shift-tolerant LPIPS."""

    def weights(chosen: Path | None) -> Path | None:
        from facial_bench_stlpips.weights import find_weights

        return find_weights(chosen)

    def create(path: Path | None) -> Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
        from facial_bench_stlpips.distance import ShiftTolerantDistance
        from facial_bench_stlpips.weights import find_weights

        return ShiftTolerantDistance(find_weights(path))

    return [
        PictureMetricSpec(
            "lpips/shift-tolerant",
            1,
            "1",
            False,
            "mean_t sum_{k=1..5} mean over the positions of sum_c w_{k,c} (f_{k,c}(^I[t]) - f_{k,c}(I[t]))^2; f_k are "
            "the features of the shift-tolerant AlexNet in its five stages, over their length at each position, w_k "
            "its calibration; RGB as x / 127.5 - 1; the whole picture",
            meaning="how different a network that was trained on people's judgements finds the picture",
            family="pictures",
            origin="ST-LPIPS (Ghildyal and Liu 2022), alex, version ST0.0; it is not LPIPS-alex, and numbers differ",
            pitfalls="of still pictures: flicker does not count; blind to shifts of a pixel, by design; background and "
            "clothes, which move by themselves, weigh most",
            weights=weights,
            create=create,
        )
    ]
