"""Importer `openface`: CSVs of OpenFace 2 (landmarks in 2-D and 3-D, head pose, action units) -> a corpus folder.

OpenFace's camera looks along +z, x right and y down, millimetres; its rotation is Rx(pitch) Ry(yaw) Rz(roll)
(Baltrusaitis et al., OpenFace 2.0, 2018). Ours has y up and z toward the viewer: with F = diag(1, -1, -1) the rotation
is F R F and a point F p / 10, in cm. Depth of landmarks is (Z - Tz) focal / Tz: z grows away from the viewer, pixels.

Options: `fps` where the time stamps are not the video's.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from facial_bench.core.errors import CorpusError
from facial_bench.core.geometry import FLIP
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import LANDMARKS, Camera
from facial_bench.corpora.importers.common import (
    InputFile,
    check_options,
    find_files,
    hear,
    import_files,
    make_track,
    read_rate,
)
from facial_bench.corpora.resample_tracks import resample_tracks
from facial_bench.corpora.track import Track

FASTEST = 200.0
"""Frames a second above which time stamps are taken for wrong."""
CONFIDENT = 0.7
"""Confidence below which a frame counts as without a face."""


def import_openface(
    source: Path | str, dest: Path | str, options: Mapping[str, str], log: Callable[[str], None]
) -> None:
    """Read the CSVs below `source` (or the one), each with NAME.wav beside it, and write the corpus folder `dest`.

    Raises:
        CorpusError: nothing could be imported, or `dest` cannot be written.
        FacialBenchError: an option that is unknown or impossible.
    """
    check_options("openface", options, ("fps",))
    rate = read_rate("openface", options)
    import_files(
        Path(dest),
        find_files(Path(source), ".csv"),
        partial(read_openface, rate=rate),
        importer="openface",
        blink_scale="AU45",
        log=log,
        notes={"tracker": "openface"},
    )


def read_openface(file: InputFile, rate: float | None = None) -> tuple[Track, None]:
    """One CSV as a track at the protocol's rate; blink is AU45_r (0..5).

    Raises:
        CorpusError: a file that is damaged, lacks columns, or holds NaN in a frame with a face; names line and column.
    """
    columns, faces = _read_columns(file.path)
    times = columns["timestamp"] if rate is None else np.arange(len(faces)) / rate
    steps = np.diff(times)
    if rate is None and (not len(steps) or steps.min() <= 0 or 1 / np.median(steps) > FASTEST):
        raise CorpusError("its time stamps are not those of a video; name its rate with --option fps=RATE")
    fps = Protocol().fps
    points = np.stack([np.stack([columns[f"{axis}_{k}"] for k in range(LANDMARKS)], axis=1) for axis in "XYZ"], axis=2)
    image = np.stack([np.stack([columns[f"{axis}_{k}"] for k in range(LANDMARKS)], axis=1) for axis in "xy"], axis=2)
    place = np.stack([columns[f"pose_T{axis}"] for axis in "xyz"], axis=1)
    focal, centre = _camera(points[faces], image[faces])
    depth = (points[..., 2] - place[:, None, 2]) * focal / np.where(faces, place[:, 2], 1.0)[:, None]
    angles = np.stack([columns[f"pose_R{axis}"] for axis in "xyz"], axis=1)
    tracked = resample_tracks(
        times,
        faces,
        {
            "landmarks": np.concatenate([image, depth[..., None]], axis=2),
            "rotation": to_our_rotation(angles, faces),
            "translation": place * FLIP / 10,
            "blink": np.clip(columns["AU45_r"], 0, 5),
        },
        fps,
    )
    width, height = round(2 * centre[0]), round(2 * centre[1])
    audio = hear(file, len(tracked.valid), fps)
    return make_track(file, tracked, audio, Camera(width, height, focal)), None


def to_our_rotation(angles: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(T, 3) pose_Rx, pose_Ry, pose_Rz, rad -> (T, 3) our pitch, yaw, roll; zero where there is no face."""
    theirs = Rotation.from_euler("XYZ", np.where(faces[:, None], angles, 0.0)).as_matrix()  # upper case: Rx Ry Rz
    flip = np.diag(FLIP)
    return Rotation.from_matrix(flip @ theirs @ flip).as_euler("xyz")


def _read_columns(path: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """name -> (T,) of the columns that are needed, and (T,) bool, frames with a face."""
    wanted = [
        "timestamp",
        "confidence",
        "success",
        "AU45_r",
        *(f"pose_{kind}{axis}" for kind in "TR" for axis in "xyz"),
        *(f"{axis}_{k}" for axis in "xyXYZ" for k in range(LANDMARKS)),
    ]
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [row for row in csv.reader(stream) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise CorpusError(f"it cannot be read as CSV ({problem})") from None
    names = [name.strip() for name in rows[0]] if rows else []
    lacking = [name for name in wanted if name not in names]
    if lacking or len(rows) < 2:
        what = f"it lacks the column {lacking[0]} and {len(lacking) - 1} more" if lacking else "it holds no frame"
        raise CorpusError(f"{what}; run OpenFace with -2Dfp -3Dfp -pose -aus")
    places = {name: names.index(name) for name in wanted}
    columns = {name: np.full(len(rows) - 1, np.nan) for name in wanted}
    for number, row in enumerate(rows[1:]):
        if len(row) != len(names):
            raise CorpusError(f"line {number + 2} has {len(row)} columns, the first {len(names)}: truncated")
        for name, place in places.items():
            try:
                columns[name][number] = float(row[place])
            except ValueError:
                held = row[place].strip()[:30]
                raise CorpusError(f"line {number + 2}, column {name}: '{held}' is no number") from None
    faces = (columns["success"] > 0) & (columns["confidence"] >= CONFIDENT)
    for name, values in columns.items():
        bad = np.flatnonzero(~np.isfinite(values) & (faces | (name in ("timestamp", "success", "confidence"))))
        if len(bad):
            raise CorpusError(f"line {bad[0] + 2}, column {name} is {values[bad[0]]}")
    if not faces.any():
        raise CorpusError("no frame has a face that OpenFace is sure of")
    return {name: np.where(np.isfinite(values), values, 0.0) for name, values in columns.items()}, faces


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
