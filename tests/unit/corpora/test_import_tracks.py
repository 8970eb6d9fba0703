"""Importer `tracks`: what a good folder becomes, and one clear line for every kind of bad one."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from facial_bench.core.geometry import project
from facial_bench.core.progress import QUIET
from facial_bench.corpora.corpus import open_corpus
from facial_bench.corpora.importers import built_in_importers
from facial_bench.errors import CorpusError, FacialBenchError
from facial_bench.types import Camera

CAMERA = Camera(256, 256, 128 / np.tan(np.radians(31.5)))
SECONDS, RATE = 8, 16000


def arrays_of(rng, face, fps):
    frames = int(SECONDS * fps)
    shape = np.repeat(face[None], frames, axis=0)
    shape[:, 48:] += rng.normal(size=(frames, 20, 3)).cumsum(axis=0) * 0.02
    rotation = 0.1 * np.sin(np.arange(frames)[:, None] / fps + np.arange(3))
    translation = [0.5, -1.0, -50.0] + rng.normal(size=(frames, 3)) * 0.01
    pose = np.concatenate([rotation, translation], axis=1)
    return {
        "landmarks": project(shape, pose, CAMERA).astype(np.float32),
        "rotation": rotation.astype(np.float32),
        "translation": translation.astype(np.float32),
        "blink": rng.uniform(0, 1, frames).astype(np.float32),
        "valid": np.ones(frames, bool),
        "audio": rng.integers(-9000, 9000, SECONDS * RATE).astype(np.int16),
        "audio_rate": np.int32(RATE),
        "image_size": np.array([256, 256]),
        "fps": np.float64(fps),
        "phone_logposterior": np.log(rng.dirichlet(np.ones(42), SECONDS * 100 - 1)).astype(np.float16),
        "expression": rng.normal(size=(frames, 64)).astype(np.float32),
    }


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Two people, three clips each, at 25 and 30 fps; nobody's clips share a recording."""
    rng = np.random.default_rng(2)
    source, rows = tmp_path_factory.mktemp("original"), []
    for who in ("ada", "bo"):
        face = rng.normal(size=(68, 3)) * 4
        for number, fps in enumerate((25.0, 30.0, 30.0)):
            name = f"{who}{number}"
            np.savez(source / f"{name}.npz", **arrays_of(rng, face, fps))
            rows.append(
                {
                    "clip": name,
                    "identity": who,
                    "file": f"{name}.npz",
                    "fps": fps,
                    "frames": int(SECONDS * fps),
                    "image_size": [256, 256],
                    "source_repository": "some/where",
                    "source_path": f"{name}.mp4",
                }
            )
    write_manifest(source, rows)
    return source


@pytest.fixture
def folder(original, tmp_path):
    """A copy to spoil."""
    return Path(shutil.copytree(original, tmp_path / "little"))


def write_manifest(source, rows, **fields):
    content = {"format": "facial-bench track folder 1", "tracker": "none", "clips": rows, **fields}
    (source / "manifest.json").write_text(json.dumps(content))


def rows_of(source):
    return json.loads((source / "manifest.json").read_text())["clips"]


def change(source, clip, **arrays):
    """Rewrite one clip's file with some arrays replaced, or, given None, taken out."""
    with np.load(source / f"{clip}.npz") as archive:
        content = {name: archive[name] for name in archive.files}
    content.update(arrays)
    kept = {name: array for name, array in content.items() if array is not None}
    np.savez(source / f"{clip}.npz", **kept)


def array(source, clip, name):
    with np.load(source / f"{clip}.npz") as archive:
        return archive[name].copy()


def run(source, options=None, log=QUIET):
    dest = source.parent / "corpus"
    built_in_importers()[0].run(source, dest, options or {}, log)
    return open_corpus(dest)


def complaint(source, options=None, kind=CorpusError):
    """The error's text; it is one line, and nothing was written."""
    with pytest.raises(kind) as caught:
        run(source, options)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in source.parent.iterdir()) == [source.name]
    return str(caught.value)


# --- good folders


