"""Two people of dots for renderers to learn: invented motion, and pictures small enough to be made in a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.files import cannot_write
from facial_bench.core.types import Appearance, Clip, CorpusInfo, Crop, FaceModel, Motion
from facial_bench.corpora.face_model import corpus_from_tracks
from facial_bench.corpora.split import Segment, Split
from facial_bench.corpora.synthetic.habits import Person
from facial_bench.corpora.synthetic.people import people
from facial_bench.corpora.synthetic.speech import FRAME_RATE
from facial_bench.corpora.synthetic.tracks import record
from facial_bench.corpora.track import Track
from facial_bench.rendering.crop import recording_crop
from facial_bench_worker.video_clips import write_pictures, write_video_clips

SIZE = 64
"""Side of the pictures, pixels."""
TRAINING, HELD_OUT = 40, 150
"""Frames of a training clip and of a held-out one."""
CLIPS = 2
"""Training clips of a person; the next one is held out."""


@dataclass(frozen=True, eq=False)
class World:
    """What a renderer learns, and what it is asked for."""

    info: CorpusInfo
    face_model: FaceModel
    training: Sequence[Clip]
    """Two clips of each of two people, 40 frames each."""
    held_out: Sequence[Clip]
    """A clip of each, 150 frames."""
    crops: Sequence[Crop]
    """Of the training clips."""

    @property
    def like(self) -> Appearance:
        """The first person, in the crop of their first training clip."""
        return Appearance(self.info.identities[0], self.crops[0], self.info.fps)

    def motion(self, frames: int = 20, start: int = 0) -> Motion:
        """Held-out motion of the first person, `frames` <= 150 of it."""
        return self.held_out[0].motion[start : start + frames]

    def write(self, folder: Path) -> None:
        """Write the training clips with their pictures into a folder. Raises FacialBenchError without space."""
        try:
            write_video_clips(str(folder), self.training, self.crops)
            for number, (clip, crop) in enumerate(zip(self.training, self.crops, strict=True)):
                hue = self.info.identities.index(clip.identity)
                write_pictures(str(folder), number, draw_dots(crop.points(clip.landmarks), crop.size, hue))
        except OSError as problem:
            what = f"training pictures in {folder}"
            raise FacialBenchError(cannot_write(what, problem, "with TMPDIR")) from None


def make_world() -> World:
    """The same world each time: two people of the corpus `synthetic`, recorded for a few seconds."""
    chosen = (people()[0], people()[2])
    tracks = [_track(person, number) for person in chosen for number in range(CLIPS + 1)]
    parts: tuple[list[Segment], list[Segment]] = ([], [])
    for track in tracks:
        frames = len(track.valid)
        parts[frames != TRAINING].append(Segment(track.id, track.identity, 0, frames))
    face_model, clips = corpus_from_tracks(tracks, Split(tuple(parts[0]), (), tuple(parts[1])))
    made = list(clips)
    training = [clip for clip in made if clip.frames == TRAINING]
    width = made[0].audio.shape[1]
    names = tuple(person.name for person in chosen)
    info = CorpusInfo("renderer-check", "1", "0" * 64, FRAME_RATE, "ctc29", width, "cm", "px", "closure", names)
    crops = [recording_crop([clip], [], SIZE) for clip in training]
    return World(info, face_model, training, [clip for clip in made if clip.frames != TRAINING], crops)


def draw_dots(points: np.ndarray, size: int, hue: int) -> np.ndarray:
    """(T, 68, 2) pixels -> (T, S, S, 3) uint8 RGB: a soft dot at every landmark, each of its own colour, on a ground
    of the person's. `hue` is a number that tells people apart."""
    pixel = np.arange(size) + 0.5
    across = np.exp(-((pixel - points[..., :1]) ** 2) / 4.0)
    down = np.exp(-((pixel - points[..., 1:]) ** 2) / 4.0)
    tone = np.arange(points.shape[1])[:, None] + np.arange(3) + hue
    dots = np.einsum("tky,tkxc->tyxc", down, across[..., None] * (60 * np.cos(tone))[:, None], optimize=True)
    ground = 120 + 40 * np.cos(2.0 * (np.arange(3) + hue))
    return np.rint(np.clip(ground + dots, 0, 255)).astype(np.uint8)


def _track(person: Person, number: int) -> Track:
    take = record(person, np.random.default_rng([0, number]))
    frames = TRAINING if number < CLIPS else HELD_OUT
    kept, name = slice(0, frames), f"{person.name}-{number + 1}"
    return Track(
        id=name,
        identity=person.name,
        recording=name,
        audio=take.audio[kept],
        landmarks=take.landmarks[kept],
        rotation=take.rotation[kept],
        translation=take.translation[kept],
        blink=take.closure[kept],
        valid=np.ones(frames, dtype=bool),
        camera=take.camera,
    )
