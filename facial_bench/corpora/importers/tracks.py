"""Importer `tracks`: a folder of tracked clips (`manifest.json` + one `.npz` per clip) -> a corpus folder.

The manifest (`format`: "facial-bench track folder 1") lists clips: `clip`, `identity`, `file`, `frames`, `fps`,
`image_size`, and, if known, `recording`, `source_repository`, `source_path`. Arrays of a clip, at its own rate:
`landmarks` (T,68,3) pixels, `rotation` (T,3) rad, `translation` (T,3) cm, `blink` (T,) closure, `valid` (T,) bool,
`audio` with `audio_rate`, and, if known, `phone_logposterior` (n,42) and `expression` (T,64). The camera is
MediaPipe's: a vertical field of view of 63 degrees.

Options: `audio` = mel29 | phones; `expression` = fit (PCA of the training landmarks) | stored (only clips that
have it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError, unknown_name
from facial_bench.core.files import file_digest, read_json
from facial_bench.core.names import nfc, safe_name
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.from_tracks import assemble, corpus_name
from facial_bench.corpora.importers.track_clip import TrackClip
from facial_bench.corpora.schema import LONGEST_IDENTITY, LONGEST_NAME
from facial_bench.corpora.track import Track
from facial_bench.media.audio_features import AudioKind, audio_kinds

FORMAT = "facial-bench track folder 1"
_PROVENANCE = ("source_repository", "source_commit", "source_path", "source_frames", "code_licence")


@dataclass(frozen=True)
class _Choice:
    """The options `audio` and `expression`, looked up."""

    audio: AudioKind
    stored: bool


def import_tracks(source: Path | str, dest: Path | str, options: Mapping[str, str], log: Callable[[str], None]) -> None:
    """Read the track folder `source`, bring it to the protocol's rate, and write the corpus folder `dest`.

    Args:
        source: The track folder.
        dest: Absent or empty; written whole or not at all. Its last part names the corpus.
        options: `audio` and `expression`, as in the module's docstring.
        log: Takes one line of progress.

    Raises:
        CorpusError: A manifest, file or array that is missing, damaged or inconsistent.
        FacialBenchError: An unknown option or option value.
    """
    source, protocol, choice = Path(source), Protocol(), _choice(options)
    corpus_name(dest)  # before the work
    manifest = _manifest(source)
    tracks: list[Track] = []
    stored: dict[str, np.ndarray] = {}
    left_out: list[str] = []
    for row in manifest["clips"]:
        clip = TrackClip(source, row)
        if choice.stored and "expression" not in clip.arrays:
            left_out.append(row["clip"])
            continue
        tracks.append(clip.track(choice.audio, protocol.fps))
        if choice.stored:
            stored[row["clip"]] = clip.expression(protocol.fps)
        log(f"{row['clip']}: {len(tracks[-1].valid)} frames at {protocol.fps:g} fps, from {clip.fps:g} fps")
    gone = sorted({row["identity"] for row in manifest["clips"]} - {track.identity for track in tracks})
    if not tracks:
        raise CorpusError(f"{source}: no clip has the array 'expression'; use the option expression=fit.")
    if left_out:
        vanished = f"; without any clip: {', '.join(gone)}" if gone else ""
        log(f"Left out, no stored expression: {', '.join(left_out)}{vanished}.")
    kept = {track.id for track in tracks}
    assemble(
        dest,
        tracks,
        audio_kind=choice.audio.name,
        expression=stored if choice.stored else None,
        log=log,
        source={
            "importer": "tracks",
            "manifest_sha256": file_digest(source / "manifest.json"),
            "tracker": str(manifest.get("tracker", "")),
            "expression": "stored" if choice.stored else "fit",
            "left_out": left_out,
            "identities_left_out": gone,
            "clips": {
                row["clip"]: {key: row[key] for key in _PROVENANCE if key in row}
                for row in manifest["clips"]
                if row["clip"] in kept
            },
        },
    )


def _choice(options: Mapping[str, str]) -> _Choice:
    for name in options:
        if name not in ("audio", "expression"):
            raise unknown_name("option of the importer tracks", name, ("audio", "expression"))
    kinds, audio, expression = audio_kinds(), options.get("audio", "mel29"), options.get("expression", "fit")
    if audio not in kinds:
        raise unknown_name("value of the option audio", audio, kinds)
    if expression not in ("fit", "stored"):
        raise unknown_name("value of the option expression", expression, ("fit", "stored"))
    return _Choice(kinds[audio], expression == "stored")


def _manifest(source: Path) -> dict[str, Any]:
    path = source / "manifest.json"
    manifest = read_json(path, CorpusError, "A track folder has a manifest.json that lists its clips.")
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        actual = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
        raise CorpusError(f"{path}: format is {actual!r}, expected {FORMAT!r}; choose the importer of that format.")
    rows, seen = manifest.get("clips"), set()
    if not isinstance(rows, list) or not rows:
        raise CorpusError(f"{path}: 'clips' is not a list with a clip in it; list the clips to import.")
    for number, row in enumerate(rows):
        for key in ("clip", "identity", "file"):
            if not isinstance(row, dict) or not isinstance(row.get(key), str):
                raise CorpusError(f"{path}: clip number {number} has no text field '{key}'; add it.")
        row["clip"] = safe_name(nfc(row["clip"]), "clip", CorpusError, LONGEST_NAME)
        row["identity"] = safe_name(nfc(row["identity"]), "identity", CorpusError, LONGEST_IDENTITY)
        if row["clip"] in seen:
            raise CorpusError(f"{path}: two clips are named '{row['clip']}'; give every clip a name of its own.")
        seen.add(row["clip"])
    return manifest
