"""The corpus `synthetic-video`: tracks as those of `synthetic`, and the videos that they are the tracks of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError
from facial_bench.core.files import cannot_write, file_digest, write_json
from facial_bench.core.names import safe_name
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.face_model import corpus_from_tracks
from facial_bench.corpora.from_videos.video_frames import PLACES
from facial_bench.corpora.split import ClipEntry, split_clips
from facial_bench.corpora.synthetic.corpus import PUBLIC_SEED
from facial_bench.corpora.synthetic.habits import Person
from facial_bench.corpora.synthetic.people import people
from facial_bench.corpora.synthetic.speech import FRAME_RATE
from facial_bench.corpora.synthetic.tracks import Take, record
from facial_bench.corpora.synthetic_video.drawing import draw_person, load_pillow
from facial_bench.corpora.synthetic_video.looks import look_of, looks_by_name
from facial_bench.corpora.synthetic_video.outlines import outlines
from facial_bench.corpora.synthetic_video.scene import SIZE, Scene
from facial_bench.corpora.synthetic_video.sound import SOUND_RATE, speech_sound
from facial_bench.corpora.track import Track
from facial_bench.corpora.write_corpus import CorpusDescription, write_corpus
from facial_bench.media.encode import VideoWriter
from facial_bench.media.load import load_av

NAME = "synthetic-video"
FRESH_NAME = "synthetic-video-fresh"
"""Of a corpus of another seed that is given no name."""
VERSION = "1"
CLIPS = 6
"""A person; each is a recording of its own."""
CRF = 16.0
VIDEOS = "videos"
"""Folder of the videos, within the corpus."""


@dataclass(frozen=True, eq=False)
class Shooting:
    """One clip to be drawn: who, what happens, and the random streams of picture and sound."""

    id: str
    person: Person
    take: Take
    frames: int
    """T, of the take's beginning."""
    stream: tuple[int, ...]

    def pictures(self) -> Iterator[np.ndarray]:
        """Yield the T pictures, (256, 256, 3) uint8 RGB."""
        look, rng = look_of(self.person.name), np.random.default_rng([*self.stream, 1])
        curves = outlines(self.person, look, self.take, rng)
        scene = Scene(look, curves, rng)
        for frame in range(self.frames):
            canvas = scene.canvas(frame)
            draw_person(canvas, curves, frame, look)
            yield scene.develop(canvas, frame)

    def sound(self) -> np.ndarray:
        """(n,) float32 at `SOUND_RATE`, from the first picture on."""
        look, rng = look_of(self.person.name), np.random.default_rng([*self.stream, 2])
        return speech_sound(self.take.speech, look, rng)[: round(self.frames / FRAME_RATE * SOUND_RATE)]

    def track(self) -> Track:
        """What a tracker saw: not what was drawn, but that with its errors."""
        kept, take = slice(0, self.frames), self.take
        return Track(
            id=self.id,
            identity=self.person.name,
            recording=self.id,
            audio=take.audio[kept],
            landmarks=take.landmarks[kept],
            rotation=take.rotation[kept],
            translation=take.translation[kept],
            blink=take.closure[kept],
            valid=np.ones(self.frames, dtype=bool),
            camera=take.camera,
        )


def shootings(
    seed: int = PUBLIC_SEED, names: Sequence[str] = (), clips: int = CLIPS, seconds: float = 0.0
) -> list[Shooting]:
    """The clips, in order of person and number. Those of the seed of `synthetic` are the first ones there.

    Args:
        seed: 0 or more.
        names: of the people; all who can be drawn where there are none.
        clips: of each person.
        seconds: at most, of each clip; 0 for all of it, 14 to 20 s.

    Raises:
        FacialBenchError: a person who is not drawn.
    """
    wanted = {name: look_of(name) for name in names or looks_by_name()}
    made = []
    for index, person in enumerate(people()):
        for number in range(clips if person.name in wanted else 0):
            take = record(person, np.random.default_rng([seed, index, number]))
            frames = len(take.pose) if not seconds else min(len(take.pose), max(1, round(seconds * FRAME_RATE)))
            made.append(Shooting(f"{person.name}-{number + 1:02d}", person, take, frames, (seed, index, number)))
    return made


def make(
    dest: Path,
    seed: int = PUBLIC_SEED,
    name: str = "",
    *,
    names: Sequence[str] = (),
    clips: int = CLIPS,
    seconds: float = 0.0,
) -> None:
    """Write the corpus folder at `dest` (absent or empty before), its videos in `videos/`; a minute or two.

    The same arguments give the same bytes on the same machine. As in `synthetic`, the folder names the public seed and
    no other.

    Args:
        dest: the folder.
        seed: 0 or more.
        name: of the corpus; empty for `synthetic-video`, and for `synthetic-video-fresh` of any but the public one.
        names: people, p1 and p3; both where there are none.
        clips: of each person.
        seconds: at most, of each clip; 0 for all of it.

    Raises:
        CorpusError: `dest` is in use or cannot be written, or a name that is none or belongs to the public corpus.
        FacialBenchError: Pillow or PyAV is not installed, or a person who is not drawn.
    """
    public = seed == PUBLIC_SEED and not names and clips == CLIPS and not seconds
    name = safe_name(name or (NAME if public else FRESH_NAME), "corpus name", CorpusError)
    if name == NAME and not public:
        raise CorpusError(f"Only the public corpus can be called {NAME}, and this is another. Choose another name.")
    load_pillow()
    load_av()
    shot = shootings(seed, names, clips, seconds)
    tracks, protocol = [one.track() for one in shot], Protocol()
    entries = [ClipEntry(track.id, track.identity, track.recording, len(track.valid)) for track in tracks]
    face_model, written = corpus_from_tracks(tracks, split_clips(entries, protocol))
    about = CorpusDescription(name=name, version=VERSION, fps=protocol.fps, audio_kind="ctc29")

    def draw(folder: Path) -> Mapping[str, Any]:
        noted = {"seed": seed} if seed == PUBLIC_SEED else {}
        head = {"process": "facial_bench.synthetic_video", **noted, "note": "invented people, drawn; no real data"}
        return {**head, **write_videos(folder, shot)}

    write_corpus(dest, about, face_model, written, draw)


def write_videos(folder: Path, shot: Sequence[Shooting]) -> dict[str, Any]:
    """Draw the videos into a corpus folder that is being made; what its notes say of them, as `corpus build` notes it.

    Raises:
        CorpusError: they cannot be written.
    """
    videos: dict[str, Any] = {}
    clips: dict[str, Any] = {}
    try:
        (folder / VIDEOS).mkdir()
    except OSError as problem:
        raise CorpusError(cannot_write(folder / VIDEOS, problem)) from None
    for one in shot:
        path = folder / VIDEOS / f"{one.id}.mp4"
        sound = one.sound()
        with VideoWriter(path, FRAME_RATE, sound=sound, sound_rate=SOUND_RATE, crf=CRF, error=CorpusError) as video:
            for picture in one.pictures():
                video.add(picture)
        videos[one.id] = {"file": path.name, "sound_offset": 0.0, "sha256": file_digest(path), "sound": path.name}
        clips[one.id] = {
            "video": one.id,
            "number": 1,
            "start_s": 0.0,
            "clock_s": 0.0,
            "frames": one.frames,
            "width": SIZE,
            "height": SIZE,
        }
    write_json(folder / PLACES, {"videos": VIDEOS}, CorpusError)
    return {"videos": videos, "clips": clips}
