"""The coefficients in Deep3DFaceRecon's files, of its TensorFlow code and of Deep3DFaceRecon_pytorch.

The one writes `coeff` (T, 257), columns identity 0:80, expression 80:144, texture 144:224, angles 224:227, lighting
227:254, translation 254:257; the other each of these as an array, `id`, `exp`, `tex`, `angle`, `gamma`, `trans`. Both
write a .mat for each picture: a folder of those is a clip, in natural order, each at the number in its name.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError
from facial_bench.corpora.importers.input_files import InputFile, frame_numbers
from facial_bench.media.mat_files import read_mat

COEFFICIENTS = 257
"""Columns of a `coeff`."""
KEYS = {
    "id": (0, 80),
    "exp": (80, 144),
    "tex": (144, 224),
    "angle": (224, 227),
    "gamma": (227, 254),
    "trans": (254, 257),
}
"""Name of an array -> its columns in a `coeff`."""
UNUSED = ("tex", "gamma")
"""What no corpus needs: texture and lighting."""


def has_one_frame(path: Path) -> bool | None:
    """Whether a .mat holds the coefficients of one frame; None where it cannot be read."""
    try:
        return len(_coefficients(read_mat(path))) == 1
    except CorpusError:
        return None


def read_coefficients(file: InputFile) -> tuple[np.ndarray, np.ndarray]:
    """The coefficients of a .mat, or of a folder of one a frame.

    Returns:
        Numbers of the frames (T,); (T, 257) float64, zeros where the file has no texture and lighting.

    Raises:
        CorpusError: a file that is damaged, holds other arrays, or NaN; of a folder names the file.
    """
    if not file.frames:
        coeff = _coefficients(read_mat(file.path))
        return np.arange(len(coeff)), coeff
    rows = []
    for path in file.frames:
        try:
            coeff = _coefficients(read_mat(path))
        except CorpusError as problem:
            raise CorpusError(f"{path.name}: {problem}") from None
        if len(coeff) != 1:
            raise CorpusError(
                f"{path.name} holds {len(coeff)} frames, {file.frames[0].name} beside it one: keep them apart"
            )
        rows.append(coeff[0])
    return np.array(frame_numbers(file.frames)), np.stack(rows)


def finite_rows(what: str, array: np.ndarray, width: int) -> np.ndarray:
    """The array as (T, width) float64; raises CorpusError where it is none, empty or not finite."""
    if array.ndim != 2 or array.shape[1] != width or array.dtype.kind not in "fiu":
        raise CorpusError(f"its {what} are {array.dtype} {array.shape}, expected numbers (T, {width})")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad) or not len(array):
        where = f"hold NaN in frame {bad[0][0]}, column {bad[0][1]}" if len(bad) else "hold no frame"
        raise CorpusError(f"its {what} {where}")
    return array.astype(np.float64)


def _coefficients(held: dict[str, np.ndarray]) -> np.ndarray:
    """(T, 257) float64."""
    if "coeff" in held:
        return finite_rows("coeff", held["coeff"], COEFFICIENTS)
    needed = [key for key in KEYS if key not in UNUSED]
    lacking = [key for key in needed if key not in held]
    if lacking:
        named = ", ".join(f"{name} {array.shape}" for name, array in sorted(held.items())[:8])
        what = f"its {', '.join(lacking)} are not there" if len(lacking) < len(needed) else "its coeff are not there"
        raise CorpusError(
            f"{what}, expected coeff (T, {COEFFICIENTS}), or {', '.join(needed)} of Deep3DFaceRecon_pytorch; "
            f"it holds {named or 'no array'}"
        )
    parts = {key: finite_rows(key, held[key], high - low) for key, (low, high) in KEYS.items() if key in held}
    frames = {key: len(part) for key, part in parts.items()}
    if len(set(frames.values())) > 1:
        counts = ", ".join(f"{key} {count}" for key, count in frames.items())
        raise CorpusError(f"its arrays are of different lengths: {counts}")
    coeff = np.zeros((frames["exp"], COEFFICIENTS))
    for key, part in parts.items():
        coeff[:, slice(*KEYS[key])] = part
    return coeff
