"""What makes another run: nothing of an older one is used again then."""

from __future__ import annotations

import ast
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import facial_bench
import facial_bench_worker
from facial_bench.core.protocol import Protocol
from facial_bench.evaluation.method import Method, Settings, method_label
from facial_bench.evaluation.run_key import (
    MODULES,
    _digest_of,
    core_source,
    method_threads,
    run_key,
    source_files,
    what_changed,
)
from facial_bench.isolation.conditions import Conditions
from facial_bench.isolation.method_code import MethodCode
from facial_bench_worker.host import Host
from facial_bench_worker.specs import TrackerSpec
from tests.helpers.doors import INFO
from tests.helpers.faces import Echo
from tests.helpers.sessions import as_method

HERE = Path(facial_bench.__file__).parents[1]
SCORING = ("metrics", "statistics", "reports", "media", "plugin_api", "cli")
"""Rooms that decide no motion."""
AFTER = {*("evaluation/setup", "evaluation/clip_scores", "corpora/face_model", "corpora/track", "corpora/write_corpus")}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources, to be changed."""
    for package in ("facial_bench", "facial_bench_worker"):
        shutil.copytree(HERE / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def digest_of(root: Path) -> str:
    _digest_of.cache_clear()
    return _digest_of(root, root)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        *((f"facial_bench/{name}.py", True) for name in MODULES),
        ("facial_bench_worker/determinism.py", True),
        ("facial_bench_worker/host.py", True),
        ("facial_bench/isolation/worker_method.py", True),
        ("facial_bench/core/types/__init__.py", True),
        ("facial_bench/core/device.py", True),
        ("facial_bench/reports/board.py", False),
        ("facial_bench/metrics/lmd.py", False),
        ("facial_bench/cli/run.py", False),
    ],
)
def test_a_source_that_decides_fits_or_motions_makes_another_run(copy: Path, name: str, counts: bool) -> None:
    before = digest_of(copy)
    with (copy / name).open("a") as stream:
        stream.write("\n# changed\n")
    assert (digest_of(copy) != before) == counts


def test_a_new_module_of_such_a_room_counts_and_a_place_does_not(copy: Path) -> None:
    _digest_of.cache_clear()
    assert digest_of(copy) == core_source(), "wherever it is installed"
    (copy / "facial_bench" / "isolation" / "more.py").write_text("")
    assert digest_of(copy) != core_source()


def imported(path: Path) -> set[str]:
    """The modules of `facial_bench` that a file imports, as paths without their ending."""
    named = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("facial_bench."):
            named.add(node.module.partition(".")[2].replace(".", "/"))
    return named


def test_what_the_counted_modules_import_is_counted_or_scores() -> None:
    """Whoever moves code out of a counted module notices that it has to be counted too."""
    root, worker = HERE, Path(facial_bench_worker.__file__).parents[1]
    files = dict(source_files(root, worker))
    counted = {name.removeprefix("facial_bench/").removesuffix(".py") for name in files}
    counted |= {name.removesuffix("/__init__") for name in counted}
    needed = set().union(*(imported(path) for path in files.values()))
    assert {one for one in needed - counted - AFTER if one.partition("/")[0] not in SCORING} == set()


METHOD = Method(MethodCode("m", {}), "none", "plugin", "1", "0" * 64)
SETUP: Any = SimpleNamespace(protocol=Protocol(), corpus=SimpleNamespace(info=INFO))


def key(settings: Settings | None = None, **more: Any) -> dict[str, Any]:
    return run_key(METHOD, SETUP, settings or Settings(), **more)


def test_the_number_of_threads_is_that_of_the_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert method_threads(Settings()) == 3
    assert method_threads(Settings(conditions=Conditions("in-process"))) == torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert 1 <= method_threads(Settings()) <= (os.cpu_count() or 1)
    one = key()
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert what_changed(one, key()) == "it takes 7 threads now"


def test_another_budget_makes_another_run() -> None:
    keys = [key(Settings(budget=budget)) for budget in ("quick", "standard", "paper")]
    assert [one["budget"] for one in keys] == ["quick", "standard", "paper"]
    assert what_changed(keys[0], keys[1]) == "budget changed"
    assert method_label("m", Settings(budget="standard")) == "m@budget=standard"
    assert method_label("m", Settings()) == "m"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"core_source": "x"}, "facial-bench changed"),
        ({"core_source": "x", "core": "0"}, "facial-bench changed"),
        ({"protocol": "x", "threads": -1}, "the protocol changed and it takes {threads} threads now"),
        ({"trackers": {"dots": "x"}}, "its tracker or the weights of it changed"),
    ],
)
def test_what_changed_is_said_in_words(change: dict[str, Any], text: str) -> None:
    now = key()
    assert what_changed({**now, **change}, now) == text.format(**now)


def test_a_gap_between_clips_of_one_recording_makes_another_run() -> None:
    other = SimpleNamespace(protocol=replace(Protocol(), gap=5), corpus=SETUP.corpus)
    assert what_changed(run_key(METHOD, other, Settings()), key()) == "the protocol changed"  # type: ignore[arg-type]


@pytest.fixture
def tracked(tmp_path: Path) -> Callable[[], dict[str, str]]:
    """The trackers that a method took, by name, when it was created."""
    (tmp_path / "weights").write_text("one")
    (tmp_path / "other").write_text("other")

    def tracker(name: str, weights: Path | None) -> TrackerSpec:
        return TrackerSpec(name, "", "", lambda chosen: chosen or weights, lambda w: None, lambda w, h: 1.0)  # type: ignore[arg-type, return-value]

    trackers = {name: tracker(name, tmp_path / name) for name in ("weights", "other")}

    class Follows(Echo):
        def __init__(self, context: Any) -> None:
            super().__init__(context)
            assert "other" in context.trackers, "to look is not to take"
            self.weights = context.trackers["weights"].weights(None)

    def took() -> dict[str, str]:
        context = SimpleNamespace(options={}, trackers=trackers)
        from facial_bench.types import Context

        return Host(as_method(Follows), Context(INFO, 0, "cpu", trackers=context.trackers)).trackers

    return took


def test_a_tracker_counts_with_its_weights_where_a_method_takes_it(
    tracked: Callable[[], dict[str, str]], tmp_path: Path
) -> None:
    first, again = tracked(), tracked()
    assert first == again and set(first) == {"weights"}
    (tmp_path / "other").write_text("changed")
    assert tracked() == first
    (tmp_path / "weights").write_text("two")
    assert tracked() != first
    assert what_changed(key(trackers=first), key(trackers=tracked())) == "its tracker or the weights of it changed"
    assert what_changed(key(), key(trackers=first)) == "its tracker or the weights of it changed"
    assert what_changed(key(trackers=first), key()) == "its tracker or the weights of it changed"
