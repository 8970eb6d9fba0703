"""Where the clock of a file starts again: recordings joined end to end, as `cat` or a receiver joins them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facial_bench.core.errors import CorpusError, one_line
from facial_bench.media.load import load_av, open_container
from facial_bench.media.streams import choose_stream
from facial_bench.media.unread import find_rest

INDEXED = ("mov", "avi")
"""Formats whose films have one table of all times, which cannot go back; joined fragments have several."""
REORDERED = 1.0
"""Seconds by which a picture may be shown before one that is decoded earlier."""


@dataclass(frozen=True)
class Restart:
    """From here on, times of the file need `shift` to go on where those before it ended."""

    picture: int
    """Number of the first packet of the picture stream, from 0."""
    sound: int
    """Number of the first packet of the sound stream."""
    shift: float
    """Seconds to add to the file's times from here on, so that the picture goes on without a gap."""
    back: float
    """Seconds by which the picture's clock went back."""


def find_restarts(path: Path, container: Any) -> tuple[Restart, ...]:
    """The restarts of a file, in order. Its packets are read once, and not decoded.

    Args:
        path: The file.
        container: The same, open; it stays where it stands.

    Raises:
        CorpusError: a file that cannot be read to its end.
    """
    form = container.format.name.split(",")[0]
    if form in INDEXED and find_rest(path, form) is None:
        return ()
    found = path.stat() if path.is_file() else None
    return _find(path, found.st_size if found else 0, found.st_mtime_ns if found else 0)


@functools.lru_cache(maxsize=256)
def _find(path: Path, size: int, changed: int) -> tuple[Restart, ...]:
    container, av = open_container(path), load_av()
    try:
        picture, sound = choose_stream(container, "video"), choose_stream(container, "audio")
        return () if picture is None else _of_packets(container, picture, sound)
    except av.FFmpegError as problem:
        raise CorpusError(f"{path.name} cannot be read ({one_line(problem.strerror or problem)}).") from None
    finally:
        container.close()


@dataclass(frozen=True)
class _Step:
    """A packet whose time lies before that of the packet before it in its stream."""

    arrival: int
    """Its number among all packets."""
    packet: int
    """Its number in its stream."""
    sounds: int
    """Packets of sound that came before it."""


class _Track:
    """The packets of one stream as they come.

    Args:
        stream: Which one.
        exact: Whether the format states times of decoding, which never go back within a recording. Others state times
            of display alone, which go back a little from one picture to the next.
    """

    def __init__(self, stream: Any, exact: bool) -> None:
        self.exact, self.tick = exact, float(stream.time_base)
        rate = getattr(stream, "average_rate", None)
        self.usual = float(1 / rate) if rate else 0.0
        self.count = 0
        self.last: int | None = None
        self.steps: list[_Step] = []
        self.spans: list[tuple[float, float]] = []
        """Seconds from the first picture to the end of the last one, between two steps."""

    def take(self, packet: Any, arrival: int, sounds: int) -> None:
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is not None:
            begin = stamp * self.tick
            back = self._goes_back(packet, begin)
            if back:
                self.steps.append(_Step(arrival, self.count, sounds))
            end = begin + (packet.duration * self.tick if packet.duration else self.usual)
            if back or not self.spans:
                self.spans.append((begin, end))
            self.spans[-1] = min(self.spans[-1][0], begin), max(self.spans[-1][1], end)
        self.last = self.last if packet.dts is None else packet.dts
        self.count += 1

    def _goes_back(self, packet: Any, begin: float) -> bool:
        if self.exact:
            return None not in (packet.dts, self.last) and packet.dts < self.last
        return bool(self.spans) and packet.is_keyframe and begin < self.spans[-1][1] - REORDERED


def _of_packets(container: Any, picture: Any, sound: Any) -> tuple[Restart, ...]:
    exact = bool(container.format.flags & load_av().format.Flags.ts_discont.value)
    tracks = {stream.index: _Track(stream, exact) for stream in (picture, sound) if stream is not None}
    for arrival, packet in enumerate(container.demux([picture] if sound is None else [picture, sound])):
        if packet.size:
            heard = tracks[sound.index].count if sound is not None else 0
            tracks[packet.stream.index].take(packet, arrival, heard)
    seen, others = tracks[picture.index], tracks[sound.index].steps if sound is not None else []
    restarts, shift = [], 0.0
    for number, step in enumerate(seen.steps[: len(seen.spans) - 1]):
        (_, end), (begin, _) = seen.spans[number : number + 2]
        shift += end - begin
        restarts.append(Restart(step.packet, _of_sound(seen.steps, number, others), shift, end - begin))
    return tuple(restarts)


def _of_sound(steps: Sequence[_Step], number: int, others: Sequence[_Step]) -> int:
    """The sound's first packet after a restart of the picture: where its own clock goes back nearest to there; where
    it does not, the packet that comes next."""
    after = steps[number - 1].arrival if number else -1
    before = steps[number + 1].arrival if number + 1 < len(steps) else float("inf")
    near = [other for other in others if after < other.arrival < before]
    own = steps[number]
    return min(near, key=lambda other: abs(other.arrival - own.arrival)).packet if near else own.sounds
