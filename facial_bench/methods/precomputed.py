"""The method `precomputed`: motion that somebody else's system made is read, or tracked in its videos, and scored.

Nothing is generated and nothing is guessed: an output that holds landmarks alone has landmark distances alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError, FacialBenchError, GenerationError, unknown_name
from facial_bench.core.geometry import RIGID, frontalise
from facial_bench.core.types import Clip, Context, FaceModel, Motion, Request, TrackerSpec
from facial_bench.corpora.find_videos import VIDEO_ENDINGS
from facial_bench.corpora.from_videos.shot_tracks import resample_faces
from facial_bench.media.video import Video, rgb
from facial_bench.methods.output_files import ARRAY_ENDINGS, at_rate, find_output, folder_digest, read_parts

SURPLUS = 2
"""Frames that an output may be longer than asked for, at its end: how containers and other rates round."""
ORTHONORMAL = 1e-3
"""Largest deviation of a basis from orthonormal directions for coefficients to be a projection on it."""


def read_options(options: Mapping[str, str]) -> tuple[str, Path]:
    """(`motions` or `videos`, folder) of the options.

    Raises:
        FacialBenchError: neither or both, no such folder, or an option that goes with the other one.
    """
    given = [name for name in ("motions", "videos") if options.get(name)]
    if len(given) != 1:
        raise FacialBenchError(
            "The method precomputed takes --option motions=DIR or --option videos=DIR, one of them: the folder of "
            "finished outputs, called after the requests (`facial-bench corpus requests CORPUS`)."
        )
    folder = Path(options[given[0]])
    if not folder.is_dir():
        raise FacialBenchError(f"No folder at {folder}. Correct --option {given[0]}=DIR.")
    for extra, needs in (("fps", "motions"), ("tracker", "videos"), ("model", "videos")):
        if extra in options and given[0] != needs:
            raise FacialBenchError(f"--option {extra} goes with --option {needs}=DIR only. Leave it out.")
    return given[0], folder


def fingerprint(options: Mapping[str, str]) -> str:
    """Digest of every output in the folder that the options name."""
    return folder_digest(read_options(options)[1])


class Precomputed:
    """Finished outputs, as a method.

    Args:
        context: Its options are `motions` (and `fps`, their rate, where it is not the corpus's) or `videos` (and
            `tracker`, `model`); `name` calls the system by its name on boards.
    """

    def __init__(self, context: Context) -> None:
        self._kind, self._folder = read_options(context.options)
        self._fps = _rate(context.options.get("fps"), context.corpus.fps)
        self._model, self._sizes = context.face_model, dict[str, float]()
        self._tracker: TrackerSpec | None = None
        self._weights: Path | None = None
        if self._kind == "videos":
            self._tracker, self._weights = _find_tracker(context)

    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        """Take the size of each head from its training clips, as the corpus's face model did."""
        radii: dict[str, list[np.ndarray]] = {}
        for clip in clips:
            if clip.landmarks.shape[2] == 3:
                pose = clip.motion.pose[clip.valid].astype(np.float64)
                radius = frontalise(clip.landmarks[clip.valid], pose[:, :3])[1]
                radii.setdefault(clip.identity, []).append(radius * -pose[:, 5] / clip.camera.focal)
        self._sizes = {who: float(np.median(np.concatenate(sizes))) for who, sizes in radii.items()}

    def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
        """The outputs of the requests.

        Raises:
            GenerationError: an output that is missing, damaged or of another length; says what was looked for.
        """
        return [self._read(request) for request in requests]

    def _read(self, request: Request) -> Motion:
        if self._kind == "videos":
            path = find_output(self._folder, request.id, VIDEO_ENDINGS)
            return self._motion(path, self._track(path, request), request)
        path = find_output(self._folder, request.id, ARRAY_ENDINGS)
        parts = {name: at_rate(name, array, self._fps, request.fps) for name, array in read_parts(path).items()}
        return self._motion(path, parts, request)

    def _motion(self, path: Path, parts: dict[str, np.ndarray], request: Request) -> Motion:
        """The parts, cut to the request, as a motion; expression is decoded from tracks where that is exact."""
        for name, array in parts.items():
            if not request.frames <= len(array) <= request.frames + SURPLUS:
                raise GenerationError(f"{path.name} has {len(array)} frames of {name}, {request.frames} were asked for")
        cut = {name: array[: request.frames] for name, array in parts.items()}
        if "pose" not in cut and {"rotation", "translation"} <= set(cut):
            cut["pose"] = np.concatenate([cut["rotation"], cut["translation"]], axis=1)
        flat = "landmarks" in cut and cut["landmarks"].shape[2] == 2
        if "expression" not in cut and {"landmarks", "rotation"} <= set(cut) and not flat:
            expression = self._expression(cut["landmarks"], cut["rotation"], request.identity)
            if expression is not None:
                cut["expression"] = expression
        if flat:  # a depth that no metric looks at
            cut["landmarks"] = np.pad(cut["landmarks"], ((0, 0), (0, 0), (0, 1)))
        wanted = {name: cut.get(name) for name in ("expression", "pose", "blink", "landmarks")}
        return Motion.from_parts({n: None if a is None else np.asarray(a, np.float32) for n, a in wanted.items()})

    def _expression(self, landmarks: np.ndarray, rotation: np.ndarray, identity: str) -> np.ndarray | None:
        """(T, 64) coefficients of tracked landmarks, made as those of the real clips; None where the corpus's basis is
        not made of landmarks (a 3DMM's), or the landmarks have no depth."""
        model, size = self._model, self._sizes.get(identity)
        if model is None or size is None or not is_orthonormal(model):
            return None
        neutral = model.neutral[identity].astype(np.float64)
        face = frontalise(landmarks, rotation)[0] * size + neutral[list(RIGID)].mean(axis=0)
        return (face - neutral).reshape(len(face), -1) @ model.basis.reshape(len(model.basis), -1).T.astype(np.float64)

    def _track(self, path: Path, request: Request) -> dict[str, np.ndarray]:
        """A rendered video as tracks at the request's rate, in the pixels of the clip's own view."""
        if self._tracker is None:
            raise GenerationError("there is no tracker")
        tracker, times, faces, size = self._tracker.create(self._weights), [], [], (0, 0)
        try:
            with Video(path) as video:
                for seconds, frame in video.read():
                    image = rgb(frame)
                    size = (image.shape[1], image.shape[0])
                    times.append(seconds)
                    faces.append(tracker.track(image, seconds - times[0]))
            tracked = resample_faces(times, faces, request.fps)
        except CorpusError as problem:
            raise GenerationError(str(problem)) from None
        finally:
            tracker.close()
        unseen = int((~tracked.valid[: request.frames]).sum())
        if unseen:
            raise GenerationError(f"{path.name}: no face in {unseen} of {request.frames} frames")
        parts = {name: tracked.arrays[name] for name in ("landmarks", "rotation", "translation", "blink")}
        parts["landmarks"] = parts["landmarks"] * _scale(path, size, request)
        return parts


