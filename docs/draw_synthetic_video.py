"""Draw docs/synthetic-video.png, frames of the drawn corpus: `python docs/draw_synthetic_video.py` (needs Pillow)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from facial_bench.corpora.synthetic_video.corpus import Shooting, shootings

SIZE = 200


def chosen(shot: Shooting) -> list[int]:
    """Frames worth seeing: at rest, lips parted, widest mouth, rounded lips, most closed eyes."""
    gap, rounding = shot.take.articulators[:, 1], shot.take.articulators[:, 3]
    open_eyes = np.where(shot.take.closure < 0.25, 1.0, 0.0)
    parted = int(np.argmin(np.abs(gap - np.quantile(gap, 0.75)) + 9 * (1 - open_eyes)))
    widest, rounded = int(np.argmax(gap * open_eyes)), int(np.argmax(rounding * open_eyes))
    return [4, parted, widest, rounded, int(shot.take.closure.argmax())]


def main() -> None:
    """Write the picture beside this file."""
    rows = []
    for shot in shootings(clips=1):
        frames = chosen(shot)
        pictures = {frame: picture for frame, picture in enumerate(shot.pictures()) if frame in frames}
        small = [Image.fromarray(pictures[frame]).resize((SIZE, SIZE), Image.Resampling.LANCZOS) for frame in frames]
        rows.append(np.concatenate([np.asarray(picture) for picture in small], axis=1))
    sheet = Image.fromarray(np.concatenate(rows))
    sheet.quantize(256, kmeans=1).save(Path(__file__).with_name("synthetic-video.png"), optimize=True)


if __name__ == "__main__":
    main()
