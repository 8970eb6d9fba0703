"""Landmark distances: every definition against a slow loop, by hand, at zero, and against known mistakes."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import procrustes

from facial_bench.metrics.catalog import definition_digest
from facial_bench.metrics.lmd import landmark_metrics
from facial_bench.types import Camera, Motion, Sample

MOUTH, FACE, RIGID = range(48, 68), range(68), range(27, 48)
METRICS = {spec.id: spec for spec in landmark_metrics() if spec.id != "lmd/dtw"}
"""Those of frames; `lmd/dtw`, of paths through them, has tests of its own."""
IDS = sorted(METRICS)
PIXELS = [id_ for id_ in IDS if not id_.startswith("lmd/canonical")]
VELOCITIES = ["lvd/vector", "lvd/speed"]


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def motion(frames):
    return Motion(np.zeros((frames, 64)), np.zeros((frames, 6)), np.zeros(frames))


def make_sample(rng, frames=12):
    base = rng.uniform(50, 200, (68, 3))
    reference = base + rng.normal(size=(frames, 68, 3))
    generated = base + rng.normal(size=(frames, 68, 3))
    valid = np.ones(frames, bool)
    valid[3:4] = False
    camera = Camera(320, 240, 300.0)
    return Sample(
        motion(frames),
        motion(frames),
        reference,
        generated,
        reference / 20,
        generated / 20,
        valid,
        25.0,
        camera,
        np.zeros((frames, 29)),
    )


def length(vector):
    return math.sqrt(sum(float(x) ** 2 for x in vector))


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def eye(points):
    return length(points[45, :2] - points[36, :2])


def median_eye(landmarks, valid):
    return float(np.median([eye(points) for points, good in zip(landmarks, valid, strict=True) if good]))


def centred(points, chosen):
    return points - np.array([mean(points[k, d] for k in chosen) for d in range(points.shape[1])])


def aligned(moving, still):
    """Complex numbers: the best similarity of the plane is z -> a z + b with a = sum conj(z) w / sum |z|^2."""
    z, w = moving[:, 0] + 1j * moving[:, 1], still[:, 0] + 1j * still[:, 1]
    zc, wc = mean(z[k] for k in RIGID), mean(w[k] for k in RIGID)
    a = sum(np.conj(z[k] - zc) * (w[k] - wc) for k in RIGID) / sum(abs(z[k] - zc) ** 2 for k in RIGID)
    found = a * (z - zc) + wc
    return np.stack([found.real, found.imag], axis=1)


def slow(id_, s):
    """(T,) by loops, straight from the table of definitions."""
    return np.array([slow_frame(id_, s, t) for t in range(len(s.valid))])


def slow_frame(id_, s, t):
    r, g = s.reference_landmarks[t, :, :2], s.generated_landmarks[t, :, :2]
    rc, gc = s.reference_face[t], s.generated_face[t]
    size = np.array([s.camera.width, s.camera.height])
    if id_ in VELOCITIES and (t == 0 or not (s.valid[t] and s.valid[t - 1])):
        return math.nan
    dr, dg = r - s.reference_landmarks[t - 1, :, :2], g - s.generated_landmarks[t - 1, :, :2]
    return {
        "lmd": lambda: (
            mean(length(aligned(g, r)[k] - r[k]) for k in MOUTH) / median_eye(s.reference_landmarks, s.valid)
        ),
        "lmd/canonical": lambda: (
            mean(length(gc[k, :2] - rc[k, :2]) for k in MOUTH) / median_eye(s.reference_face, s.valid)
        ),
        "lmd/canonical-3d": lambda: mean(length(gc[k] - rc[k]) for k in MOUTH) / median_eye(s.reference_face, s.valid),
        "lmd/atvg": lambda: sum(length(centred(g, MOUTH)[k] - centred(r, MOUTH)[k]) for k in MOUTH),
        "lmd/centred-mouth": lambda: mean(length(centred(g, MOUTH)[k] - centred(r, MOUTH)[k]) for k in MOUTH),
        "lmd/centred-face": lambda: mean(length(centred(g, FACE)[k] - centred(r, FACE)[k]) for k in FACE),
        "lmd/raw-mouth": lambda: mean(length(g[k] - r[k]) for k in MOUTH),
        "lmd/raw-face": lambda: mean(length(g[k] - r[k]) for k in FACE),
        "lmd/l1": lambda: mean(abs(g[k, d] - r[k, d]) for k in FACE for d in (0, 1)),
        "lmd/unit": lambda: mean(length((g[k] - r[k]) / size) for k in FACE),
        "lmd/iod": lambda: mean(length(g[k] - r[k]) for k in FACE) / eye(r),
        "lvd/vector": lambda: mean(length(dg[k] - dr[k]) for k in FACE),
        "lvd/speed": lambda: sum(abs(length(dg[k]) - length(dr[k])) for k in FACE),
    }[id_]()


@pytest.mark.parametrize("id_", IDS)
def test_every_definition_equals_its_loop(rng, id_):
    sample = make_sample(rng)
    np.testing.assert_allclose(METRICS[id_].compute(sample), slow(id_, sample), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("id_", IDS)
def test_the_real_motion_itself_has_distance_zero(rng, id_):
    sample = make_sample(rng)
    same = replace(sample, generated_landmarks=sample.reference_landmarks, generated_face=sample.reference_face)
    values = METRICS[id_].compute(same)
    scored = ~np.isnan(slow(id_, same))
    assert scored.sum() >= 9
    np.testing.assert_allclose(values[scored], 0, atol=1e-12)


@pytest.mark.parametrize("id_", IDS)
def test_stored_landmarks_may_be_flat(rng, id_):
    sample = make_sample(rng)
    flat = replace(sample, reference_landmarks=sample.reference_landmarks[..., :2])
    np.testing.assert_array_equal(METRICS[id_].compute(flat), METRICS[id_].compute(sample))


@pytest.mark.parametrize(
    ("id_", "expected"),
    [
        # Every point of the generated face is (3, 4) px off; the outer eye corners are 50 px apart; image 320 x 240.
        ("lmd/raw-mouth", 5.0),
        ("lmd/raw-face", 5.0),
        ("lmd/iod", 0.1),
        ("lmd/l1", 3.5),
        ("lmd/unit", math.hypot(3 / 320, 4 / 240)),
        ("lmd/atvg", 0.0),
        ("lmd/centred-mouth", 0.0),
        ("lmd/centred-face", 0.0),
        ("lmd", 0.0),
    ],
)
def test_a_shifted_face_by_hand(rng, id_, expected):
    sample = shifted(rng, FACE)
    np.testing.assert_allclose(METRICS[id_].compute(sample), expected, atol=1e-9)


@pytest.mark.parametrize(
    ("id_", "expected"),
    [
        # Only the mouth is (3, 4) px off, in the second frame of two: distance 5 px, velocity difference 5 px a frame.
        ("lmd/raw-mouth", [0, 5]),
        ("lmd/raw-face", [0, 5 * 20 / 68]),
        ("lmd", [0, 0.1]),
        ("lmd/centred-mouth", [0, 0]),
        ("lmd/centred-face", [0, (20 * 5 * 48 / 68 + 48 * 5 * 20 / 68) / 68]),
        ("lmd/iod", [0, 0.1 * 20 / 68]),
        ("lvd/vector", [np.nan, 5 * 20 / 68]),
        ("lvd/speed", [np.nan, 20 * 5]),
    ],
)
def test_a_shifted_mouth_by_hand(rng, id_, expected):
    np.testing.assert_allclose(METRICS[id_].compute(shifted(rng, MOUTH, frames=[1])), expected, atol=1e-9)


def shifted(rng, points, frames=(0, 1)):
    still = rng.uniform(50, 200, (68, 3))
    still[36], still[45] = [100, 100, 0], [130, 140, 9]
    reference = np.stack([still, still])
    generated = reference.copy()
    for t in frames:
        generated[t, list(points)] += [3, 4, 77]
    return Sample(
        motion(2),
        motion(2),
        reference,
        generated,
        reference,
        generated,
        np.ones(2, bool),
        25.0,
        Camera(320, 240, 300.0),
        np.zeros((2, 29)),
    )


def test_canonical_distance_by_hand(rng):
    """The mouth alone 5 units off in the plane and 77 in depth; eyes 50 units apart in the plane."""
    sample = shifted(rng, MOUTH)
    np.testing.assert_allclose(METRICS["lmd/canonical"].compute(sample), 0.1, atol=1e-12)
    np.testing.assert_allclose(METRICS["lmd/canonical-3d"].compute(sample), math.hypot(5, 77) / 50, atol=1e-12)


# --- invariances


def test_lmd_does_not_see_where_how_large_or_how_tilted_the_generated_face_is(rng):
    sample = make_sample(rng)
    turned = sample.generated_landmarks.copy()
    for t in range(12):
        angle, scale = rng.uniform(-3, 3), rng.uniform(0.3, 3)
        turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        turned[t, :, :2] = turned[t, :, :2] @ turn.T + rng.normal(size=2) * 100
    moved = replace(sample, generated_landmarks=turned)
    np.testing.assert_allclose(METRICS["lmd"].compute(moved), METRICS["lmd"].compute(sample), rtol=1e-9)
    assert (METRICS["lmd/raw-mouth"].compute(moved) > 1.5 * METRICS["lmd/raw-mouth"].compute(sample)).any()


@pytest.mark.parametrize("id_", ["lmd", "lmd/iod", "lmd/canonical"])
def test_eye_normalised_distances_do_not_depend_on_the_size_of_the_picture(rng, id_):
    sample = make_sample(rng)
    double = replace(
        sample,
        reference_landmarks=2 * sample.reference_landmarks,
        generated_landmarks=2 * sample.generated_landmarks,
        reference_face=2 * sample.reference_face,
        generated_face=2 * sample.generated_face,
    )
    np.testing.assert_allclose(METRICS[id_].compute(double), METRICS[id_].compute(sample), rtol=1e-9)


@pytest.mark.parametrize("id_", ["lmd/canonical", "lmd/canonical-3d"])
def test_canonical_distances_do_not_see_pose(rng, id_):
    sample = make_sample(rng)
    other = replace(sample, generated_landmarks=sample.generated_landmarks[::-1] * 3, generated=motion(12))
    np.testing.assert_array_equal(METRICS[id_].compute(other), METRICS[id_].compute(sample))


def test_lmd_aligns_as_scipy_does(rng):
    """On nose and eyes alone the residual after alignment is scipy's Procrustes disparity."""
    sample = make_sample(rng, frames=1)
    r, g = (a[0, 27:48, :2] for a in (sample.reference_landmarks, sample.generated_landmarks))
    probe = replace(sample, valid=np.ones(1, bool))
    # Put the nose and eyes where the mouth is read too: 20 of the 21 points.
    for name in ("reference_landmarks", "generated_landmarks"):
        array = getattr(sample, name).copy()
        array[0, 48:68] = array[0, 27:47]
        probe = replace(probe, **{name: array})
    # scipy scales both to unit norm; undo it to get distances in pixels.
    still, moved, _ = procrustes(r, g)
    size = np.linalg.norm(r - r.mean(axis=0))
    expected = np.linalg.norm((still - moved)[:20] * size, axis=1).mean() / eye(probe.reference_landmarks[0])
    np.testing.assert_allclose(METRICS["lmd"].compute(probe), [expected], rtol=1e-9)


