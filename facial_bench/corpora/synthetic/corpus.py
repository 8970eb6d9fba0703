"""The corpus `synthetic`: five people, twelve clips each, every clip a recording of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError
from facial_bench.core.names import safe_name
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.face_model import corpus_from_tracks
from facial_bench.corpora.split import ClipEntry, split_clips
from facial_bench.corpora.synthetic.people import people
from facial_bench.corpora.synthetic.tracks import record
from facial_bench.corpora.track import Track
from facial_bench.corpora.write_corpus import CorpusDescription, write_corpus

NAME = "synthetic"
FRESH_NAME = "synthetic-fresh"
"""Of a corpus of another seed that is given no name. Methods are told it, so it says nothing of the seed."""
VERSION = "1"
PUBLIC_SEED = 14
"""Of the corpus that ships; why this one: docs/synthetic.md."""
CLIPS = 12
"""A person: by the protocol's rule about five for testing, one for validation and six for training."""


def make(dest: Path, seed: int = PUBLIC_SEED, name: str = "") -> None:
    """Write the corpus folder, about 17 minutes of motion, at `dest` (absent or empty before).

    The same seed and name give the same bytes on the same machine. Everything, clip by clip, is described in
    docs/synthetic.md. The folder names the public seed and no other: whoever has it can make the test clips.

    Args:
        dest: the folder.
        seed: 0 or more.
        name: of the corpus; empty for `synthetic`, and for `synthetic-fresh` of another seed than the public one.

    Raises:
        CorpusError: `dest` is in use or cannot be written, or a name that is none or belongs to the public corpus.
    """
    public, protocol = seed == PUBLIC_SEED, Protocol()
    name = safe_name(name or (NAME if public else FRESH_NAME), "corpus name", CorpusError)
    if name == NAME and not public:
        raise CorpusError(
            f"The corpus of another seed cannot be called {NAME}: that is the public one. Choose another name."
        )
    tracks = synthetic_tracks(seed)
    entries = [ClipEntry(track.id, track.identity, track.recording, len(track.valid)) for track in tracks]
    face_model, clips = corpus_from_tracks(tracks, split_clips(entries, protocol))
    about = CorpusDescription(name=name, version=VERSION, fps=protocol.fps, audio_kind="ctc29")
    noted = {"seed": seed} if public else {}
    source = {"process": "facial_bench.synthetic", **noted, "note": "invented people; no real data"}
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
