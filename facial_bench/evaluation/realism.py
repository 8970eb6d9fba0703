"""The realism of the motions of one fold: all of them are needed at once, since networks are trained on them.

Source: docs/protocol.md, "Realism".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from facial_bench.core.protocol import Protocol, RealismSettings
from facial_bench.core.types import Clip, Motion
from facial_bench.core.windows import window_starts
from facial_bench.evaluation.clip_entries import lacking
from facial_bench.evaluation.clip_scores import PARTS, Fold, accuracy_entry
from facial_bench.evaluation.requests import Task
from facial_bench.metrics.identity import SELF
from facial_bench.metrics.realism import RealismDefinition, Scale, make_scale, realism_definitions
from facial_bench.metrics.two_sample import Pairs, told_apart
from facial_bench.statistics.rows import Entry, Row
from facial_bench_worker.motions import Outcome


@dataclass(frozen=True, eq=False)
class Layout:
    """Which windows of a fold's held-out clips are told by which network."""

    tasks: Sequence[Task]
    """The self-driven ones that have a window, by their names: the order in which they are given does not matter."""
    starts: Sequence[np.ndarray]
    """Of each, (W,) first frames of its windows."""
    fold: np.ndarray
    """(N,) int, of all windows, task after task."""
    trains: np.ndarray
    """(K, N) bool, what each network may be trained on."""
    refused: str
    """Why nothing can be told; empty where it can."""

    @property
    def owner(self) -> np.ndarray:
        """(N,) int, index of the task of each window."""
        return np.repeat(np.arange(len(self.tasks)), [len(own) for own in self.starts])


