"""What a build says of a video besides its clips: what was lost or changed on the way, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from facial_bench.corpora.from_videos.tracking import Shot
from facial_bench.media.video import Video

LONGER = 1.0
"""Seconds that sound may go on after the last picture without a word."""


def say_losses(video: Video, shots: Sequence[Shot], silenced: float, longer: float) -> Iterator[str]:
    """One clause for each kind of loss or change.

    Args:
        video: That was read.
        shots: All of it, left out or not.
        silenced: Seconds of sound that could not be decoded.
        longer: Seconds by which the sound goes on after the last picture.
    """
    damaged, retimed, dropped, undecoded = (
        sum(getattr(shot, name) for shot in shots) for name in ("damaged", "retimed", "dropped", "undecoded")
    )
    first = min(video.undecoded_first, undecoded)
    if first:
        yield f"its first {_frames(first)} cannot be decoded: it begins between two key frames"
    if undecoded > first:
        yield f"{_frames(undecoded - first)} cannot be decoded"
    if damaged:
        yield f"{_frames(damaged)} from damaged data, up to the next key frame, count as frames without a face"
    if video.restarts:
        steps = ", ".join(f"{restart.back:.2f} s" for restart in video.restarts)
        yield f"its clock goes back by {steps}: {_frames(retimed)} from there on are timed anew"
    elif retimed:
        yield f"{_frames(retimed)} timed by the order of decoding: the file states no other time that grows"
    if dropped:
        yield f"{_frames(dropped)} left out: their time is not later than that of the frame before"
    yield from say_rest(video)
    if longer > LONGER and not video.restarts:
        yield f"its sound goes on for {longer:.1f} s after the last picture"
    if silenced:
        yield f"{silenced:.2f} s of its sound cannot be decoded and are silence"


def say_rest(video: Video) -> Iterator[str]:
    """A clause on what a file holds behind its first film; none where restarts of the clock tell of it.

    Args:
        video: That was read.
    """
    rest = video.rest
    if rest is None:
        return
    where = f"bytes {rest.begin:,} to the end, {100 * rest.share:.0f} % of the file,"
    split = f"split the file there (head -c {rest.begin}, tail -c +{rest.begin + 1})"
    if rest.begin > video.farthest:
        yield (
            f"{where} hold a second film that was not read: {split}"
            if rest.is_film
            else f"{where} are no part of its film"
        )
    elif rest.is_film and not video.restarts:
        yield f"{where} hold a second film: its pictures and its sound begin where each of the first one's end; {split}"


def _frames(count: int) -> str:
    return f"{count} frame{'s' * (count != 1)}"
