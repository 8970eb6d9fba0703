"""Files with a second film behind the first one, as `cat` joins them: read on, or told; valid files stay quiet."""

from __future__ import annotations

import struct
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV is not installed: pip install -r requirements-video.txt")

from facial_bench.corpora.from_videos.notices import say_losses
from facial_bench.media.load import load_av
from facial_bench.media.unread import ASF_HEADER, Rest, find_rest
from facial_bench.media.video import Video
from tests.helpers.media import moving, tone
from tests.helpers.odd_videos import Pictures, Voice, join, write_streams

FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "200000"}


def box(kind: str, content: bytes = b"", long: bool = False) -> bytes:
    """An MP4 box; its size in 64 bits or in 32."""
    if long:
        return struct.pack(">I4sQ", 1, kind.encode("latin-1"), 16 + len(content)) + content
    return struct.pack(">I4s", 8 + len(content), kind.encode("latin-1")) + content


FTYP, MOOV, MDAT = box("ftyp", b"isom"), box("moov", bytes(40)), box("mdat", b"\x7f" * 300)
FRAGMENT = box("styp", b"msdh") + box("sidx", bytes(20)) + box("moof", bytes(30)) + MDAT
VALID = {
    "the table last": FTYP + box("free") + MDAT + MOOV,
    "the table first": FTYP + MOOV + box("free", bytes(99)) + MDAT,
    "64 bits": FTYP + box("mdat", bytes(400), long=True) + MOOV,
    "data to the end": FTYP + MOOV + struct.pack(">I4s", 0, b"mdat") + FTYP + bytes(300),
    "fragments": FTYP + MOOV + 50 * FRAGMENT + box("mfra", bytes(16)),
    "an old QuickTime film": box("wide") + MDAT + MOOV,
    "boxes of makers": FTYP + box("uuid", bytes(600)) + MDAT + MOOV + box("\xa9xyz", bytes(900)),
    "filled up with zeros": FTYP + MDAT + MOOV + bytes(4000),
    "a little of no kind": FTYP + MDAT + MOOV + b"\x07" * 20,
    "cut in its data": FTYP + MOOV + MDAT[:200],
    "no box at all": b"abc",
}
SECOND = {
    "the tables last": (FTYP + MDAT + MOOV, FTYP + MDAT + MOOV),
    "the tables first": (FTYP + MOOV + MDAT, FTYP + MOOV + MDAT),
    "the second one incomplete": (FTYP + MOOV + MDAT, FTYP + MDAT[:100]),
    "old QuickTime, tables last": (MDAT + MOOV, box("wide") + MDAT + MOOV),
    "old QuickTime, tables first": (MOOV + MDAT, MOOV + MDAT),
}


