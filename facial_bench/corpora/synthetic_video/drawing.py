"""One frame of a drawn person: layers of polygons from back to front, drawn large and made small."""

from __future__ import annotations

from typing import Any

import numpy as np

from facial_bench.core.errors import FacialBenchError
from facial_bench.corpora.synthetic_video.curves import Curves
from facial_bench.corpora.synthetic_video.looks import Colour, Look

LARGER = 2
"""Factor by which the layers are drawn larger: what smooths their edges."""


def load_pillow() -> tuple[Any, Any]:
    """Pillow's Image and ImageDraw, imported when needed; raises FacialBenchError where it is not installed."""
    try:
        from PIL import Image, ImageDraw
    except ImportError as problem:
        raise FacialBenchError(
            f"Drawing needs Pillow, which cannot be imported ({problem}). "
            "Install it: pip install 'facial-bench[render]'."
        ) from None
    return Image, ImageDraw


def shade(colour: Colour, factor: float) -> Colour:
    """A colour made darker (factor < 1) or lighter (> 1)."""
    red, green, blue = (min(255, round(c * factor)) for c in colour)
    return red, green, blue


def draw_person(canvas: Any, curves: Curves, frame: int, look: Look) -> None:
    """Draw a person on a canvas that is `LARGER` than the picture.

    Args:
        canvas: a Pillow image; drawn on.
        curves: of the whole take, px of the picture.
        frame: which frame of it.
        look: whose.
    """
    _, draw = load_pillow()
    pen = _Pen(draw.Draw(canvas), curves, frame)
    skin, hair = look.skin, look.hair
    if look.long_hair:
        pen.fill(pen["hair outer"], shade(hair, 0.62))
    pen.fill(pen["neck"], shade(skin, 0.86))
    jaw, chin = pen["skin"][:65], pen["landmarks"][8]
    for drop, tone in ((8.0, 0.8), (5.5, 0.73), (3.0, 0.66)):  # the chin's shadow, on the neck
        pen.fill((jaw - chin) * (0.72, 1) + chin + (0, drop), shade(skin, tone))
    pen.fill(pen["collar"], shade(skin, 0.86))
    pen.fill(pen["shirt"], look.clothes)
    pen.line(pen["collar"], shade(look.clothes, 0.74), 2.2)
    if not look.long_hair:
        pen.fill(np.concatenate([pen["hair outer"], pen["hair inner"][::-1]]), shade(hair, 0.8))
        for side in ("left", "right"):
            pen.fill(pen[f"{side} ear"], shade(skin, 0.9))
            middle = pen[f"{side} ear"].mean(axis=0)
            pen.fill(middle + 0.55 * (pen[f"{side} ear"] - middle), shade(skin, 0.74))
    pen.fill(pen["skin"], skin)
    for spot in pen["freckles"]:
        pen.disc(spot, 0.5, shade(skin, 0.86))
    for number, side in enumerate(("left", "right")):
        _draw_eye(pen, side, pen["irises"][number], look)
        pen.fill(pen[f"{side} brow"], shade(hair, 0.8))
    _draw_nose(pen, look)
    _draw_mouth(pen, look)
    _draw_hair(pen, look)


class _Pen:
    """Draws points of the picture, px, on the larger canvas."""

    def __init__(self, draw: Any, curves: Curves, frame: int) -> None:
        self._draw, self._curves, self._frame = draw, curves, frame
        landmarks = curves["landmarks"][frame]
        self.scale = float(np.linalg.norm(landmarks[45] - landmarks[36])) / 9
        """Pixels in about a centimetre."""

    def __getitem__(self, name: str) -> np.ndarray:
        """(N, 2) px, a curve in this frame."""
        return self._curves[name][self._frame]

    def fill(self, points: np.ndarray, colour: Colour) -> None:
        self._draw.polygon((points * LARGER - 0.5).ravel().tolist(), fill=colour)

    def line(self, points: np.ndarray, colour: Colour, width: float) -> None:
        flat = (points * LARGER - 0.5).ravel().tolist()
        self._draw.line(flat, fill=colour, width=max(1, round(width * LARGER)), joint="curve")

    def disc(self, centre: np.ndarray, radius: float, colour: Colour) -> None:
        (x, y), r = centre * LARGER - 0.5, radius * LARGER
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)


