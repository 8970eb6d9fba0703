"""How often do people who all move alike slip through? `python -m studies.identity_free`

Corpora of five "identities" made of the same AR(1) motion must get no personalization number (docs/protocol.md,
"refuse to score"). Counts the draws in which any of the five forms is accepted, and what the bootstrap interval and
the label permutation would each have accepted alone.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.signal import lfilter
from scipy.stats import binomtest

from facial_bench.core.protocol import ClassifierSettings, Protocol
from facial_bench.corpora.split import ClipEntry, split_clips
from facial_bench.evaluation.ceiling_and_chance import make_references
from facial_bench.evaluation.clip_metrics import MetricSet
from facial_bench.evaluation.clip_scores import Fold
from facial_bench.evaluation.result import Reference
from facial_bench.metrics.classifier import forms
from facial_bench.metrics.identity_classifier import load_or_train
from facial_bench.types import Camera, Clip, CorpusInfo, FaceModel, Motion

PEOPLE = tuple("abcde")


def ar1(rng: np.random.Generator, frames: int, width: int, memory: float = 0.97) -> np.ndarray:
    """(frames, width) first-order autoregressive noise of unit variance, past its start."""
    noise = rng.standard_normal((frames + 400, width)) * np.sqrt(1 - memory**2)
    return lfilter([1.0], [1.0, -memory], noise, axis=0)[400:].astype(np.float32)


def make_clips(rng: np.random.Generator, clips: int, frames: int) -> list[Clip]:
    """Clips of five names with one and the same process behind them."""
    made = []
    for person in PEOPLE:
        for k in range(clips):
            motion = Motion(np.zeros((frames, 64), np.float32), ar1(rng, frames, 6), ar1(rng, frames, 1)[:, 0])
            audio, landmarks = np.zeros((frames, 1), np.float32), np.zeros((frames, 68, 3), np.float32)
            name, camera = f"{person}{k}", Camera(1, 1, 1.0)
            made.append(Clip(name, person, name, audio, motion, landmarks, np.ones(frames, bool), camera))
    return made


def draw(seed: int, clips: int, frames: int, protocol: Protocol) -> dict[str, Reference]:
    """form -> reference of one draw."""
    made = {clip.id: clip for clip in make_clips(np.random.default_rng(seed), clips, frames)}
    split = split_clips([ClipEntry(c.id, c.identity, c.recording, c.frames) for c in made.values()], protocol)
    parts = {
        part: [made[s.clip][s.start : s.stop] for s in getattr(split, part)] for part in ("train", "validation", "test")
    }
    with tempfile.TemporaryDirectory() as cache:
        trained = [
            load_or_train(*clips_of, PEOPLE, protocol, names=names, key="draw", cache=Path(cache), device="cpu")[0]
            for clips_of, names in (
                ((parts["test"], ()), None),
                ((parts["train"], parts["validation"]), ["pose", "blink"]),
            )
        ]
    nobody = FaceModel(np.zeros((68, 3)), np.zeros((64, 68, 3)), dict.fromkeys(PEOPLE, np.zeros((68, 3))))
    info = CorpusInfo("nobody", "1", "", protocol.fps, "none", 1, "cm", "px", "closure", PEOPLE)
    metric_set = MetricSet(nobody, info, [], protocol.window)
    references = make_references([Fold("", split, parts["train"], parts["test"], *trained, metric_set)], [])
    names = {
        "pose": "pose_accuracy",
        "pose/raw": "pose_accuracy/raw",
        "pose/rotation": "pose_accuracy/rotation",
        "blink": "blink_accuracy",
        "blink/raw": "blink_accuracy/raw",
    }
    return {form: references[names[form]] for form in forms()}


def report(title: str, draws: Sequence[dict[str, Reference]]) -> None:
    """Print what was accepted."""

    def interval_ok(ref: Reference) -> bool:
        return ref.ceiling.low is not None and ref.ceiling.low > ref.chance

    rules = {
        "both rules (ours)": lambda ref: ref.refused is None,
        "bootstrap interval alone": interval_ok,
        "label permutation alone": lambda ref: ref.p < 0.05,
    }
    for name, rule in rules.items():
        slipped = sum(any(map(rule, references.values())) for references in draws)
        each = np.mean([rule(ref) for references in draws for ref in references.values()])
        ends = binomtest(slipped, len(draws)).proportion_ci(method="wilson")
        print(
            f"{title} | {name} | {slipped}/{len(draws)} = {slipped / len(draws):.3f} "
            f"[{ends.low:.3f}, {ends.high:.3f}] | {each:.3f}",
            flush=True,
        )


def main() -> None:
    """Measure both settings."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--steps", type=int, default=Protocol().classifiers.steps)
    parser.add_argument("--classifiers", type=int, default=len(Protocol().classifiers.seeds))
    parser.add_argument("--clips", type=int, nargs="*", choices=(5, 1), default=(5, 1), help="clips a person")
    given = parser.parse_args()
    classifiers = replace(
        ClassifierSettings(), seeds=ClassifierSettings().seeds[: given.classifiers], steps=given.steps
    )
    protocol = replace(Protocol(), classifiers=classifiers)
    print("corpus | rule | draws with any form accepted [95 %] | share of forms accepted")
    for clips in given.clips:
        title, frames = {5: ("five clips each", 400), 1: ("one clip each", 1500)}[clips]
        report(title, [draw(1000 * clips + k, clips, frames, protocol) for k in range(given.draws)])


if __name__ == "__main__":
    main()
