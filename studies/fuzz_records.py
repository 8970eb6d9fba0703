"""Readers of records: corpora, results and their archives, classifiers, ledgers, recipes, configurations, plugins."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import re
import shutil
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from facial_bench.core.progress import QUIET
from facial_bench.corpora.corpus import open_corpus
from facial_bench.corpora.find_videos import find_sources
from facial_bench.corpora.write_corpus import CorpusDescription, write_corpus
from facial_bench.evaluation.config import read_config
from facial_bench.evaluation.result import Result, read_result, require_unchanged, write_result
from facial_bench.isolation.conditions import Conditions
from facial_bench.metrics.classifier_files import ClassifierFile, read_classifiers, write_file
from facial_bench.metrics.identity_classifier import classifiers_digest
from facial_bench.plugin_api.discovery import discover
from facial_bench.reports.archive import read_every, write_archive
from facial_bench.reports.ledger import enter, read_ledger, write_ledger
from studies.fuzz_case import Reader, UnjudgedError
from studies.fuzz_mutations import change_cells, change_values, damage
from tests.helpers.faces import make_clip, make_model
from tests.helpers.results import make_result, make_row

PLUGIN = '''"""A method for one line."""
from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion


class Still:
    def __init__(self, context):
        self.context = context

    def fit(self, clips, context):
        self.count = len(clips)

    def generate(self, requests):
        return [Motion.from_state(request.initial_state[None].repeat(request.frames, 0)) for request in requests]

    def state_dict(self):
        return {}

    def load_state_dict(self, state, context):
        pass


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("still", "the first frame", "none", Still)]
'''
CONFIG = """method = "mean-motion"
corpus = "synthetic"
seeds = [0, 1]
out = "results"
timeout = 600.0
isolation = "process"

[options]
motions = "outputs"
fps = 30
"""
RECIPE = """video,start,end,crop,identity,recording
a.mp4,0.5,3.5,"10 10 200 200",anna,one
a.mp4,4,0:00:06.5,,anna,one
b/c.mp4,,,,bob,two
"""


Seeds = Callable[[Path], Sequence[bytes]]


def small_corpus(folder: Path) -> Path:
    """A corpus of one short clip of each of two people."""
    place, model = folder / "tiny", make_model(("a", "b"))
    if not place.exists():
        clips = [make_clip(model, person, f"{person}0", 60, 7) for person in ("a", "b")]
        write_corpus(place, CorpusDescription(name="tiny", audio_kind="noise29"), model, clips)
    return place


def _part(name: str) -> Seeds:
    """Seeds of a file of the corpus, whose other files are put where a reader looks for them."""

    def seeds(folder: Path) -> Sequence[bytes]:
        place = small_corpus(folder)
        for path in place.rglob("*"):
            if path.is_file():
                (folder / path.relative_to(place)).parent.mkdir(exist_ok=True)
                shutil.copy(path, folder / path.relative_to(place))
        return [(place / name).read_bytes()]

    return seeds


def _read_manifest(path: Path) -> dict[str, Any]:
    corpus = open_corpus(path.parent)
    return {"digest": corpus.info.digest, "content": dict(corpus.manifest)}


def _manifest(content: bytes, sound: Mapping[str, Any]) -> dict[str, Any]:
    """What JSON says; a corpus of other content has another digest."""
    held = json.loads(content)
    held["clips"] = sorted(held["clips"], key=lambda row: row["id"])
    same = held == sound["content"]
    digest = _digest(held)
    if same != (digest == sound["digest"]):
        raise ValueError("one digest for two corpora")
    return {"digest": digest, "content": held}


def _digest(content: Any) -> str:
    """The digest of JSON by its definition: SHA-256 of the text with sorted keys and no spaces."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _read_clips(path: Path) -> Any:
    corpus = open_corpus(path.parents[1] if path.parent.name == "clips" else path.parent)
    return corpus.face_model, [corpus.clip(entry.id) for entry in corpus.entries]


def _results() -> list[Result]:
    rows = [make_row(person, f"{person}0", {"lmd": 0.5, "pose_accuracy": 0.7}) for person in ("a", "b")]
    return [make_result(rows, label=label, seed=seed) for label in ("echo", "other") for seed in (0, 1)]


def _result(folder: Path) -> Sequence[bytes]:
    write_result(folder / "sound.json", _results()[0])
    return [(folder / "sound.json").read_bytes()]


def _read_result(path: Path) -> Any:
    return _measured(require_unchanged(path, read_result(path)))


def _measured(result: Result) -> Any:
    """What is under the digest: everything but when and where."""
    held = msgspec.to_builtins(result)
    return {key: value for key, value in held.items() if key not in ("environment", "timing")}


def _archive(folder: Path) -> Sequence[bytes]:
    results = [write_result(folder / "r" / f"{k}.json", one) for k, one in enumerate(_results())]
    write_archive(folder / "sound.xz", results)
    return [(folder / "sound.xz").read_bytes()]


