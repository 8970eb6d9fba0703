"""A renderer, called as the contract says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facial_bench.types import Appearance, Camera, Context, CorpusInfo, Crop, Motion, RendererSpec
from facial_bench_worker.errors import FacialBenchError, GenerationError
from facial_bench_worker.records import picture_request_message, read_picture_request
from facial_bench_worker.render_host import RenderHost

SIZE = 8
INFO = CorpusInfo("c", "1", "0" * 64, 25.0, "mel29", 29, "cm", "px", "closure", ("ann",))
MOTION = Motion(np.zeros((5, 64), np.float32), np.zeros((5, 6), np.float32), np.zeros(5, np.float32))
LIKE = Appearance("ann", Crop(1.5, 2.5, 40.0, SIZE), 25.0)
VIEW = Camera(64, 48, 50.0)


def host(answer: Callable[[int], Any], options: dict[str, str] | None = None) -> RenderHost:
    class Made:
        def fit(self, videos: Any, context: Any) -> None:
            pass

        def render(self, motion: Any, camera: Any, like: Any) -> Any:
            return answer(motion.frames)

        def state_dict(self) -> Any:
            return {"a": answer(1)}

        def load_state_dict(self, state: Any, context: Any) -> None:
            pass

    context = Context(INFO, 0, "cpu", options=options or {})
    return RenderHost(RendererSpec("made", "x", "x", lambda context: Made(), options={"steps": "how many"}), context)


def pictures(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, SIZE, SIZE, 3), np.uint8)


@pytest.mark.parametrize("cut", [lambda every: every, lambda every: [every[:2], every[2:2], every[2:]]])
def test_the_pictures_of_an_array_or_of_blocks(tmp_path: Path, cut: Callable[[Any], Any]) -> None:
    path = tmp_path / "made.rgb"
    host(lambda n: cut(pictures(n))).render(MOTION, VIEW, LIKE, str(path))
    np.testing.assert_array_equal(np.fromfile(path, np.uint8).reshape(5, SIZE, SIZE, 3), pictures(5))
    host(lambda n: pictures(n)).render(MOTION[:0], VIEW, LIKE, str(path))
    assert path.stat().st_size == 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda n: pictures(n - 1), "gave 4 pictures for 5 frames of motion"),
        (lambda n: pictures(n + 1), "gave more than the 5 pictures"),
        (lambda n: (pictures(3) for _ in iter(int, 1)), "gave more than the 5 pictures"),
        (lambda n: pictures(n).astype(float), r"gave float64 \(5, 8, 8, 3\)"),
        (lambda n: pictures(n)[:, :4], r"gave uint8 \(5, 4, 8, 3\), expected uint8 \(n, 8, 8, 3\)"),
        (lambda n: None, "gave NoneType, expected pictures"),
        (lambda n: [None], "gave NoneType, expected uint8"),
        (lambda n: pictures(n).tolist(), "gave list"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, answer: Callable[[int], Any], reason: str) -> None:
    with pytest.raises(GenerationError, match=reason):
        host(answer).render(MOTION, VIEW, LIKE, str(tmp_path / "made.rgb"))


def test_options_that_are_not_declared_are_refused() -> None:
    with pytest.raises(FacialBenchError, match=r"renderer made: unknown option 'step'\. Did you mean 'steps'\?"):
        host(pictures, {"step": "3"})
    assert host(pictures, {"steps": "3"}).stateful


def test_a_state_is_arrays_of_numbers() -> None:
    assert host(pictures).state()["a"].shape == (1, SIZE, SIZE, 3)
    with pytest.raises(GenerationError, match="state_dict holds a, str: give numpy arrays of numbers"):
        host(lambda n: "x").state()


def test_a_request_crosses_the_pipe() -> None:
    motion, camera, like = read_picture_request(*picture_request_message(MOTION, VIEW, LIKE))
    assert (camera, like) == (VIEW, LIKE) and motion.landmarks is None
    np.testing.assert_array_equal(motion.state(), MOTION.state())
    assert not motion.pose.flags.writeable