@pytest.mark.parametrize("content", VALID.values(), ids=VALID)
def test_valid_files_have_nothing_behind_them(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_bytes(content)
    assert find_rest(tmp_path / "v.mp4", "mov") is None


@pytest.mark.parametrize("parts", SECOND.values(), ids=SECOND)
def test_where_a_second_film_begins(parts: tuple[bytes, bytes], tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_bytes(b"".join(parts))
    size = sum(map(len, parts))
    assert find_rest(tmp_path / "v.mp4", "mov") == Rest(len(parts[0]), len(parts[1]) / size, True)


def test_much_of_no_known_kind_is_told(tmp_path: Path) -> None:
    film = FTYP + MDAT + MOOV
    for other in (
        b"\x1a\x45\xdf\xa3" + bytes(400),
        b"PK\x03\x04\x14\0\0\0" + bytes(400),
        b"A text, or what else. " * 20,
    ):
        (tmp_path / "v.mp4").write_bytes(film + other)
        rest = find_rest(tmp_path / "v.mp4", "mov")
        assert rest == Rest(len(film), len(other) / len(film + other), False)


def test_bytes_of_any_kind_are_looked_at(tmp_path: Path) -> None:
    """Cut anywhere, or noise: never an error."""
    rng, path = np.random.default_rng(0), tmp_path / "v.mp4"
    film = FTYP + box("mdat", bytes(8), long=True) + MOOV + FTYP
    for content in (*(film[:k] for k in range(len(film))), *(rng.bytes(60) for _ in range(20))):
        for head, form in ((b"", "mov"), (b"FLV\x01", "flv"), (b"RIFF", "avi"), (ASF_HEADER, "asf"), (b"", "matroska")):
            path.write_bytes(head + content)
            rest = find_rest(path, form)
            assert rest is None or 0 < rest.begin < len(head + content)
    assert find_rest(tmp_path / "gone.mp4", "mov") is None


def test_a_long_avi_and_one_that_was_never_ended(tmp_path: Path) -> None:
    def riff(kind: bytes, content: bytes, size: int | None = None) -> bytes:
        return b"RIFF" + struct.pack("<I", 4 + len(content) if size is None else size) + kind + content

    film = riff(b"AVI ", bytes(101)) + b"\0" + riff(b"AVIX", bytes(200))
    for content, begin in ((film, None), (riff(b"AVI ", bytes(9000), 0), None), (film + film, len(film))):
        (tmp_path / "v.avi").write_bytes(content)
        rest = find_rest(tmp_path / "v.avi", "avi")
        assert (rest.begin if rest else None) == begin


def made(folder: Path, ending: str, options: dict[str, str]) -> tuple[Path, Path, Path]:
    """Two films of 50 and 60 pictures, and both in one file."""
    av, parts = load_av(), []
    codec = "mpeg4" if ending in (".avi", ".asf") else "libx264"
    for name, frames in (("a", 50), ("b", 60)):
        path = write_streams(
            folder / f"{name}{ending}",
            Pictures(moving(frames), codec=codec),
            Voice(tone(frames / 25), codec="mp3" if codec == "mpeg4" else "aac"),
        )
        if options:
            copy = folder / f"{name}-copy{ending}"
            with av.open(str(path)) as source, av.open(str(copy), "w", options=options) as target:
                streams = [target.add_stream_from_template(stream) for stream in source.streams]
                for packet in source.demux():
                    if packet.dts is not None:
                        packet.stream = streams[packet.stream.index]
                        target.mux(packet)
            path = copy
        parts.append(path)
    return (*parts, join(folder / f"joined{ending}", *parts))


def told(path: Path) -> tuple[int, str]:
    """Pictures that were read, and what a build says of the file."""
    with Video(path) as video:
        seen = [one for _, one in video.read()]
        counts = {name: sum(getattr(one, name) for one in seen) for name in ("retimed", "dropped", "undecoded")}
        return len(seen), "; ".join(say_losses(video, [SimpleNamespace(damaged=0, **counts)], 0.0, 0.0))


def test_data_of_no_kind_are_told_in_a_line(tmp_path: Path) -> None:
    path = write_streams(tmp_path / "v.mp4", Pictures(moving(25)))
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"\x1a\x45\xdf\xa3" * size)
    assert told(path) == (25, f"bytes {size:,} to the end, 80 % of the file, are no part of its film")


@pytest.mark.parametrize(
    ("ending", "options", "frames", "what"),
    [
        (".mp4", {}, 50, "not read"),
        (".mp4", {"movflags": "faststart"}, 50, "not read"),
        (".mov", {}, 50, "not read"),
        (".flv", {}, 50, "not read"),
        (".asf", {}, 50, "not read"),
        (".avi", {}, 110, "read on"),
        (".mkv", {}, 110, "its clock goes back by 2.00 s: 60 frames"),
        (".mkv", {"live": "1"}, 110, "its clock goes back by 2.00 s: 60 frames"),
        (".ts", {}, 110, "its clock goes back by 2.00 s: 60 frames"),
    ],
)
def test_a_second_film_is_read_on_or_told(
    ending: str, options: dict[str, str], frames: int, what: str, tmp_path: Path
) -> None:
    first, second, both = made(tmp_path, ending, options)
    assert told(first) == (50, "")
    assert told(second) == (60, "")
    begin, size = first.stat().st_size, both.stat().st_size
    where = f"bytes {begin:,} to the end, {100 * (size - begin) / size:.0f} % of the file, hold a second film"
    split = f"split the file there (head -c {begin}, tail -c +{begin + 1})"
    wanted = {
        "not read": f"{where} that was not read: {split}",
        "read on": f"{where}: its pictures and its sound begin where each of the first one's end; {split}",
    }.get(what, f"{what} from there on are timed anew")
    assert told(both) == (frames, wanted)


def test_joined_fragments_are_read_on_and_what_is_lost_is_counted(tmp_path: Path) -> None:
    """ffmpeg's demuxer gives some pictures of the second film with a mark that decoders leave out."""
    *_, both = made(tmp_path, ".mp4", FRAGMENTS)
    frames, said = told(both)
    lost = 110 - frames
    assert lost < 10
    assert (
        said == f"{lost} frames cannot be decoded; its clock goes back by 2.06 s: {60 - lost} frames from there on "
        "are timed anew"
    )
