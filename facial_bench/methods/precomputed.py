"""The method `precomputed`: motion that somebody else's system made is read, or tracked in its videos, and scored.

Nothing is generated and nothing is guessed: an output that holds landmarks alone has landmark distances alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError, FacialBenchError, GenerationError, unknown_name
from facial_bench.core.geometry import RIGID, decode_face, frontalise, project
from facial_bench.core.types import Clip, Context, Face, FaceModel, Motion, Request, TrackerSpec
from facial_bench.corpora.find_videos import VIDEO_ENDINGS
from facial_bench.corpora.from_videos.notices import say_rest
from facial_bench.corpora.from_videos.shot_tracks import resample_faces
from facial_bench.media.video import Video, rgb, size_of
from facial_bench.methods.finished_output import Output, read_output, say_lost, view_scale
from facial_bench.methods.output_files import MOTION_ENDINGS, find_output, folder_digest
from facial_bench.methods.output_time import MOST_LOST, require_fit

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
        self._fps, self._info, self._log = read_rate(context.options), context.corpus, context.log
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
            GenerationError: an output that is missing, damaged, of another length or in another unit; says what was
                looked for.
        """
        return [self._read(request) for request in requests]

    def _read(self, request: Request) -> Motion:
        endings = VIDEO_ENDINGS if self._kind == "videos" else MOTION_ENDINGS
        path = find_output(self._folder, request.id, endings, request.identity)
        if self._kind == "videos":
            output = self._track(path, request)
            for note in output.notes:  # motions are looked through before a run, which tells theirs
                self._log(f"{request.id}: {note}")
            return self._motion(output, request)
        return self._motion(read_output(path, self._fps, request, self._info), request)

    def _motion(self, output: Output, request: Request) -> Motion:
        """An output as a motion; expression is decoded from tracks where that is exact."""
        parts = dict(output.parts)
        flat = "landmarks" in parts and parts["landmarks"].shape[2] == 2
        if "expression" not in parts and {"landmarks", "rotation"} <= set(parts) and not flat:
            expression = self._expression(parts["landmarks"], parts["rotation"], request.identity)
            if expression is not None:
                parts["expression"] = expression
        if flat:  # a depth that no metric looks at
            parts["landmarks"] = np.pad(parts["landmarks"], ((0, 0), (0, 0), (0, 1)))
        for name, part in self._usual(request).items():
            if name in parts and output.lost.any():
                parts[name] = np.where(output.lost.reshape(-1, *[1] * part.ndim), part, parts[name])
        wanted = {name: parts.get(name) for name in ("expression", "pose", "blink", "landmarks")}
        return Motion.from_parts({n: None if a is None else np.asarray(a, np.float32) for n, a in wanted.items()})

    def _usual(self, request: Request) -> dict[str, np.ndarray]:
        """The parts of a frame in the person's mean training state: what a lost frame counts as."""
        still = Motion.from_state(np.asarray(request.initial_state, np.float64)[None])
        parts = {"expression": still.expression[0], "pose": still.pose[0], "blink": still.blink[0]}
        if self._model is not None and request.camera is not None:
            face = decode_face(self._model, request.identity, still.expression)
            parts["landmarks"] = project(face, still.pose, request.camera)[0]
        return parts

    def _expression(self, landmarks: np.ndarray, rotation: np.ndarray, identity: str) -> np.ndarray | None:
        """(T, 64) coefficients of tracked landmarks, made as those of the real clips; None where the corpus's basis is
        not made of landmarks (a 3DMM's), or the landmarks have no depth."""
        model, size = self._model, self._sizes.get(identity)
        if model is None or size is None or not is_orthonormal(model):
            return None
        neutral = model.neutral[identity].astype(np.float64)
        face = frontalise(landmarks, rotation)[0] * size + neutral[list(RIGID)].mean(axis=0)
        return (face - neutral).reshape(len(face), -1) @ model.basis.reshape(len(model.basis), -1).T.astype(np.float64)

    def _track(self, path: Path, request: Request) -> Output:
        """A rendered video as tracks at the request's rate, in the pixels of the clip's own view."""
        if self._tracker is None:
            raise GenerationError("there is no tracker")
        tracker, size = self._tracker.create(self._weights), (0, 0)
        times: list[float] = []
        faces: list[Face | None] = []
        try:
            with Video(path) as video:
                for seconds, picture in video.read():
                    if times and size_of(picture) != size:
                        raise GenerationError(f"{path.name} changes its picture size at {seconds - times[0]:.2f} s")
                    size = size_of(picture)
                    times.append(seconds)
                    seen = None if picture.damaged else tracker.track(rgb(picture), seconds - times[0])
                    faces.append(seen)
                rest = tuple(say_rest(video))
            tracked = resample_faces(times, faces, request.fps)
        except CorpusError as problem:
            raise GenerationError(str(problem)) from None
        finally:
            tracker.close()
        rate = 1 / float(np.median(np.diff(times))) if len(times) > 1 else request.fps
        shown = round((times[-1] - times[0]) * rate) + 1  # as many frames as its time holds, repeated ones among them
        require_fit(path.name, "video", shown, rate, request.frames, request.fps)
        held = np.minimum(np.arange(request.frames), len(tracked.valid) - 1)
        unseen = ~tracked.valid[held]
        if unseen.sum() > MOST_LOST * request.frames:
            raise GenerationError(f"{path.name}: no face in {unseen.sum()} of {request.frames} frames")
        parts = {name: tracked.arrays[name][held] for name in ("landmarks", "rotation", "translation", "blink")}
        parts["landmarks"] = parts["landmarks"] * view_scale(path, size, request)
        parts["pose"] = np.concatenate([parts["rotation"], parts["translation"]], axis=1)
        return Output(parts, unseen, (*say_lost(unseen, "without a face"), *rest))


def is_orthonormal(model: FaceModel) -> bool:
    """Whether the directions of a face model are orthonormal, as those of a PCA of landmarks are."""
    basis = model.basis.reshape(len(model.basis), -1).astype(np.float64)
    return bool(np.abs(basis @ basis.T - np.eye(len(basis))).max() < ORTHONORMAL)


def read_rate(options: Mapping[str, str]) -> float | None:
    """The option `fps`, frames a second; None where it is not given. Raises FacialBenchError where it is no rate."""
    text = options.get("fps")
    try:
        rate = None if text is None else float(text)
    except ValueError:
        rate = 0.0
    if rate is not None and not 1 <= rate < 1000:
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