def test_every_array_comes_out_at_the_protocols_rate(folder):
    corpus = run(folder)
    assert [(entry.id, entry.frames) for entry in corpus.entries] == [
        ("ada0", 200),
        ("ada1", 200),
        ("ada2", 200),
        ("bo0", 200),
        ("bo1", 200),
        ("bo2", 200),
    ]
    info = corpus.info
    assert (info.fps, info.audio_kind, info.audio_width, info.name) == (25.0, "mel29", 29, "corpus")
    assert (info.length_unit, info.landmark_unit, info.blink_scale) == ("cm", "px", "closure")
    clip = corpus.clip("ada1")
    assert clip.audio.shape == (200, 29)
    assert clip.motion.state().shape == (200, 71)
    assert clip.landmarks.shape == (200, 68, 3)
    assert clip.camera == CAMERA
    at = np.arange(200) / 25
    for name, resampled in {"blink": clip.motion.blink, "translation": clip.motion.pose[:, 5]}.items():
        stored = array(folder, "ada1", name)
        stored = stored if stored.ndim == 1 else stored[:, 2]
        np.testing.assert_allclose(resampled, np.interp(at, np.arange(240) / 30, stored), atol=1e-5)


def test_clips_at_the_protocols_rate_are_kept_as_they_are(folder):
    clip = run(folder).clip("ada0")
    np.testing.assert_array_equal(clip.landmarks, array(folder, "ada0", "landmarks"))
    np.testing.assert_array_equal(clip.motion.blink, array(folder, "ada0", "blink"))
    np.testing.assert_allclose(clip.motion.pose[:, :3], array(folder, "ada0", "rotation"), atol=1e-6)


def test_the_corpus_carries_no_trace_of_where_it_was_made(folder):
    corpus = run(folder)
    assert str(folder.parent) not in (corpus.path / "corpus.json").read_text()
    assert corpus.manifest["source"]["clips"]["bo2"]["source_path"] == "bo2.mp4"


def test_the_same_folder_gives_the_same_corpus(folder, tmp_path):
    first = run(folder).info.digest
    (tmp_path / "corpus").rename(tmp_path / "first")
    assert run(folder).info.digest == first


def test_recordings_are_named_or_else_the_source_or_else_one_per_person(folder):
    rows = rows_of(folder)
    rows[0]["recording"] = "monday"
    del rows[2]["source_repository"], rows[2]["source_path"]
    write_manifest(folder, rows)
    recordings = {entry.id: entry.recording for entry in run(folder).entries}
    assert (recordings["ada0"], recordings["ada1"], recordings["ada2"]) == ("monday", "some/where/ada1.mp4", "ada")


def test_phones(folder):
    corpus = run(folder, {"audio": "phones"})
    assert (corpus.info.audio_kind, corpus.info.audio_width) == ("phones", 42)
    np.testing.assert_allclose(np.exp(corpus.clip("bo0").audio).sum(axis=1), 1, atol=2e-3)


def test_stored_expressions_are_kept_and_clips_without_are_left_out_and_named(folder):
    change(folder, "ada2", expression=None)
    lines = []
    corpus = run(folder, {"expression": "stored"}, lines.append)
    assert [entry.id for entry in corpus.entries] == ["ada0", "ada1", "bo0", "bo1", "bo2"]
    assert corpus.manifest["source"]["left_out"] == ["ada2"]
    assert any("Left out" in line and "ada2" in line for line in lines)
    offset = array(folder, "ada0", "expression") - corpus.clip("ada0").motion.expression
    np.testing.assert_allclose(offset, np.broadcast_to(offset[0], offset.shape), atol=1e-5)


def test_a_person_who_vanishes_with_the_stored_expressions_is_named(folder):
    for clip in ("bo0", "bo1", "bo2"):
        change(folder, clip, expression=None)
    lines = []
    corpus = run(folder, {"expression": "stored"}, lines.append)
    assert corpus.info.identities == ("ada",)
    assert any("without any clip: bo" in line for line in lines)
    assert corpus.manifest["source"]["identities_left_out"] == ["bo"]


def test_no_stored_expression_at_all_names_the_other_option(folder):
    for row in rows_of(folder):
        change(folder, row["clip"], expression=None)
    assert "expression=fit" in complaint(folder, {"expression": "stored"})


def test_invalid_frames_are_interpolated_and_stay_invalid(folder):
    valid = np.ones(200, bool)
    valid[50:53] = False
    blink = array(folder, "ada0", "blink")
    landmarks = array(folder, "ada0", "landmarks")
    landmarks[50:53] = np.nan
    change(folder, "ada0", valid=valid, landmarks=landmarks, blink=np.where(valid, blink, np.nan))
    clip = run(folder).clip("ada0")
    assert np.flatnonzero(~clip.valid).tolist() == [50, 51, 52]
    expected = np.interp([50, 51, 52], [49, 53], blink[[49, 53]])
    np.testing.assert_allclose(clip.motion.blink[50:53], expected, atol=1e-6)
    assert np.isfinite(clip.landmarks).all()