def _between(points: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Points (N, 2) moved up or down until they lie between two curves whose x grows."""
    x = np.clip(points[:, 0], max(upper[0, 0], lower[0, 0]), min(upper[-1, 0], lower[-1, 0]))
    top, bottom = np.interp(x, upper[:, 0], upper[:, 1]), np.interp(x, lower[:, 0], lower[:, 1])
    return np.column_stack([x, np.minimum(np.maximum(points[:, 1], top), np.maximum(top, bottom))])


def _ring(centre: np.ndarray, radius: float) -> np.ndarray:
    """(28, 2) a circle."""
    angle = np.arange(28) * (2 * np.pi / 28)
    return centre + radius * np.column_stack([np.cos(angle), np.sin(angle)])


def _draw_eye(pen: _Pen, side: str, iris: np.ndarray, look: Look) -> None:
    upper, lower, crease = pen[f"{side} upper lid"], pen[f"{side} lower lid"], pen[f"{side} crease"]
    lid = shade(look.skin, 0.82)
    pen.fill(np.concatenate([crease, lower[::-1]]), lid)
    pen.line(crease, shade(look.skin, 0.66), 0.6)
    pen.fill(np.concatenate([upper, lower[::-1]]), (244, 241, 238))
    radius = 0.6 * pen.scale
    for size, colour in ((1.0, shade(look.iris, 0.55)), (0.84, look.iris), (0.42, (18, 14, 14))):
        pen.fill(_between(_ring(iris, size * radius), upper, lower), colour)
    glint = _between(_ring(iris - radius * np.array([0.3, 0.35]), 0.2 * radius), upper, lower)
    pen.fill(glint, (250, 250, 250))
    pen.line(lower, shade(look.skin, 0.62), 0.5)
    pen.line(upper, shade(look.hair, 0.55), 1.5 if look.long_hair else 1.1)


def _draw_nose(pen: _Pen, look: Look) -> None:
    nose, marks = pen["nose"], pen["landmarks"]
    pen.line(nose[1:-1], shade(look.skin, 0.68), 1.0)
    for wing in (pen["wings"][:2], pen["wings"][:1:-1]):
        pen.line(wing, shade(look.skin, 0.72), 1.0)
    for nostril in (32, 34):
        along = (marks[33] - marks[nostril]) * 0.45
        pen.line(np.stack([marks[nostril] - along, marks[nostril] + along]) - (0, 0.4), shade(look.skin, 0.42), 1.5)


def _draw_mouth(pen: _Pen, look: Look) -> None:
    upper, lower = pen["upper lip"], pen["lower lip"]
    top, bottom = pen["inner upper"], pen["inner lower"]
    pen.fill(np.concatenate([upper, lower]), look.lips)
    pen.fill(np.concatenate([upper, top[::-1]]), shade(look.lips, 0.84))
    inside = np.concatenate([top, _between(bottom, top, bottom)[::-1]])
    pen.fill(inside, (58, 20, 24))
    open_by = float((bottom[:, 1] - top[:, 1]).max())
    if open_by > 0.8:
        rise = 0.4 * max(open_by - 0.6 * pen.scale, 0) * (1 - np.linspace(-1, 1, len(bottom)) ** 2)[:, None]
        tongue = _between(bottom - rise * (0, 1), top, bottom)
        pen.fill(np.concatenate([tongue, bottom[::-1]]), (128, 52, 58))
        teeth = _between(pen["teeth"], top, bottom)
        ceiling = _between(teeth - (0, 99), top, bottom)
        pen.fill(np.concatenate([teeth, ceiling[::-1]]), (232, 226, 214))
    pen.line(top, shade(look.lips, 0.55), 0.7)


def _draw_hair(pen: _Pen, look: Look) -> None:
    outer, inner = pen["hair outer"], pen["hair inner"]
    pen.fill(np.concatenate([outer, inner[::-1]]), look.hair)
    tones = (0.78, 1.2, 0.88, 1.35, 0.7)
    for number, strand in enumerate(pen["strands"].reshape(-1, 7, 2)):
        pen.line(strand, shade(look.hair, tones[number % len(tones)]), 1.0 if number % 3 else 1.6)
