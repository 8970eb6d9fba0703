"""What this distribution registers; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from facial_bench import hookimpl
from facial_bench.types import AudioFeature, AudioFeatureSpec


@hookimpl
def facial_bench_audio_features() -> Sequence[AudioFeatureSpec]:
    """The phone posteriors."""

    def create(options: Mapping[str, str]) -> AudioFeature:
        from facial_bench_pocketsphinx.features import Phones

        return Phones(options)

    return [AudioFeatureSpec("phones", "42 phone log posteriors, PocketSphinx's English model; no option", create)]
