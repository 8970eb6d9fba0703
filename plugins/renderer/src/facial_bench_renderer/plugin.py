"""The hook: FACIAL's rendering stage, without and with a discriminator. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence

from facial_bench import hookimpl
from facial_bench.types import Context, Renderer, RendererSpec
from facial_bench_renderer.options import Variant, option_meanings

REFERENCE = (
    "Zhang et al., FACIAL: Synthesizing Dynamic Talking Face with Implicit Attribute Learning, ICCV 2021: "
    "rendering-to-video network"
)


def variants() -> dict[Variant, str]:
    """Every renderer of this plugin with its one-line summary."""
    return {
        Variant(): "FACIAL's rendering stage: an image-to-image network per person, in an L1 loss",
        Variant("facial-adversarial", adversarial=True): "the same with a patch discriminator and feature matching",
    }


@hookimpl
def facial_bench_renderers() -> Sequence[RendererSpec]:
    """FACIAL's rendering stage, twice."""
    return [_spec(variant, summary) for variant, summary in variants().items()]


def _spec(variant: Variant, summary: str) -> RendererSpec:
    def create(context: Context) -> Renderer:
        from facial_bench_renderer.adapter import FacialRenderer

        return FacialRenderer(context, variant)

    return RendererSpec(variant.name, summary, REFERENCE, create, options=option_meanings())
