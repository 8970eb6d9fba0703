"""What a rendering is read against: the real pictures encoded again (the ceiling), and the mean picture (chance)."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from itertools import repeat
from pathlib import Path

import msgspec
import numpy as np

from facial_bench.core.digests import digest
from facial_bench.core.errors import CorpusError, FacialBenchError
from facial_bench.core.files import write_bytes
from facial_bench.core.progress import Reporter
from facial_bench.core.version import __version__
from facial_bench.evaluation.result_schema import Ceiling, Reference
from facial_bench.media.encode import VideoWriter
from facial_bench.rendering.outputs import stored_pictures
from facial_bench.rendering.protocol import PictureProtocol
from facial_bench.rendering.result import REAL, PictureRow
from facial_bench.rendering.scorer import PictureScorer
from facial_bench.rendering.tasks import PictureCorpus, PictureTask
from facial_bench.statistics.aggregate import summarise

CEILING_IS = "real pictures, encoded"
CHANCE_IS = "mean picture"


class PictureReferences(msgspec.Struct, frozen=True):
    """Rows of both sides, by task."""

    ceiling: tuple[PictureRow, ...]
    chance: tuple[PictureRow, ...]


def make_references(scorer: PictureScorer, cache: Path, report: Reporter) -> PictureReferences:
    """Score both sides on the test stretches; what an earlier call found is taken from the cache.

    Args:
        scorer: Of real motion.
        cache: A folder; `<cache>/pictures/` holds a file for each corpus and protocol.
        report: Told how far it is.

    Raises:
        CorpusError: a video that cannot be read. FacialBenchError: no space.
    """
    pictures, protocol = scorer.pictures, scorer.protocol
    tasks = [replace(task, motion=task.clip.motion, driving=REAL) for task in pictures.test]
    key = [pictures.corpus.info.digest, protocol.digest(), scorer.key, __version__, [task.id for task in tasks]]
    path = cache / "pictures" / f"{digest(key)}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=PictureReferences)
    except (OSError, msgspec.ValidationError, msgspec.DecodeError):
        pass
    means, ceiling, chance = mean_pictures(pictures), list[PictureRow](), list[PictureRow]()
    total, done = sum(task.clip.frames for task in tasks), 0
    for task in tasks:
        with tempfile.TemporaryDirectory(prefix="facial-bench-ceiling-") as folder:
            encoded = Path(folder) / "real.mp4"
            _encode(pictures, protocol, task, encoded)
            ceiling.append(scorer.row(task, partial(stored_pictures, encoded)))
        chance.append(scorer.row(task, partial(repeat, means[task.clip.identity], task.clip.frames)))
        done += task.clip.frames
        report.progress(done, total, "scoring ceiling and chance")
    made = PictureReferences(tuple(ceiling), tuple(chance))
    write_bytes(path, msgspec.json.encode(made))
    return made


def mean_pictures(pictures: PictureCorpus) -> dict[str, np.ndarray]:
    """identity -> (S, S, 3) uint8, the mean over the person's training frames with a face; raises CorpusError where
    there is none."""
    sums: dict[str, np.ndarray] = {}
    counts: dict[str, int] = {}
    for clip in pictures.training:
        for (picture, _), valid in zip(pictures.pictures(clip), clip.valid, strict=True):
            if picture is not None and valid:
                sums[clip.identity] = sums.get(clip.identity, np.zeros(picture.shape)) + picture
                counts[clip.identity] = counts.get(clip.identity, 0) + 1
    lacking = {task.clip.identity for task in pictures.test} - set(sums)
    if lacking:
        raise CorpusError(
            f"No training frame of {sorted(lacking)[0]} has a picture with a face. Leave this person out."
        )
    return {person: np.round(total / counts[person]).astype(np.uint8) for person, total in sums.items()}


def references_of(rows: PictureReferences, scorer: PictureScorer) -> dict[str, Reference]:
    """metric -> its ceiling, with its interval, and chance."""
    references = {}
    for metric in scorer.definitions:
        sides = (rows.ceiling, rows.chance)
        ceiling, chance = (summarise([side], metric.id, scorer.protocol.split) for side in sides)
        top = Ceiling(value=ceiling.value, low=ceiling.low, high=ceiling.high)
        references[metric.id] = Reference(ceiling=top, ceiling_is=CEILING_IS, chance=chance.value, chance_is=CHANCE_IS)
    return references


def _encode(pictures: PictureCorpus, protocol: PictureProtocol, task: PictureTask, path: Path) -> None:
    """Write the real pictures into a video file; where there is none, black."""
    black = np.zeros((protocol.size, protocol.size, 3), np.uint8)
    with VideoWriter(path, protocol.split.fps, crf=protocol.crf, error=FacialBenchError) as writer:
        for picture, _ in pictures.pictures(task.clip):
            writer.add(black if picture is None else picture)
