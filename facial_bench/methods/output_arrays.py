"""What a file of outputs holds: its arrays, by the names that are read."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError, GenerationError, one_line
from facial_bench.core.files import read_arrays
from facial_bench.core.types import EXPRESSION_WIDTH, LANDMARKS, POSE_WIDTH, STATE_WIDTH, Motion

WIDTHS: Mapping[str, tuple[int, ...]] = {
    "state": (STATE_WIDTH,),
    "expression": (EXPRESSION_WIDTH,),
    "pose": (POSE_WIDTH,),
    "rotation": (3,),
    "translation": (3,),
    "blink": (),
    "landmarks": (LANDMARKS, 3),
}
"""Array -> its shape in a frame; landmarks may be (68, 2)."""
FACIAL = "FACIAL's own `face` (T, 71) has other columns: rotation (degrees), translation, AU45, expression"
OURS = "a state (T, 71) is expression, rotation (rad), translation, blink"


@dataclass(frozen=True, eq=False)
class Held:
    """The arrays of one file."""

    arrays: Mapping[str, np.ndarray]
    """name -> (T, ...) float64 as the file has it, all of one length; frames may hold NaN."""
    unread: tuple[str, ...] = ()
    """Names of arrays that are none of `WIDTHS`."""
    bare: bool = False
    """Whether the file has no names, so that the shape alone says what it holds."""
    rate: float | None = None
    """Frames a second, where the file says so itself."""
    picture: tuple[int, int] | None = None
    """Width and height, pixels, of the picture that landmarks are in; None for that of the clip's own view."""
    notes: tuple[str, ...] = ()
    """What of it cannot be used, and why."""

    @property
    def frames(self) -> int:
        """T."""
        return len(next(iter(self.arrays.values())))

    @property
    def parts(self) -> dict[str, np.ndarray]:
        """The parts of a motion: a state is taken apart, and `pose` and `rotation` with `translation` are one."""
        parts = dict(self.arrays)
        state = parts.pop("state", None)
        if state is not None:
            motion = Motion.from_state(state)
            parts = {"expression": motion.expression, "pose": motion.pose, "blink": motion.blink, **parts}
        if "pose" in parts:
            parts |= {"rotation": parts["pose"][:, :3], "translation": parts["pose"][:, 3:]}
        elif {"rotation", "translation"} <= set(parts):
            parts["pose"] = np.concatenate([parts["rotation"], parts["translation"]], axis=1)
        return parts


def read_held(path: Path) -> Held:
    """The arrays of an .npz, a .safetensors or an .npy, which is a state or landmarks.

    Raises:
        GenerationError: a damaged file, arrays of another shape or of several lengths, or none that is read.
    """
    bare = path.suffix.lower() == ".npy"
    try:
        if path.suffix.lower() == ".safetensors":
            arrays = read_arrays(path, CorpusError, "")[0]
        elif bare:
            array = np.load(path, allow_pickle=False)
            arrays = {"state" if array.ndim == 2 else "landmarks": array}
        else:
            with np.load(path, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
    except Exception as problem:  # a damaged archive raises a dozen kinds
        raise GenerationError(f"{path.name} cannot be read ({one_line(problem)})") from None
    held = {}
    for name in sorted(set(arrays) & set(WIDTHS)):
        array = arrays[name]
        flat = name == "landmarks" and array.shape[1:] == (LANDMARKS, 2)
        if not (flat or array.shape[1:] == WIDTHS[name]) or array.dtype.kind not in "fiu" or array.ndim == 0:
            wanted = ", ".join(["T", *map(str, WIDTHS[name])])
            raise GenerationError(f"{path.name}: {name} is {array.dtype} of shape {array.shape}, expected ({wanted})")
        if not len(array):
            raise GenerationError(f"{path.name}: {name} holds no frame")
        held[name] = array.astype(np.float64)
    unread = tuple(sorted(set(arrays) - set(WIDTHS)))
    if not held:
        told = ", ".join(map(near_miss, unread)) or "nothing"
        face = f"; {FACIAL}" if arrays.get("face", np.zeros(0)).shape[1:] == (STATE_WIDTH,) else ""
        raise GenerationError(f"{path.name} holds {told}, expected some of {', '.join(WIDTHS)}{face}")
    if len({len(array) for array in held.values()}) > 1:
        lengths = ", ".join(f"{len(array)} frames of {name}" for name, array in held.items())
        raise GenerationError(f"{path.name} has {lengths}: its arrays are of one length")
    return Held(held, unread, bare)


def near_miss(name: str) -> str:
    """The name of an array that is not read, with the one that it may be meant for.

    >>> [near_miss(name) for name in ("poses", "jaw")]
    ['poses (pose?)', 'jaw']
    """
    (near, *_) = [*difflib.get_close_matches(name.lower(), WIDTHS, 1, 0.7), ""]
    return f"{name} ({near}?)" if near else name
