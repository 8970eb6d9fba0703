"""Importers `deep3d` and `facial-release`: coefficients of a 3DMM (Basel face and expressions) -> a corpus folder.

Deep3DFaceRecon (Deng et al., CVPRW 2019), its files as `deep3d_files` reads them: one unit is 10 cm; the rotation of
column vectors is Rz Ry Rx of the angles (extrinsic xyz), y up, and the camera stands at z = 10 with a focal length of
1015 pixels and an image of 224 x 224: its depth of a point is 10 - z. FACIAL's release: states (T, 71) of an .npz at
30 frames a second, columns head rotation 0:3 in degrees, translation 3:6 in a unit that is not stated (and therefore
not used), AU45 6, expression 7:71.

A 3DMM's basis may not be passed on, so the landmarks come from the user: `NAME.landmarks.npy` beside the file,
(T, 68, 3) pixels, x right, y down, z away from the viewer, with `--option image_size=WxH`; or `--option basis=FILE`, an
.npz with `mean` (68, 3), `identity` (80, 68, 3) and `expression` (64, 68, 3) in Deep3DFaceRecon's units,
then projected. Sound is NAME.wav. Blinks of a .mat are `NAME.blink.npy`, (T,) eye closure 0..1: coefficients hold none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError, FacialBenchError, one_line
from facial_bench.core.types import LANDMARKS, STATE_WIDTH, Camera
from facial_bench.corpora.importers.common import check_options, import_files, make_track, read_rate
from facial_bench.corpora.importers.deep3d_files import finite_rows, has_one_frame, read_coefficients
from facial_bench.corpora.importers.file_track import FileTrack
from facial_bench.corpora.importers.input_files import InputFile, find_files
from facial_bench.corpora.importers.linear_basis import (
    DISTANCE,
    FOCAL,
    IMAGE,
    Basis,
    Coefficients,
    project_basis,
    read_basis,
)
from facial_bench.corpora.track import Track

CENTIMETRES = 10.0
"""In one of Deep3DFaceRecon's units."""


def import_deep3d(source: Path | str, dest: Path | str, options: Mapping[str, str], log: Callable[[str], None]) -> None:
    """Read the .mat files below `source` (or the one) and write the corpus folder `dest`; a folder of .mat files of one
    frame each is one clip. Options: basis or image_size, and fps (25).

    Raises:
        CorpusError: nothing could be imported, or `dest` cannot be written.
        FacialBenchError: an option that is unknown or impossible.
    """
    _import("deep3d", ".mat", read_deep3d, 25.0, "closure", Path(source), Path(dest), options, log)


def import_facial_release(
    source: Path | str, dest: Path | str, options: Mapping[str, str], log: Callable[[str], None]
) -> None:
    """Read the .npz states below `source` (or the one) and write the corpus folder `dest`; options: basis or
    image_size, and fps (30). Raises as `import_deep3d`."""
    _import("facial-release", ".npz", read_release, 30.0, "AU45", Path(source), Path(dest), options, log)


def _import(
    importer: str,
    ending: str,
    read: Callable[[InputFile], Coefficients],
    rate: float,
    blink_scale: str,
    source: Path,
    dest: Path,
    options: Mapping[str, str],
    log: Callable[[str], None],
) -> None:
    check_options(importer, options, ("basis", "image_size", "fps"))
    if ("basis" in options) == ("image_size" in options):
        raise FacialBenchError(
            f"The importer {importer} needs landmarks: --option basis=FILE.npz (mean, identity, expression of your "
            "3DMM), or NAME.landmarks.npy beside each file and --option image_size=WxH; one of them."
        )
    view = read_basis(Path(options["basis"])) if "basis" in options else _size(options["image_size"])
    make = partial(_track, read=read, view=view, rate=read_rate(importer, options) or rate)
    files, notes = find_files(source, ending, has_one_frame if ending == ".mat" else None), {"tracker": importer}
    import_files(dest, files, make, importer=importer, blink_scale=blink_scale, log=log, notes=notes)


