"""The corpus folder: a round trip, and every kind of damage."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facial_bench.core.files import file_digest, write_arrays
from facial_bench.corpora.split import Segment
from facial_bench.corpus import Corpus, CorpusDescription, open_corpus, write_corpus
from facial_bench.errors import CorpusError, FacialBenchError
from facial_bench.types import Camera, Clip, FaceModel
from tests.helpers.faces import CAMERA, make_clip, make_model

PEOPLE = ("a", "b")


def model() -> FaceModel:
    return make_model(PEOPLE)


def clips(frames: int = 20) -> list[Clip]:
    return [
        make_clip(model(), person, f"{person}{k}", frames, 10 * p + k)
        for p, person in enumerate(PEOPLE)
        for k in (0, 1)
    ]


def write(
    dest: Path, own: Any = None, face: FaceModel | None = None, source: dict[str, Any] | None = None, **changes: Any
) -> Corpus:
    about = CorpusDescription(**{"name": "tiny", "audio_kind": "noise29", **changes})
    write_corpus(dest, about, face or model(), clips() if own is None else own, source)
    return open_corpus(dest)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original") / "tiny"
    write(folder)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "tiny"))


def refused(act: Callable[[], Any]) -> str:
    """The one line of the CorpusError that an act raises."""
    with pytest.raises(CorpusError) as problem:
        act()
    text = str(problem.value)
    assert "\n" not in text
    assert text.endswith((".", ")")), text
    return text


def edit(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    manifest = json.loads((folder / "corpus.json").read_text())
    change(manifest)
    (folder / "corpus.json").write_text(json.dumps(manifest))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    own = clips()
    own[1] = replace(
        own[1], landmarks=own[1].landmarks[..., :2], valid=np.arange(20) > 3, camera=Camera(640, 480, 391.5)
    )
    corpus = write(tmp_path / "c", iter(own), source={"note": "n"})
    assert corpus.info.identities == PEOPLE
    assert (corpus.info.name, corpus.info.version, corpus.info.fps, corpus.info.audio_kind) == (
        "tiny",
        "1",
        25.0,
        "noise29",
    )
    assert (corpus.info.audio_width, corpus.info.length_unit, corpus.info.landmark_unit) == (29, "cm", "px")
    assert [entry.id for entry in corpus.entries] == ["a0", "a1", "b0", "b1"]
    assert corpus.manifest["source"] == {"note": "n"}
    for clip in own:
        read = corpus.clip(clip.id)
        assert (read.identity, read.recording, read.camera) == (clip.identity, clip.recording, clip.camera)
        assert read.start == 0
        np.testing.assert_array_equal(read.motion.state(), clip.motion.state())
        for name in ("audio", "landmarks", "valid"):
            np.testing.assert_array_equal(getattr(read, name), getattr(clip, name))
    for person, shape in model().neutral.items():
        np.testing.assert_array_equal(corpus.face_model.neutral[person], shape)
    np.testing.assert_array_equal(corpus.face_model.basis, model().basis)
    assert corpus.verify() == 4
    assert os.listdir(tmp_path) == ["c"], "no partial folder is left"
    assert (tmp_path / "c").stat().st_mode & 0o777 == 0o755


def test_segments_know_where_they_start(folder: Path) -> None:
    corpus = open_corpus(folder)
    (piece,) = corpus.segments([Segment("b1", "b", 5, 12)])
    assert (piece.frames, piece.start, piece.motion.frames) == (7, 5, 7)
    np.testing.assert_array_equal(piece.audio, corpus.clip("b1").audio[5:12])


def test_nobody_can_change_the_face_model_that_scores(folder: Path) -> None:
    model = open_corpus(folder).face_model
    for array in (model.mean, model.basis, model.neutral["a"]):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0


def test_the_digest_is_of_everything(original: Path, tmp_path: Path) -> None:
    def nudge(clip: Clip) -> Clip:
        audio = clip.audio.copy()
        audio[0, 0] += np.float32(1e-6)
        return replace(clip, audio=audio)

    own = clips()
    variants = [
        open_corpus(original),
        write(tmp_path / "1", version="2"),
        write(tmp_path / "2", name="other"),
        write(tmp_path / "3", [nudge(own[0]), *own[1:]]),
        write(tmp_path / "5", source={"x": 1}),
        write(tmp_path / "6", blink_scale="AU45"),
        write(tmp_path / "7", face=make_model(PEOPLE, seed=1)),
        write(tmp_path / "8", [replace(own[0], recording="z"), *own[1:]]),
        write(tmp_path / "9", [replace(own[0], camera=replace(CAMERA, focal=210.0)), *own[1:]]),
        open_corpus(original).select(["a"]),
    ]
    digests = [corpus.info.digest for corpus in variants]
    assert len(set(digests)) == len(digests)
    assert write(tmp_path / "same").info.digest == digests[0]


def test_the_order_of_the_clips_means_nothing(original: Path, tmp_path: Path) -> None:
    """Neither in the digest nor in what is handed out, so that one digest is one set of numbers."""
    first, other = open_corpus(original), write(tmp_path / "other", clips()[::-1])
    assert json.loads((tmp_path / "other" / "corpus.json").read_bytes())["clips"][0]["id"] == "b1"
    assert other.info == first.info
    assert other.entries == first.entries == tuple(sorted(first.entries, key=lambda entry: entry.id))
    assert other.select(["b"]).info.digest == first.select(["b"]).info.digest


def test_select_keeps_people_and_refuses_strangers(folder: Path) -> None:
    corpus = open_corpus(folder)
    only = corpus.select(["b"])
    assert only.info.identities == ("b",)
    assert [entry.id for entry in only.entries] == ["b0", "b1"]
    assert only.clip("b0").identity == "b"
    assert corpus.select(["b", "a"]).info.digest == corpus.info.digest
    with pytest.raises(FacialBenchError, match=r"Unknown identity 'bb'\. Did you mean 'b'\? Available: a, b"):
        corpus.select(["a", "bb"])
    with pytest.raises(FacialBenchError, match="Unknown clip 'a0'"):
        only.clip("a0")


def damage_file(name: str, how: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        content = path.read_bytes()
        if how == "missing":
            path.unlink()
        elif how == "truncated":
            path.write_bytes(content[:-7])
        elif how == "altered":
            path.write_bytes(content[:-7] + bytes([content[-7] ^ 1]) + content[-6:])
        elif how == "folder":
            path.unlink()
            path.mkdir()

    return damage


@pytest.mark.parametrize("how", ["missing", "truncated", "altered", "folder"])
@pytest.mark.parametrize("name", ["clips/a1.safetensors", "face_model.safetensors"])
def test_a_damaged_file_is_named_with_the_remedy(folder: Path, name: str, how: str) -> None:
    damage_file(name, how)(folder)
    text = refused(lambda: open_corpus(folder).verify())
    assert name in text
    assert "Build or import the corpus again" in text
    if name != "face_model.safetensors":
        assert open_corpus(folder).clip("a0").frames == 20, "the other clips can still be read"


def reseal(folder: Path, clip: str, **arrays: Any) -> None:
    """Change a clip's arrays and put the right digest into the manifest."""
    from facial_bench.core.files import read_arrays

    path = folder / "clips" / f"{clip}.safetensors"
    changed = {**read_arrays(path, CorpusError, "")[0], **arrays}
    sha = write_arrays(path, {name: array for name, array in changed.items() if array is not None})
    edit(folder, lambda m: next(row for row in m["clips"] if row["id"] == clip).update(sha256=sha))


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"pose": np.zeros((20, 5), np.float32)}, r"pose should be of shape (20, 6), found (20, 5)"),
        ({"expression": np.zeros((19, 64), np.float32)}, "expression should be of shape (20, 64), found (19, 64)"),
        ({"blink": np.zeros((20, 1), np.float32)}, "blink should be of shape (20,), found (20, 1)"),
        ({"audio": np.zeros((20, 28), np.float32)}, "audio should be of shape (20, 29), found (20, 28)"),
        ({"landmarks": np.zeros((20, 67, 3), np.float32)}, "landmarks should be of shape (20, 68, 3)"),
        (
            {"landmarks": np.zeros((20, 68, 4), np.float32)},
            "landmarks should be of shape (20, 68, 3), found (20, 68, 4)",
        ),
        ({"valid": None}, "valid should be of shape (20,), found nothing"),
        ({"landmarks": None}, "landmarks should be of shape (20, 68, 3), found nothing"),
        ({"valid": np.ones(20, np.uint8)}, "valid should be bool, found uint8"),
        ({"pose": np.zeros((20, 6))}, "pose should be float32, found float64"),
        ({"blink": np.full(20, np.nan, np.float32)}, "blink holds NaN"),
        ({"audio": np.full((20, 29), np.inf, np.float32)}, "audio holds NaN or infinities"),
    ],
)
def test_arrays_that_are_not_what_they_should_be(folder: Path, arrays: dict[str, Any], expected: str) -> None:
    reseal(folder, "b0", **arrays)
    text = refused(lambda: open_corpus(folder).clip("b0"))
    assert expected in text
    assert "b0.safetensors" in text


