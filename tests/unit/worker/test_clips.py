"""Training clips through a folder: the same arrays, and nothing of what they were cut from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facial_bench.types import Clip, Motion
from facial_bench_worker.clips import changed_clip, read_clips, write_clips
from tests.helpers.faces import make_clip, make_model

MODEL = make_model("ab")


def clips() -> list[Clip]:
    whole = make_clip(MODEL, "a", "a0", 90, 1)
    loud = replace(make_clip(MODEL, "b", "b0", 40, 2), extras={"loudness": np.arange(40, dtype=np.float32)})
    flat = replace(make_clip(MODEL, "b", "b1", 25, 3), landmarks=np.zeros((25, 68, 2), np.float32))
    return [whole[10:50], whole[60:90], loud, flat, make_clip(MODEL, "a", "none", 5, 4)[:0]]


def arrays(clip: Clip) -> dict[str, np.ndarray]:
    own = {name: getattr(clip, name) for name in ("audio", "landmarks", "valid")}
    return {**own, **vars(clip.motion), **clip.extras}


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    made = clips()
    write_clips(str(tmp_path), made)
    read = read_clips(str(tmp_path))
    assert len(read) == len(made)
    for one, other in zip(made, read, strict=True):
        for name in ("id", "identity", "recording", "camera", "start", "frames"):
            assert getattr(one, name) == getattr(other, name)
        for name, array in arrays(one).items():
            if array is None:
                assert arrays(other)[name] is None
            else:
                np.testing.assert_array_equal(arrays(other)[name], array)
                assert arrays(other)[name].dtype == array.dtype


def test_nothing_lies_before_or_behind_a_clip_but_other_training_clips(tmp_path: Path) -> None:
    whole = make_clip(MODEL, "a", "a0", 90, 1)
    held_out = whole.motion.pose[50:60].tobytes()
    write_clips(str(tmp_path), [whole[10:50], whole[60:90]])
    assert all(held_out not in file.read_bytes() for file in tmp_path.iterdir())
    base = read_clips(str(tmp_path))[0].motion.pose
    while base.base is not None and isinstance(base.base, np.ndarray):
        base = base.base
    assert base.reshape(-1).size == 70 * 6


def test_a_clip_can_be_written_into_and_that_is_noticed(tmp_path: Path) -> None:
    write_clips(str(tmp_path), clips())
    read = read_clips(str(tmp_path))
    assert changed_clip(str(tmp_path), read) is None
    read[2].motion.pose[3] = 1
    assert changed_clip(str(tmp_path), read) == "b0"
    assert changed_clip(str(tmp_path), read_clips(str(tmp_path))) is None, "the file stays as it was"


def test_few_files_whatever_the_number_of_clips(tmp_path: Path) -> None:
    write_clips(str(tmp_path), [make_clip(MODEL, "a", f"a{k}", 20, k) for k in range(30)])
    assert len(list(tmp_path.iterdir())) == 7


def test_a_folder_that_is_full_raises(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        write_clips(str(tmp_path / "missing"), clips())


def test_motion_has_four_parts() -> None:
    assert list(vars(Motion.from_parts({}))) == ["expression", "pose", "blink", "landmarks"]
