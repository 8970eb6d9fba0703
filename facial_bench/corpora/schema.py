"""What a corpus folder must hold: checks of its manifest and arrays, which may come from anybody."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError
from facial_bench.core.files import safe_name
from facial_bench.core.types import EXPRESSION_WIDTH, LANDMARKS, POSE_WIDTH, CorpusInfo

SCHEMA = "facial-bench corpus 1"
BLINK_SCALES = ("closure", "AU45")
CLIP_ARRAYS = ("audio", "expression", "pose", "blink", "landmarks", "valid")
"""What every clip holds; further arrays are extras of its tracker."""
LONGEST_NAME = 100
"""Characters of a clip's name: a motion's file is called after the clip and its first frame."""
REBUILD = "Build or import the corpus again."


def check_manifest(manifest: Any, path: Path) -> None:
    """Raise CorpusError unless corpus.json is what write_corpus writes."""

    def need(container: Any, key: str, kind: type | tuple[type, ...], where: str) -> Any:
        value = container.get(key) if isinstance(container, dict) else None
        if not isinstance(value, kind) or isinstance(value, bool):
            raise CorpusError(f"{path / 'corpus.json'}: {where}{key} is missing or of a wrong type. {REBUILD}")
        return value

    if need(manifest, "schema", str, "") != SCHEMA:
        raise CorpusError(f"{path}: schema {manifest['schema']!r}, this version reads {SCHEMA!r}. {REBUILD}")
    for key in ("name", "version", "length_unit", "landmark_unit", "blink_scale"):
        need(manifest, key, str, "")
    safe_name(manifest["name"], "corpus name", CorpusError)
    if not 0 < need(manifest, "fps", (int, float), "") < 1000:
        raise CorpusError(f"{path / 'corpus.json'}: fps is {manifest['fps']}. {REBUILD}")
    need(need(manifest, "audio", dict, ""), "kind", str, "audio.")
    need(manifest["audio"], "width", int, "audio.")
    if manifest["blink_scale"] not in BLINK_SCALES:
        raise CorpusError(f"{path / 'corpus.json'}: blink_scale is not one of {', '.join(BLINK_SCALES)}. {REBUILD}")
    for key, kind in {"file": str, "sha256": str, "identities": list}.items():
        need(need(manifest, "face_model", dict, ""), key, kind, "face_model.")
    people = [safe_name(name, "identity", CorpusError) for name in manifest["face_model"]["identities"]]
    if len(set(people)) < len(people):
        raise CorpusError(f"{path / 'corpus.json'}: the face model lists an identity twice. {REBUILD}")
    seen: set[str] = set()
    files: set[str] = set()
    if not need(manifest, "clips", list, ""):
        raise CorpusError(f"{path / 'corpus.json'} lists no clips. {REBUILD}")
    for row in manifest["clips"]:
        for key, kind in {
            "id": str,
            "identity": str,
            "recording": str,
            "file": str,
            "sha256": str,
            "frames": int,
        }.items():
            need(row, key, kind, "a clip's ")
        safe_name(row["id"], "clip", CorpusError, LONGEST_NAME)
        safe_name(row["identity"], "identity", CorpusError)
        camera = need(row, "camera", dict, "a clip's ")
        for key, kind in {"width": int, "height": int, "focal": (int, float)}.items():
            need(camera, key, kind, "a clip's camera.")
        if set(camera) != {"width", "height", "focal"} or min(camera.values()) <= 0 or row["frames"] < 1:
            raise CorpusError(f"{path / 'corpus.json'}: clip {row['id']} has an impossible camera or length. {REBUILD}")
        if row["id"] in seen or row["file"] in files:  # one file under two names could be trained on and tested
            raise CorpusError(f"{path / 'corpus.json'}: clip {row['id']} or its file is listed twice. {REBUILD}")
        if row["identity"] not in people:
            raise CorpusError(f"{path / 'corpus.json'}: the face model has no neutral of {row['identity']}. {REBUILD}")
        seen.add(row["id"])
        files.add(row["file"])


def check_arrays(arrays: Mapping[str, np.ndarray], record: Mapping[str, Any], info: CorpusInfo, path: Path) -> None:
    """Raise CorpusError unless a clip's arrays have the shapes that its record gives, float32 (valid: bool), finite."""
    frames = record["frames"]
    shapes = {
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
        found = arrays[name].shape if name in arrays else "nothing"
        if found != shape:
            raise CorpusError(f"{path}: {name} should be of shape {shape}, found {found}. {REBUILD}")
        kind = bool if name == "valid" else np.float32
        if arrays[name].dtype != kind:
            raise CorpusError(f"{path}: {name} should be {np.dtype(kind)}, found {arrays[name].dtype}. {REBUILD}")
        if not np.isfinite(arrays[name]).all():
            raise CorpusError(f"{path}: {name} holds NaN or infinities. {REBUILD}")
    for name in set(arrays) - set(CLIP_ARRAYS):
        if arrays[name].dtype != np.float32 or arrays[name].shape[:1] != (frames,):
            raise CorpusError(f"{path}: {name} should be float32 with {frames} rows. {REBUILD}")
