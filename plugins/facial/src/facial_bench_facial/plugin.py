"""The hook: FACIAL-GAN and its ablations as methods. Imports nothing heavy; torch comes when a method is made."""

from __future__ import annotations

from collections.abc import Sequence

from facial_bench import hookimpl
from facial_bench.types import Context, Generator, GeneratorSpec
from facial_bench_facial.options import Variant, option_meanings

REFERENCE = "Zhang et al., FACIAL: Synthesizing Dynamic Talking Face with Implicit Attribute Learning, ICCV 2021"


def variants() -> dict[Variant, str]:
    """Every method of this plugin with its one-line summary."""
    return {
        Variant(): "FACIAL-GAN: G_tem + G_loc, adversarial training, fine-tuning on each person",
        Variant(
            "facial-no-gtem", temporal=False
        ): "ablation: no temporal generator; z_t is the initial state, projected",
        Variant("facial-no-gloc", local=False): "ablation: no local phonetic generator; c_t is zero",
        Variant("facial-no-adversarial", adversarial=False): "ablation: as many steps, none of them adversarial",
        Variant("facial-paper-weights", weights="paper"): "ablation: the paper's weights of the loss terms",
        Variant("facial-no-finetuning", fine_tuning=False): "ablation: one general generator for everybody",
    }


@hookimpl
def facial_bench_generators() -> Sequence[GeneratorSpec]:
    """FACIAL and five ablations."""
    return [_spec(variant, summary) for variant, summary in variants().items()]


def _spec(variant: Variant, summary: str) -> GeneratorSpec:
    def create(context: Context) -> Generator:
        from facial_bench_facial.adapter import FacialMethod

        return FacialMethod(context, variant)

    return GeneratorSpec(variant.name, summary, REFERENCE, create, options=option_meanings())
