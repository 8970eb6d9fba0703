"""Is a rendering's file true? Its pictures are scored again and compared with what it says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from facial_bench.core.errors import CorpusError
from facial_bench.core.files import file_digest
from facial_bench.core.progress import Reporter
from facial_bench.evaluation.compact import without_spare_blocks
from facial_bench.evaluation.verify import compare_contents, content_of
from facial_bench.rendering.outputs import stored_pictures
from facial_bench.rendering.references import make_references, references_of
from facial_bench.rendering.result import REAL, PictureRow, Rendering
from facial_bench.rendering.run import make_metrics
from facial_bench.rendering.scorer import PictureScorer
from facial_bench.rendering.scoring import one_thread_each

NOT_CHECKED = "whether the pictures are the renderer's; timing and environment"
"""What no verification of a rendering looks at."""


@dataclass(frozen=True)
class PictureVerdict:
    """What a verification found."""

    differences: tuple[str, ...]
    """One line for each thing that is not what it should be; empty: the rendering is verified."""
    rounded: int
    """Numbers that agree but for their last digits."""
    compared: int
    """Numbers compared."""

    def as_json(self) -> dict[str, Any]:
        """Plain values: `verified`, `differences`, `compared`, `rounded`, `not_checked`."""
        counts = {"compared": self.compared, "rounded": self.rounded, "not_checked": [NOT_CHECKED]}
        return {"verified": not self.differences, "differences": list(self.differences), **counts}

    def lines(self) -> list[str]:
        """What is printed."""
        state = f"{len(self.differences)} differences" if self.differences else "verified"
        note = f", {self.rounded} of them but for the last digits" if self.rounded else ""
        return [*self.differences, f"{state}; {self.compared} values compared{note}", f"not checked: {NOT_CHECKED}"]


def verify_rendering(
    rendering: Rendering, folder: Path, every: PictureScorer, cache: Path, report: Reporter
) -> PictureVerdict:
    """Score the stored pictures of a rendering again.

    Args:
        rendering: As read, so its digest is right.
        folder: Of its file; the pictures lie in `pictures/`.
        every: Scores self-reenactment; its tasks hold the rendering's motion.
        cache: For references, which are found again where they are not there.
        report: Told how far it is.

    Raises:
        CorpusError: a video that cannot be read.
    """
    pictures, protocol = every.pictures, every.protocol
    differences = []
    if rendering.protocol.digest != protocol.digest():
        mine = protocol.digest()[:12]
        differences.append(f"protocol.digest: {rendering.protocol.digest[:12]} stored, {mine} is this version's")
    if rendering.corpus.digest != pictures.corpus.info.digest:
        mine = pictures.corpus.info.digest[:12]
        differences.append(f"corpus.digest: {rendering.corpus.digest[:12]} stored, {mine} is the corpus given")
    scorer = every if rendering.driving.motion == REAL else every.unaligned()
    differences += [
        f"metrics[{name}]: it has a value, and cannot be computed here: {reason}"
        for name, reason in scorer.absent.items()
        if rendering.metrics[name].status != "absent"
    ]
    if differences:
        return PictureVerdict(tuple(differences), 0, 2)
    rows, problems = list[PictureRow](), list[str]()
    stored = {row.request: row for row in rendering.clips}
    with one_thread_each():
        references = references_of(make_references(every, cache, report), scorer)
        for number, task in enumerate(pictures.test):
            row = stored.get(task.id)
            if row is None or row.status == "failed":  # what failed has no pictures: it is taken as it is told
                rows += [row] if row else []
                problems += [] if row else [f"clips[{task.id}]: not in the file"]
                continue
            file = folder / "pictures" / f"{task.id}.mkv"
            if not file.is_file() or file_digest(file) != row.motion:
                problems.append(f"clips[{task.id}]: {file} is not there, or not what was scored")
                continue
            try:
                again = scorer.row(task, partial(stored_pictures, file), row.motion)
                rows.append(msgspec.structs.replace(again, driven_by=row.driven_by))
            except (ValueError, CorpusError) as problem:
                problems.append(f"clips[{task.id}]: {problem}")
                continue
            report.progress(number + 1, len(pictures.test), "scoring stored pictures")
    if problems:
        return PictureVerdict(tuple(problems), 0, len(rows))
    computed = content_of(make_metrics(rows, scorer, references), references, without_spare_blocks(rows))
    held = content_of(rendering.metrics, rendering.references, rendering.clips)
    wrong, rounded, compared = compare_contents(held, computed)
    return PictureVerdict(tuple(wrong), rounded, compared)