# --- known mistakes of public scripts, which these do not make


def test_the_mouth_is_averaged_over_its_20_points_and_not_over_68(rng):
    sample = make_sample(rng)
    total = METRICS["lmd/atvg"].compute(sample)
    np.testing.assert_allclose(METRICS["lmd/centred-mouth"].compute(sample), total / 20)


@pytest.mark.parametrize("damage", [np.nan, 0.0, 17.0])
@pytest.mark.parametrize("side", ["reference_landmarks", "generated_landmarks"])
def test_a_frame_without_a_face_is_never_perfect(rng, damage, side):
    """Missing faces come as NaN or as one point: with an alignment such a frame cannot be scored, and is NaN."""
    sample = make_sample(rng)
    array = getattr(sample, side).copy()
    array[5] = damage
    values = METRICS["lmd"].compute(replace(sample, **{side: array}))
    assert np.isnan(values[5])
    assert np.isfinite(np.delete(values, 5)).all()


@pytest.mark.parametrize("id_", PIXELS)
def test_landmarks_that_are_nan_are_not_scored(rng, id_):
    sample = make_sample(rng)
    array = sample.generated_landmarks.copy()
    array[7] = np.nan
    values = METRICS[id_].compute(replace(sample, generated_landmarks=array))
    assert np.isnan(values[7])
    assert np.isfinite(values[[6, 10]]).all()


