"""The corpus folder: `corpus.json`, `face_model.safetensors` and one `clips/<id>.safetensors` per clip.

No pickle anywhere; every file's SHA-256 stands in the manifest and is checked when the file is read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.digests import digest
from facial_bench.core.errors import CorpusError, unknown_name
from facial_bench.core.files import file_digest, read_arrays, read_json, safe_name, write_arrays, write_json
from facial_bench.core.types import EXPRESSION_WIDTH, LANDMARKS, Camera, Clip, CorpusInfo, FaceModel, Motion
from facial_bench.corpora.schema import CLIP_ARRAYS, LONGEST_NAME, REBUILD, SCHEMA, check_arrays, check_manifest
from facial_bench.corpora.split import ClipEntry, Segment


@dataclass(frozen=True, eq=False)
class Corpus:
    """An opened corpus folder. Clips are read, and their digest checked, when they are asked for."""

    path: Path
    info: CorpusInfo
    entries: tuple[ClipEntry, ...]
    face_model: FaceModel
    manifest: Mapping[str, Any]
    """The content of corpus.json."""

    def note(self, *path: str) -> Mapping[str, Any]:
        """What the corpus says of its source at a place ("clips", "s02a"), empty where it says nothing. It may come
        from anybody: whoever uses a value checks what it is."""
        found: Any = self.manifest.get("source")
        for step in path:
            found = found.get(step) if isinstance(found, dict) and isinstance(step, str) else None
        return found if isinstance(found, dict) else {}

    def clip(self, clip_id: str) -> Clip:
        """Read one clip.

        Raises:
            CorpusError: a missing, truncated or altered file, or arrays that are not what the manifest says.
        """
        record = {row["id"]: row for row in self.manifest["clips"]}.get(clip_id)
        if record is None:
            raise unknown_name("clip", clip_id, [row["id"] for row in self.manifest["clips"]])
        arrays = _read(self.path, record["file"], record["sha256"])
        check_arrays(arrays, record, self.info, self.path / record["file"])
        for array in arrays.values():
            array.setflags(write=False)  # a method that is handed a clip cannot change it for the next one
        camera = Camera(**record["camera"])
        motion = Motion(arrays["expression"], arrays["pose"], arrays["blink"])
        return Clip(
            record["id"],
            record["identity"],
            record["recording"],
            arrays["audio"],
            motion,
            arrays["landmarks"],
            arrays["valid"],
            camera,
            extras={name: array for name, array in arrays.items() if name not in CLIP_ARRAYS},
        )

    def segments(self, segments: Iterable[Segment]) -> list[Clip]:
        """The stretches of clips that a part of a split names."""
        return [self.clip(part.clip)[part.start : part.stop] for part in segments]

    def select(self, identities: Sequence[str]) -> Corpus:
        """The corpus with these people only; its digest says so.

        Raises:
            FacialBenchError: an identity that is not in the corpus.
        """
        for name in identities:
            if name not in self.info.identities:
                raise unknown_name("identity", name, self.info.identities)
        keep = [row for row in self.manifest["clips"] if row["identity"] in set(identities)]
        return _assemble(self.path, {**self.manifest, "clips": keep}, self.face_model)

    def verify(self) -> int:
        """Read every file and check its digest and arrays; the number of clips."""
        for entry in self.entries:
            self.clip(entry.id)
        return len(self.entries)


def open_corpus(path: Path | str) -> Corpus:
    """Open a corpus folder.

    Raises:
        CorpusError: no such folder, or a manifest or face model that is damaged.
    """
    path = Path(path)
    if not path.is_dir():
        raise CorpusError(f"No corpus folder at {path}. Make one with `facial-bench corpus import` or `corpus make`.")
    manifest = read_json(path / "corpus.json", CorpusError, "Is this a corpus folder? " + REBUILD)
    check_manifest(manifest, path)
    arrays = _read(path, manifest["face_model"]["file"], manifest["face_model"]["sha256"])
    people = manifest["face_model"]["identities"]
    shapes = {"mean": (LANDMARKS, 3), "basis": (EXPRESSION_WIDTH, LANDMARKS, 3), "neutral": (len(people), LANDMARKS, 3)}
    for name, shape in shapes.items():
        if name not in arrays or arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise CorpusError(f"{path}: the face model's {name} is not a finite array of shape {shape}. {REBUILD}")
    for array in arrays.values():
        array.setflags(write=False)  # methods are handed the face model that they are scored with
    model = FaceModel(arrays["mean"], arrays["basis"], dict(zip(people, arrays["neutral"], strict=True)))
    return _assemble(path, manifest, model)


def write_corpus(
    dest: Path | str,
    *,
    name: str,
    version: str,
    protocol_fps: float,
    audio_kind: str,
    length_unit: str,
    landmark_unit: str,
    blink_scale: str,
    face_model: FaceModel,
    clips: Iterable[Clip],
    source: Mapping[str, Any] | None = None,
) -> None:
    """Write a corpus folder at `dest` (absent or empty), whole or not at all; one clip in memory at a time.

    Args:
        name, version: of the corpus.
        protocol_fps: frames per second of every array.
        audio_kind: name of the audio features; their width is read off the clips.
        length_unit: unit of translation, face model and expression.
        landmark_unit: unit of the stored landmarks.
        blink_scale: `closure` or `AU45`.
        face_model: with a neutral shape for every identity.
        clips: the clips, any iterable.
        source: notes on where it comes from, JSON; becomes part of the digest.

    Raises:
        CorpusError: `dest` is in use or cannot be written, two clips of one name, or arrays of a wrong shape.
    """
    dest = Path(os.path.abspath(dest))
    try:
        if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
            raise CorpusError(f"{dest} exists already. Remove it or choose another folder.")
        dest.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=dest.parent, prefix=f".{dest.name}.partial-"))
    except OSError as problem:
        raise CorpusError(f"Cannot write {dest}: {problem.strerror}. Choose another folder.") from None
    try:
        partial.chmod(0o755)
        rows: list[dict[str, Any]] = []
        for clip in clips:
            rows.append(_write_clip(partial, clip, {row["id"] for row in rows}))
        if not rows:
            raise CorpusError(f"No clips to write to {dest}.")
        people = sorted(face_model.neutral)
        lacking = sorted({row["identity"] for row in rows} - set(people))
        if lacking:
            raise CorpusError(f"The face model of {dest} has no neutral shape of {', '.join(lacking)}. Add one.")
        arrays = {
            "mean": face_model.mean,
            "basis": face_model.basis,
            "neutral": np.stack([face_model.neutral[person] for person in people]),
        }
        sha = write_arrays(partial / "face_model.safetensors", _as_float32(arrays), error=CorpusError)
        manifest = {
            "schema": SCHEMA,
            "name": name,
            "version": version,
            "fps": protocol_fps,
            "audio": {"kind": audio_kind, "width": rows[0].pop("audio_width")},
            "length_unit": length_unit,
            "landmark_unit": landmark_unit,
            "blink_scale": blink_scale,
            "source": dict(source or {}),
            "face_model": {"file": "face_model.safetensors", "sha256": sha, "identities": people},
            "clips": rows,
        }
        for row in rows[1:]:
            if row.pop("audio_width") != manifest["audio"]["width"]:
                raise CorpusError(f"Clip {row['id']}: its audio features are of another width than {rows[0]['id']}'s.")
        write_json(partial / "corpus.json", manifest, CorpusError)
        open_corpus(partial).verify()
        if dest.exists():
            dest.rmdir()
        os.replace(partial, dest)
    except OSError as problem:
        raise CorpusError(f"Cannot write {dest}: {problem.strerror or problem}. Choose another folder.") from None
    except CorpusError as problem:  # the folder that it names will be gone
        raise CorpusError(str(problem).replace(str(partial), str(dest))) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_clip(folder: Path, clip: Clip, taken: set[str]) -> dict[str, Any]:
    safe_name(clip.id, "clip", CorpusError, LONGEST_NAME)
    safe_name(clip.identity, "identity", CorpusError)
    if clip.id in taken:
        raise CorpusError(f"Two clips are named {clip.id}. Give every clip a name of its own.")
    if np.ndim(clip.audio) != 2:
        raise CorpusError(f"Clip {clip.id}: audio should be of shape (T, F), found {np.shape(clip.audio)}.")
    arrays = _as_float32(
        {
            "audio": clip.audio,
            "expression": clip.motion.expression,
            "pose": clip.motion.pose,
            "blink": clip.motion.blink,
            "landmarks": clip.landmarks,
        }
        | {safe_name(name, "array", CorpusError): array for name, array in clip.extras.items()}
    )
    file = f"clips/{clip.id}.safetensors"
    sha = write_arrays(folder / file, {**arrays, "valid": np.asarray(clip.valid, bool)}, error=CorpusError)
    return {
        "id": clip.id,
        "identity": clip.identity,
        "recording": str(clip.recording),
        "frames": int(clip.frames),
        "file": file,
        "sha256": sha,
        "audio_width": int(clip.audio.shape[1]),
        "camera": {
            "width": int(clip.camera.width),
            "height": int(clip.camera.height),
            "focal": float(clip.camera.focal),
        },
    }


def _as_float32(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()}


def _read(root: Path, file: str, sha256: str) -> dict[str, np.ndarray]:
    path = root / file
    if not path.is_file():
        raise CorpusError(f"{path} is missing. {REBUILD}")
    if not path.resolve().is_relative_to(root.resolve()):
        raise CorpusError(f"{path} lies outside its corpus folder; such a corpus is not read.")
    try:
        found = file_digest(path)
    except OSError as problem:
        raise CorpusError(f"{path} cannot be read: {problem.strerror}. Check its permissions.") from None
    if found != sha256:
        raise CorpusError(f"{path} was truncated or altered: its SHA-256 is not the manifest's. {REBUILD}")
    return read_arrays(path, CorpusError, REBUILD)[0]


def _tracker(manifest: Mapping[str, Any]) -> str:
    """The first word of what the corpus says of its tracker."""
    source = manifest.get("source")
    named = source.get("tracker") if isinstance(source, dict) else None
    return named.split()[0] if isinstance(named, str) and named.split() else ""


def _assemble(path: Path, manifest: Mapping[str, Any], model: FaceModel) -> Corpus:
    entries = tuple(ClipEntry(r["id"], r["identity"], r["recording"], r["frames"]) for r in manifest["clips"])
    info = CorpusInfo(
        manifest["name"],
        manifest["version"],
        digest(manifest),
        manifest["fps"],
        manifest["audio"]["kind"],
        manifest["audio"]["width"],
        manifest["length_unit"],
        manifest["landmark_unit"],
        manifest["blink_scale"],
        tuple(sorted({entry.identity for entry in entries})),
        _tracker(manifest),
    )
    return Corpus(path, info, entries, model, manifest)
