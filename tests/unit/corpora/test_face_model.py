"""The linear face model: what is put in comes out, and nothing of the test frames gets into it."""

import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facial_bench.core.geometry import RIGID, decode_face, outer_eye_distance, project, similarity_align
from facial_bench.core.progress import QUIET
from facial_bench.core.protocol import Protocol
from facial_bench.corpora import face_model
from facial_bench.corpora.face_model import principal_directions, ridge_directions
from facial_bench.corpora.split import ClipEntry, Segment, Split, split_clips
from facial_bench.corpora.track import Track
from facial_bench.errors import CorpusError
from facial_bench.types import Camera

MOVING = 5
"""Directions of expression that the made-up faces really have."""


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def tracks_of(rng, frames=120, people=("ada", "bo"), clips=3):
    """Tracked clips of faces whose mouths move along five directions, and what they were made from."""
    mouth = np.zeros((MOVING, 68, 3))
    mouth[:, 48:] = rng.normal(size=(MOVING, 20, 3))
    tracks, weights, faces = [], {}, {}
    for who in people:
        faces[who] = rng.normal(size=(68, 3)) * 4 + [0.0, 1.5, 7.0]
        camera = Camera(320, 240, 300.0)
        for number in range(clips):
            name = f"{who}{number}"
            weights[name] = rng.normal(size=(frames, MOVING)) + 1
            rotation = rng.uniform(-0.3, 0.3, (frames, 3))
            translation = rng.uniform([-3, -3, -60], [3, 3, -45], (frames, 3))
            face = faces[who] + np.einsum("tj,jkd->tkd", weights[name], mouth)
            seen = project(face, np.concatenate([rotation, translation], axis=1), camera)
            tracks.append(
                Track(
                    name,
                    who,
                    name,
                    np.zeros((frames, 29)),
                    seen,
                    rotation,
                    translation,
                    rng.uniform(0, 1, frames),
                    np.ones(frames, bool),
                    camera,
                )
            )
    return tracks, weights, mouth


def split_of(tracks):
    return split_clips([ClipEntry(t.id, t.identity, t.recording, len(t.valid)) for t in tracks], Protocol())


def corpus_from_tracks(tracks, split, expression=None):
    model, clips = face_model.corpus_from_tracks(tracks, split, expression)
    return model, list(clips)


def shown(model, clip):
    return project(decode_face(model, clip.identity, clip.motion.expression), clip.motion.pose, clip.camera)


def test_decoding_and_projecting_gives_the_landmarks_back(rng):
    """Five directions of the mouth fit into 64: test clips too are reproduced, in all three coordinates."""
    tracks, _, _ = tracks_of(rng)
    model, clips = corpus_from_tracks(tracks, split_of(tracks))
    for track, clip in zip(tracks, clips, strict=True):
        np.testing.assert_allclose(shown(model, clip), track.landmarks, atol=5e-3)
        assert clip.id == track.id
        assert clip.motion.state().shape == (120, 71)


def test_size_and_position_of_the_head_are_recovered_in_length_units(rng):
    tracks, weights, mouth = tracks_of(rng)
    model, clips = corpus_from_tracks(tracks, split_of(tracks))
    test = {segment.clip for segment in split_of(tracks).test}
    for who in ("ada", "bo"):
        train = [clip for clip in clips if clip.identity == who and clip.id not in test]
        decoded = np.concatenate([decode_face(model, who, clip.motion.expression) for clip in train])
        moved = np.concatenate([weights[clip.id] for clip in train]) @ mouth.reshape(MOVING, -1)
        np.testing.assert_allclose(
            decoded - decoded.mean(axis=0), (moved - moved.mean(0)).reshape(-1, 68, 3), atol=1e-3
        )
        np.testing.assert_allclose(decoded.mean(axis=0), model.neutral[who], atol=1e-4)


def test_training_expressions_have_mean_zero_and_no_more_directions_than_the_faces(rng):
    tracks, _, _ = tracks_of(rng)
    split = split_of(tracks)
    _, clips = corpus_from_tracks(tracks, split)
    test = {segment.clip for segment in split.test}
    for who in ("ada", "bo"):
        own = [c.motion.expression for c in clips if c.identity == who and c.id not in test]
        spread = np.concatenate(own).std(axis=0)
        np.testing.assert_allclose(np.concatenate(own).mean(axis=0), 0, atol=1e-4)
        assert (spread[:MOVING] > 0.5).all()
        assert (spread[MOVING:] < 1e-4).all()


def test_test_frames_leave_no_trace_in_the_model_or_in_the_training_clips(rng):
    tracks, _, _ = tracks_of(rng)
    split = split_of(tracks)
    test = {segment.clip for segment in split.test}
    changed = [replace(t, landmarks=rng.normal(size=t.landmarks.shape) * 9) if t.id in test else t for t in tracks]
    (model, clips), (other, others) = corpus_from_tracks(tracks, split), corpus_from_tracks(changed, split)
    np.testing.assert_array_equal(model.basis, other.basis)
    np.testing.assert_array_equal(model.mean, other.mean)
    for before, after in zip(clips, others, strict=True):
        same = np.array_equal(before.motion.expression, after.motion.expression)
        assert same == (before.id not in test)


