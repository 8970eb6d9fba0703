"""Readers of files of numbers: outputs, tracks, features, coefficients, tables and pickles."""

from __future__ import annotations

import csv
import io
import math
import pickle
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save
from scipy.io import savemat

from facial_bench.core.types import EXPRESSION_WIDTH, LANDMARKS, STATE_WIDTH
from facial_bench.corpora.importers.coefficients import read_release
from facial_bench.corpora.importers.deep3d_files import KEYS, read_coefficients
from facial_bench.corpora.importers.input_files import InputFile
from facial_bench.corpora.importers.openface_table import CONFIDENT, read_face_table
from facial_bench.corpora.importers.track_clip import TrackClip
from facial_bench.media.audio_features import audio_kinds
from facial_bench.media.feature_files import read_feature_array
from facial_bench.media.safe_pickle import read_pickled_arrays
from facial_bench.methods.output_arrays import WIDTHS, Held, read_held
from studies.fuzz_case import Reader
from studies.fuzz_mutations import Mutation, change_arrays, change_cells, damage
from studies.fuzz_parsers import parse_mat, parse_npy, parse_npz, parse_safetensors, parse_table
from tests.helpers.faces import openface_rows

Arrays = dict[str, np.ndarray]
FRAMES = 12


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _tensors(arrays: Mapping[str, np.ndarray]) -> bytes:
    known = {name: np.ascontiguousarray(array) for name, array in arrays.items() if array.dtype.kind in "fiub?"}
    return save({name: array.astype(array.dtype.newbyteorder("=")) for name, array in known.items()})


def _mat(arrays: Mapping[str, np.ndarray]) -> bytes:
    stream = io.BytesIO()
    savemat(stream, {name: array for name, array in arrays.items() if array.dtype.kind != "M"})
    return stream.getvalue()


def _rewrite(parse: Callable[[bytes], Arrays], write: Callable[[Mapping[str, np.ndarray]], bytes]) -> Mutation:
    """Sound files of other arrays; where they cannot be written so, damaged ones."""

    def mutate(rng: np.random.Generator, content: bytes) -> bytes:
        try:
            return write(change_arrays(rng, parse(content)))
        except (ValueError, TypeError, NotImplementedError):
            return damage(rng, content)

    return mutate


def _one(array: np.ndarray) -> Arrays:
    return {"a": array}


def _output(rng: np.random.Generator) -> Arrays:
    return {name: rng.normal(size=(FRAMES, *shape)).astype(np.float32) for name, shape in WIDTHS.items()}


def _held(parse: Callable[[bytes], Arrays], content: bytes, sound: Any) -> Held:
    arrays = parse(content)
    if list(arrays) == ["a"]:
        arrays = {"state" if arrays["a"].ndim == 2 else "landmarks": arrays["a"]}
        return Held({name: array.astype(np.float64) for name, array in arrays.items()}, (), bare=True)
    known = {name: array.astype(np.float64) for name, array in arrays.items() if name in WIDTHS}
    return Held(known, tuple(sorted(set(arrays) - set(WIDTHS))))


def _track_arrays() -> Arrays:
    rng, frames = np.random.default_rng(1), 30
    return {
        "landmarks": rng.uniform(0, 200, (frames, LANDMARKS, 3)).astype(np.float32),
        "rotation": rng.normal(size=(frames, 3)) * 0.1,
        "translation": rng.normal((0, 0, -40), size=(frames, 3)),
        "blink": rng.uniform(0, 1, frames),
        "valid": np.ones(frames, bool),
        "audio": rng.normal(size=16_000).astype(np.float32) * 0.1,
        "audio_rate": np.array(16_000.0),
        "fps": np.array(30.0),
        "image_size": np.array([256, 256]),
    }


def _read_track(path: Path) -> Arrays:
    clip = TrackClip(path.parent, {"clip": "a", "identity": "a", "file": path.name, "frames": 30})
    clip.track(audio_kinds()["mel29"], 25.0)
    return clip.arrays


def _feature(content: bytes) -> np.ndarray:
    if content[:2] == b"PK":
        (array,) = parse_npz(content).values()
    else:
        array = parse_npy(content)
    return array[:, 8] if array.ndim == 3 else array


def _coefficients(content: bytes, sound: Any) -> tuple[np.ndarray, np.ndarray]:
    held = parse_mat(content)
    if "coeff" in held:
        coeff = held["coeff"]
    else:
        coeff = np.zeros((len(held["exp"]), 257))
        for name, (low, high) in KEYS.items():
            coeff[:, low:high] = held.get(name, np.zeros((1, 1)))
    return np.arange(len(coeff)), coeff


def _release(content: bytes, sound: Any) -> np.ndarray:
    (state,) = (array for array in parse_npz(content).values() if array.shape[1:] == (STATE_WIDTH,) and array.ndim == 2)
    state = state.astype(np.float64)
    return np.concatenate([np.radians(state[:, :3]), np.clip(state[:, 6:7], 0, 5), state[:, 7:]], axis=1)


def _read_state(path: Path) -> np.ndarray:
    held = read_release(InputFile("a", "a", path))
    return np.concatenate([held.rotation, held.blink[:, None], held.expression], axis=1)


