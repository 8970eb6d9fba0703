"""Training clips in a folder: one .npy per kind of array for all clips, so that a process maps what it looks at.

`clips.json` says where the frames of each clip lie. Only what was written can be read: a clip that was a piece of a
longer one has nothing before or behind it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from facial_bench_worker.face import Camera, Clip, Motion

INDEX = "clips.json"
MOTION = ("expression", "pose", "blink", "landmarks")


def write_clips(folder: str, clips: Sequence[Clip]) -> None:
    """Write clips into an existing folder; raises OSError where that is not possible."""
    rows: dict[tuple[Any, ...], list[np.ndarray]] = {}
    entries = []
    for clip in clips:
        places = {}
        for name, array in _arrays(clip).items():
            key = (name, array.dtype.str, array.shape[1:])
            parts = rows.setdefault(key, [])
            places[name] = [list(rows).index(key), sum(map(len, parts))]
            parts.append(array)
        camera = [clip.camera.width, clip.camera.height, clip.camera.focal]
        entries.append(
            {
                "id": clip.id,
                "identity": clip.identity,
                "recording": clip.recording,
                "start": clip.start,
                "frames": clip.frames,
                "camera": camera,
                "arrays": places,
            }
        )
    for number, ((_, dtype, tail), parts) in enumerate(rows.items()):
        with open(os.path.join(folder, f"{number}.npy"), "wb") as file:
            _write_rows(file, dtype, (sum(map(len, parts)), *tail), parts)
    with open(os.path.join(folder, INDEX), "w", encoding="utf-8") as file:
        json.dump(entries, file)


def read_clips(folder: str) -> list[Clip]:
    """The clips of a folder, memory-mapped; what is written into an array stays in this process."""
    with open(os.path.join(folder, INDEX), encoding="utf-8") as file:
        entries = json.load(file)
    mapped: dict[int, np.ndarray] = {}

    def frames(entry: dict[str, Any], name: str) -> np.ndarray | None:
        if name not in entry["arrays"]:
            return None
        number, first = entry["arrays"][name]
        if number not in mapped:
            mapped[number] = _map(os.path.join(folder, f"{number}.npy"))
        return mapped[number][first : first + entry["frames"]]

    clips = []
    for entry in entries:
        extras = [name for name in entry["arrays"] if name.startswith("extras/")]
        clips.append(
            Clip(
                entry["id"],
                entry["identity"],
                entry["recording"],
                frames(entry, "audio"),  # type: ignore[arg-type]
                Motion.from_parts({name: frames(entry, f"motion/{name}") for name in MOTION}),
                frames(entry, "landmarks"),  # type: ignore[arg-type]
                frames(entry, "valid"),  # type: ignore[arg-type]
                Camera(*entry["camera"]),
                entry["start"],
                {name[len("extras/") :]: frames(entry, name) for name in extras},  # type: ignore[misc]
            )
        )
    return clips


def changed_clip(folder: str, clips: Sequence[Clip]) -> str | None:
    """Id of the first clip whose arrays are no longer what the folder holds; None where all are."""
    for clip, stored in zip(clips, read_clips(folder)):
        now = _arrays(clip)
        if any(not np.array_equal(array, now[name], equal_nan=True) for name, array in _arrays(stored).items()):
            return stored.id
    return None


def _arrays(clip: Clip) -> dict[str, np.ndarray]:
    motion = {f"motion/{name}": part for name, part in vars(clip.motion).items() if part is not None}
    extras = {f"extras/{name}": array for name, array in clip.extras.items()}
    return {"audio": clip.audio, "landmarks": clip.landmarks, "valid": clip.valid, **motion, **extras}


def _write_rows(file: BinaryIO, dtype: str, shape: tuple[int, ...], parts: Sequence[np.ndarray]) -> None:
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    for part in parts:
        file.write(np.ascontiguousarray(part).data if part.size else b"")


def _map(path: str) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="c", allow_pickle=False).view(np.ndarray)
    except ValueError:  # an array without elements cannot be mapped
        return np.load(path, allow_pickle=False)
