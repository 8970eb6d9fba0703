"""The built-in plugin: it registers through the public hooks, like anyone's. Heavy imports wait until used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
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
    RendererSpec,
)
from facial_bench.methods.null_models import NULL_MODELS, Null, NullModel
from facial_bench.plugin_api.hookspecs import hookimpl


@hookimpl
def facial_bench_generators() -> Sequence[GeneratorSpec]:
    """The null models, finished outputs and the linear baseline."""

    def precomputed(context: Context) -> Generator:
        from facial_bench.methods.precomputed import Precomputed

        return Precomputed(context)

    def outputs_digest(options: Mapping[str, str]) -> str:
        from facial_bench.methods.precomputed import fingerprint

        return fingerprint(options)

    def ridge(context: Context) -> Generator:
        from facial_bench.methods.ridge import Ridge

        return Ridge(context)

    return [
        *(
            GeneratorSpec(null.name, null.summary, "null model", partial(_make_null, null))
            for null in NULL_MODELS.values()
        ),
        GeneratorSpec(
            "precomputed",
            "finished outputs of any system: --option motions=DIR or videos=DIR",
            "whoever made them",
            precomputed,
            partial=True,
            fingerprint=outputs_digest,
            options={
                "motions": "folder of arrays, called after the requests (`facial-bench corpus requests`)",
                "videos": "folder of rendered videos, which are tracked; one of motions and videos is needed",
                "name": "what the system is called on boards; default: precomputed with its options",
                "fps": "rate of the motions, frames a second; default: the corpus's",
                "tracker": "tracks the videos; default: the one that the corpus was built with",
                "model": "file of the tracker's weights; default: where the tracker looks for them",
            },
        ),
        GeneratorSpec(
            "ridge",
            "linear regression from 16 audio frames to the face state, per person",
            "ridge regression (Hoerl and Kennard 1970)",
            ridge,
        ),
    ]


def _make_null(null: NullModel, context: Context) -> Generator:
    return Null(null.rule)


@hookimpl
def facial_bench_corpora() -> Sequence[CorpusSpec]:
    """The procedural corpora."""

    def make(dest: Path, options: Mapping[str, str]) -> None:
        from facial_bench.corpora.synthetic import make_from_options

        make_from_options(dest, options)

    def make_video(dest: Path, options: Mapping[str, str]) -> None:
        from facial_bench.corpora.synthetic_video import make_from_options

        make_from_options(dest, options)

    return [
        CorpusSpec(
            "synthetic",
            "1",
            "five procedural people, speech-driven; no download, made in seconds",
            make,
            options={
                "seed": "draws what they say and do: 0 to 9223372036854775807; default: 14, which everybody knows. "
                "A secret one: drawn at random from all of them, or it can be guessed",
                "name": "of the corpus; methods are told it. Default: synthetic, or synthetic-fresh with another seed",
            },
        ),
        CorpusSpec(
            "synthetic-video",
            "1",
            "two of these people drawn as videos with sound; no download, a minute or two (needs Pillow and PyAV)",
            make_video,
            options={
                "seed": "draws what they say and do, as in synthetic; default: 14",
                "name": "of the corpus; default: synthetic-video, or synthetic-video-fresh with any other option",
                "people": "who, with commas; default: p1,p3, all who can be drawn",
                "clips": "of each person, 1 to 1000; default: 6",
                "seconds": "most of each clip, 1 to 20; default: all of it, 14 to 20",
            },
        ),
    ]


@hookimpl
def facial_bench_renderers() -> Sequence[RendererSpec]:
    """The null renderers, and finished videos."""
    from facial_bench.rendering.finished_videos import spec
    from facial_bench.rendering.null_renderers.specs import specs

    return [*specs(), spec()]


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
