"""Importer `openface`: CSVs of OpenFace 2 (landmarks in 2-D and 3-D, head pose, action units) -> a corpus folder.

OpenFace's camera looks along +z, x right and y down, millimetres; its rotation is Rx(pitch) Ry(yaw) Rz(roll)
(Baltrusaitis et al., OpenFace 2.0, 2018). Ours has y up and z toward the viewer: with F = diag(1, -1, -1) the rotation
is F R F and a point F p / 10, in cm. Depth of landmarks is (Z - Tz) focal / Tz: z grows away from the viewer, pixels.

Options: `fps` where the time stamps are not the video's, `face` where a file holds several (`face_id`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from facial_bench.core.errors import CorpusError, FacialBenchError
from facial_bench.core.geometry import FLIP
from facial_bench.core.types import LANDMARKS, Camera
from facial_bench.corpora.importers.common import check_options, import_files, make_track, read_rate
from facial_bench.corpora.importers.file_track import FileTrack
from facial_bench.corpora.importers.input_files import InputFile, find_files
from facial_bench.corpora.importers.openface_table import read_face_table
from facial_bench.corpora.track import Track


def import_openface(
    source: Path | str, dest: Path | str, options: Mapping[str, str], log: Callable[[str], None]
) -> None:
    """Read the CSVs below `source` (or the one), each with NAME.wav beside it, and write the corpus folder `dest`.

    Raises:
        CorpusError: nothing could be imported, or `dest` cannot be written.
        FacialBenchError: an option that is unknown or impossible.
    """
    check_options("openface", options, ("face", "fps"))
    rate, face = read_rate("openface", options), options.get("face")
    if face is not None and not (face.isascii() and face.isdigit()):
        raise FacialBenchError(
            f"The importer openface takes --option face=ID, a number of the column face_id, not {face}."
        )
    import_files(
        Path(dest),
        find_files(Path(source), ".csv"),
        partial(read_openface, rate=rate, face=None if face is None else int(face)),
        importer="openface",
        blink_scale="AU45",
        log=log,
        notes={"tracker": "openface"} | ({} if face is None else {"face": int(face)}),
    )


def read_openface(file: InputFile, rate: float | None = None, face: int | None = None) -> tuple[Track, None]:
    """One CSV as a track at the protocol's rate, with the sound beside it; raises CorpusError as `read_csv` does."""
    return make_track(file, read_csv(file.path, rate, face))[0], None


def read_csv(path: Path, rate: float | None = None, face: int | None = None) -> FileTrack:
    """One CSV in our axes, at its own frames; blink is AU45_r (0..5). `rate` and `face` are the importer's options.

    Raises:
        CorpusError: a file that is damaged, lacks columns, or holds NaN in a frame with a face; names line and column.
    """
    table = read_face_table(path, rate, face)
    columns, faces = table.columns, table.faces
    points = np.stack([np.stack([columns[f"{axis}_{k}"] for k in range(LANDMARKS)], axis=1) for axis in "XYZ"], axis=2)
    image = np.stack([np.stack([columns[f"{axis}_{k}"] for k in range(LANDMARKS)], axis=1) for axis in "xy"], axis=2)
    place = np.stack([columns[f"pose_T{axis}"] for axis in "xyz"], axis=1)
    focal, centre = _camera(points[faces], image[faces])
    depth = (points[..., 2] - place[:, None, 2]) * focal / np.where(faces, place[:, 2], 1.0)[:, None]
    angles = np.stack([columns[f"pose_R{axis}"] for axis in "xyz"], axis=1)
    arrays = {
        "landmarks": np.concatenate([image, depth[..., None]], axis=2),
        "rotation": to_our_rotation(angles, faces),
        "translation": place * FLIP / 10,
        "blink": np.clip(columns["AU45_r"], 0, 5),
    }
    camera = Camera(round(2 * centre[0]), round(2 * centre[1]), focal)
    return FileTrack(table.frames, table.times, faces, arrays, camera)


def to_our_rotation(angles: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(T, 3) pose_Rx, pose_Ry, pose_Rz, rad -> (T, 3) our pitch, yaw, roll; zero where there is no face."""
    theirs = Rotation.from_euler("XYZ", np.where(faces[:, None], angles, 0.0)).as_matrix()  # upper case: Rx Ry Rz
    flip = np.diag(FLIP)
    return Rotation.from_matrix(flip @ theirs @ flip).as_euler("xyz")


def _camera(points: np.ndarray, image: np.ndarray) -> tuple[float, np.ndarray]:
    """Focal length and image centre (2,), pixels: the least-squares fit of x = focal X / Z + centre."""
    across, down = (points[..., k] / points[..., 2] for k in range(2))
    ones, none = np.ones(across.size), np.zeros(across.size)
    rows = [(across.ravel(), ones, none), (down.ravel(), none, ones)]
    left = np.concatenate([np.stack(row, axis=1) for row in rows])
    fit = np.linalg.lstsq(left, np.concatenate([image[..., 0].ravel(), image[..., 1].ravel()]), rcond=None)[0]
    if not (fit > 0).all():
        raise CorpusError("its 2-D and 3-D landmarks fit no camera")
    return float(fit[0]), fit[1:]