def test_only_the_training_stretch_of_a_clip_is_used(rng):
    tracks, _, _ = tracks_of(rng, clips=1)
    split = Split(tuple(Segment(t.id, t.identity, 0, 60) for t in tracks), (), ())
    model, _ = corpus_from_tracks(tracks, split)
    cut = [replace(t, landmarks=np.concatenate([t.landmarks[:60], t.landmarks[60:] * 2])) for t in tracks]
    np.testing.assert_array_equal(model.basis, corpus_from_tracks(cut, split)[0].basis)


def test_invalid_frames_are_not_fitted(rng):
    tracks, _, _ = tracks_of(rng)
    split = split_of(tracks)
    hidden = []
    for track in tracks:
        valid = track.valid.copy()
        valid[40:60] = False
        hidden.append(replace(track, valid=valid))
    broken = [replace(t, landmarks=np.where(t.valid[:, None, None], t.landmarks, 7 * t.landmarks)) for t in hidden]
    model, clips = corpus_from_tracks(hidden, split)
    np.testing.assert_array_equal(model.basis, corpus_from_tracks(broken, split)[0].basis)
    assert clips[0].valid.sum() == 100


def test_the_mean_face_is_that_of_the_people_not_of_the_frames(rng):
    tracks, _, _ = tracks_of(rng)
    model, _ = corpus_from_tracks(tracks, split_of(tracks))
    np.testing.assert_allclose(model.mean, (model.neutral["ada"] + model.neutral["bo"]) / 2, atol=1e-5)


# --- directions


@pytest.mark.parametrize("frames", [300, 20])
def test_principal_directions_are_orthonormal_also_with_fewer_frames_than_directions(rng, frames):
    directions = principal_directions(rng.normal(size=(frames, 204)))
    np.testing.assert_allclose(directions @ directions.T, np.eye(64), atol=1e-9)
    assert (directions[np.arange(64), np.abs(directions).argmax(axis=1)] > 0).all()


def test_principal_directions_are_the_leading_eigenvectors_of_the_covariance(rng):
    samples = rng.normal(size=(300, 204)) * np.linspace(5, 0.1, 204)
    vectors = np.linalg.eigh(samples.T @ samples)[1][:, ::-1][:, :64].T
    directions = principal_directions(samples)
    np.testing.assert_allclose(np.abs((directions * vectors).sum(axis=1)), 1, atol=1e-9)


def test_the_sign_of_a_direction_does_not_depend_on_the_sign_of_the_samples(rng):
    samples = rng.normal(size=(300, 204)) * np.linspace(5, 0.1, 204)
    np.testing.assert_allclose(principal_directions(samples), principal_directions(-samples), atol=1e-9)


def test_ridge_directions_solve_the_augmented_least_squares(rng):
    coefficients, samples = rng.normal(size=(200, 64)), rng.normal(size=(200, 204))
    penalty = 1e-3 * (coefficients**2).sum() / 64
    augmented = np.concatenate([coefficients, math.sqrt(penalty) * np.eye(64)])
    slow = np.linalg.lstsq(augmented, np.concatenate([samples, np.zeros((64, 204))]), rcond=None)[0]
    np.testing.assert_allclose(ridge_directions(coefficients, samples), slow, atol=1e-9)


def test_stored_coefficients_are_kept_less_the_training_mean(rng):
    tracks, weights, mouth = tracks_of(rng)
    stored = {name: np.pad(weight, ((0, 0), (0, 64 - MOVING))) for name, weight in weights.items()}
    split = split_of(tracks)
    model, clips = corpus_from_tracks(tracks, split, stored)
    train = {segment.clip for segment in split.train}
    for clip in clips:
        own = [stored[c.id] for c in clips if c.identity == clip.identity and c.id in train]
        expected = stored[clip.id] - np.concatenate(own).mean(axis=0)
        np.testing.assert_allclose(clip.motion.expression, expected, atol=1e-5)
    np.testing.assert_allclose(model.basis[:MOVING], mouth, rtol=0.05, atol=0.01)
    np.testing.assert_allclose(model.basis[MOVING:], 0, atol=1e-9)


def test_constant_stored_coefficients_are_an_error(rng):
    tracks, _, _ = tracks_of(rng)
    with pytest.raises(CorpusError, match=r"do not vary.*expression=fit"):
        corpus_from_tracks(tracks, split_of(tracks), {t.id: np.ones((120, 64)) for t in tracks})


# --- what cannot be fitted


