"""How the drawn people look: colours, hair, voice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from facial_bench.core.errors import unknown_name

Colour = tuple[int, int, int]
"""Red, green, blue, 0..255."""


@dataclass(frozen=True)
class Look:
    """One person's colours, hair and voice."""

    skin: Colour
    lips: Colour
    hair: Colour
    iris: Colour
    clothes: Colour
    wall: tuple[Colour, Colour]
    """Behind the person: above, below."""
    long_hair: bool
    """Long hair with a parting, or short hair that leaves the ears free."""
    brow: float
    """cm, half the thickness of a brow."""
    freckles: int
    """Number of them."""
    pitch: float
    """Hz, of the voice at rest."""
    tract: float
    """Factor on the formants: a shorter vocal tract has higher ones."""


def look_of(name: str) -> Look:
    """The look of one of the drawn people.

    Raises:
        FacialBenchError: nobody drawn has that name.
    """
    looks = looks_by_name()
    if name not in looks:
        raise unknown_name("drawn person", name, looks)
    return looks[name]


def looks_by_name() -> Mapping[str, Look]:
    """Name -> look, of everybody who is drawn, in order."""
    return {
        "p1": Look(
            skin=(186, 132, 98),
            lips=(166, 78, 80),
            hair=(44, 33, 32),
            iris=(86, 52, 32),
            clothes=(40, 104, 116),
            wall=((222, 212, 190), (176, 156, 132)),
            long_hair=False,
            brow=0.3,
            freckles=0,
            pitch=112.0,
            tract=1.0,
        ),
        "p3": Look(
            skin=(241, 205, 180),
            lips=(206, 88, 96),
            hair=(150, 76, 40),
            iris=(74, 122, 96),
            clothes=(112, 84, 146),
            wall=((176, 204, 216), (122, 152, 176)),
            long_hair=True,
            brow=0.19,
            freckles=18,
            pitch=204.0,
            tract=1.16,
        ),
    }