def _track(
    file: InputFile, *, read: Callable[[InputFile], Coefficients], view: Basis | tuple[int, int], rate: float
) -> tuple[Track, np.ndarray]:
    """A file's track, and its expression; `view` is a basis to project, or the size of an image with landmarks."""
    held = read(file)
    if isinstance(view, Basis):
        landmarks, camera = project_basis(view, held), Camera(IMAGE, IMAGE, FOCAL)
    else:
        landmarks = _beside(file, ".landmarks.npy", held.frames, (LANDMARKS, 3))
        camera = Camera(view[0], view[1], FOCAL)
    place = (held.translation - [0, 0, DISTANCE]) * CENTIMETRES
    if not (place[:, 2] < 0).all():
        raise CorpusError("its translation lies behind the camera")
    arrays = {
        "landmarks": landmarks,
        "rotation": held.rotation,
        "translation": place,
        "blink": held.blink,
        "expression": held.expression,
    }
    times = (held.frames - min(1, held.frames[0])) / rate
    track, resampled = make_track(file, FileTrack(held.frames, times, np.ones(len(times), bool), arrays, camera))
    return track, resampled["expression"]


def read_deep3d(file: InputFile) -> Coefficients:
    """A .mat of Deep3DFaceRecon, or a folder of one a frame, with the blinks beside it.

    Raises:
        CorpusError: damaged, no coefficients, NaN, or no NAME.blink.npy beside it.
    """
    frames, coeff = read_coefficients(file)
    blink = _beside(file, ".blink.npy", frames, ())
    if blink.min() < 0 or blink.max() > 1:
        raise CorpusError(f"{file.beside('.blink.npy').name} is not within 0..1")
    return Coefficients(frames, coeff[:, :80], coeff[:, 80:144], coeff[:, 224:227], coeff[:, 254:257], blink)


def read_release(file: InputFile) -> Coefficients:
    """An .npz of FACIAL's release: the one array of 71 columns in it.

    Raises:
        CorpusError: damaged, no such array, or NaN.
    """
    try:
        with np.load(file.path, allow_pickle=False) as archive:
            arrays = [archive[name] for name in archive.files]
    except Exception as problem:  # a damaged archive raises a dozen kinds
        raise CorpusError(f"it cannot be read as .npz ({one_line(problem)})") from None
    fitting = [array for array in arrays if array.ndim == 2 and array.shape[1] == STATE_WIDTH]
    if len(fitting) != 1:
        held = ", ".join(str(array.shape) for array in arrays[:8])
        raise CorpusError(
            f"its states are not there, expected one array (T, {STATE_WIDTH}); it holds {held or 'nothing'}"
        )
    state = finite_rows("states", fitting[0], STATE_WIDTH)
    frames = len(state)
    return Coefficients(
        np.arange(frames),
        np.zeros((frames, 80)),
        state[:, 7:],
        np.radians(state[:, :3]),
        np.zeros((frames, 3)),
        np.clip(state[:, 6], 0, 5),
    )


def _beside(file: InputFile, ending: str, frames: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(n, *shape) of the array beside a file: a row for each of its frames, or for every frame of the video."""
    path, rows = file.beside(ending), len(frames)
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise CorpusError(f"there is no {path.name} beside it, {(rows, *shape)} numbers") from None
    except Exception as problem:
        raise CorpusError(f"{path.name} cannot be read ({one_line(problem)})") from None
    every = frames - min(1, frames[0])
    if isinstance(array, np.ndarray) and array.shape == (every[-1] + 1, *shape):
        array = array[every]
    held = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else "an archive"
    if held == "an archive" or array.shape != (rows, *shape) or array.dtype.kind not in "fiu":
        raise CorpusError(f"{path.name} is {held}, expected numbers {(rows, *shape)}")
    if not np.isfinite(array).all():
        raise CorpusError(f"{path.name} holds NaN or infinity in frame {np.argwhere(~np.isfinite(array))[0][0]}")
    return array.astype(np.float64)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and 0 < int(width) < 10**5 and 0 < int(height) < 10**5):
        raise FacialBenchError(f"--option image_size={text} is no size in pixels, like 224x224.")
    return int(width), int(height)
