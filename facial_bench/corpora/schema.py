"""What a corpus folder must hold: records of its manifest, checks of its arrays. Both may come from anybody."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from facial_bench.core.errors import CorpusError, one_line
from facial_bench.core.names import safe_name
from facial_bench.core.types import EXPRESSION_WIDTH, LANDMARKS, POSE_WIDTH, CorpusInfo

SCHEMA = "facial-bench corpus 1"
BLINK_SCALES = ("closure", "AU45")
CLIP_ARRAYS = ("audio", "expression", "pose", "blink", "landmarks", "valid")
"""What every clip holds; further arrays are extras of its tracker."""
LONGEST_NAME = 120
"""Bytes of a clip's name in UTF-8: files are called after the clip, its first frame, a person and what they hold."""
LONGEST_IDENTITY = 80
"""Bytes of an identity in UTF-8."""
REBUILD = "Build or import the corpus again."


class CameraRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The view of a clip, fields as `Camera`."""

    width: int
    height: int
    focal: int | float


class ClipRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A clip: who, what, and where its arrays are."""

    id: str
    identity: str
    recording: str
    frames: int
    """T, at the corpus's rate."""
    file: str
    """Of its arrays, within the corpus folder."""
    sha256: str
    """Of that file, hexadecimal."""
    camera: CameraRecord


class AudioRecord(msgspec.Struct, frozen=True):
    """The audio features of every clip."""

    kind: str
    width: int
    """F."""


class FaceModelRecord(msgspec.Struct, frozen=True):
    """The face model: its file, and whose neutral shapes it holds, in order."""

    file: str
    sha256: str
    identities: tuple[str, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The content of corpus.json."""

    schema: str
    name: str
    version: str
    fps: int | float
    """Frames per second of every array."""
    audio: AudioRecord
    length_unit: str
    landmark_unit: str
    blink_scale: str
    """One of BLINK_SCALES."""
    source: Any = None
    """Notes on where the corpus comes from: anything that JSON holds."""
    face_model: FaceModelRecord
    clips: tuple[ClipRecord, ...]


def read_manifest(content: Any, path: Path) -> Manifest:
    """The record of corpus.json's content; raises CorpusError, one line, unless it is what write_corpus writes."""
    schema = content.get("schema") if isinstance(content, dict) else None
    if isinstance(schema, str) and schema != SCHEMA:
        raise CorpusError(f"{path}: schema {one_line(schema)!r}, this version reads {SCHEMA!r}. {REBUILD}")
    try:
        manifest = msgspec.convert(content, Manifest)
        _check_manifest(manifest)
    except (msgspec.ValidationError, CorpusError) as problem:
        raise CorpusError(f"{path / 'corpus.json'}: {one_line(problem).rstrip('.')}. {REBUILD}") from None
    return manifest


def _check_manifest(manifest: Manifest) -> None:
    """What the types of the fields do not say; raises CorpusError."""
    safe_name(manifest.name, "corpus name", CorpusError)
    if not 0 < manifest.fps < 1000:
        raise CorpusError(f"fps is {manifest.fps}")
    if manifest.blink_scale not in BLINK_SCALES:
        raise CorpusError(f"blink_scale is not one of {', '.join(BLINK_SCALES)}")
    people = [safe_name(name, "identity", CorpusError, LONGEST_IDENTITY) for name in manifest.face_model.identities]
    if len(set(people)) < len(people):
        raise CorpusError("the face model lists an identity twice")
    if not manifest.clips:
        raise CorpusError("it lists no clips")
    ids: set[str] = set()
    files: set[str] = set()
    for clip in manifest.clips:
        safe_name(clip.id, "clip", CorpusError, LONGEST_NAME)
        safe_name(clip.identity, "identity", CorpusError, LONGEST_IDENTITY)
        if min(clip.camera.width, clip.camera.height, clip.camera.focal) <= 0 or clip.frames < 1:
            raise CorpusError(f"clip {clip.id} has an impossible camera or length")
        if clip.id in ids or clip.file in files:  # one file under two names could be trained on and tested
            raise CorpusError(f"clip {clip.id} or its file is listed twice")
        if clip.identity not in people:
            raise CorpusError(f"the face model has no neutral of {clip.identity}")
        ids.add(clip.id)
        files.add(clip.file)


def check_arrays(arrays: Mapping[str, np.ndarray], record: ClipRecord, info: CorpusInfo, path: Path) -> None:
    """Raise CorpusError unless a clip's arrays have the shapes that its record gives, float32 (valid: bool), finite."""
    frames = record.frames
    shapes: dict[str, tuple[int, ...]] = {
        "audio": (frames, info.audio_width),
        "expression": (frames, EXPRESSION_WIDTH),
        "pose": (frames, POSE_WIDTH),
        "blink": (frames,),
        "valid": (frames,),
    }
    landmarks = arrays.get("landmarks", np.empty(0))
    depth = landmarks.shape[-1] if landmarks.ndim == 3 and landmarks.shape[-1] in (2, 3) else 3
    shapes["landmarks"] = (frames, LANDMARKS, depth)
    for name, shape in shapes.items():
        held = arrays[name].shape if name in arrays else "nothing"
        if held != shape:
            raise CorpusError(f"{path}: {name} should be of shape {shape}, found {held}. {REBUILD}")
        kind = np.dtype(bool if name == "valid" else np.float32)
        if arrays[name].dtype != kind:
            raise CorpusError(f"{path}: {name} should be {kind}, found {arrays[name].dtype}. {REBUILD}")
        if not np.isfinite(arrays[name]).all():
            raise CorpusError(f"{path}: {name} holds NaN or infinities. {REBUILD}")
    for name in set(arrays) - set(CLIP_ARRAYS):
        if arrays[name].dtype != np.float32 or arrays[name].shape[:1] != (frames,):
            raise CorpusError(f"{path}: {name} should be float32 with {frames} rows. {REBUILD}")
