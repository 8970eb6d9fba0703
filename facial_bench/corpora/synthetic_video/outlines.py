"""From a take to the curves that are drawn: the true face with skull, ears, hair and trunk, as the camera sees it."""

from __future__ import annotations

import numpy as np

from facial_bench.corpora.synthetic.face import neutral_face, person_face
from facial_bench.corpora.synthetic.habits import Person
from facial_bench.corpora.synthetic.noise import smooth_noise
from facial_bench.corpora.synthetic.speech import FRAME_RATE
from facial_bench.corpora.synthetic.tracks import Take
from facial_bench.corpora.synthetic_video.curves import Curves, View, both_sides, spline
from facial_bench.corpora.synthetic_video.hair import add_hair
from facial_bench.corpora.synthetic_video.looks import Look

# In the head's frame, cm, for the average face: left to right in the image's sense.
_SKULL = [(7.5, 4.6, -7.6), (6.8, 8.2, -6.8), (4.4, 11.0, -6.0), (0, 12.1, -5.5)]
_EAR = [(7.2, 2.6, -8.2), (8.3, 2.5, -9.0), (8.5, 1.0, -9.2), (8.0, -0.9, -8.8), (7.35, -1.9, -8.2), (7.0, 0.2, -8.0)]
# Of the trunk, cm from where the head's origin rests.
_NECK = [(4.5, -8.0, -7.0), (4.3, -11.5, -7.0), (5.2, -13.6, -7.0), (8.0, -15.6, -7.0)]
_SHIRT = [(5.3, -12.9, -7.0), (9.0, -14.2, -7.4), (14.5, -16.0, -8.0), (18.5, -19.5, -8.0), (20.0, -27.0, -8.0)]
_COLLAR = [(5.3, -12.9, -7.0), (3.7, -14.7, -4.6)], [(0, -15.5, -3.4)]


def outlines(person: Person, look: Look, take: Take, rng: np.random.Generator) -> Curves:
    """All curves of a take, from its true face and pose. Hair, trunk and gaze have motion of their own, from `rng`."""
    frames, size = len(take.pose), person.size
    rest = person_face(person)
    wide = np.array([rest[16, 0] / (size * neutral_face()[16, 0]), 1.0, 1.0]) * size
    points = View(take)
    shape: Curves = {"landmarks": points.see(take.face)}

    skull = np.broadcast_to(both_sides(_SKULL[:3], _SKULL[3:]) * wide, (frames, 7, 3))
    shape["skin"] = points.see(np.concatenate([take.face[:, :17], skull], 1), spline(24, closed=True))
    for side, sign in (("right", 1), ("left", -1)):
        ear = np.array(_EAR) * wide * (sign, 1, 1)
        shape[f"{side} ear"] = points.see(ear, spline(len(ear), closed=True))
    _add_features(shape, points, take.face, rest, look, rng)
    add_hair(shape, points, wide, look.long_hair, rng)

    trunk = points.trunk(rng)
    neck = trunk.see(both_sides(_NECK) * wide)
    inside = points.see(take.face[:, [12, 4]] * (0.86, 1, 1) + (0, 0.5, 0))
    shape["neck"] = np.concatenate([inside[:, :1], neck, inside[:, 1:]], 1)
    shoulders = spline(len(_SHIRT), 5)
    sides = [trunk.see(np.array(_SHIRT) * (sign, 1, 1), shoulders) for sign in (1, -1)]
    shape["collar"] = trunk.see(both_sides(*_COLLAR), spline(5, 6))
    shape["shirt"] = np.concatenate([shape["collar"], sides[1], sides[0][:, ::-1]], 1)
    return shape


def _add_features(
    shape: Curves, points: View, face: np.ndarray, rest: np.ndarray, look: Look, rng: np.random.Generator
) -> None:
    """Eyes, brows, nose, mouth and freckles."""
    for side, first, brow in (("left", 36, range(17, 22)), ("right", 42, range(26, 21, -1))):
        upper, lower = [first + k for k in range(4)], [first + k for k in (0, 5, 4, 3)]
        shape[f"{side} upper lid"] = points.see(face[:, upper], spline(4, 5))
        shape[f"{side} lower lid"] = points.see(face[:, lower], spline(4, 5))
        crease = rest[upper] + [(0, 0.1, 0), (0, 0.34, 0), (0, 0.34, 0), (0, 0.1, 0)]
        shape[f"{side} crease"] = points.see(crease, spline(4, 5))
        thick = look.brow * np.array([0.3, 0.8, 1.0, 1.0, 0.75])[:, None] * (0, 1, 0)
        above, below = face[:, brow] + thick, face[:, brow] - thick
        line = spline(5, 3)
        shape[f"{side} brow"] = np.concatenate([points.see(above, line), points.see(below, line)[:, ::-1]], 1)
    # Both eyes look the same way: at the viewer, with a gaze that drifts and jumps a little.
    gaze = 0.06 * smooth_noise(points.frames, 0.8, FRAME_RATE, rng, (2,)) * (1.0, 0.5)
    jumps = np.repeat(rng.standard_normal((points.frames // 30 + 1, 2)), 30, axis=0)[: points.frames]
    gaze = np.clip(gaze + jumps * (0.07, 0.03) - np.sin(points.pose[:, 1::-1]) * (1.0, -0.6), -0.45, 0.45)
    irises = np.stack([face[:, corners].mean(axis=1) for corners in ([36, 39], [42, 45])], 1)
    irises[..., :2] += gaze[:, None]
    irises[..., 1] += 0.1
    shape["irises"] = points.see(irises)

    shape["nose"] = points.see(face[:, 31:36], spline(5, 4))
    shape["wings"] = points.see(
        np.concatenate(
            [face[:, [31, 31, 35, 35]] + [(-0.1, 0.9, 0), (-0.35, 0.2, 0), (0.35, 0.2, 0), (0.1, 0.9, 0)]], 1
        )
    )
    shape["upper lip"] = points.see(face[:, 48:55], spline(7, 4))
    shape["lower lip"] = points.see(face[:, [54, 55, 56, 57, 58, 59, 48]], spline(7, 4))
    shape["inner upper"] = points.see(face[:, 60:65], spline(5, 5))
    shape["inner lower"] = points.see(face[:, [60, 67, 66, 65, 64]], spline(5, 5))
    # The upper teeth are the skull's: the lips move before them.
    across = np.linspace(-1.9, 1.9, 9)
    edge = np.stack([across, rest[61:64, 1].mean() - 0.17 + 0.05 * across**2, np.full(9, 0.2)], axis=1)
    shape["teeth"] = points.see(edge)
    spots = rng.uniform((-1, -1, 0), (1, 1, 0), (look.freckles, 3)) * (4.4, 1.0, 0) + (0, -1.5, 0)
    spots[:, 2] = 0.9 - 0.12 * spots[:, 0] ** 2
    shape["freckles"] = points.see(spots) if len(spots) else np.zeros((points.frames, 0, 2))
