"""Writing a corpus folder: whole or not at all, one clip in memory at a time."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from facial_bench.core.errors import CorpusError
from facial_bench.core.files import cannot_write, write_arrays, write_json
from facial_bench.core.names import safe_name
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Clip, FaceModel
from facial_bench.core.unfinished import ENDING, locked, sweep
from facial_bench.corpora.corpus import open_corpus
from facial_bench.corpora.schema import (
    LONGEST_IDENTITY,
    LONGEST_NAME,
    SCHEMA,
    AudioRecord,
    CameraRecord,
    ClipRecord,
    FaceModelRecord,
    Manifest,
)

FACE_MODEL = "face_model.safetensors"


@dataclass(frozen=True, kw_only=True)
class CorpusDescription:
    """What a corpus says of itself, besides its clips."""

    name: str
    version: str = "1"
    fps: float = Protocol().fps
    """Frames per second of every array."""
    audio_kind: str
    """Name of the audio features; their width is read off the clips."""
    length_unit: str = "cm"
    """Unit of translation, face model and expression."""
    landmark_unit: str = "px"
    """Unit of the stored landmarks."""
    blink_scale: str = "closure"
    """`closure` (0 open .. 1 closed) or `AU45` (0..5)."""


def write_corpus(
    dest: Path | str,
    description: CorpusDescription,
    face_model: FaceModel,
    clips: Iterable[Clip],
    source: Mapping[str, Any] | Callable[[Path], Mapping[str, Any]] | None = None,
) -> None:
    """Write a corpus folder at `dest` (absent or empty), whole or not at all; one clip in memory at a time.

    Args:
        dest: the folder.
        description: name, rate, units.
        face_model: with a neutral shape for every identity.
        clips: the clips, any iterable.
        source: notes on where it comes from, JSON; becomes part of the digest. Or a function that is given the folder
            in the making, may put further files there, and returns the notes.

    Raises:
        CorpusError: `dest` is in use or cannot be written, two clips of one name, or arrays of a wrong shape.
    """
    dest = Path(os.path.abspath(dest))
    with _whole_or_not(dest) as partial:
        notes = source(partial) if callable(source) else source
        records: list[ClipRecord] = []
        widths: set[int] = set()
        for clip in clips:
            records.append(_write_clip(partial, clip, {record.id for record in records}))
            widths.add(int(clip.audio.shape[1]))
            if len(widths) > 1:
                first = records[0].id
                raise CorpusError(f"Clip {clip.id}: its audio features are of another width than {first}'s.")
        if not records:
            raise CorpusError(f"No clips to write to {dest}.")
        people = sorted(face_model.neutral)
        lacking = sorted({record.identity for record in records} - set(people))
        if lacking:
            raise CorpusError(f"The face model of {dest} has no neutral shape of {', '.join(lacking)}. Add one.")
        neutral = np.stack([face_model.neutral[person] for person in people])
        arrays = _as_float32({"mean": face_model.mean, "basis": face_model.basis, "neutral": neutral})
        sha256 = write_arrays(partial / FACE_MODEL, arrays, error=CorpusError)
        manifest = Manifest(
            schema=SCHEMA,
            name=description.name,
            version=description.version,
            fps=description.fps,
            audio=AudioRecord(description.audio_kind, widths.pop()),
            length_unit=description.length_unit,
            landmark_unit=description.landmark_unit,
            blink_scale=description.blink_scale,
            source=dict(notes or {}),
            face_model=FaceModelRecord(FACE_MODEL, sha256, tuple(people)),
            clips=tuple(records),
        )
        write_json(partial / "corpus.json", msgspec.to_builtins(manifest), CorpusError)
        open_corpus(partial).verify()


@contextmanager
def _whole_or_not(dest: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `dest` if the block ends well; else nothing is left.

    Raises:
        CorpusError: `dest` is in use or cannot be written; also the block's own, with `dest` for the folder's name.
    """
    try:
        if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
            raise CorpusError(f"{dest} exists already. Remove it or choose another folder.")
        dest.parent.mkdir(parents=True, exist_ok=True)
        sweep(dest.parent, dest.name)
        partial = Path(tempfile.mkdtemp(dir=dest.parent, prefix=f".{dest.name}.", suffix=ENDING))
    except OSError as problem:
        raise CorpusError(cannot_write(dest, problem)) from None
    try:
        partial.chmod(0o755)
        with locked(partial):
            yield partial
            if dest.exists():
                dest.rmdir()
            os.replace(partial, dest)
    except OSError as problem:
        raise CorpusError(cannot_write(dest, problem)) from None
    except CorpusError as problem:  # the folder that it names will be gone
        raise CorpusError(str(problem).replace(str(partial), str(dest))) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_clip(folder: Path, clip: Clip, taken: set[str]) -> ClipRecord:
    safe_name(clip.id, "clip", CorpusError, LONGEST_NAME)
    safe_name(clip.identity, "identity", CorpusError, LONGEST_IDENTITY)
    if clip.id in taken:
        raise CorpusError(f"Two clips are named {clip.id}. Give every clip a name of its own.")
    if np.ndim(clip.audio) != 2:
        raise CorpusError(f"Clip {clip.id}: audio should be of shape (T, F), found {np.shape(clip.audio)}.")
    own = {
        "audio": clip.audio,
        "expression": clip.motion.expression,
        "pose": clip.motion.pose,
        "blink": clip.motion.blink,
        "landmarks": clip.landmarks,
    }
    extras = {safe_name(name, "array", CorpusError): array for name, array in clip.extras.items()}
    arrays = {**_as_float32(own | extras), "valid": np.asarray(clip.valid, bool)}
    file = f"clips/{clip.id}.safetensors"
    camera = clip.camera
    return ClipRecord(
        id=clip.id,
        identity=clip.identity,
        recording=str(clip.recording),
        frames=int(clip.frames),
        file=file,
        sha256=write_arrays(folder / file, arrays, error=CorpusError),
        camera=CameraRecord(int(camera.width), int(camera.height), float(camera.focal)),
    )


def _as_float32(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()}
