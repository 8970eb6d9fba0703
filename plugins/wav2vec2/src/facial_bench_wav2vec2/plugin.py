"""What this distribution registers; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from facial_bench import hookimpl
from facial_bench.types import AudioFeature, AudioFeatureSpec


@hookimpl
def facial_bench_audio_features() -> Sequence[AudioFeatureSpec]:
    """The letter posteriors."""

    def create(options: Mapping[str, str]) -> AudioFeature:
        from facial_bench_wav2vec2.features import Ctc29

        return Ctc29(options)

    return [
        AudioFeatureSpec(
            "ctc29",
            "29 letter log posteriors of a wav2vec 2.0 CTC model; options model=FOLDER|HUB NAME, revision=...",
            create,
        )
    ]
