"""The built-in plugin: it registers through the public hooks, like anyone's. Heavy imports wait until used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from facial_bench.core.types import (
    AudioFeature,
    AudioFeatureSpec,
    Context,
    CorpusSpec,
    Generator,
    GeneratorSpec,
    ImporterSpec,
    MetricSpec,
)
from facial_bench.plugin_api.hookspecs import hookimpl


@hookimpl
def facial_bench_generators() -> Sequence[GeneratorSpec]:
    """The null models and the linear baseline."""

    def null(name: str, summary: str) -> GeneratorSpec:
        def create(context: Context) -> Generator:
            from facial_bench.methods.null_models import make_null

            return make_null(name, context)

        return GeneratorSpec(name, summary, "null model", create)

    def precomputed(context: Context) -> Generator:
        from facial_bench.methods.precomputed import Precomputed

        return Precomputed(context)

    def fingerprint(options: Mapping[str, str]) -> str:
        from facial_bench.methods.precomputed import fingerprint as of_outputs

        return of_outputs(options)

    def ridge(context: Context) -> Generator:
        from facial_bench.methods.ridge import Ridge

        return Ridge(context)

    return [
        null("frozen", "mean training pose, eyes open, neutral face: nothing moves"),
        null("mean-motion", "the identity's mean training state, held"),
        null("replay", "a random training piece of the same person (a copying reference, not a null for accuracies)"),
        null("wrong-identity", "a random training piece of someone else"),
        null("phase-randomised", "a training piece of the same person with random phases: same spectrum, no events"),
        null("time-reversed", "a training piece of the same person, backwards"),
        null("naive-blinker", "a still face whose lids a timer shuts every four seconds"),
        null("ar1", "noise with the person's mean, variance and memory of one frame"),
        GeneratorSpec(
            "precomputed",
            "finished outputs of any system: --option motions=DIR or videos=DIR",
            "whoever made them",
            precomputed,
            partial=True,
            fingerprint=fingerprint,
        ),
        GeneratorSpec(
            "ridge",
            "linear regression from 16 audio frames to the face state, per person",
            "ridge regression (Hoerl and Kennard 1970)",
            ridge,
        ),
    ]


@hookimpl
def facial_bench_corpora() -> Sequence[CorpusSpec]:
    """The procedural corpus."""

    def make(dest: Path) -> None:
        from facial_bench.corpora.synthetic import make as make_synthetic

        make_synthetic(dest)

    return [CorpusSpec("synthetic", "1", "five procedural people, speech-driven; no download, made in seconds", make)]


@hookimpl
def facial_bench_importers() -> Sequence[ImporterSpec]:
    """The track folder, and what people already have."""
    from facial_bench.corpora.importers import built_in_importers

    return built_in_importers()


@hookimpl
def facial_bench_metrics() -> Sequence[MetricSpec]:
    """The definitions of all families."""
    from facial_bench.metrics.catalog import built_in_metrics

    return built_in_metrics()


@hookimpl
def facial_bench_audio_features() -> Sequence[AudioFeatureSpec]:
    """Mel bands, and whatever was computed elsewhere."""

    def mel29(options: Mapping[str, str]) -> AudioFeature:
        from facial_bench.media.feature_files import Mel29

        return Mel29(options)

    def arrays(options: Mapping[str, str]) -> AudioFeature:
        from facial_bench.media.feature_files import Stored

        return Stored(options)

    return [
        AudioFeatureSpec("mel29", "29 mel bands, log power; no option", mel29),
        AudioFeatureSpec(
            "arrays", "computed elsewhere; options folder=DIR, rate=HZ: NAME.npy, .npz or .pkl per video", arrays
        ),
    ]
