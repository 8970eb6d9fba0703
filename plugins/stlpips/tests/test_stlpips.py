"""ST-LPIPS: equal to the wheel's own call, near 0 for shifts, refused with other weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("stlpips_pytorch", reason="stlpips_pytorch is not installed: pip install -r requirements-video.txt")

from facial_bench.errors import FacialBenchError
from facial_bench_stlpips.distance import ShiftTolerantDistance
from facial_bench_stlpips.plugin import facial_bench_picture_metrics
from facial_bench_stlpips.weights import find_weights

WHEEL = """
import sys, types
import numpy as np, torch

for name in ("torchvision", "torchvision.models", "IPython", "torchsummary"):  # imported at the top, used by other nets
    sys.modules[name] = types.ModuleType(name)
sys.modules["torchvision"].models = sys.modules["torchvision.models"]
sys.modules["IPython"].embed = sys.modules["torchsummary"].summary = None
from stlpips_pytorch import stlpips, utils

torch.set_num_threads(1)
metric = stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False)
pictures = np.load(sys.argv[1], allow_pickle=False)
with torch.no_grad():
    for one, two in pictures:
        print(float(metric(utils.im2tensor(one), utils.im2tensor(two))))
"""
"""The wheel's own call, in a process of its own; what its other networks need is replaced by empty modules."""
NOWHERE = np.zeros((1, 68, 2))


@pytest.fixture(scope="module")
def metric() -> ShiftTolerantDistance:
    return ShiftTolerantDistance(find_weights(None))


def pictures(size: int, count: int = 2) -> np.ndarray:
    """(count, size, size, 3) uint8: soft shapes and some noise."""
    rng = np.random.default_rng(size)
    y, x = np.mgrid[:size, :size] / size
    waves = [np.sin(9 * x * rng.normal(1, 0.3, 3)[:, None, None] + 7 * y) for _ in range(count)]
    return np.stack(
        [np.clip(128 + 90 * wave.transpose(1, 2, 0) + rng.normal(0, 8, (size, size, 3)), 0, 255) for wave in waves]
    ).astype(np.uint8)


def test_listing_the_metric_imports_nothing_heavy() -> None:
    (spec,) = facial_bench_picture_metrics()
    assert (spec.id, spec.higher_is_better) == ("lpips/shift-tolerant", False)
    code = (
        "import sys, facial_bench_stlpips.plugin as p; p.facial_bench_picture_metrics();"
        "print({'torch', 'stlpips_pytorch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_it_equals_the_call_of_the_wheel(metric: ShiftTolerantDistance, tmp_path: Path) -> None:
    pairs = np.stack([pictures(64), pictures(64)[::-1]], axis=1)
    pairs[1, 1] = np.clip(pairs[1, 0].astype(int) + 12, 0, 255)
    np.save(tmp_path / "pairs.npy", pairs)
    command = [sys.executable, "-W", "ignore", "-c", WHEEL, str(tmp_path / "pairs.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    theirs = np.array([float(line) for line in done.stdout.split()])
    assert theirs.min() > 1e-3
    np.testing.assert_allclose(metric(pairs[:, 0], pairs[:, 1], NOWHERE), theirs, rtol=1e-4)


def test_equal_pictures_have_no_distance_and_sides_may_change(metric: ShiftTolerantDistance) -> None:
    one, two = pictures(48)[:, None]
    assert metric(one, one, NOWHERE) == pytest.approx(0, abs=1e-9)
    assert metric(one, two, NOWHERE) == pytest.approx(metric(two, one, NOWHERE), rel=1e-5)


def test_a_shift_costs_less_than_noise_that_is_as_far_in_grey_levels(metric: ShiftTolerantDistance) -> None:
    real = pictures(64, 1)
    shifted = np.roll(real, 1, axis=2)
    noisy = np.clip(real + np.random.default_rng(0).normal(0, (real.astype(int) - shifted).std(), real.shape), 0, 255)
    assert metric(real, shifted, NOWHERE) < 0.5 * metric(real, noisy.astype(np.uint8), NOWHERE)


def test_wrong_pictures_are_value_errors(metric: ShiftTolerantDistance) -> None:
    with pytest.raises(ValueError, match="rendered pictures are"):
        metric(pictures(48), pictures(48)[:1], NOWHERE)
    with pytest.raises(ValueError, match="32 px a side or more"):
        metric(pictures(16), pictures(16), NOWHERE)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    own = find_weights(None)
    copy = tmp_path / "weights.pth"
    copy.write_bytes(own.read_bytes())
    assert find_weights(copy) == copy
    copy.write_bytes(own.read_bytes()[:-1])
    with pytest.raises(FacialBenchError, match="does not hold the weights that lpips/shift-tolerant is defined with"):
        find_weights(copy)
    with pytest.raises(FacialBenchError, match="nowhere cannot be read"):
        find_weights(Path("nowhere"))


def test_without_the_wheel_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facial_bench_stlpips.weights.PACKAGE", "no_such_package")
    with pytest.raises(FacialBenchError, match="pip install --no-deps no_such_package"):
        find_weights(None)
