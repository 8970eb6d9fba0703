"""Which picture and which sound of a file count: the ones that players and ffmpeg choose."""

from __future__ import annotations

from typing import Any, Literal

from facial_bench.media.load import load_av

Kind = Literal["video", "audio"]
LOOKED_AT = 250
"""Pictures of the busiest stream that are counted."""
SLOWER = 5
"""Times slower than another stream that a stream of slides is."""
NOUNS = {"video": "picture", "audio": "sound"}
"""What messages call the kinds."""


def choose_stream(container: Any, kind: Kind) -> Any:
    """The stream that is marked as the default one; of several or none, the one that ffmpeg holds for the best.

    Cover art, thumbnails and slides are no videos. None where there is nothing to choose from.
    """
    streams = candidates(container, kind)
    if not streams:
        return None
    best, default = container.streams.best(kind), load_av().stream.Disposition.default
    slow = _slides(container, streams) if kind == "video" and len(streams) > 1 else set()
    return max(
        streams, key=lambda stream: (stream.index not in slow, bool(stream.disposition & default), stream is best)
    )


def _slides(container: Any, streams: list[Any]) -> set[int]:
    """Indices of the picture streams that have far fewer pictures than another one, in the first seconds."""
    counts = dict.fromkeys((stream.index for stream in streams), 0)
    with load_av().open(container.name, metadata_errors="replace") as again:
        for packet in again.demux([again.streams[index] for index in counts]):
            counts[packet.stream.index] += bool(packet.size)
            if max(counts.values()) == LOOKED_AT:
                break
    return {index for index, count in counts.items() if count < max(counts.values()) / SLOWER}


def candidates(container: Any, kind: Kind) -> list[Any]:
    """The streams of a kind that can be decoded, in order, without stills."""
    marks = load_av().stream.Disposition
    still = marks.attached_pic | marks.timed_thumbnails | marks.still_image
    streams = getattr(container.streams, kind)
    return [stream for stream in streams if stream.codec_context is not None and not stream.disposition & still]


def say_choice(container: Any, kind: Kind) -> str:
    """One clause on which of several streams is used; empty where there is one or none.

    For example "2 picture streams: number 1 (h264, 256 x 256, marked default) is used".
    """
    streams, chosen = candidates(container, kind), choose_stream(container, kind)
    if len(streams) < 2:
        return ""
    codec = chosen.codec_context
    facts = [codec.name, f"{codec.width} x {codec.height}" if kind == "video" else f"{codec.sample_rate} Hz"]
    facts += [chosen.language] if chosen.language not in (None, "und") else []
    facts += ["marked default"] if chosen.disposition & load_av().stream.Disposition.default else []
    return f"{len(streams)} {NOUNS[kind]} streams: number {chosen.index} ({', '.join(facts)}) is used"