def make_layout(tasks: Sequence[Task], protocol: Protocol) -> Layout:
    """Deal a person's clips out to the networks, one after the other; the only clip of a person is cut into stretches.

    A network is trained on the windows of other clips, and in the clip that it tells a stretch of, on those that keep a
    gap of a window from it.
    """
    settings, window = protocol.realism, protocol.window
    own = sorted((t for t in tasks if t.driving == SELF), key=lambda t: (t.clip.identity, t.request.id, t.clip.start))
    found = [(task, window_starts(task.clip.valid, window, settings.stride)) for task in own]
    found = [(task, starts) for task, starts in found if len(starts)]
    people = [task.clip.identity for task, _ in found]
    folds, clips, begins, seen = [], [], [], dict.fromkeys(people, 0)
    for k, (task, starts) in enumerate(found):
        person = task.clip.identity
        if people.count(person) > 1:
            folds.append(np.full(len(starts), seen[person] % settings.folds))
        else:
            folds.append(np.arange(len(starts)) * settings.folds // len(starts))
        seen[person] += 1
        clips.append(np.full(len(starts), k))
        begins.append(starts)
    nothing = np.zeros(0, np.int64)
    fold, clip, first = (np.concatenate([nothing, *parts]).astype(np.int64) for parts in (folds, clips, begins))
    trains = np.stack([_apart(fold, clip, first, k, 2 * window) for k in range(settings.folds)])
    return Layout(
        [task for task, _ in found], [starts for _, starts in found], fold, trains, _too_few(fold, trains, settings)
    )


def _apart(fold: np.ndarray, clip: np.ndarray, first: np.ndarray, k: int, distance: int) -> np.ndarray:
    """(N,) bool, the windows that network k may be trained on: none that begins near one that it tells."""
    told = fold == k
    free = ~told
    for one in np.unique(clip[told]):
        here = clip == one
        gaps = np.abs(first[here][:, None] - first[here & told][None]).min(axis=1)
        free[here] &= gaps >= distance
    return free


def _too_few(fold: np.ndarray, trains: np.ndarray, settings: RealismSettings) -> str:
    if not len(fold):
        return "no held-out clip is as long as a window"
    least = min(int(trains[k].sum()) for k in np.unique(fold))
    if least < settings.least_windows:
        return (
            f"too few held-out clips: a network would be trained on {least} windows, "
            f"{settings.least_windows} are needed"
        )
    return ""


def with_realism(
    rows: Sequence[Row],
    tasks: Sequence[Task],
    outcomes: Mapping[str, Outcome],
    fold: Fold,
    held: Collection[str] = PARTS,
) -> list[Row]:
    """The rows of a fold with the realism of their motions; a failed clip is told apart in every window, and no network
    is trained on it.

    Args:
        rows: of these tasks, in any order.
        tasks: what was asked for in this fold; cross-driven ones are passed over.
        outcomes: request -> what came of it.
        fold: what it is measured with.
        held: the parts that the method's outputs hold at all; a metric of another part is absent.
    """
    ok = {row.request for row in rows if row.status == "ok"}
    motions = {task.request.id: outcomes[task.request.id].motion for task in tasks if task.request.id in ok}
    found = fold_realism(tasks, motions, fold, held)
    return [replace(row, metrics={**row.metrics, **found.get(row.request, {})}) for row in rows]


def fold_realism(
    tasks: Sequence[Task], motions: Mapping[str, Motion | None], fold: Fold, held: Collection[str] = PARTS
) -> dict[str, dict[str, Entry]]:
    """request -> metric -> its entry, of the tasks that have a window; nothing where there are too few of them.

    Args:
        tasks, fold, held: as of `with_realism`.
        motions: request -> generated motion; one that is missing, or None, failed.
    """
    layout = make_layout(tasks, fold.classifiers.protocol)
    entries: dict[str, dict[str, Entry]] = {task.request.id: {} for task in layout.tasks}
    for one in () if layout.refused else realism_definitions():
        absent = lacking(one.needs, held, absent=True)
        if absent is not None:
            for own in entries.values():
                own[one.id] = absent
            continue

        def generated(k: int, scale: Scale, one: RealismDefinition = one) -> np.ndarray | None:
            motion = motions.get(layout.tasks[k].request.id)
            if motion is None or one.part not in motion.parts:
                return None
            return scale.windows(one.signal(motion), layout.starts[k], fold.classifiers.protocol.window)

        for name, entry in _tell(one, layout, generated, fold).items():
            entries[name][one.id] = entry
    return entries


def floor_realism(tasks: Sequence[Task], fold: Fold) -> dict[str, dict[str, Entry]]:
    """request -> metric -> its entry, where real training motion of the same person stands in the place of the
    generated one: as many windows, whole clips as far as they go, so that no two networks share one."""
    layout = make_layout(tasks, fold.classifiers.protocol)
    entries: dict[str, dict[str, Entry]] = {task.request.id: {} for task in layout.tasks}
    for one in () if layout.refused else realism_definitions():

        def training(k: int, scale: Scale, one: RealismDefinition = one) -> np.ndarray | None:
            own = [j for j, task in enumerate(layout.tasks) if task.clip.identity == layout.tasks[k].clip.identity]
            return _training_windows(one, fold, layout.tasks[k].clip, own.index(k), len(own), scale, layout.starts[k])

        for name, entry in _tell(one, layout, training, fold).items():
            if not entry.failed:
                entries[name][one.id] = entry
    return entries


def _tell(
    one: RealismDefinition, layout: Layout, make: Callable[[int, Scale], np.ndarray | None], fold: Fold
) -> dict[str, Entry]:
    """request -> entry of one metric; `make` gives the windows of a task that stand beside the real ones."""
    protocol = fold.classifiers.protocol
    scale = _scale_of(one, fold.training, protocol)
    made = [make(k, scale) for k in range(len(layout.tasks))]
    there = np.array([windows is not None for windows in made])
    kept = there[layout.owner]
    told = np.ones(len(layout.fold))
    if kept.any():
        real = [
            scale.windows(one.signal(task.clip.motion), starts, protocol.window)
            for task, starts, windows in zip(layout.tasks, layout.starts, made, strict=True)
            if windows is not None
        ]
        pairs = Pairs(
            np.concatenate([windows for windows in made if windows is not None]),
            np.concatenate(real),
            layout.fold[kept],
            layout.trains[:, kept],
        )
        told[kept] = told_apart(pairs, protocol.realism, fold.cache)
    entries = {}
    for k, (task, starts) in enumerate(zip(layout.tasks, layout.starts, strict=True)):
        own = layout.owner == k
        entry = accuracy_entry(told[own], starts, protocol.window)
        if entry is not None:
            untold = not (layout.trains[layout.fold[own]] & kept).any(axis=1).all()  # what it learns from failed
            entries[task.request.id] = replace(entry, failed=True) if untold or not there[k] else entry
    return entries


def _scale_of(one: RealismDefinition, training: Sequence[Clip], protocol: Protocol) -> Scale:
    starts = [window_starts(clip.valid, protocol.window, protocol.realism.stride) for clip in training]
    return make_scale(one, training, starts, protocol.window)


def _training_windows(
    one: RealismDefinition, fold: Fold, clip: Clip, place: int, places: int, scale: Scale, starts: np.ndarray
) -> np.ndarray | None:
    """(W, ...) windows of the person's real training clips, as many as the clip has, evenly chosen; None without any.

    Of `places` held-out clips of the person this is number `place`. Clips are dealt out whole; where there are fewer
    than places, their windows are cut into stretches with a window lost in between.
    """
    protocol = fold.classifiers.protocol
    window = protocol.window
    own = sorted((c for c in fold.training if c.identity == clip.identity), key=lambda c: (c.id, c.start))
    cut = [(c, window_starts(c.valid, window, protocol.realism.stride)) for c in own]
    cut = [(c, first) for c, first in cut if len(first)]
    if len(cut) >= places:
        mine = [(c, first) for j, (c, first) in enumerate(cut) if j % places == place]
    else:
        mine = []
        for c, first in cut:
            a, b = len(first) * place // places, len(first) * (place + 1) // places
            part = first[a:b]
            mine.append((c, part if place == 0 else part[part >= first[a - 1] + window] if a else part))
    windows = [scale.windows(one.signal(c.motion), first, window) for c, first in mine if len(first)]
    if not windows:
        return None
    every = np.concatenate(windows)
    chosen: np.ndarray = every[np.linspace(0, len(every) - 1, len(starts)).round().astype(int)]
    return chosen
