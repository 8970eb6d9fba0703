"""Outputs as other programs write them: a CSV of OpenFace 2, a .mat of Deep3DFaceRecon; read as the importers do.

What a corpus of another tracker cannot be compared with is left out: blinks of another scale, coefficients of another
face model.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError, GenerationError, one_line
from facial_bench.core.types import CorpusInfo
from facial_bench.corpora.importers.coefficients import CENTIMETRES
from facial_bench.corpora.importers.deep3d_files import KEYS, read_coefficients
from facial_bench.corpora.importers.input_files import InputFile
from facial_bench.corpora.importers.linear_basis import DISTANCE
from facial_bench.corpora.importers.openface import read_csv
from facial_bench.methods.output_arrays import Held
from facial_bench.methods.output_files import frame_files


def read_foreign(path: Path, info: CorpusInfo) -> Held:
    """The arrays of a foreign file.

    Args:
        path: a .csv of OpenFace, a .mat of Deep3DFaceRecon, or a folder that holds a .mat for each frame.
        info: the corpus's: its scales decide what can be compared.

    Raises:
        GenerationError: a damaged file, or one that is none of theirs.
    """
    read = _openface if path.suffix.lower() == ".csv" else _deep3d
    if info.length_unit != "cm":
        raise GenerationError(
            f"{path.name}: its lengths are read in cm, those of this corpus are in {info.length_unit}"
        )
    try:
        return read(path, info)
    except CorpusError as problem:
        raise GenerationError(f"{path.name}: {one_line(problem)}") from None


def _openface(path: Path, info: CorpusInfo) -> Held:
    """Landmarks, rotation, translation and, of a corpus of that scale, AU45; frames without a face are NaN."""
    track = read_csv(path)
    step = float(np.median(np.diff(track.times) / np.diff(track.frames))) if len(track.times) > 1 else 1 / info.fps
    place = (track.frames - track.frames[0] + round(float(track.times[0]) / step)).astype(np.int64)
    arrays = {name: _spread(values, place, track.faces) for name, values in track.arrays.items()}
    notes: tuple[str, ...] = ()
    if info.blink_scale != "AU45":
        del arrays["blink"]
        notes = (f"its blinks are AU45, this corpus's are {info.blink_scale}: they are not used",)
    return Held(arrays, rate=1 / step, picture=(track.camera.width, track.camera.height), notes=notes)


def _deep3d(path: Path, info: CorpusInfo) -> Held:
    """Rotation, translation and, in a corpus of such coefficients, expression; frames of which a folder has no file
    are NaN."""
    numbers, read = read_coefficients(InputFile(path.stem, "", path, frame_files(path)))
    coeff = _spread(read, numbers - numbers[0], np.ones(len(read), bool))
    parts = {name: coeff[:, slice(*columns)] for name, columns in KEYS.items()}
    arrays = {"rotation": parts["angle"], "translation": (parts["trans"] - [0, 0, DISTANCE]) * CENTIMETRES}
    if info.tracker == "deep3d":
        return Held({**arrays, "expression": parts["exp"]})
    return Held(arrays, notes=("its expression is that of another face model than this corpus's: it is not used",))


def _spread(rows: np.ndarray, place: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The rows that are known, each at its place, and NaN elsewhere; raises CorpusError where more than half is empty:
    a number that is not one of a frame could ask for any length."""
    frames = int(place[-1]) + 1
    if place[0] < 0 or frames > 2 * len(place):
        raise CorpusError(f"it has rows for {len(place)} of {frames} frames")
    spread = np.full((frames, *rows.shape[1:]), np.nan)
    spread[place[known]] = rows[known]
    return spread