def test_both_faces_missing_is_no_agreement(rng):
    sample = make_sample(rng)
    gone = np.zeros_like(sample.reference_landmarks)
    values = METRICS["lmd"].compute(replace(sample, reference_landmarks=gone, generated_landmarks=gone))
    assert np.isnan(values).all()
    assert np.isnan(METRICS["lmd/iod"].compute(replace(sample, reference_landmarks=gone))).all()


@pytest.mark.parametrize("id_", IDS)
@pytest.mark.parametrize("longer", ["reference", "generated"])
def test_unequal_lengths_are_refused_and_never_cut(rng, id_, longer):
    sample = make_sample(rng)
    names = [f"{longer}_landmarks", f"{longer}_face"]
    longer_sample = replace(sample, **{n: np.concatenate([getattr(sample, n)] * 2) for n in names})
    with pytest.raises(ValueError, match=r"frames cannot be compared|valid is"):
        METRICS[id_].compute(longer_sample)


@pytest.mark.parametrize("id_", ["lmd", "lmd/canonical", *VELOCITIES])
def test_a_mask_of_another_length_is_refused(rng, id_):
    sample = make_sample(rng)
    with pytest.raises(ValueError, match="valid"):
        METRICS[id_].compute(replace(sample, valid=sample.valid[:-1]))