# --- bad folders


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"audoi": "mel29"}, "Unknown option of the importer tracks 'audoi'. Did you mean 'audio'?"),
        ({"audio": "phone"}, "Unknown value of the option audio 'phone'. Did you mean 'phones'?"),
        ({"expression": "pca"}, "Unknown value of the option expression 'pca'. Available: fit, stored."),
    ],
)
def test_unknown_options_are_named(folder, options, message):
    assert message in complaint(folder, options, FacialBenchError)


def test_a_folder_that_is_not_there(tmp_path):
    source = tmp_path / "nothing"
    with pytest.raises(CorpusError, match=r"manifest\.json does not exist"):
        run(source)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{not json", "cannot be read as JSON"),
        ("[]", "format is 'list'"),
        ('{"format": "other 2", "clips": []}', "format is 'other 2', expected 'facial-bench track folder 1'"),
        ('{"format": "facial-bench track folder 1", "clips": []}', "'clips' is not a list with a clip in it"),
        ('{"format": "facial-bench track folder 1", "clips": [3]}', "clip number 0 has no text field 'clip'"),
    ],
)
def test_a_manifest_that_is_none(folder, text, message):
    (folder / "manifest.json").write_text(text)
    assert message in complaint(folder)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("file", "../elsewhere.npz", "lies outside the track folder"),
        ("file", "/etc/passwd", "lies outside the track folder"),
        ("file", "a\0b", "lies outside the track folder"),
        ("file", "gone.npz", "does not exist"),
        ("file", "manifest.json", "cannot be read"),
        ("file", ".", "does not exist"),
        ("file", 3, "no text field 'file'"),
        ("clip", "../up", "cannot name a file"),
        ("clip", "ada0", "two clips are named 'ada0'"),
        ("identity", "", "cannot name a file"),
        ("frames", 239, "has 240 frames, the manifest 239"),
        ("fps", 25.0, "fps is 30 in the file and 25 in the manifest"),
        ("fps", "thirty", "fps is 'thirty', expected a positive number"),
        ("fps", 10**400, "is too large"),
        ("image_size", [512, 512], "image_size is [256, 256], in the manifest [512, 512]"),
    ],
)
def test_a_row_of_the_manifest_that_does_not_hold(folder, field, value, message):
    rows = rows_of(folder)
    rows[4][field] = value
    write_manifest(folder, rows)
    assert message in complaint(folder)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file(folder, share):
    path = folder / "bo1.npz"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    text = complaint(folder)
    assert "Clip 'bo1'" in text
    assert "bo1.npz" in text
    assert "cannot be read" in text


def test_a_damaged_array_inside_a_whole_file(folder):
    path = folder / "bo1.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    assert "cannot be read" in complaint(folder)


def test_pickles_are_not_opened(folder):
    change(folder, "bo1", landmarks=np.array([{"a": 1}], dtype=object))
    assert "cannot be read (Object arrays cannot be loaded" in complaint(folder)


def test_a_link_out_of_the_folder_is_not_followed(folder, tmp_path):
    outside = tmp_path.parent / f"{tmp_path.name}-outside.npz"
    (folder / "bo1.npz").rename(outside)
    (folder / "bo1.npz").symlink_to(outside)
    assert "lies outside the track folder" in complaint(folder)


