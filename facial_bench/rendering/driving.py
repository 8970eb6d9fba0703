"""Whose motion is rendered: the real one, or what a method generated for the sound of the same stretches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from facial_bench.core.errors import ResultError
from facial_bench.core.files import file_digest, read_arrays
from facial_bench.core.types import Motion
from facial_bench.evaluation.generate import motion_path
from facial_bench.evaluation.named_results import open_result
from facial_bench.evaluation.result import require_unchanged
from facial_bench.metrics.identity import SELF
from facial_bench.rendering.result import REAL, Driving, Rendering
from facial_bench.rendering.tasks import PictureCorpus, PictureTask


def real_motion() -> Driving:
    """Video-based self-reenactment: the real motion of the held-out stretches."""
    return Driving(motion=REAL)


def with_motion_of(path: Path, pictures: PictureCorpus) -> tuple[Driving, PictureCorpus]:
    """The tasks with the stored motion of a method's result, and its name.

    Raises:
        ResultError: no result there, one of another corpus, or motion that is missing or not what was scored.
    """
    folder, result = open_result(path)
    require_unchanged(folder / "result.json", result)
    people = pictures.corpus.info.identities
    if result.corpus.name == pictures.corpus.info.name and set(result.corpus.identities) != set(people):
        own, here = (", ".join(names) for names in (result.corpus.identities, people))
        raise ResultError(f"{path} is a result for {own}, this is to render {here}. Give both the same --identities.")
    if result.corpus.digest != pictures.corpus.info.digest:
        raise ResultError(
            f"{path} is a result on {result.corpus.name} with digest {result.corpus.digest[:12]}, and the corpus has "
            f"{pictures.corpus.info.digest[:12]}. Run the method on this corpus."
        )
    rows = {(row.clip, row.start): row for row in result.clips if row.driving == SELF and row.status == "ok"}
    tasks = list[PictureTask]()
    for task in pictures.test:
        row = rows.get((task.clip.id, task.clip.start))
        if row is None or row.frames != task.clip.frames:
            raise ResultError(f"{path} has no motion for {task.id}: the method failed there, or the split is another.")
        file = motion_path(folder / row.fold / "motions" if row.fold else folder / "motions", row.request)
        if not file.is_file() or file_digest(file) != row.motion:
            raise ResultError(f"{file} is not there, or not what was scored. Run the method again.")
        motion = Motion.from_parts(read_arrays(file, ResultError, "Run the method again.")[0])
        tasks.append(replace(task, motion=motion, driving=result.method.label))
    driving = Driving(motion=result.method.label, result=result.digest, seed=result.seed)
    return driving, replace(pictures, test=tasks)


def stored_motion(folder: Path, task: str) -> Path:
    """Where a rendering keeps the motion of a stretch that a method generated."""
    return folder / "motions" / f"{task}.safetensors"


def with_stored_motion(rendering: Rendering, folder: Path, pictures: PictureCorpus) -> PictureCorpus:
    """The tasks with the motion that a rendering keeps beside its pictures.

    Raises:
        ResultError: motion that is missing, or not what was rendered.
    """
    driven, tasks = {row.request: row.driven_by for row in rendering.clips}, []
    for task in pictures.test:
        file = stored_motion(folder, task.id)
        if driven.get(task.id):
            if not file.is_file() or file_digest(file) != driven[task.id]:
                raise ResultError(f"{file} is not there, or not what was rendered. Render again.")
            motion = Motion.from_parts(read_arrays(file, ResultError, "Render again.")[0])
            task = replace(task, motion=motion, driving=rendering.driving.motion)
        tasks.append(task)
    return replace(pictures, test=tasks)