def paths_of(value: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a manifest, but the notes on its source; one clip stands for all."""
    if isinstance(value, dict):
        for key in value:
            if key != "source":
                yield (*prefix, key)
                yield from paths_of(value[key], (*prefix, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield from paths_of(value[0], (*prefix, 0))


def at(manifest: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        manifest = manifest[key]
    return manifest


@pytest.mark.parametrize("wrong", ["absent", None, True, [], {}, "", -1, 0, 1.5, "x", "../x", 10**30])
def test_every_field_of_the_manifest_is_checked(original: Path, tmp_path: Path, wrong: Any) -> None:
    """Whatever stands in a field, the corpus opens with sensible content, or one line is raised."""
    manifest = json.loads((original / "corpus.json").read_text())
    places = list(paths_of(manifest))
    assert len(places) > 20
    for path in places:
        folder = Path(shutil.copytree(original, tmp_path / "-".join(map(str, path))))
        broken = json.loads((original / "corpus.json").read_text())
        before = at(broken, path)[path[-1]]
        if wrong == "absent":
            del at(broken, path)[path[-1]]
        else:
            at(broken, path)[path[-1]] = wrong
        (folder / "corpus.json").write_text(json.dumps(broken))
        try:
            open_corpus(folder).verify()
        except CorpusError as problem:
            assert "\n" not in str(problem)
            continue
        fine = (isinstance(wrong, str) and isinstance(before, str)) or (
            type(wrong) in (int, float) and type(before) in (int, float) and wrong > 0
        )
        assert fine and wrong != "absent", f"{path} = {wrong!r} was taken"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda m: m.update(schema="facial-bench corpus 0"), "this version reads"),
        (lambda m: m["clips"].append(m["clips"][0]), "listed twice"),
        (lambda m: m["clips"].append({**m["clips"][0], "id": "new"}), "listed twice"),
        (lambda m: m["clips"][0].update(id="../x"), "cannot name a file"),
        (lambda m: m["clips"][0].update(identity="c"), "no neutral of c"),
        (lambda m: m["face_model"].update(identities=["a", "a"]), "identity twice"),
        (
            lambda m: m["face_model"].update(identities=["a", "b", "c"]),
            "neutral is not a finite array of shape (3, 68, 3)",
        ),
        (lambda m: m["face_model"].update(identities=["a", ["b"]]), "Expected `str`, got `array`"),
        (lambda m: m.update(blink_scale="percent"), "blink_scale is not one of closure, AU45"),
        (lambda m: m["clips"][0]["camera"].update(focal=-3.0), "impossible camera"),
        (lambda m: m["clips"][0]["camera"].update(depth=1), "unknown field `depth`"),
        (lambda m: m["clips"][0].update(file="clips/a1.safetensors"), "listed twice"),
        (lambda m: m["clips"][0].update(sha256="0" * 64), "truncated or altered"),
        (lambda m: m.update(fps=float("nan")), "NaN is not a number"),
    ],
)
def test_a_manifest_that_was_altered(folder: Path, change: Callable[[dict[str, Any]], Any], expected: str) -> None:
    edit(folder, change)
    assert expected in refused(lambda: open_corpus(folder).verify())


@pytest.mark.parametrize(
    "content", ["[]", "3", "null", '"text"', "{}", "[" * 100_000, '{"schema": "facial-bench corpus 1"}']
)
def test_a_manifest_of_another_kind(folder: Path, content: str) -> None:
    (folder / "corpus.json").write_text(content)
    assert "corpus.json" in refused(lambda: open_corpus(folder))


@pytest.mark.parametrize("kind", ["relative", "absolute", "symlink", "folder symlink"])
def test_no_path_leaves_the_folder(folder: Path, tmp_path: Path, kind: str) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    target = secret / "a0.safetensors"
    shutil.copy(folder / "clips/a0.safetensors", target)
    if kind == "relative":
        edit(folder, lambda m: m["clips"][0].update(file="../secret/a0.safetensors"))
    elif kind == "absolute":
        edit(folder, lambda m: m["clips"][0].update(file=str(target)))
    elif kind == "symlink":
        (folder / "clips/a0.safetensors").unlink()
        (folder / "clips/a0.safetensors").symlink_to(target)
    else:
        (folder / "away").symlink_to(secret)
        edit(folder, lambda m: m["clips"][0].update(file="away/a0.safetensors"))
    assert "lies outside its corpus folder" in refused(lambda: open_corpus(folder).clip("a0"))


def test_no_folder_and_no_manifest(tmp_path: Path) -> None:
    assert "corpus import" in refused(lambda: open_corpus(tmp_path / "nothing"))
    assert "Is this a corpus folder?" in refused(lambda: open_corpus(tmp_path))
    (tmp_path / "file").write_text("x")
    assert "No corpus folder" in refused(lambda: open_corpus(tmp_path / "file"))


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine").write_text("x")
    (tmp_path / "file").write_text("x")
    for dest in ("used", "file"):
        assert "exists already" in refused(lambda dest=dest: write(tmp_path / dest))  # type: ignore[misc]
    assert (tmp_path / "used" / "mine").read_text() == "x"
    (tmp_path / "empty").mkdir()
    assert write(tmp_path / "empty").verify() == 4
    assert sorted(os.listdir(tmp_path)) == ["empty", "file", "used"]


def test_the_current_folder_can_be_the_destination(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write_corpus(".", CorpusDescription(name="tiny", audio_kind="noise29"), model(), clips())
    assert open_corpus(tmp_path / "here").verify() == 4


def test_a_destination_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for dest in (tmp_path / "file" / "corpus", Path("/proc/corpus"), tmp_path / ("x" * 300)):
        assert "Cannot write" in refused(lambda dest=dest: write(dest))  # type: ignore[misc]
    assert os.listdir(tmp_path) == ["file"]


def spoilt(**changes: Any) -> list[Clip]:
    own = clips()
    return [own[0], replace(own[1], **changes)]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ([], "No clips"),
        ([clips()[0], clips()[0]], "Two clips are named a0"),
        (spoilt(id="../x"), "cannot name a file"),
        (spoilt(id="x" * 121), "120 at most"),
        (spoilt(identity="a b"), "cannot name a file"),
        (spoilt(identity="c"), "no neutral shape of c"),
        (spoilt(audio=np.zeros((20, 28))), "of another width"),
        (spoilt(audio=np.zeros(20)), "audio should be of shape (T, F), found (20,)"),
        (spoilt(audio=np.zeros((19, 29))), "audio should be of shape (20, 29), found (19, 29)"),
        (spoilt(audio=np.full((20, 29), np.nan)), "audio holds NaN"),
        (spoilt(landmarks=np.zeros((20, 68, 5))), "landmarks should be of shape"),
        (spoilt(valid=np.ones(19, bool)), "audio should be of shape (19, 29), found (20, 29)"),
        (spoilt(camera=Camera(0, 10, 1.0)), "impossible camera"),
        (spoilt(motion=clips()[0].motion[:19]), "expression should be of shape (20, 64), found (19, 64)"),
        ([clip[:0] for clip in clips()], "impossible camera or length"),
    ],
)
def test_clips_that_cannot_be_stored_leave_nothing(tmp_path: Path, own: list[Clip], expected: str) -> None:
    text = refused(lambda: write(tmp_path / "corpus", own))
    assert expected in text
    assert "partial" not in text, "the folder named is the one that was asked for"
    assert os.listdir(tmp_path) == []


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    def some() -> Iterator[Clip]:
        yield clips()[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "corpus", some())
    assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left" in refused(lambda: write(tmp_path / "corpus"))
    assert os.listdir(tmp_path) == []


def test_the_manifest_holds_the_digest_of_every_file(folder: Path) -> None:
    manifest = json.loads((folder / "corpus.json").read_text())
    listed = {row["file"]: row["sha256"] for row in [*manifest["clips"], manifest["face_model"]]}
    assert listed == {str(path.relative_to(folder)): file_digest(path) for path in folder.rglob("*.safetensors")}
