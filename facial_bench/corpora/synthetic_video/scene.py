"""What is around a drawn person: a wall that moves a little, a light that wanders, and the noise of a sensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from facial_bench.corpora.synthetic.noise import smooth_noise
from facial_bench.corpora.synthetic.speech import FRAME_RATE
from facial_bench.corpora.synthetic_video.curves import Curves
from facial_bench.corpora.synthetic_video.drawing import LARGER, load_pillow
from facial_bench.corpora.synthetic_video.looks import Look

SIZE = 256
"""Pixels, width and height of a picture."""
_GRID = 64
"""Light is computed on this many points a side."""
_MARGIN = 12.0
"""Pixels by which the wall is larger than the picture on every side."""
_NOISE = 1.3
"""Grey levels, standard deviation of the sensor's noise."""
# Landmarks, share of each; radius, cm; strength: soft dark (< 0) and bright places of a face.
_SPOTS: tuple[tuple[dict[int, float], float, float], ...] = (
    ({37: 0.5, 38: 0.5}, 1.5, -0.1),
    ({43: 0.5, 44: 0.5}, 1.5, -0.1),
    ({33: 0.9, 51: 0.1}, 0.8, -0.12),
    ({57: 0.75, 8: 0.25}, 0.9, -0.1),
    ({29: 0.72, 14: 0.13, 47: 0.15}, 0.9, -0.13),
    ({30: 1.0}, 0.55, 0.16),
    ({28: 1.0}, 0.6, 0.08),
    ({8: 0.8, 57: 0.2}, 1.0, 0.06),
    ({41: 0.5, 48: 0.25, 2: 0.25}, 1.6, 0.05),
    ({46: 0.5, 54: 0.25, 14: 0.25}, 1.6, 0.03),
)
_CHEEKS: tuple[dict[int, float], ...] = ({41: 0.38, 48: 0.32, 2: 0.3}, {46: 0.38, 54: 0.32, 14: 0.3})


class Scene:
    """The surroundings of one take, T frames.

    Args:
        look: whose wall.
        curves: of the take.
        rng: of the wall's pattern, the light and the noise.
    """

    def __init__(self, look: Look, curves: Curves, rng: np.random.Generator) -> None:
        self._image = load_pillow()[0]
        frames = len(curves["landmarks"])
        self._curves = curves
        self._wall = self._image.fromarray(_wall(look, rng))
        self._drift = np.clip(2.5 * smooth_noise(frames, 1.5, FRAME_RATE, rng, (2,)), -10, 10)
        wander = 0.16 * smooth_noise(frames, 2.0, FRAME_RATE, rng, (2,))
        light = np.column_stack([wander[:, 0] - 0.45, wander[:, 1] + 0.55, np.full(frames, 0.75)])
        self._light = light / np.linalg.norm(light, axis=1, keepdims=True)
        self._level = 1 + 0.02 * smooth_noise(frames, 1.5, FRAME_RATE, rng)
        self._noise = (_NOISE * rng.standard_normal((SIZE + 64, SIZE + 64, 1))).astype(np.float32)
        self._noise = self._noise + (0.5 * _NOISE * rng.standard_normal((SIZE + 64, SIZE + 64, 3))).astype(np.float32)
        self._shift = rng.integers(0, 64, (frames, 2))
        rows = np.arange(_GRID) * (SIZE / _GRID) + SIZE / _GRID / 2
        self._places = np.stack(np.meshgrid(rows, rows), axis=-1).astype(np.float32)

    def canvas(self, frame: int) -> Any:
        """A Pillow image of `LARGER` times the picture's size, with the wall on it."""
        x, y = self._drift[frame] + _MARGIN
        box = (x, y, x + SIZE, y + SIZE)
        return self._wall.resize((SIZE * LARGER, SIZE * LARGER), self._image.Resampling.BILINEAR, box=box)

    def develop(self, canvas: Any, frame: int) -> np.ndarray:
        """(SIZE, SIZE, 3) uint8: the canvas made small, lit, and seen by a sensor."""
        picture = np.asarray(canvas.reduce(LARGER), dtype=np.float32)
        light, blush = self._fields(frame)
        # Shadows of skin are warm, and blood is red: each colour has its own share of both.
        lit = picture * (1 + (self._up(light) - 1)[..., None] * np.array([0.86, 1.04, 1.08], np.float32))
        lit *= 1 - self._up(blush)[..., None] * np.array([0.0, 0.085, 0.06], np.float32)
        y, x = self._shift[frame]
        lit += self._noise[y : y + SIZE, x : x + SIZE]
        return np.clip(lit + 0.5, 0, 255).astype(np.uint8)

    def _up(self, field: np.ndarray) -> np.ndarray:
        image = self._image.fromarray(field.astype(np.float32))
        return np.asarray(image.resize((SIZE, SIZE), self._image.Resampling.BICUBIC))

    def _fields(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """(64, 64) factor of the light, and redness 0..1, seen coarsely."""
        marks = self._curves["landmarks"][frame].astype(np.float32)
        across = marks[45] - marks[36]
        unit = float(np.linalg.norm(across)) / 9
        turned = np.array([[across[0], across[1]], [-across[1], across[0]]], np.float32) / np.linalg.norm(across)
        # The head is an ellipsoid for the light, lit from above and a side.
        middle = 0.75 * marks[27] + 0.25 * marks[8]
        own = (self._places - middle) @ turned.T / (np.array([8.0, 11.5], np.float32) * unit)
        far = np.sqrt((own**2).sum(axis=-1))
        bent = own / np.maximum(far, 1)[..., None]
        out = np.sqrt(np.maximum(1 - (bent**2).sum(axis=-1), 0))
        x, y, z = self._light[frame]
        lit = 0.66 + 0.44 * np.maximum(x * bent[..., 0] - y * bent[..., 1] + z * out, -0.2)
        inside = np.clip((1.16 - far) / 0.2, 0, 1)
        spots = np.stack([sum(share * marks[k] for k, share in spot.items()) for spot, _, _ in _SPOTS])
        width = np.array([radius for _, radius, _ in _SPOTS], np.float32) * unit
        strength = np.array([value for _, _, value in _SPOTS], np.float32)
        lit += self._bumps(spots, width) @ strength
        cheeks = np.stack([sum(share * marks[k] for k, share in cheek.items()) for cheek in _CHEEKS])
        blush = self._bumps(cheeks, np.full(2, 1.35 * unit, np.float32)).sum(axis=-1)
        return (1 + (lit - 1) * inside) * self._level[frame], blush

    def _bumps(self, centres: np.ndarray, widths: np.ndarray) -> np.ndarray:
        """(64, 64, K) Gaussian bumps of height 1."""
        far = ((self._places[:, :, None] - centres) ** 2).sum(axis=-1)
        return np.exp(far / (-2 * widths**2))


def _wall(look: Look, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8: from one colour to another, with soft discs out of focus."""
    size = SIZE + 2 * int(_MARGIN)
    rows, columns = np.mgrid[:size, :size] / size
    wall = np.array(look.wall[0]) * (1 - rows[..., None]) + np.array(look.wall[1]) * rows[..., None]
    for _ in range(9):
        y, x, radius = rng.uniform(0, 0.8), rng.uniform(0, 1), rng.uniform(0.05, 0.13)
        edge = np.clip((radius - np.hypot(rows - y, columns - x)) / 0.02, 0, 1)
        wall += (edge * rng.uniform(5, 14))[..., None]
    return np.clip(wall, 0, 255).astype(np.uint8)
