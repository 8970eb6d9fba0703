"""The corpus `synthetic`: five people, twelve clips each, every clip a recording of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facial_bench.core.protocol import Protocol
from facial_bench.corpora.face_model import corpus_from_tracks
from facial_bench.corpora.split import ClipEntry, split_clips
from facial_bench.corpora.synthetic.people import people
from facial_bench.corpora.synthetic.tracks import record
from facial_bench.corpora.track import Track
from facial_bench.corpora.write_corpus import CorpusDescription, write_corpus

NAME = "synthetic"
VERSION = "1"
CLIPS = 12
"""A person: by the protocol's rule about five for testing, one for validation and six for training."""


def make(dest: Path, seed: int = 14) -> None:
    """Write the corpus folder, about 17 minutes of motion, at `dest` (absent or empty before).

    The same seed gives the same bytes on the same machine. Everything, clip by clip, is described in docs/synthetic.md.

    Raises:
        CorpusError: `dest` is in use or cannot be written.
    """
    protocol = Protocol()
    tracks = synthetic_tracks(seed)
    entries = [ClipEntry(track.id, track.identity, track.recording, len(track.valid)) for track in tracks]
    face_model, clips = corpus_from_tracks(tracks, split_clips(entries, protocol))
    about = CorpusDescription(name=NAME, version=VERSION, fps=protocol.fps, audio_kind="ctc29")
    source = {"process": "facial_bench.synthetic", "seed": seed, "note": "invented people; no real data"}
    write_corpus(dest, about, face_model, clips, source)


def synthetic_tracks(seed: int) -> list[Track]:
    """The tracked clips, in order of person and number; each draws from a random stream of its own."""
    tracks = []
    for index, person in enumerate(people()):
        for number in range(CLIPS):
            take = record(person, np.random.default_rng([seed, index, number]))
            name = f"{person.name}-{number + 1:02d}"
            tracks.append(
                Track(
                    id=name,
                    identity=person.name,
                    recording=name,
                    audio=take.audio,
                    landmarks=take.landmarks,
                    rotation=take.rotation,
                    translation=take.translation,
                    blink=take.closure,
                    valid=np.ones(len(take.closure), dtype=bool),
                    camera=take.camera,
                )
            )
    return tracks
