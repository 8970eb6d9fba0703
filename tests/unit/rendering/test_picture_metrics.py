"""Pixel metrics of plugins: found with their weights, measured as any other; without, absent with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facial_bench.core.errors import FacialBenchError, PluginError, ResultError
from facial_bench.metrics.image.maps import Maps
from facial_bench.metrics.image.metric import ImageMetric
from facial_bench.metrics.image.pair import Pair
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.plugin_api.picture_metrics import find_picture_metrics, named_in
from facial_bench.rendering.cycle import NO_TRACKER
from facial_bench.rendering.protocol import PictureProtocol
from facial_bench.rendering.scorer import PictureScorer

RULES = PictureProtocol(size=64)
PLUGIN = """
import numpy as np
from facial_bench import hookimpl
from facial_bench.errors import FacialBenchError
from facial_bench.types import PictureMetricSpec


def weights(chosen):
    if chosen is None:
        raise FacialBenchError("No weights here. Name them.")
    return chosen


def create(path):
    scale = float(path.read_text())

    def measure(real, rendered, landmarks):
        {body}

    return measure


@hookimpl
def facial_bench_picture_metrics():
    return [PictureMetricSpec({name!r}, 1, "1", False, "scaled error", family="pictures", ranked=True,
                              weights=weights, create=create)]
"""
SCALED = "return scale * np.abs(real.astype(float) - rendered).mean(axis=(1, 2, 3))"


@pytest.fixture
def brought(tmp_path: Path) -> Callable[..., ImageMetric]:
    """brought(body, weights="2") -> the metric of a plugin with that body."""

    def make(body: str = SCALED, weights: str | None = "2", name: str = "mine/scaled") -> ImageMetric:
        file = tmp_path / "mine.py"
        file.write_text(PLUGIN.format(body=body, name=name))
        models = {}
        if weights is not None:
            models[name] = tmp_path / f"{weights}.txt"
            models[name].write_text(weights)
        (metric,) = find_picture_metrics(load_plugins([file], installed=[]), RULES, models)
        return metric

    return make


def block(frames: int = 3) -> Pair:
    rng = np.random.default_rng(0)
    real, rendered = rng.integers(0, 256, (2, frames, 64, 64, 3), dtype=np.uint8)
    return Pair(real, rendered, rng.uniform(10, 50, (frames, 68, 2)), None)


def measured(metric: ImageMetric, pair: Pair) -> np.ndarray:
    return metric.measure(pair, Maps(pair))


def test_a_metric_is_measured_with_the_weights_that_were_named(brought: Callable[..., ImageMetric]) -> None:
    pair = block()
    error = np.abs(pair.real.astype(float) - pair.rendered).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(measured(brought(), pair), 2 * error[:, None])
    assert brought().value(measured(brought(), pair)) == pytest.approx(2 * error.mean())
    assert not brought().ranked, "a plugin's metric ranks nobody"


def test_two_weights_are_two_definitions(brought: Callable[..., ImageMetric]) -> None:
    two, three = brought(weights="2"), brought(weights="3")
    assert two.formula != three.formula and two.formula.startswith("scaled error; weights SHA-256 ")
    assert two.source == three.source != ""


def test_without_its_weights_it_is_absent_and_says_why(brought: Callable[..., ImageMetric]) -> None:
    metric = brought(weights=None)
    assert (metric.absent, metric.formula) == ("No weights here. Name them.", "scaled error")


def test_a_model_of_a_metric_that_nobody_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FacialBenchError, match=r"'csmi'.*Load its plugin: --metric-plugin"):
        find_picture_metrics(load_plugins(installed=[]), RULES, {"csmi": tmp_path})


@pytest.mark.parametrize("name", ["psnr/face", "cycle_lmd"])
def test_the_name_of_one_of_the_protocols_is_refused(brought: Callable[..., ImageMetric], name: str) -> None:
    with pytest.raises(PluginError, match=f"mine.py registers the metric '{name}', which the protocol defines"):
        brought(name=name)


@pytest.mark.parametrize(
    ("body", "weights", "told"),
    [
        ("return np.zeros(len(real) + 1)", "2", r"mine/scaled gave \(4,\) values for 3 frames"),
        ("return np.full(len(real), np.inf)", "2", "mine/scaled gave infinite values"),
        ("return 1 / 0", "2", r"the metric mine/scaled failed: ZeroDivisionError.*mine.py, line 18"),
        (SCALED, "two", r"loading the metric mine/scaled failed: ValueError.*mine.py, line 15"),
    ],
)
def test_what_it_does_wrong_is_one_line(
    brought: Callable[..., ImageMetric], body: str, weights: str, told: str
) -> None:
    with pytest.raises(PluginError, match=told):
        measured(brought(body, weights), block())


@pytest.mark.parametrize("generated", [False, True])
def test_a_metric_that_needs_no_same_moment_is_told_what_was_to_be_rendered(tmp_path: Path, generated: bool) -> None:
    body = "return scale * np.abs(wanted - landmarks).max(axis=(1, 2))"
    text = PLUGIN.format(body=body, name="mine/moved").replace("landmarks):", "landmarks, wanted):")
    (tmp_path / "mine.py").write_text(text.replace("create=create", "create=create, same_moment=False"))
    (tmp_path / "2.txt").write_text("2")
    plugins = load_plugins([tmp_path / "mine.py"], installed=[])
    (metric,) = find_picture_metrics(plugins, RULES, {"mine/moved": tmp_path / "2.txt"})
    pair = block()
    pair = replace(pair, wanted=pair.landmarks + 3 if generated else None)
    np.testing.assert_allclose(measured(metric, pair), 6.0 if generated else 0.0)


def test_of_generated_motion_is_measured_what_needs_no_same_moment(brought: Callable[..., ImageMetric]) -> None:
    still = brought()
    scorer = PictureScorer(None, RULES, NO_TRACKER, [still, replace(still, id="mine/moved", same_moment=False)])  # type: ignore[arg-type]
    assert [one.id for one in scorer.unaligned().compared] == ["mine/moved"]


def test_of_a_stored_rendering_its_own_metrics_are_measured(brought: Callable[..., ImageMetric]) -> None:
    metric: Any = brought()
    assert named_in(["psnr", "mine/scaled"], [metric], RULES) == [metric]
    assert named_in(["psnr", "cycle_blink"], [metric], RULES) == []
    with pytest.raises(ResultError, match=r"No plugin here computes csim\. Install it, and name it with --plugin"):
        named_in(["psnr", "csim"], [metric], RULES)