class _Usual(pickle.Unpickler):
    """Python's own, with the names that numpy needs."""

    def find_class(self, module: str, name: str) -> Any:
        if (module.replace("_core", "core"), name) in {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy.core.multiarray", "scalar"),
            ("numpy.core.numeric", "_frombuffer"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("_codecs", "encode"),
        }:
            return super().find_class(module, name)
        raise ValueError(f"{module}.{name}")


def _unpickled(content: bytes, sound: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _lists(_Usual(io.BytesIO(content), encoding="latin1").load())


def _lists(held: Any) -> Any:
    if isinstance(held, dict):
        return {key: _lists(value) for key, value in held.items()}
    return [_lists(value) for value in held] if isinstance(held, (list, tuple)) else held


def _pickles(folder: Path) -> list[bytes]:
    rng = np.random.default_rng(2)
    held = {"name.wav": [rng.normal(size=(6, 16, 4)), rng.integers(0, 9, 5)], "rate": 50, "notes": ("a", None, 1.5)}
    return [pickle.dumps(held, protocol) for protocol in (0, 2, 4, 5)]


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode()


def _face_table(path: Path) -> dict[str, Any]:
    table = read_face_table(path, None, None)
    return {"frames": table.frames, "times": table.times, "faces": table.faces} | {
        name: values[table.faces] for name, values in table.columns.items()
    }


def _plain_table(content: bytes, sound: Mapping[str, Any]) -> dict[str, Any]:
    names, rows = parse_table(content)
    if any(len(row) != len(names) for row in rows):
        raise ValueError("rows of several lengths")
    wanted = set(sound) - {"frames", "times", "faces"} - ({"frame", "face_id"} - set(names))
    read = {name: [row[names.index(name)] for row in rows] for name in wanted}
    columns = {name: np.array([_number(cell) for cell in cells]) for name, cells in read.items()}
    faces = (columns["success"] > 0) & (columns["confidence"] >= CONFIDENT)
    told = {"frames": columns.get("frame", 1.0 + np.arange(len(rows))), "times": columns["timestamp"], "faces": faces}
    return told | {name: values[faces] for name, values in columns.items()}


def _number(cell: str) -> float:
    try:
        return float(cell) if "_" not in cell else math.nan
    except ValueError:
        return math.nan


def array_readers() -> list[Reader]:
    """Files of numbers. What says their truth is `studies.fuzz_parsers`; for pickles Python's own unpickler with the
    usual list of names. A .npy, a .mat and a CSV have no checksum: what a changed one says is what it now says."""
    rng = np.random.default_rng(0)
    output, track = _output(rng), _track_arrays()
    coefficients = {name: rng.normal(size=(FRAMES, high - low)) for name, (low, high) in KEYS.items()}
    windows = rng.normal(size=(FRAMES, 16, 5))
    states = {"face": rng.normal(size=(FRAMES, 7 + EXPRESSION_WIDTH))}

    def seeds(*content: bytes) -> Callable[[Path], Sequence[bytes]]:
        return lambda folder: content

    npz, tensors = _rewrite(parse_npz, _npz), _rewrite(parse_safetensors, _tensors)
    bare = _rewrite(lambda content: _one(parse_npy(content)), lambda arrays: _npy(arrays.get("a", np.zeros(0))))
    mat = _rewrite(parse_mat, _mat)

    return [
        Reader("outputs .npz", "a.npz", 900, seeds(_npz(output), _packed(output)), (damage, npz), read_held,
               partial(_held, parse_npz)),
        Reader("outputs .safetensors", "a.safetensors", 600, seeds(_tensors(output)), (damage, tensors), read_held,
               partial(_held, parse_safetensors)),
        Reader("outputs .npy", "a.npy", 600, seeds(_npy(output["state"]), _npy(output["landmarks"])), (damage, bare),
               read_held, partial(_held, lambda content: _one(parse_npy(content)))),
        Reader("tracks .npz", "a.npz", 700, seeds(_packed(track), _npz(track)), (damage, npz), _read_track,
               lambda content, sound: parse_npz(content)),
        Reader("features .npz", "a.npz", 300, seeds(_npz({"a": windows})), (damage, npz), read_feature_array,
               lambda content, sound: _feature(content)),
        Reader("features .npy", "a.npy", 400, seeds(_npy(windows), _npy(windows[:, 8])), (damage, bare),
               read_feature_array, lambda content, sound: _feature(content)),
        Reader("FACIAL's states .npz", "a.npz", 300, seeds(_npz(states)), (damage, npz), _read_state, _release),
        Reader("Deep3D .mat", "a.mat", 800,
               seeds(_mat(coefficients), _mat({"coeff": np.concatenate(list(coefficients.values()), axis=1)})),
               (damage, mat), lambda path: read_coefficients(InputFile("a", "a", path)), _coefficients),
        Reader("pickles", "a.pkl", 900, _pickles, (damage,), read_pickled_arrays, _unpickled),
        Reader("OpenFace .csv", "a.csv", 1200, seeds(_csv(openface_rows(20)), _csv(openface_rows(20, face=0))),
               (damage, change_cells, change_cells), _face_table, _plain_table),
    ]  # fmt: skip
