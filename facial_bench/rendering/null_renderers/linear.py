"""The linear renderer: ridge regression from the face state to every pixel (Hoerl and Kennard 1970)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from facial_bench.core.errors import GenerationError
from facial_bench.core.types import STATE_WIDTH, Context, VideoClip
from facial_bench.rendering.null_renderers.null_renderer import Asked, Learned, Rule
from facial_bench.rendering.null_renderers.training_frames import picture_blocks, usable_frames

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Candidates, times the number of training frames; the one that predicts the held-out stretch best is kept."""
UNTRIED = 1e-1
"""The penalty where there is too little to hold out."""
HELD_OUT = 0.2
"""Of a person's frames, the last: the penalty is chosen on them."""
GAP = 1.0
"""Seconds before the held-out stretch that are not fitted while the penalty is chosen."""
FURTHEST = 1e3
"""Standard deviations from the mean at which a state is held: float32 would overflow far beyond."""
PIXELS = 8192
"""Columns of the solution that are computed at once."""


@dataclass(eq=False)
class Sums:
    """What least squares need to know of some frames, x = (1, 71 standardised states), y = pixels."""

    xx: np.ndarray
    """(72, 72) float64, sum of x x^T; its first element is the number of frames."""
    xy: np.ndarray
    """(72, S * S * 3) float64, sum of x y^T."""
    yy: float = 0.0
    """Sum of |y|^2."""

    @classmethod
    def of_nothing(cls, pixels: int) -> Sums:
        """Sums over no frame."""
        return cls(np.zeros((STATE_WIDTH + 1,) * 2), np.zeros((STATE_WIDTH + 1, pixels)))

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        """Count frames in: x (n, 72) and y (n, S * S * 3), float64."""
        self.xx += x.T @ x
        self.xy += x.T @ y
        self.yy += float(np.vdot(y, y))


def learn_linear(videos: Sequence[VideoClip], context: Context) -> Learned:
    """Fit one person, reading each picture once.

    Returns:
        `mean`, `scale` (71,) float64, physical units, of the states; `weights` (72, S * S * 3) float32, in grey levels:
        first the picture at the mean state, then how it changes with each state.
    """
    usable = [usable_frames(video) for video in videos]
    states = [video.clip.motion.state()[own].astype(np.float64) for video, own in zip(videos, usable, strict=True)]
    everything = np.concatenate(states)
    mean, scale = everything.mean(axis=0), everything.std(axis=0)
    scale[scale < 1e-6] = 1.0  # a channel that stands still gets no weight, and must not burst where it moves later
    x = np.concatenate([np.ones((len(everything), 1)), (everything - mean) / scale], axis=1)

    last = len(x) - round(HELD_OUT * len(x))
    first = last - round(GAP * context.corpus.fps)
    chosen = first >= round(HELD_OUT * len(x)) and last < len(x)
    cuts = (max(first, 0), last, len(x)) if chosen else (len(x),)
    parts = [Sums.of_nothing(int(np.prod(videos[0].frames.shape[1:]))) for _ in cuts]
    place = 0
    for video, own in zip(videos, usable, strict=True):
        for frames, pictures in picture_blocks(video, own):
            y = pictures.reshape(len(frames), -1).astype(np.float64)
            part = np.searchsorted(cuts, np.arange(place, place + len(frames)), side="right")
            for k in np.unique(part):
                parts[k].add(x[place : place + len(frames)][part == k], y[part == k])
            place += len(frames)
    penalty = min(PENALTIES, key=lambda candidate: held_out_error(parts[0], parts[2], candidate)) if chosen else UNTRIED
    for other in parts[1:]:
        parts[0].xx += other.xx
        parts[0].xy += other.xy
    return {"mean": mean, "scale": scale, "weights": np.concatenate(list(_solve(parts[0], penalty)), axis=1)}


def held_out_error(fitted: Sums, held_out: Sums, penalty: float) -> float:
    """Sum of squared errors on one part when fitted to another: |y|^2 - 2 <W, xy> + <W, xx W>, from the sums alone."""
    error, start = held_out.yy, 0
    for weights in _solve(fitted, penalty):
        xy = held_out.xy[:, start : start + weights.shape[1]]
        error += float(np.vdot(weights, held_out.xx @ weights - 2 * xy))
        start += weights.shape[1]
    return error


def _solve(sums: Sums, penalty: float) -> Iterator[np.ndarray]:
    """argmin_W |y - x W|^2 + penalty n |W|^2 without the first row: (72, 8192) float32 columns at a time."""
    ridge = penalty * sums.xx[0, 0] * np.eye(len(sums.xx))
    ridge[0, 0] = 0.0
    inverse = np.linalg.inv(sums.xx + ridge)
    for start in range(0, sums.xy.shape[1], PIXELS):
        yield (inverse @ sums.xy[:, start : start + PIXELS]).astype(np.float32)


def paint_linear(learned: Learned, asked: Asked) -> Iterator[np.ndarray]:
    """The picture of each state, kept within 0..255. Raises GenerationError for motion without all three parts."""
    missing = sorted({"expression", "pose", "blink"} - asked.motion.parts)
    if missing:
        raise GenerationError(f"{asked.name}: the motion has no {' and no '.join(missing)}, which the state needs.")
    size = asked.like.crop.size
    x = np.clip((asked.motion.state() - learned["mean"]) / learned["scale"], -FURTHEST, FURTHEST)

    def block(states: np.ndarray) -> np.ndarray:
        pixels = states.astype(np.float32) @ learned["weights"][1:] + learned["weights"][0]
        return np.rint(np.clip(pixels, 0, 255)).astype(np.uint8).reshape(-1, size, size, 3)

    return (block(x[part]) for part in asked.blocks())


LINEAR = Rule("linear", learn_linear, paint_linear)