def is_orthonormal(model: FaceModel) -> bool:
    """Whether the directions of a face model are orthonormal, as those of a PCA of landmarks are."""
    basis = model.basis.reshape(len(model.basis), -1).astype(np.float64)
    return bool(np.abs(basis @ basis.T - np.eye(len(basis))).max() < ORTHONORMAL)


def _rate(text: str | None, default: float) -> float:
    try:
        rate = default if text is None else float(text)
    except ValueError:
        rate = 0.0
    if not 1 <= rate < 1000:
        raise FacialBenchError(f"--option fps={text} is no rate in frames a second. Correct it.")
    return rate


def _find_tracker(context: Context) -> tuple[TrackerSpec, Path | None]:
    """The tracker that the corpus was built with, or the one that the options name; and its weights."""
    name = context.options.get("tracker") or context.corpus.tracker
    if not name:
        raise FacialBenchError(
            f"The corpus {context.corpus.name} does not say which tracker it was built with: name it with --option "
            "tracker=NAME."
        )
    if name not in context.trackers:
        raise unknown_name("tracker", name, context.trackers, "Videos are tracked as the real ones were: install it.")
    tracker, model = context.trackers[name], context.options.get("model")
    if tracker.blink_scale != context.corpus.blink_scale or tracker.length_unit != context.corpus.length_unit:
        raise FacialBenchError(
            f"The tracker {name} gives blinks as {tracker.blink_scale} and lengths in {tracker.length_unit}, the "
            f"corpus {context.corpus.blink_scale} and {context.corpus.length_unit}. Use the corpus's own tracker."
        )
    return tracker, tracker.weights(Path(model) if model else None)


def _scale(path: Path, size: tuple[int, int], request: Request) -> float:
    """Pixels of the clip's view per pixel of the rendered video."""
    if request.camera is None:
        return 1.0
    across, down = request.camera.width / size[0], request.camera.height / size[1]
    if abs(across / down - 1) > 0.01:
        wanted = f"{request.camera.width}x{request.camera.height}"
        raise GenerationError(f"{path.name} is {size[0]}x{size[1]}, of another shape than the real video ({wanted})")
    return across
