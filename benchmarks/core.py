"""The core: identity classifiers, making a corpus, importing, scoring, the bootstrap; against plain formulations."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.timing import Timing, interleaved
from facial_bench import load_results
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.importers import built_in_importers
from facial_bench.corpora.synthetic import make
from facial_bench.evaluation.result import as_json, decode_result
from facial_bench.metrics.classifier import Classifier
from facial_bench.metrics.identity_classifier import load_or_train
from facial_bench.metrics.lmd import landmark_metrics
from facial_bench.statistics.bootstrap import Unit, bootstrap_draws, ratio
from facial_bench.statistics.permutation import permute
from facial_bench.types import Camera, Motion, Sample
from studies.identity_free import PEOPLE, make_clips

Row = dict[str, object]
ROOT = Path(__file__).parents[1]
RESAMPLES = 10_000
"""Of the bootstrap and the permutation."""


def row(name: str, ours: Timing, plain: Timing | None = None) -> Row:
    """One line of the table."""
    return {
        "what": name,
        "ours, ms": ours.median * 1e3,
        "best, ms": ours.best * 1e3,
        "plain, ms": plain.median * 1e3 if plain else "",
        "plain / ours": plain.median / ours.median if plain else "",
    }


def core_rows(repetitions: int) -> list[Row]:
    """All of them."""
    rows = [_classifiers(repetitions), _distances(repetitions), _bootstrap(repetitions), _permutation(repetitions)]
    rows.append(_reading(repetitions))
    jobs = {"making the corpus synthetic (17 minutes of motion)": make}
    tracks = Path(os.environ.get("FACIAL_BENCH_DATA", "")) / "real-tracks"
    if tracks.is_dir():
        jobs["importing 14 tracked clips (312 s, mel29)"] = lambda dest: built_in_importers()[0].run(
            tracks, dest, {}, print_nothing
        )
    for name, job in jobs.items():
        times = interleaved({"ours": lambda job=job: _in_new_folder(job)}, max(repetitions // 3, 1))
        rows.append(row(name, times["ours"]))
    return rows


def print_nothing(line: str) -> None:
    """Takes a line of progress."""


def _in_new_folder(job: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        job(Path(folder) / "corpus")


def _classifiers(repetitions: int) -> Row:
    """Fifty steps of each of the five forms, against a DataLoader of copied windows."""
    clips = make_clips(np.random.default_rng(0), 6, 400)
    protocol = replace(Protocol(), classifiers=replace(Protocol().classifiers, seeds=(1,), steps=50))

    def ours() -> None:
        with tempfile.TemporaryDirectory() as cache:
            load_or_train(clips, [], PEOPLE, protocol, key="k", cache=Path(cache), device="cpu")

    def plain() -> None:
        for channels in (6, 6, 3, 1, 1):
            signals = [(clip.motion.pose[:, :channels], PEOPLE.index(clip.identity)) for clip in clips]
            windows = [(s[t : t + 128].copy(), k) for s, k in signals for t in range(0, len(s) - 127, 5)]
            loader = torch.utils.data.DataLoader(windows, batch_size=64, shuffle=True, drop_last=True)
            model = Classifier(channels, len(PEOPLE), protocol.classifiers.channels)
            adam, step = torch.optim.Adam(model.parameters(), lr=1e-4), 0
            while step < 50:
                for batch, label in loader:
                    loss = torch.nn.functional.cross_entropy(model(batch), label)
                    adam.zero_grad()
                    loss.backward()
                    adam.step()
                    step += 1
                    if step == 50:
                        break

    times = interleaved({"ours": ours, "plain": plain}, repetitions)
    return row("classifiers, 5 forms x 50 steps, batch 64 (plain: DataLoader)", times["ours"], times["plain"])


def _distances(repetitions: int) -> Row:
    """`lmd` of a minute of motion, against a loop over frames that calls the same function."""
    rng, frames = np.random.default_rng(0), 1500
    still = Motion(np.zeros((frames, 64)), np.zeros((frames, 6)), np.zeros(frames))
    points = [rng.standard_normal((frames, 68, 3)) for _ in range(4)]
    sample = Sample(still, still, *points, np.ones(frames, bool), 25.0, Camera(256, 256, 209.0), np.zeros((frames, 1)))
    spec = next(spec for spec in landmark_metrics() if spec.id == "lmd")
    times = interleaved(
        {
            "ours": lambda: spec.compute(sample),
            "plain": lambda: [spec.compute(sample[t : t + 1]) for t in range(frames)],
        },
        repetitions,
    )
    return row("lmd of 1500 frames (plain: frame by frame)", times["ours"], times["plain"])


def _permutation(repetitions: int) -> Row:
    """10,000 swaps of two methods on 25 clips and 3 seeds, against a loop over swaps."""
    rng = np.random.default_rng(0)
    clips = [(p, k) for p in PEOPLE for k in range(5)]

    def rows() -> list[dict[str, Any]]:
        return [
            {
                "request": f"{p}{k}",
                "identity": p,
                "status": "ok",
                "metrics": {"lmd": {"value": float(v), "weight": 1, "blocks": [[float(v), 1]]}},
            }
            for (p, k), v in zip(clips, rng.random(25), strict=True)
        ]

    a, b = [rows() for _ in range(3)], [rows() for _ in range(3)]
    values = [np.array([[row["metrics"]["lmd"]["value"] for row in seed] for seed in part]) for part in (a, b)]

    def plain() -> float:
        draws, observed, hits = np.random.default_rng(0), 0.0, 0
        for k in range(RESAMPLES + 1):
            swap = draws.integers(2, size=25) if k else np.zeros(25, int)
            gaps = [
                (y - x if s else x - y)
                for one, two in zip(*values, strict=True)
                for x, y, s in zip(one, two, swap, strict=True)
            ]
            observed = observed if k else abs(sum(gaps))
            hits += abs(sum(gaps)) >= observed - 1e-12
        return hits / (RESAMPLES + 1)

    times = interleaved({"ours": lambda: permute(a, b, "lmd", ratio), "plain": plain}, repetitions)
    return row("paired permutation, 10,000 swaps of 25 clips x 3 seeds (plain: loop)", times["ours"], times["plain"])


def _bootstrap(repetitions: int) -> Row:
    """10,000 resamples of 25 clips and 3 seeds, against a loop over resamples."""
    rng = np.random.default_rng(0)
    groups = [[Unit(p, (rng.random(), 1.0)) for p in PEOPLE for _ in range(5)] for _ in range(3)]
    shares = dict.fromkeys(PEOPLE, 0.2)

    def plain() -> list[float]:
        draws = np.random.default_rng(0)
        values = []
        for _ in range(RESAMPLES):
            seeds = draws.integers(3, size=2)
            value = 0.0
            for person in PEOPLE:
                chosen = draws.integers(5, size=4)
                own = [[u.numbers[0] for u in groups[s] if u.identity == person] for s in seeds]
                value += 0.2 * float(np.mean([totals[i] for totals in own for i in chosen]))
            values.append(value)
        return values

    times = interleaved(
        {"ours": lambda: bootstrap_draws(groups, shares, RESAMPLES, np.random.default_rng(0)), "plain": plain},
        repetitions,
    )
    return row("bootstrap, 10,000 resamples of 25 clips x 3 seeds (plain: loop)", times["ours"], times["plain"])


def _reading(repetitions: int) -> Row:
    """The committed results, decoded and validated in one pass; plain: parsed by the standard library, unvalidated."""
    results = [json.dumps(as_json(one)).encode() for one in load_results(ROOT / "leaderboards")]
    times = interleaved(
        {
            "ours": lambda: [decode_result(content, "a result") for content in results],
            "plain": lambda: [json.loads(content) for content in results],
        },
        repetitions,
    )
    return row(f"reading {len(results)} results", times["ours"], times["plain"])