def _classifiers(folder: Path) -> Sequence[bytes]:
    arrays = {"one/train/0/weight": np.arange(12, dtype=np.float32).reshape(3, 4)}
    held = ClassifierFile("a" * 64, "b" * 64, ("a", "b"), classifiers_digest(arrays), arrays)
    write_file(folder / "sound.safetensors", held)
    return [(folder / "sound.safetensors").read_bytes()]


def _read_weights(path: Path) -> Any:
    held = read_classifiers(path)
    return held.digest, dict(held.arrays)


def _ledger(folder: Path) -> Sequence[bytes]:
    entries: list[Any] = []
    for result in _results():
        entries = enter(entries, result, "1")
    write_ledger(folder / "sound", entries)
    return [(folder / "sound" / "ledger.jsonl").read_bytes()]


def _chain(content: bytes, sound: Sequence[Any]) -> Sequence[Any]:
    """The ledger, or its beginning: that lines are lost at its end, only a head published elsewhere can tell."""
    return sound[: len([line for line in content.splitlines()])]


def _recipe(folder: Path) -> Sequence[bytes]:
    for name in ("a.mp4", "b/c.mp4"):
        (folder / "videos" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "videos" / name).touch()
    return [RECIPE.encode(), RECIPE.replace(",", ";").encode()]


def _sources(path: Path) -> list[tuple[Any, ...]]:
    found, _ = find_sources(path.parent / "videos", path)
    return [(one.file, one.identity, one.start, one.end, list(one.crop) if one.crop else None) for one in found]


def _rows(content: bytes, sound: Any) -> list[tuple[Any, ...]]:
    text = content.decode("utf-8-sig")
    head = text.partition("\n")[0]
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count)))
    made: list[tuple[Any, ...]] = []
    for row in rows:
        cells = {str(key).strip().lower(): str(value or "").strip() for key, value in row.items() if key is not None}
        if not any(cells.values()):
            continue
        if not {"video", "identity", "start", "end", "crop"} <= set(cells):
            raise UnjudgedError
        if not re.fullmatch(r"[a-z]+", cells["identity"] or "a"):
            raise UnjudgedError  # people are named as folders are
        crop = [float(side) for side in cells["crop"].replace(",", " ").split()]
        end = _seconds(cells["end"])
        video = cells["video"].replace("//", "/").removeprefix("./")
        made.append((video, cells["identity"], _seconds(cells["start"]) or 0.0, end, crop or None))
    return made


def _seconds(cell: str) -> float | None:
    parts = [float(part.replace(",", ".")) for part in cell.split(":")] if cell else []
    return math.fsum(part * 60**power for power, part in enumerate(reversed(parts))) if parts else None


def _config(content: bytes, sound: Any) -> Any:
    return _with_text(tomllib.loads(content.decode()))


def _with_text(values: dict[str, Any]) -> dict[str, Any]:
    options = values.get("options")
    if isinstance(options, dict):
        kept = {k: str(v) if isinstance(v, (int, float)) and not isinstance(v, bool) else v for k, v in options.items()}
        values["options"] = kept
    return values


def _plugin(path: Path) -> Any:
    return sorted(discover("generators", [path], Conditions("process", None, 20.0, ()), QUIET).offers)


def unjudged(content: bytes, sound: Any) -> Any:
    """There is no second reading."""
    raise UnjudgedError


def record_readers() -> list[Reader]:
    """Files of records. What carries a digest or checksum (a corpus's files, results, archives, weights, a ledger) is
    what was written, or refused; what has none says what it now says."""

    def sound(content: bytes, held: Any) -> Any:
        return held

    def results(path: Path) -> Any:
        return [_measured(one) for one in read_every([path])]

    def ledger(path: Path) -> Any:
        return read_ledger(path.parent)

    def text(content: str) -> Seeds:
        return lambda folder: [content.encode()]

    json_and_bytes = (change_values, damage)
    return [
        Reader("corpus.json", "corpus.json", 700, _part("corpus.json"), json_and_bytes, _read_manifest, _manifest),
        *(
            Reader(f"{what} .safetensors", file, share, _part(file), (damage,), _read_clips, sound)
            for what, file, share in (
                ("clips", "clips/a0.safetensors", 400),
                ("face model", "face_model.safetensors", 200),
            )
        ),
        Reader("result.json", "result.json", 800, _result, json_and_bytes, _read_result, sound),
        Reader("results .jsonl.xz", "a.results.jsonl.xz", 200, _archive, (damage,), results, sound),
        Reader("classifiers .safetensors", "a.safetensors", 200, _classifiers, (damage,), _read_weights, sound),
        Reader("ledger.jsonl", "ledger.jsonl", 500, _ledger, json_and_bytes, ledger, _chain),
        Reader("recipe .csv", "recipe.csv", 400, _recipe, (change_cells, damage), _sources, _rows),
        Reader("run.toml", "run.toml", 300, text(CONFIG), (damage, change_cells), read_config, _config),
        Reader("plugin .py", "plugin.py", 100, text(PLUGIN), (damage,), _plugin, unjudged),
    ]
