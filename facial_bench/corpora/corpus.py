"""The corpus folder: `corpus.json`, `face_model.safetensors` and one `clips/<id>.safetensors` per clip.

No pickle anywhere; every file's SHA-256 stands in the manifest and is checked when the file is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.digests import digest
from facial_bench.core.errors import CorpusError, unknown_name
from facial_bench.core.files import cannot_read, file_digest, read_arrays, read_json
from facial_bench.core.types import EXPRESSION_WIDTH, LANDMARKS, Camera, Clip, CorpusInfo, FaceModel, Motion
from facial_bench.corpora.schema import CLIP_ARRAYS, REBUILD, ClipRecord, Manifest, check_arrays, read_manifest
from facial_bench.corpora.split import ClipEntry, Segment


@dataclass(frozen=True, eq=False)
class Corpus:
    """An opened corpus folder. Clips are read, and their digest checked, when they are asked for. They come by id, in
    whatever order the manifest lists them: the same clips are the same corpus, trained on and tested alike."""

    path: Path
    info: CorpusInfo
    entries: tuple[ClipEntry, ...]
    face_model: FaceModel
    manifest: Mapping[str, Any]
    """The content of corpus.json, the clips by id; its digest is the corpus's."""
    records: Mapping[str, ClipRecord]
    """Clip id -> what the manifest says of it."""

    def note(self, *path: str) -> Mapping[str, Any]:
        """What the corpus says of its source at a place ("clips", "s02a"), empty where it says nothing. It may come
        from anybody: whoever uses a value checks what it is."""
        place: Any = self.manifest.get("source")
        for step in path:
            place = place.get(step) if isinstance(place, dict) and isinstance(step, str) else None
        return place if isinstance(place, dict) else {}

    def clip(self, clip_id: str) -> Clip:
        """Read one clip.

        Raises:
            CorpusError: a missing, truncated or altered file, or arrays that are not what the manifest says.
        """
        record = self.records.get(clip_id)
        if record is None:
            raise unknown_name("clip", clip_id, self.records)
        arrays = _read(self.path, record.file, record.sha256)
        check_arrays(arrays, record, self.info, self.path / record.file)
        for array in arrays.values():
            array.setflags(write=False)  # a method that is handed a clip cannot change it for the next one
        return Clip(
            record.id,
            record.identity,
            record.recording,
            arrays["audio"],
            Motion(arrays["expression"], arrays["pose"], arrays["blink"]),
            arrays["landmarks"],
            arrays["valid"],
            Camera(record.camera.width, record.camera.height, record.camera.focal),
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
        content = {**self.manifest, "clips": keep}
        return _assemble(self.path, content, read_manifest(content, self.path), self.face_model)

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
    content = read_json(path / "corpus.json", CorpusError, "Is this a corpus folder? " + REBUILD)
    read_manifest(content, path)  # a list of clips from here on
    content = {**content, "clips": sorted(content["clips"], key=lambda row: row["id"])}  # their order means nothing
    manifest = read_manifest(content, path)
    arrays = _read(path, manifest.face_model.file, manifest.face_model.sha256)
    people = manifest.face_model.identities
    shapes = {"mean": (LANDMARKS, 3), "basis": (EXPRESSION_WIDTH, LANDMARKS, 3), "neutral": (len(people), LANDMARKS, 3)}
    for name, shape in shapes.items():
        if name not in arrays or arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise CorpusError(f"{path}: the face model's {name} is not a finite array of shape {shape}. {REBUILD}")
    for array in arrays.values():
        array.setflags(write=False)  # methods are handed the face model that they are scored with
    model = FaceModel(arrays["mean"], arrays["basis"], dict(zip(people, arrays["neutral"], strict=True)))
    return _assemble(path, content, manifest, model)


def _read(root: Path, file: str, sha256: str) -> dict[str, np.ndarray]:
    path = root / file
    if not path.is_file():
        raise CorpusError(f"{path} is missing. {REBUILD}")
    if not path.resolve().is_relative_to(root.resolve()):
        raise CorpusError(f"{path} lies outside its corpus folder; such a corpus is not read.")
    try:
        actual = file_digest(path)
    except OSError as problem:
        raise CorpusError(cannot_read(path, problem)) from None
    if actual != sha256:
        raise CorpusError(f"{path} was truncated or altered: its SHA-256 is not the manifest's. {REBUILD}")
    return read_arrays(path, CorpusError, REBUILD)[0]


def _assemble(path: Path, content: Mapping[str, Any], manifest: Manifest, model: FaceModel) -> Corpus:
    entries = tuple(ClipEntry(one.id, one.identity, one.recording, one.frames) for one in manifest.clips)
    info = CorpusInfo(
        manifest.name,
        manifest.version,
        digest(content),
        manifest.fps,
        manifest.audio.kind,
        manifest.audio.width,
        manifest.length_unit,
        manifest.landmark_unit,
        manifest.blink_scale,
        tuple(sorted({entry.identity for entry in entries})),
        _tracker(manifest),
    )
    return Corpus(path, info, entries, model, content, {one.id: one for one in manifest.clips})


def _tracker(manifest: Manifest) -> str:
    """The first word of what the corpus says of its tracker."""
    named = manifest.source.get("tracker") if isinstance(manifest.source, dict) else None
    return named.split()[0] if isinstance(named, str) and named.split() else ""
