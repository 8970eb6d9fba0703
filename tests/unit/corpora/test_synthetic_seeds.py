"""Synthetic corpora of other seeds: usable, and their folder does not say which seed made them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.split import split_clips
from facial_bench.corpora.synthetic import corpus as module
from facial_bench.corpora.synthetic import make, make_from_options
from facial_bench.corpora.synthetic.options import LARGEST_SEED, read_seed
from facial_bench.errors import CorpusError, FacialBenchError
from facial_bench.reports.corpus_table import motion_warning

SECRET = 7_319_406_255_118_203_947


@pytest.fixture(autouse=True)
def shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six clips a person, as many as the split needs to have every part."""
    monkeypatch.setattr(module, "CLIPS", 6)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def make_secret(dest: Path, **options: str) -> Corpus:
    make_from_options(dest, {"seed": str(SECRET), **options})
    return open_corpus(dest)


def test_the_public_corpus_is_what_it_was_before_there_were_options(tmp_path: Path) -> None:
    make(tmp_path / "plain")
    for number, options in enumerate([{}, {"seed": "14"}, {"name": "synthetic"}, {"seed": "014", "name": "synthetic"}]):
        make_from_options(tmp_path / str(number), options)
        assert content(tmp_path / str(number)) == content(tmp_path / "plain")
    manifest = json.loads((tmp_path / "plain/corpus.json").read_text())
    assert (manifest["name"], manifest["version"]) == ("synthetic", "1")
    noted = {"process": "facial_bench.synthetic", "seed": 14, "note": "invented people; no real data"}
    assert list(manifest["source"].items()) == list(noted.items()), "order is part of the file"


def test_the_motion_of_the_public_corpus_is_the_one_of_the_committed_board(tmp_path: Path) -> None:
    """Rounded, because the last digits are the processor's."""
    make(tmp_path / "plain")
    clip = open_corpus(tmp_path / "plain").clip("p3-02")
    assert clip.frames == 379
    found = [clip.audio.mean(), clip.motion.pose[:, 0].mean(), clip.motion.blink.mean(), clip.landmarks.mean()]
    np.testing.assert_allclose(found, [-4.89065, 0.0202365, 0.0967685, 87.6310], rtol=1e-4)


def test_another_seed_is_another_corpus_of_another_name(tmp_path: Path) -> None:
    make(tmp_path / "plain")
    plain, secret = open_corpus(tmp_path / "plain"), make_secret(tmp_path / "secret")
    assert (secret.info.name, secret.info.version) == ("synthetic-fresh", "1")
    assert secret.info.digest != plain.info.digest
    assert secret.info.identities == plain.info.identities
    one, other = (corpus.clip("p1-01") for corpus in (plain, secret))
    frames = min(one.frames, other.frames)
    assert np.abs(one.motion.pose[:frames, :3] - other.motion.pose[:frames, :3]).mean() > 0.005


def test_nothing_in_the_folder_says_which_seed_it_was(tmp_path: Path) -> None:
    make_secret(tmp_path / "a")
    manifest = json.loads((tmp_path / "a/corpus.json").read_text())
    assert manifest["source"] == {"process": "facial_bench.synthetic", "note": "invented people; no real data"}
    marks = [str(SECRET).encode(), f"{SECRET:x}".encode(), SECRET.to_bytes(8, "little"), SECRET.to_bytes(8, "big")]
    for name, stored in content(tmp_path / "a").items():
        assert not [mark for mark in marks if mark in stored], name
    make_from_options(tmp_path / "b", {"seed": str(SECRET + 1)})
    other = json.loads((tmp_path / "b/corpus.json").read_text())
    for one in (manifest, other):
        for record in (*one["clips"], one["face_model"]):
            for field in {"sha256", "frames"} & set(record):
                del record[field]
    assert manifest == other, "all that differs is lengths and digests"


def test_a_name_of_its_own(tmp_path: Path) -> None:
    assert make_secret(tmp_path / "a", name="round-1").info.name == "round-1"
    make_from_options(tmp_path / "b", {"name": "mine"})
    assert open_corpus(tmp_path / "b").info.name == "mine"


@pytest.mark.parametrize("name", ["a/b", "/etc/passwd", "../up", "", ".", "two words", "x" * 121, "line\n"])
def test_a_name_that_is_none_is_refused_before_anything_is_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        FacialBenchError, match=r"^(The corpus name '|corpus synthetic: the option name is empty)"
    ) as told:
        make_from_options(tmp_path / "c", {"name": name, "seed": "3"})
    assert "\n" not in str(told.value)
    assert not list(tmp_path.iterdir())


def test_the_name_of_the_public_corpus_is_its_own(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"^The corpus of another seed cannot be called synthetic: .* Choose another"):
        make_from_options(tmp_path / "c", {"name": "synthetic", "seed": str(SECRET)})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "+1",
        "1.0",
        "1e3",
        "0x10",
        "1_000",
        "\u0663",
        "\u00b2",
        " 7",
        "7 ",
        "seed",
        "9" * 5000,
        str(2**63),
    ],
)
def test_a_seed_that_is_none_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(FacialBenchError) as told:
        read_seed(text)
    assert str(told.value) == "corpus synthetic: the option seed takes a whole number from 0 to 9223372036854775807."


def test_every_other_seed_is_taken() -> None:
    assert [read_seed(text) for text in ("0", "14", str(LARGEST_SEED))] == [0, 14, 2**63 - 1]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 2**32, LARGEST_SEED, *(random.Random(11).randrange(2**63) for _ in range(3))])
def test_a_corpus_of_any_seed_can_be_used(tmp_path: Path, seed: int) -> None:
    make(tmp_path / "c", seed)
    corpus = open_corpus(tmp_path / "c")
    assert corpus.verify() == 30
    split = split_clips(corpus.entries, Protocol())
    for part in (split.train, split.validation, split.test):
        assert {segment.identity for segment in part} == set(corpus.info.identities)
    assert motion_warning(corpus) == ""
    for entry in corpus.entries:
        clip = corpus.clip(entry.id)
        assert clip.valid.all()
        assert 13 <= clip.frames / corpus.info.fps <= 20
        assert (clip.motion.pose[:, 5] < -15).all(), "in front of the camera"
        assert clip.motion.blink.std() > 0.01
        assert np.degrees(clip.motion.pose[:, :3].std(axis=0)).max() > 0.4
        assert 0 < clip.landmarks[..., :2].min() < clip.landmarks[..., :2].max() < 256
