"""Draw docs/synthetic.png, the picture of the synthetic corpus: `python docs/draw_synthetic.py` (needs matplotlib)."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from scipy.signal import welch

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from facial_bench.corpora.synthetic.face import MOVEMENTS, move_face, person_face
from facial_bench.corpora.synthetic.logits import SYMBOLS, at_frames
from facial_bench.corpora.synthetic.mouth import visemes
from facial_bench.corpora.synthetic.people import people
from facial_bench.corpora.synthetic.tracks import Take, record
from facial_bench.reports.figures import save_figure

SEED = 0
LINES = (
    range(0, 17),
    range(17, 22),
    range(22, 27),
    range(27, 31),
    range(31, 36),
    [*range(36, 42), 36],
    [*range(42, 48), 42],
    [*range(48, 60), 48],
    [*range(60, 68), 60],
)


def draw_face(axes: plt.Axes, points: np.ndarray, title: str, colour: str = "k") -> None:
    """One face of (68, 2 or 3) points, y up."""
    for line in LINES:
        axes.plot(points[list(line), 0], points[list(line), 1], color=colour, lw=0.9)
    axes.set_title(title, fontsize=8)
    middle = points.mean(axis=0)
    reach = 0.64 * np.ptp(points[:, 1])
    axes.set(xlim=(middle[0] - reach, middle[0] + reach), ylim=(middle[1] - reach, middle[1] + reach), aspect="equal")
    axes.axis("off")


def still(viseme: str | None = None, **movements: float) -> np.ndarray:
    """(1, 9) movements of a held sound."""
    values = np.zeros(len(MOVEMENTS))
    if viseme:
        values[:6] = visemes()[viseme][0]
        values[1] = max(values[1], 0)
    for name, value in movements.items():
        values[MOVEMENTS.index(name)] = value
    return values[None]


def draw_takes(figure: plt.Figure, grid: plt.GridSpec, takes: list[Take]) -> None:
    """Head rotation, closure and prosody of the five people, and a row of logits."""
    seconds = slice(0, 300)
    for row, (person, take) in enumerate(zip(people(), takes, strict=True)):
        stress = at_frames(take.speech.stress, take.speech.frames)[seconds]
        pause = at_frames(take.speech.pause, take.speech.frames)[seconds] > 0.5
        times = np.arange(len(stress)) / 25
        head = figure.add_subplot(grid[3 + row, :4])
        for axis, name, colour in zip(range(3), ("pitch", "yaw", "roll"), ("C0", "C1", "C2"), strict=True):
            head.plot(times, np.degrees(take.rotation[seconds, axis]), colour, lw=0.9, label=name)
        head.fill_between(times, -14, -14 + 4 * stress, color="0.6", lw=0, label="stress")
        head.set(ylim=(-14, 14), ylabel=f"{person.name}\ndeg", xlim=(0, 12))
        lid = figure.add_subplot(grid[3 + row, 4:])
        lid.fill_between(times, 0, pause, color="0.9", lw=0, label="pause")
        lid.plot(times, take.closure[seconds], "C3", lw=0.9, label="closure")
        lid.set(ylim=(0, 1), xlim=(0, 12))
        if row == 0:
            head.set_title("tracked rotation of the five people, and the stress that part of it answers", fontsize=8)
            lid.set_title("tracked eye closure, and the pauses", fontsize=8)
            head.legend(fontsize=6, ncol=4, loc="upper right")
            lid.legend(fontsize=6, loc="upper right")
        for axes in (head, lid):
            axes.tick_params(labelsize=6)


def draw_logits(axes: plt.Axes, take: Take) -> None:
    """The first four seconds of logits, with what the loudest symbols spell."""
    shown = take.audio[:100].T
    axes.imshow(shown, aspect="auto", cmap="magma", interpolation="nearest", extent=(-0.5, 99.5, 28.5, -0.5))
    axes.set_yticks(range(29), [*SYMBOLS[:27], "space", "blank"], fontsize=4)
    for character, frame in zip(take.speech.text, take.speech.character_frame, strict=True):
        if frame < 100:
            axes.text(frame, -1.2, character, fontsize=6, ha="center")
    axes.set_xlabel("logits of the first 4 s, frame (25 fps): loud speech has a wider spread", fontsize=7)


def main() -> None:
    """Write the picture beside this file."""
    five = people()
    takes = [[record(p, np.random.default_rng([SEED, i, j])) for j in range(12)] for i, p in enumerate(five)]
    figure = plt.figure(figsize=(11, 15), constrained_layout=True)
    grid = figure.add_gridspec(9, 8, height_ratios=[1.1, 1.1, 1.4, 1, 1, 1, 1, 1, 1.3])
    shapes = [
        ("at rest", still()),
        *((name, still(name.split()[0])) for name in ("P B M", "F V", "AA", "IY", "UW", "SH")),
    ]
    shapes.append(("blink, brows up", still(blink=0.9, brow=0.5)))
    average = person_face(five[3])
    for column, (name, movements) in enumerate(shapes):
        draw_face(figure.add_subplot(grid[0, column]), move_face(average, movements)[0], name)
    for column, person in enumerate(five):
        pixels = takes[column][0].landmarks[100] * (1, -1, 1)
        draw_face(figure.add_subplot(grid[1, column]), pixels, f"{person.name}, a tracked frame")
    moving = figure.add_subplot(grid[1, 5:])
    gap, rounding = takes[0][0].articulators[:100, 1], takes[0][0].articulators[:100, 3]
    moving.plot(np.arange(100) / 25, gap, "k", lw=1, label="lip gap, cm")
    moving.plot(np.arange(100) / 25, rounding, "C4", lw=1, label="rounding")
    for phone, start in zip(takes[0][0].speech.phones, takes[0][0].speech.start, strict=True):
        if start < 3.9:
            moving.text(start, -0.15, phone, fontsize=4, rotation=90, va="top")
    moving.set(ylim=(-0.45, 1.8), xlim=(0, 4))
    moving.legend(fontsize=6)
    moving.tick_params(labelsize=6)
    draw_logits(figure.add_subplot(grid[2, :]), takes[0][0])
    draw_takes(figure, grid, [own[0] for own in takes])
    for axis, name in enumerate(("pitch", "yaw", "roll")):
        axes = figure.add_subplot(grid[8, 2 * axis : 2 * axis + 2])
        for person, own in zip(five, takes, strict=True):
            spectra = [welch(np.degrees(take.rotation[:, axis]), fs=25, nperseg=128) for take in own]
            axes.loglog(
                spectra[0][0][1:], np.mean([power for _, power in spectra], axis=0)[1:], lw=1, label=person.name
            )
        axes.set_title(f"spectrum of {name}, deg$^2$/Hz against Hz", fontsize=8)
        axes.tick_params(labelsize=6)
        if axis == 0:
            axes.legend(fontsize=6)
    lengths = figure.add_subplot(grid[8, 6:])
    for person, own in zip(five, takes, strict=True):
        gaps = np.sort(np.concatenate([np.diff(take.blinks.onset) for take in own]))
        lengths.plot(gaps, np.linspace(0, 1, len(gaps)), lw=1, label=person.name)
    lengths.set_title("share of blink intervals shorter than ... s", fontsize=8)
    lengths.set_xlim(0, 12)
    lengths.tick_params(labelsize=6)
    save_figure(figure, Path(__file__).with_name("synthetic.png"))


if __name__ == "__main__":
    main()
