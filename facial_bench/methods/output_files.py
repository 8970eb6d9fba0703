"""Files that another system's outputs come in: which one answers a request, and what it holds."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError, GenerationError, one_line
from facial_bench.core.files import file_digest, read_arrays
from facial_bench.core.resampling import resample, resample_rotation
from facial_bench.core.types import EXPRESSION_WIDTH, LANDMARKS, POSE_WIDTH, STATE_WIDTH, Motion
from facial_bench.corpora.find_videos import VIDEO_ENDINGS
from facial_bench.metrics.identity import SELF

ARRAY_ENDINGS = (".safetensors", ".npz", ".npy")


def folder_digest(folder: Path) -> str:
    """SHA-256 over the names and contents of all outputs in a folder."""
    content = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix.lower() in (*ARRAY_ENDINGS, *VIDEO_ENDINGS):
            content.update(path.relative_to(folder).as_posix().encode() + b"\0" + file_digest(path).encode())
    return content.hexdigest()


def find_output(folder: Path, request_id: str, endings: tuple[str, ...]) -> Path:
    """The file that answers a request; raises GenerationError, which says what was looked for, where there is none."""
    names = output_names(request_id)
    for name in names:
        for ending in endings:
            if (folder / f"{name}{ending}").is_file():
                return folder / f"{name}{ending}"
    looked = f"{names[0]} ({', '.join(endings[:3])})" + (f" or {names[-1]}" if len(names) > 1 else "")
    raise GenerationError(f"no output {looked} in {folder}")


def output_names(request_id: str) -> list[str]:
    """Where the output of a request may lie within the folder, without its ending; the first that is there counts.

    >>> output_names("self/s02a@0")
    ['self/s02a@0', 's02a@0', 'self/s02a', 's02a']
    >>> output_names("cross/s02a@125")
    ['cross/s02a@125']
    """
    driving, name = request_id.split("/", 1)
    clip, _, start = name.rpartition("@")
    whole = [name, clip] if start == "0" else [name]
    bare = ("", f"{driving}/") if driving == SELF else (f"{driving}/",)
    return [f"{place}{one}" for one in whole for place in reversed(bare)]


def read_parts(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an output, float64: a state (T, 71) is taken apart, a single .npy is a state or landmarks.

    Raises:
        GenerationError: a damaged file, or arrays that are none of the parts of a motion, or not finite.
    """
    try:
        if path.suffix == ".safetensors":
            arrays = read_arrays(path, CorpusError, "")[0]
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        else:
            array = np.load(path, allow_pickle=False)
            arrays = {"state" if array.ndim == 2 else "landmarks": array}
    except Exception as problem:  # a damaged archive raises a dozen kinds
        raise GenerationError(f"{path.name} cannot be read ({one_line(problem)})") from None
    widths = {
        "state": (STATE_WIDTH,),
        "expression": (EXPRESSION_WIDTH,),
        "pose": (POSE_WIDTH,),
        "rotation": (3,),
        "translation": (3,),
        "blink": (),
        "landmarks": (LANDMARKS, 3),
    }
    parts = {}
    for name in sorted(set(arrays) & set(widths)):
        array = arrays[name]
        flat = name == "landmarks" and array.shape[1:] == (LANDMARKS, 2)
        if not (flat or array.shape[1:] == widths[name]) or array.dtype.kind not in "fiu":
            wanted = ", ".join(["T", *map(str, widths[name])])
            raise GenerationError(f"{path.name}: {name} is {array.dtype} of shape {array.shape}, expected ({wanted})")
        if not np.isfinite(array).all():
            raise GenerationError(f"{path.name}: {name} holds NaN or infinities")
        parts[name] = array.astype(np.float64)
    state = parts.pop("state", None)
    if state is not None:
        motion = Motion.from_state(state)
        parts = {"expression": motion.expression, "pose": motion.pose, "blink": motion.blink, **parts}
    if not parts:
        held = ", ".join(sorted(arrays)) or "nothing"
        raise GenerationError(f"{path.name} holds {held}, expected some of {', '.join(widths)}")
    return parts


def at_rate(name: str, array: np.ndarray, rate: float, fps: float) -> np.ndarray:
    """A part of a motion (T, ...) from one rate at another; rotations along the shortest arc."""
    if rate == fps:
        return array
    if name == "rotation":
        return resample_rotation(array, rate, fps)
    if name == "pose":
        return np.concatenate([resample_rotation(array[:, :3], rate, fps), resample(array[:, 3:], rate, fps)], axis=1)
    return resample(array, rate, fps)