@pytest.mark.parametrize("id_", VELOCITIES)
def test_velocity_is_of_the_whole_face(rng, id_):
    """Jaw and brows move, the mouth does not: the face's velocity distance is not that of the mouth, which is 0."""
    sample = shifted(rng, range(48), frames=[1])
    assert METRICS[id_].compute(sample)[1] > 1


@pytest.mark.parametrize("id_", VELOCITIES)
def test_velocity_needs_a_valid_frame_before(rng, id_):
    values = METRICS[id_].compute(make_sample(rng))
    assert np.flatnonzero(np.isnan(values)).tolist() == [0, 3, 4]


def test_the_two_velocity_distances_are_different_things(rng):
    """The same speed in another direction: no difference of speeds, a large difference of velocities."""
    still = rng.uniform(50, 200, (68, 3))
    sample = shifted(rng, FACE)
    step = np.array([5.0, 0.0, 0.0])
    right, left = np.stack([still, still + step]), np.stack([still, still - step])
    sample = replace(sample, reference_landmarks=right, generated_landmarks=left)
    np.testing.assert_allclose(METRICS["lvd/vector"].compute(sample)[1], 10)
    np.testing.assert_allclose(METRICS["lvd/speed"].compute(sample)[1], 0, atol=1e-9)


def test_invalid_frames_do_not_set_the_unit(rng):
    sample = make_sample(rng)
    array = sample.reference_landmarks.copy()
    array[3, 45] += 1e4  # frame 3 is invalid
    before, after = (METRICS["lmd"].compute(s) for s in (sample, replace(sample, reference_landmarks=array)))
    np.testing.assert_array_equal(np.delete(before, 3), np.delete(after, 3))


def test_without_a_valid_frame_nothing_is_scored(rng):
    values = METRICS["lmd"].compute(replace(make_sample(rng), valid=np.zeros(12, bool)))
    assert np.isnan(values).all()


# --- definitions


def test_definitions_have_ids_and_digests_of_their_own():
    assert len(METRICS) + 1 == len(landmark_metrics()) == 14
    assert len({definition_digest(spec) for spec in METRICS.values()}) == 13
    assert all(spec.higher_is_better is False for spec in METRICS.values())


@pytest.mark.parametrize(
    "change", [{"version": 2}, {"unit": "mm"}, {"formula": "another"}, {"higher_is_better": True}, {"id": "lmd2"}]
)
def test_any_change_of_a_definition_changes_its_digest(change):
    assert definition_digest(replace(METRICS["lmd"], **change)) != definition_digest(METRICS["lmd"])


def test_the_code_behind_a_definition_is_not_part_of_its_digest():
    same = replace(METRICS["lmd"], compute=lambda sample: sample.valid)
    assert definition_digest(same) == definition_digest(METRICS["lmd"])
