"""Messages through a pipe: whole, bounded, and nothing is believed before it is checked."""

from __future__ import annotations

import json
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from facial_bench_worker.pipe import MAGIC, GarbageError, Message, Pipe, PipeClosedError, SilenceError


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    source, sink = os.pipe()
    yield source, sink
    for end in (source, sink):
        try:
            os.close(end)
        except OSError:
            continue


def raw(header: object, *, length: int | None = None, magic: bytes = MAGIC) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return magic + struct.pack("<I", len(text) if length is None else length) + text


def test_arrays_of_any_shape_and_order_come_back_as_they_are(ends: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "matrix": rng.standard_normal((3, 4)),
        "columns": rng.standard_normal((4, 6)).astype(np.float32)[:, ::2],
        "transposed": rng.standard_normal((2, 3, 4)).T,
        "nothing": np.zeros((0, 5), np.float32),
        "scalar": np.array(7, ">i4"),
        "flags": np.array([True, False]),
        "not finite": np.array([np.nan, np.inf]),
    }
    Pipe(*ends).send("hello", {"text": "é", "list": [1, None]}, arrays)
    message = Pipe(*ends).receive(10_000)
    assert (message.kind, message.values) == ("hello", {"text": "é", "list": [1, None]})
    assert list(message.arrays) == list(arrays)
    for name, array in arrays.items():
        came = message.arrays[name]
        assert came.shape == array.shape
        assert came.dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(came, array)


def test_a_message_larger_than_the_pipe_goes_through(ends: tuple[int, int]) -> None:
    array = np.arange(500_000, dtype=np.float64)
    writer = threading.Thread(target=Pipe(*ends).send, args=("big", {}, {"x": array}))
    writer.start()
    np.testing.assert_array_equal(Pipe(*ends).receive(array.nbytes).arrays["x"], array)
    writer.join()


@pytest.mark.parametrize(
    "array", [np.array([object()]), np.array(["text"]), np.array([1j]), [1.0, 2.0]], ids=lambda a: type(a).__name__
)
def test_only_numbers_and_booleans_are_sent(array: np.ndarray, ends: tuple[int, int]) -> None:
    with pytest.raises(TypeError, match=r"x is an? .*expected"):
        Pipe(*ends).send("hello", {}, {"x": array})


LYING = {
    "10 GB": {"kind": "answer", "values": {}, "arrays": [["x", "<f8", [1_250_000_000]]]},
    "more than a machine has": {"kind": "answer", "values": {}, "arrays": [["x", "<f8", [2**40, 2**40, 2**40]]]},
    "negative": {"kind": "answer", "values": {}, "arrays": [["x", "<f8", [-1]]]},
    "no whole number": {"kind": "answer", "values": {}, "arrays": [["x", "<f8", [1.5]]]},
    "true": {"kind": "answer", "values": {}, "arrays": [["x", "<f8", [True]]]},
    "objects": {"kind": "answer", "values": {}, "arrays": [["x", "|O", [1]]]},
    "text": {"kind": "answer", "values": {}, "arrays": [["x", "<U9", [1]]]},
    "twice": {"kind": "answer", "values": {}, "arrays": [["x", "<f8", [1]], ["x", "<f8", [1]]]},
    "nothing, but huge": {"kind": "answer", "values": {}, "arrays": [["x", "<f8", [0, 2**47, 2**47, 2**47]]]},
    "name is a list": {"kind": "answer", "values": {}, "arrays": [[["x"], "<f8", [1]]]},
    "no name": {"kind": "answer", "values": {}, "arrays": [[None, "<f8", [1]]]},
    "40 dimensions": {"kind": "answer", "values": {}, "arrays": [["x", "<f8", [1] * 40]]},
    "no arrays": {"kind": "answer", "values": {}},
    "a list": [1, 2],
    "values are a list": {"kind": "answer", "values": [], "arrays": []},
    "kind is a number": {"kind": 1, "values": {}, "arrays": []},
    "dtype is a list": {"kind": "answer", "values": {}, "arrays": [["x", ["<f8"], [1]]]},
}


