"""The figures of docs/synthetic.md. `python -m benchmarks.synthetic_figures [--ceilings SEED ...]`

Without arguments: the shipped corpus in numbers and what a linear map can learn from its features (seconds). With
`--ceilings`: how well the protocol's identity classifiers recognise the real clips that they have not learned, of
corpora of those seeds.
"""

from __future__ import annotations

import argparse
import inspect
import tempfile
from pathlib import Path

import numpy as np
from tabulate import tabulate

from facial_bench import Session
from facial_bench.core.geometry import decode_face, outer_eye_distance, project
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.synthetic import make
from facial_bench.corpora.synthetic.habits import Person
from facial_bench.corpora.synthetic.people import people
from facial_bench.corpora.synthetic.tracks import Take, record
from facial_bench.methods.ridge import solve_ridge
from facial_bench.metrics.identity import SELF, accuracies

LEARNING_SEED = 60
"""A seed of its own, so that nothing is learned from the shipped corpus."""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ceilings", type=int, nargs="*", metavar="SEED")
    seeds = parser.parse_args().ceilings
    if seeds is not None:
        print(table([ceilings(seed) for seed in seeds]))
        return
    shipped = inspect.signature(make).parameters["seed"].default
    print(f"shipped seed {shipped}: {corpus_figures(shipped)}\n")
    print(table([speech_figures(shipped, k) for k in range(5)]), "\n")
    print("correlation of a ridge regression, 7 clips to train on and 5 to test, seed 60")
    print(table([learnable(k) for k in range(5)]))


def table(rows: list[dict[str, object]]) -> str:
    """Rows as Markdown."""
    return tabulate(rows, headers="keys", tablefmt="github", floatfmt=".2f")


def ceilings(seed: int) -> dict[str, object]:
    """Form -> value and interval, under the full protocol."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder) / "corpus", seed)
        corpus = open_corpus(Path(folder) / "corpus")
        setup = Session(cache=Path(folder), metrics=[]).prepare(corpus, [], "one", "cpu")
    shown: dict[str, object] = {"seed": seed}
    for metric, accuracy in accuracies().items():
        if accuracy.driving == SELF:
            ceiling = setup.references[metric].ceiling
            shown[metric] = f"{ceiling.value:.2f} ({ceiling.low:.2f}-{ceiling.high:.2f})"
    return shown


def corpus_figures(seed: int) -> str:
    """Lengths and the error of the face model."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder) / "corpus", seed)
        corpus: Corpus = open_corpus(Path(folder) / "corpus")
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()) / 2**20
        clips = [corpus.clip(entry.id) for entry in corpus.entries]
    seconds = [clip.frames / corpus.info.fps for clip in clips]
    errors = []
    for clip in clips:
        face = decode_face(corpus.face_model, clip.identity, clip.motion.expression)
        decoded = project(face, clip.motion.pose, clip.camera)
        pixels = np.linalg.norm((decoded - clip.landmarks)[..., :2], axis=2).mean()
        errors.append((pixels, pixels / outer_eye_distance(clip.landmarks).mean()))
    variance = np.concatenate([clip.motion.expression for clip in clips]).var(axis=0)
    share = np.cumsum(variance) / variance.sum()
    pixels, part = np.mean(errors, axis=0)
    return (
        f"{sum(seconds):.0f} s in {len(clips)} clips of {min(seconds):.1f} to {max(seconds):.1f} s, {size:.0f} MiB; "
        f"decoded motion lies {pixels:.2f} px = {part:.2%} of the eye distance from the landmarks; "
        f"variance in the first 2 and 8 directions {share[1]:.2f}, {share[7]:.2f}"
    )


def takes(seed: int, index: int) -> tuple[Person, list[Take]]:
    """A person, and twelve clips of theirs as the corpus of that seed has them."""
    person = people()[index]
    return person, [record(person, np.random.default_rng([seed, index, number])) for number in range(12)]


def speech_figures(seed: int, index: int) -> dict[str, object]:
    """One person's speech, blinks and head motion."""
    person, found = takes(seed, index)
    seconds = sum(len(take.closure) for take in found) / 25
    spread = np.degrees(np.mean([take.rotation.std(axis=0) for take in found], axis=0))
    return {
        "person": person.name,
        "words a minute": round(sum(len(take.speech.text.split()) for take in found) / seconds * 60),
        "pauses": np.mean(np.concatenate([take.speech.pause for take in found])),
        "blank": np.mean(np.concatenate([take.audio.argmax(axis=1) == 28 for take in found])),
        "blinks a minute, set": person.blink.rate,
        "drawn": sum(len(take.blinks.onset) for take in found) / seconds * 60,
        "pitch, deg": spread[0],
        "yaw, deg": spread[1],
        "roll, deg": spread[2],
    }


def learnable(index: int) -> dict[str, object]:
    """Mean correlation on test clips of what a regression from 25 frames of logits and 81 of their spread predicts."""
    person, found = takes(LEARNING_SEED, index)
    inputs = [_features(take.audio) for take in found]
    axis = int(np.abs(person.head.beat).argmax())

    def score(targets: list[np.ndarray], penalty: float) -> float:
        x, y = np.concatenate(inputs[:7]), np.concatenate(targets[:7])
        weights = solve_ridge(x, (y - y.mean())[:, None], penalty)[:, 0]
        return float(np.mean([np.corrcoef(inputs[k] @ weights, targets[k])[0, 1] for k in range(7, 12)]))

    return {
        "person": person.name,
        "lip gap": score([take.articulators[:, 1] for take in found], 300.0),
        "jaw": score([take.articulators[:, 0] for take in found], 300.0),
        "main axis": score([take.rotation[:, axis] - take.rotation[:, axis].mean() for take in found], 3000.0),
        "its velocity": score([np.gradient(take.rotation[:, axis]) for take in found], 3000.0),
        "closure": score([take.closure for take in found], 3000.0),
    }


def _features(audio: np.ndarray) -> np.ndarray:
    frames = len(audio)
    logits, spread = np.pad(audio, ((12, 12), (0, 0))), np.pad(audio.std(axis=1, keepdims=True), ((40, 40), (0, 0)))
    parts = [logits[k : k + frames] for k in range(25)] + [spread[k : k + frames] for k in range(0, 81, 2)]
    return np.concatenate([*parts, np.ones((frames, 1))], axis=1)


if __name__ == "__main__":
    main()