@pytest.mark.parametrize(
    ("field", "change", "message"),
    [
        ("landmarks", lambda a: a[..., :2], r"Clip 'ada0': landmarks is \(120, 68, 2\), expected \(120, 68, 3\)"),
        ("rotation", lambda a: a[:-1], r"Clip 'ada0': rotation is \(119, 3\)"),
        ("blink", lambda a: a * np.nan, "Clip 'ada0': blink holds NaN"),
        ("audio", lambda a: a[:-3], "Clip 'ada0': audio has 117 rows for 120 frames"),
        ("translation", lambda a: -a, "Clip 'ada0': translation z must be negative"),
    ],
)
def test_a_track_that_does_not_fit_together_is_named(rng, field, change, message):
    tracks, _, _ = tracks_of(rng)
    tracks[0] = replace(tracks[0], **{field: change(getattr(tracks[0], field))})
    with pytest.raises(CorpusError, match=message):
        corpus_from_tracks(tracks, split_of(tracks))


def test_a_person_without_a_training_frame_is_named(rng):
    tracks, _, _ = tracks_of(rng)
    split = split_of(tracks)
    only_ada = replace(split, train=tuple(s for s in split.train if s.identity == "ada"))
    with pytest.raises(CorpusError, match="Identity 'bo' has no training frame"):
        corpus_from_tracks(tracks, only_ada)


def test_a_missing_stored_expression_is_named(rng):
    tracks, _, _ = tracks_of(rng)
    with pytest.raises(CorpusError, match="Clip 'ada0' has no stored expression"):
        corpus_from_tracks(tracks, split_of(tracks), {})


# --- real faces


def test_real_motion_decodes_to_its_landmarks(tmp_path):
    """Tracked people: within 4 % of the eye distance with pose; mouths within 0.3 % once aligned."""
    data = os.environ.get("FACIAL_BENCH_DATA")
    if not data or not (Path(data) / "real-tracks").is_dir():
        pytest.skip("real tracks not found: set FACIAL_BENCH_DATA")
    from facial_bench.corpora.corpus import open_corpus
    from facial_bench.corpora.importers import built_in_importers

    built_in_importers()[0].run(Path(data) / "real-tracks", tmp_path / "real", {}, QUIET)
    corpus = open_corpus(tmp_path / "real")
    assert len(corpus.entries) == 14
    for entry in corpus.entries:
        clip = corpus.clip(entry.id)
        seen, eyes = shown(corpus.face_model, clip), np.median(outer_eye_distance(clip.landmarks))
        error = np.linalg.norm((seen - clip.landmarks)[..., :2], axis=2).mean() / eyes
        aligned = similarity_align(seen[..., :2], clip.landmarks[..., :2], RIGID)
        mouth = np.linalg.norm((aligned - clip.landmarks[..., :2])[:, 48:], axis=2).mean() / eyes
        assert error < 0.04, entry.id
        assert mouth < 0.003, entry.id
        assert clip.motion.frames == entry.frames


def test_of_a_long_corpus_every_second_frame_is_fitted(rng, monkeypatch):
    """The model of a thinned corpus still reproduces every frame, and memory is bounded by FIT_FRAMES."""
    tracks, _, _ = tracks_of(rng)
    split = split_of(tracks)
    whole, _ = corpus_from_tracks(tracks, split)
    monkeypatch.setattr(face_model, "FIT_FRAMES", sum(segment.frames for segment in split.train) // 2)
    fitted_on = []
    directions = face_model.principal_directions
    monkeypatch.setattr(face_model, "principal_directions", lambda s: fitted_on.append(len(s)) or directions(s))
    model, clips = corpus_from_tracks(tracks, split)
    assert fitted_on == [face_model.FIT_FRAMES]
    assert not np.array_equal(model.mean, whole.mean)
    for track, clip in zip(tracks, clips, strict=True):
        np.testing.assert_allclose(shown(model, clip), track.landmarks, atol=0.01)


def test_tracks_are_read_one_at_a_time(rng):
    tracks, _, _ = tracks_of(rng)

    class Stored(list):
        asked = 0

        def __iter__(self):
            for track in super().__iter__():
                self.asked += 1
                yield track

    stored = Stored(tracks)
    _, clips = face_model.corpus_from_tracks(stored, split_of(tracks))
    assert stored.asked == len(tracks)
    next(clips)
    assert stored.asked == len(tracks) + 1


def test_what_a_tracker_keeps_stays_with_the_clip(rng):
    tracks, _, _ = tracks_of(rng)
    kept = [replace(track, extras={"blendshapes": np.full((120, 52), 0.25)}) for track in tracks]
    _, clips = corpus_from_tracks(kept, split_of(tracks))
    assert clips[0][5:9].extras["blendshapes"].shape == (4, 52)
    short = replace(tracks[0], extras={"blendshapes": np.zeros((3, 52))})
    with pytest.raises(CorpusError, match="120 frames expected"):
        corpus_from_tracks([short, *tracks[1:]], split_of(tracks))
