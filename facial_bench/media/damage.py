"""Which decoded pictures rest on damaged data.

A decoder conceals what it cannot decode, marks at most the picture that was hit, and predicts the next ones from it:
faces that are some per cent off, until a picture comes that stands for itself.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import Any


class DamageLog:
    """What was sent to a decoder, what came back, what failed. Packets and pictures are matched by their stamps."""

    def __init__(self) -> None:
        self._sent = 0
        self._waiting: dict[int, int] = {}  # time stamp -> number of its packet, of pictures that have not come
        self._keys: list[int] = []
        self._hits: list[int] = []
        self.failed = 0
        """Packets that the decoder refused."""
        self.before_first = 0
        """Packets whose pictures should have come before the first one that came, at the start and where a clock
        starts again: there was no key frame yet."""
        self._first, self._joined = True, False
        self._last = -1  # number of the last picture's packet
        self._failed_since = 0

    def send(self, packet: Any) -> None:
        """Note a packet that goes to the decoder."""
        if packet.is_keyframe:
            self._keys.append(self._sent)
        if packet.pts is not None and not packet.is_discard:  # what an edit list cuts away does not come
            self._waiting[packet.pts] = self._sent
        elif packet.is_discard and self._joined:  # a demuxer that holds joined fragments for times that were given
            self.failed += 1
        self._sent += 1

    def fail(self) -> None:
        """Note that the decoder raised. With threads it does so some packets late: it may be any that has not come."""
        self.failed += 1
        self._failed_since += 1
        insort(self._hits, min(self._waiting.values(), default=self._sent - 1))

    def receive(self, frame: Any) -> int:
        """Note a picture that came, and give the number of its packet."""
        number = self._waiting.pop(frame.pts, max(self._sent - 1, 0))
        past = [stamp for stamp in self._waiting if frame.pts is not None and stamp < frame.pts]
        if self._first:
            self._first = False
            self.before_first += len(past)
        for stamp in past:
            del self._waiting[stamp]
        self._last, self._failed_since = max(self._last, number), 0
        if frame.is_corrupt:
            insort(self._hits, number)
        return number

    def join(self) -> None:
        """Note that time stamps begin again."""
        self.end()
        self._waiting.clear()
        self._first = self._joined = True

    def end(self) -> None:
        """Note that nothing comes any more of what was sent. With threads a decoder may say nothing of that."""
        if self._first:
            self.before_first += len(self._waiting)
        else:
            after = sum(number > self._last for number in self._waiting.values())
            self.failed += max(after - self._failed_since, 0)

    def is_damaged(self, number: int) -> bool:
        """Whether the picture of a packet was hit, or depends on one that was: no key frame lies between the two."""
        hits = bisect_right(self._hits, number)
        if not hits:
            return False
        key = bisect_right(self._keys, number)
        return not key or self._keys[key - 1] <= self._hits[hits - 1]