@pytest.mark.parametrize("header", LYING.values(), ids=LYING)
def test_a_lying_header_is_refused_before_memory_is_taken(header: object, ends: tuple[int, int]) -> None:
    os.write(ends[1], raw(header))
    before = time.monotonic()
    with pytest.raises(GarbageError):
        Pipe(*ends).receive(1 << 20)
    assert time.monotonic() - before < 1


@pytest.mark.parametrize(
    "content",
    [
        b"hello, I only print",
        raw(b"{}", magic=b"FBM2"),
        raw(b"", length=2**32 - 1),
        raw(b"\xff\xfe{}"),
        raw(b"[" * 100_000),
        raw(b'{"kind": "answer", "values": {"x": NaN}, "arrays": []}'),
        raw(b'{"kind": "answer", "values": {"x": ' + b"9" * 10_000 + b'}, "arrays": []}'),
    ],
    ids=["text", "magic", "length", "encoding", "depth", "nan", "digits"],
)
def test_what_is_no_message_is_garbage(content: bytes, ends: tuple[int, int]) -> None:
    threading.Thread(target=os.write, args=(ends[1], content), daemon=True).start()
    with pytest.raises(GarbageError):
        Pipe(*ends).receive(1 << 20)


def test_more_bytes_than_were_asked_for_are_refused_and_as_many_are_taken(ends: tuple[int, int]) -> None:
    array = np.zeros(100, np.float32)
    Pipe(*ends).send("answer", {}, {"x": array})
    with pytest.raises(GarbageError, match="at most were asked for"):
        Pipe(*ends).receive(399)
    os.read(ends[0], 400)
    Pipe(*ends).send("answer", {}, {"x": array})
    assert Pipe(*ends).receive(400).arrays["x"].nbytes == 400


def test_the_end_in_the_middle_of_a_message_is_the_end(ends: tuple[int, int]) -> None:
    os.write(ends[1], raw({"kind": "answer", "values": {}, "arrays": []})[:20])
    os.close(ends[1])
    with pytest.raises(PipeClosedError):
        Pipe(ends[0], ends[0]).receive(0)


def test_nobody_who_reads_is_the_end_too(ends: tuple[int, int]) -> None:
    os.close(ends[0])
    with pytest.raises(PipeClosedError):
        Pipe(ends[1], ends[1]).send("hello", {}, {"x": np.zeros(10)})


@pytest.mark.parametrize("act", [lambda pipe, until: pipe.receive(0, until), lambda pipe, until: flood(pipe, until)])
def test_silence_ends_at_the_deadline(act: Callable[[Pipe, float], None], ends: tuple[int, int]) -> None:
    for end in ends:
        os.set_blocking(end, False)
    ticks: list[float] = []
    pipe = Pipe(*ends, tick=lambda: ticks.append(time.monotonic()), every=0.02)
    start = time.monotonic()
    with pytest.raises(SilenceError):
        act(pipe, start + 0.2)
    assert 0.15 < time.monotonic() - start < 2
    assert len(ticks) > 2


def flood(pipe: Pipe, until: float) -> None:
    pipe.send("big", {}, {"x": np.zeros(1 << 20)}, until)


def test_what_a_tick_raises_ends_the_waiting(ends: tuple[int, int]) -> None:
    def tick() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Pipe(*ends, tick=tick, every=0.01).receive(0)


def test_threads_do_not_mix_their_messages(ends: tuple[int, int]) -> None:
    pipe = Pipe(*ends)

    def say(number: int) -> None:
        for _ in range(20):
            pipe.send("log", {"number": number}, {"x": np.full(500, number)})

    threads = [threading.Thread(target=say, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    came: list[Message] = [pipe.receive(1 << 16) for _ in range(80)]
    for thread in threads:
        thread.join()
    assert all((message.arrays["x"] == message.values["number"]).all() for message in came)
