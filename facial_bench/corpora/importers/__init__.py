"""Importers: foreign formats that become corpus folders. Listing them imports none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from facial_bench.core.types import ImporterSpec


def built_in_importers() -> tuple[ImporterSpec, ...]:
    """The importers of this package; each module says what it reads and which options it takes."""

    def later(module: str, function: str) -> Callable[[Path, Path, Mapping[str, str], Callable[[str], None]], None]:
        def run(source: Path, dest: Path, options: Mapping[str, str], log: Callable[[str], None]) -> None:
            getattr(import_module(f"facial_bench.corpora.importers.{module}"), function)(source, dest, options, log)

        return run

    return (
        ImporterSpec(
            "tracks", "tracked talking heads: a manifest.json and one .npz per clip", later("tracks", "import_tracks")
        ),
        ImporterSpec("openface", "CSVs of OpenFace 2, each with NAME.wav", later("openface", "import_openface")),
        ImporterSpec(
            "deep3d",
            ".mat of Deep3DFaceRecon, with your basis or landmarks beside them",
            later("coefficients", "import_deep3d"),
        ),
        ImporterSpec(
            "facial-release",
            ".npz states as FACIAL's authors released them, with your basis or landmarks",
            later("coefficients", "import_facial_release"),
        ),
    )
