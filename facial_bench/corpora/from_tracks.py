"""The last step of every import and build: tracks become a corpus folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError
from facial_bench.core.files import holds_apart
from facial_bench.core.geometry import decode_face, outer_eye_distance, project
from facial_bench.core.names import alike, nfc, safe_name
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Clip, FaceModel
from facial_bench.corpora.face_model import corpus_from_tracks
from facial_bench.corpora.split import ClipEntry, split_clips
from facial_bench.corpora.track import Track
from facial_bench.corpora.write_corpus import CorpusDescription, write_corpus


def corpus_name(dest: Path | str) -> str:
    """The name of the corpus at `dest`: its folder's; raises CorpusError where that cannot name one."""
    return safe_name(nfc(Path(dest).resolve().name), "corpus folder", CorpusError)  # results are kept by this name


def require_apart(dest: Path, clips: Iterable[str]) -> None:
    """Raise CorpusError where clips (their names) would be one file in the corpus: they differ in capitals alone, which
    the file system does not tell apart."""
    for one, other in alike(clips):
        if not holds_apart(dest.absolute().parent, one, other):
            raise CorpusError(f"The clips {one} and {other} would be one file in {dest}. Rename one.")


def assemble(
    dest: Path | str,
    tracks: Sequence[Track],
    *,
    audio_kind: str,
    source: Mapping[str, Any],
    log: Callable[[str], None],
    blink_scale: str = "closure",
    length_unit: str = "cm",
    expression: Mapping[str, np.ndarray] | None = None,
    entries: Sequence[ClipEntry] | None = None,
) -> None:
    """Fit the face model to the training part of the split and write the corpus folder, whole or not at all.

    Args:
        dest: Absent or empty; its last part names the corpus.
        tracks: The clips at the protocol's rate; asked for one at a time, three times.
        audio_kind: Name of the audio features.
        source: Notes on where it all comes from, JSON; part of the digest.
        log: Takes a line on how well the face model fits.
        blink_scale, length_unit: Of the tracks.
        expression: clip id -> stored coefficients (T, 64); None to fit them (PCA of the training landmarks).
        entries: What the split needs to know, where that is known without reading the tracks.

    Raises:
        CorpusError: `dest` is in use or cannot be written, or tracks that make no corpus.
    """
    name, protocol = corpus_name(dest), Protocol()
    entries = entries or [ClipEntry(t.id, t.identity, t.recording, len(t.valid)) for t in tracks]
    require_apart(Path(dest), (entry.id for entry in entries))
    model, clips = corpus_from_tracks(tracks, split_clips(entries, protocol), expression)
    shares: dict[str, float] = {}
    about = CorpusDescription(
        name=name, fps=protocol.fps, audio_kind=audio_kind, length_unit=length_unit, blink_scale=blink_scale
    )
    write_corpus(dest, about, model, _noted(model, clips, shares), source)
    worst = max(shares, key=lambda clip: shares[clip])
    log(
        f"Face model fitted: decoded motion lands {100 * np.mean(list(shares.values())):.2f} % of the outer-eye "
        f"distance from the landmarks (worst clip {worst}: {100 * shares[worst]:.2f} %)."
    )


def _noted(model: FaceModel, clips: Iterable[Clip], shares: dict[str, float]) -> Iterator[Clip]:
    """The clips as they pass; notes how far the decoded real motion of each lands from its landmarks."""
    for clip in clips:
        shown = project(decode_face(model, clip.identity, clip.motion.expression), clip.motion.pose, clip.camera)
        error = np.linalg.norm((shown - clip.landmarks)[clip.valid, :, :2], axis=2).mean()
        shares[clip.id] = float(error / np.median(outer_eye_distance(clip.landmarks[clip.valid])))
        yield clip
