"""Importers: foreign formats that become corpus folders. Listing them imports none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from facial_bench.types import ImporterSpec


def tracks_importer() -> ImporterSpec:
    """The importer of track folders; see `facial_bench.importers.tracks` for the format and the options."""

    def run(source: Path, dest: Path, options: Mapping[str, str], log: Callable[[str], None]) -> None:
        from facial_bench.importers.tracks import import_tracks  # heavy: scipy

        import_tracks(source, dest, options, log)

    return ImporterSpec("tracks", "tracked talking heads: a manifest.json and one .npz per clip", run)
