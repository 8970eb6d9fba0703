"""What this distribution registers; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import PictureMetricSpec


@hookimpl
def facial_bench_picture_metrics() -> Sequence[PictureMetricSpec]:
    """CSIM."""

    def weights(chosen: Path | None) -> Path | None:
        from facial_bench_csim.weights import find_weights

        return find_weights(chosen)

    def create(path: Path | None) -> Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
        from facial_bench_csim.similarity import FaceSimilarity
        from facial_bench_csim.weights import find_weights

        return FaceSimilarity(find_weights(path))

    return [
        PictureMetricSpec(
            "csim",
            2,
            "1",
            True,
            "mean_t e(^I[t]) . e(I[t]) / (|e(^I[t])| |e(I[t])|); e is the face embedding of the picture moved by a "
            "similarity, the least-squares one from 5 points of its landmarks (mean of 36..41, mean of 42..47, 30, 48, "
            "54; of ^I those that were to be rendered) to ArcFace's template of 112x112 px, bicubic, RGB as "
            "(x - 127.5) / 128",
            meaning="how much the rendered face looks like the same person to a network that recognises faces",
            family="pictures",
            origin="CSIM of Zakharov et al. 2019; ArcFace's alignment (Deng et al. 2019); the embedding is the user's",
            pitfalls="says nothing of mouth and eyes; depends on the embedding, so compare within one model only; "
            "a renderer that was trained with the same network pleases it",
            weights=weights,
            create=create,
            same_moment=False,
        )
    ]
