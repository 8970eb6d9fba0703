"""The null renderers on offer. Nothing heavy is imported before one is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from facial_bench.core.types import Context, Renderer, RendererSpec

SUMMARIES: Mapping[str, str] = {
    "mean-frame": "the mean training picture of the person, whatever the motion",
    "reference-frame": "one training frame, that nearest the person's mean state, whatever the motion",
    "nearest-frame": "the training frame with the nearest landmarks",
    "nearest-warp": "the training frame with the nearest landmarks, warped onto those asked for",
    "warp-average": "the mean of the 8 training frames with the nearest landmarks, each warped onto those asked for",
    "linear": "linear regression from the face state to every pixel, per person",
}
"""name -> what its pictures are, one line; in the order in which they are listed."""


def specs() -> Sequence[RendererSpec]:
    """All null renderers."""
    return [
        RendererSpec(
            name,
            summary,
            "ridge regression (Hoerl and Kennard 1970)" if name == "linear" else "null renderer",
            partial(_create, name),
        )
        for name, summary in SUMMARIES.items()
    ]


def _create(name: str, context: Context) -> Renderer:
    from facial_bench.rendering.null_renderers.linear import LINEAR
    from facial_bench.rendering.null_renderers.null_renderer import NullRenderer
    from facial_bench.rendering.null_renderers.retrieving import NEAREST_FRAME, NEAREST_WARP, WARP_AVERAGE
    from facial_bench.rendering.null_renderers.still import MEAN_FRAME, REFERENCE_FRAME

    rules = (MEAN_FRAME, REFERENCE_FRAME, NEAREST_FRAME, NEAREST_WARP, WARP_AVERAGE, LINEAR)
    return NullRenderer(next(rule for rule in rules if rule.name == name), context)