def spoil(values, frame, value):
    values = values.copy()
    values[frame] = value
    return values


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("landmarks", lambda a: None, "array 'landmarks' is missing; it holds audio, audio_rate, blink"),
        ("landmarks", lambda a: a[:-1], "of shape (239, 68, 3), expected numbers of shape (240, 68, 3)"),
        ("landmarks", lambda a: a[..., :2], "of shape (240, 68, 2), expected numbers of shape (240, 68, 3)"),
        ("landmarks", lambda a: spoil(a, 17, np.nan), "array 'landmarks' holds NaN or infinity in the valid frame 17"),
        ("landmarks", lambda a: a.astype(str), "array 'landmarks' is <U"),
        ("rotation", lambda a: np.degrees(a) + 90, "array 'rotation' is beyond 2 pi in frame 0; angles are in rad"),
        ("translation", lambda a: -a, "array 'translation' has z >= 0 in frame 0"),
        (
            "translation",
            lambda a: spoil(a, 5, np.inf),
            "array 'translation' holds NaN or infinity in the valid frame 5",
        ),
        ("blink", lambda a: 5 * a, "array 'blink' is not within 0..1"),
        ("blink", lambda a: a[:, None], "array 'blink' is float32 of shape (240, 1), expected numbers of shape (240)"),
        ("valid", lambda a: a.astype(float), "array 'valid' is float64 of shape (240,), expected bool of shape (n)"),
        ("valid", lambda a: ~a, "valid names no frame with a face"),
        ("valid", lambda a: a[:0], "valid names no frame with a face"),
        ("valid", lambda a: a[:100], "valid has 100 frames, the manifest 240"),
        ("fps", lambda a: np.float64(0), "fps is 0.0, expected a positive number"),
        ("fps", lambda a: np.float64(-30), "fps is -30.0, expected a positive number"),
        ("fps", lambda a: np.float64(np.nan), "fps is nan, expected a positive number"),
        ("fps", lambda a: np.full(240, 30.0), "array 'fps' is float64 of shape (240,), expected numbers of shape ()"),
        ("fps", lambda a: np.float64(0.5), "fps is 0.5, expected 1 to 1000"),
        ("image_size", lambda a: np.array([256, 0]), "image_size is [256, 0], expected width and height in pixels"),
        ("audio", lambda a: a[: RATE * 5], "array 'audio' lasts 5.00 s, the picture 8.00 s"),
        ("audio", lambda a: np.tile(a, 2), "array 'audio' lasts 16.00 s, the picture 8.00 s"),
        ("audio", lambda a: np.stack([a, a], 1), "array 'audio' is int16 of shape (128000, 2), expected numbers of"),
        ("audio", lambda a: a / 32768 * np.nan, "array 'audio' is unusable (audio as floats must be finite"),
        ("audio", lambda a: a.astype(float), "array 'audio' is unusable (audio as floats must be finite and within"),
        ("audio", lambda a: None, "array 'audio' is missing"),
        ("audio_rate", lambda a: np.int32(44100), "array 'audio' lasts 2.90 s, the picture 8.00 s"),
        ("audio_rate", lambda a: np.int32(0), "audio_rate is 0.0, expected a positive number"),
        ("audio_rate", lambda a: np.float64(16000.5), "audio_rate is 16000.5 Hz, expected a whole number"),
        ("audio_rate", lambda a: None, "array 'audio_rate' is missing"),
    ],
)
def test_a_bad_array_is_named_with_its_clip_and_file(folder, name, damage, message):
    rows = rows_of(folder)
    if name == "fps":
        rows[4].pop("fps")
    write_manifest(folder, rows)
    change(folder, "bo1", **{name: damage(array(folder, "bo1", name))})
    text = complaint(folder)
    assert text.startswith("Clip 'bo1' (")
    assert "bo1.npz" in text
    assert message in text


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda a: None, "array 'phone_logposterior' is missing"),
        (
            lambda a: a[:, :40],
            "array 'phone_logposterior' is float16 of shape (799, 40), expected numbers of shape (n, 42)",
        ),
        (lambda a: a[:300], "array 'phone_logposterior' lasts 3.00 s, the picture 8.00 s"),
        (lambda a: spoil(a, 9, np.nan), "array 'phone_logposterior' is unusable (phone posteriors hold NaN"),
    ],
)
def test_bad_phone_posteriors(folder, damage, message):
    change(folder, "bo1", phone_logposterior=damage(array(folder, "bo1", "phone_logposterior")))
    assert message in complaint(folder, {"audio": "phones"})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda a: a[:, :32], "array 'expression' is float32 of shape (240, 32), expected numbers of shape (240, 64)"),
        (lambda a: spoil(a, 9, np.nan), "array 'expression' holds NaN or infinity in the valid frame 9"),
    ],
)
def test_bad_stored_expressions(folder, damage, message):
    change(folder, "bo1", expression=damage(array(folder, "bo1", "expression")))
    assert message in complaint(folder, {"expression": "stored"})


def test_a_corpus_that_exists_is_not_overwritten(folder, tmp_path):
    run(folder)
    before = (tmp_path / "corpus" / "corpus.json").read_bytes()
    with pytest.raises(CorpusError, match="exists already"):
        run(folder)
    assert (tmp_path / "corpus" / "corpus.json").read_bytes() == before


# --- real tracks


@pytest.mark.parametrize("options", [{"audio": "phones"}, {"expression": "stored"}])
def test_real_tracks(tmp_path, options):
    data = os.environ.get("FACIAL_BENCH_DATA")
    if not data or not (Path(data) / "real-tracks").is_dir():
        pytest.skip("real tracks not found: set FACIAL_BENCH_DATA")
    built_in_importers()[0].run(Path(data) / "real-tracks", tmp_path / "real", options, QUIET)
    corpus = open_corpus(tmp_path / "real")
    people = ("s01", "s02", "s03") if options.get("expression") else ("s01", "s02", "s03", "s04", "s05")
    assert corpus.info.identities == people
    assert corpus.verify() == len(corpus.entries)
