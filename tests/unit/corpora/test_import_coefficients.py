"""Coefficients of a 3DMM: Deep3DFaceRecon's files and FACIAL's release, with the user's landmarks or basis."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat
from scipy.spatial.transform import Rotation

from facial_bench.core.geometry import decode_face, project
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.importers.coefficients import CENTIMETRES, import_deep3d, import_facial_release
from facial_bench.corpora.importers.linear_basis import DISTANCE, Basis, Coefficients, project_basis, read_basis
from facial_bench.errors import CorpusError, FacialBenchError
from facial_bench.types import Camera
from tests.helpers.media import tone, write_sound


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(8)


@pytest.fixture
def basis(rng: np.random.Generator, tmp_path: Path) -> Path:
    mean = rng.normal(size=(68, 3)) * [0.5, 0.6, 0.2] + [0, 0, 0.4]
    np.savez(
        tmp_path / "basis.npz",
        mean=mean,
        identity=rng.normal(size=(80, 68, 3)) * 0.01,
        expression=rng.normal(size=(64, 68, 3)) * 0.01,
    )
    return tmp_path / "basis.npz"


def coefficients(rng: np.random.Generator, frames: int = 200) -> np.ndarray:
    coeff = np.zeros((frames, 257))
    coeff[:, :80] = rng.normal(size=80)
    coeff[:, 80:144] = rng.normal(size=(frames, 64))
    coeff[:, 224:227] = rng.uniform(-0.2, 0.2, (frames, 3))
    coeff[:, 254:257] = rng.uniform(-0.1, 0.1, (frames, 3))
    return coeff


def put(folder: Path, name: str, coeff: np.ndarray) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    savemat(folder / f"{name}.mat", {"coeff": coeff})
    np.save(folder / f"{name}.blink.npy", np.clip(np.sin(np.arange(len(coeff))), 0, 1))
    write_sound(folder / f"{name}.wav", tone(len(coeff) / 25))
    return folder / f"{name}.mat"


def quiet(line: str) -> None:
    pass


def test_our_convention_is_theirs_seen_through_one_scale_a_frame(rng: np.random.Generator, basis: Path) -> None:
    """The same face, rotation and translation, in our camera: the pixels differ by perspective alone, which is at most
    depth over distance of the distance from the middle. By hand: a point on the axis lands in the middle, one up above.
    """
    held = Coefficients(
        np.arange(20),
        np.zeros((20, 80)),
        np.zeros((20, 64)),
        rng.uniform(-0.3, 0.3, (20, 3)),
        rng.uniform(-0.3, 0.3, (20, 3)),
        np.zeros(20),
    )
    face = read_basis(basis)
    theirs = project_basis(face, held)
    pose = np.concatenate([held.rotation, (held.translation - [0, 0, DISTANCE]) * CENTIMETRES], axis=1)
    ours = project(np.tile(face.mean * CENTIMETRES, (20, 1, 1)), pose, Camera(224, 224, 1015.0))
    turned = face.mean @ Rotation.from_euler("xyz", held.rotation).as_matrix().transpose(0, 2, 1)
    deepest = np.abs(turned[..., 2]).max() / (DISTANCE - held.translation[:, 2].max() - np.abs(turned[..., 2]).max())
    away = np.abs((theirs - ours)[..., :2])
    assert (away <= 1.05 * deepest * np.abs(theirs[..., :2] - 112) + 1e-9).all()
    np.testing.assert_allclose(theirs[..., 2], ours[..., 2], atol=1e-9)
    simple = Basis(np.array([[0, 0, 1.0], [0, 1, 0]] + [[0, 0, 0]] * 66), np.zeros((80, 68, 3)), np.zeros((64, 68, 3)))
    still = Coefficients(
        np.zeros(1, int), np.zeros((1, 80)), np.zeros((1, 64)), np.zeros((1, 3)), np.zeros((1, 3)), np.zeros(1)
    )
    np.testing.assert_allclose(project_basis(simple, still)[0, :2, :2], [[112, 112], [112, 112 - 101.5]])
    assert project_basis(simple, still)[0, 0, 2] < 0, "nearer the viewer"


def test_the_rotation_of_a_real_file_is_the_real_heads(real_data: Path) -> None:
    """Against MediaPipe's rotation of the same clip: one constant turn between the two heads, and 1.2 degrees of noise;
    the wrong order or sign of an axis gives three and more."""
    coeff = loadmat(real_data / "other-formats" / "deep3dface_s02a.mat")["coeff"]
    with np.load(real_data / "real-tracks" / "clips" / "s02a.npz") as clip:
        real = Rotation.from_euler("xyz", clip["rotation"])
        np.testing.assert_array_equal(coeff[:, 80:144], clip["expression"])

    def off(order: str, signs: list[int]) -> float:
        theirs = Rotation.from_euler(order, coeff[:, 224:227] * signs)
        between = (theirs.inv() * real).mean()
        return float(np.degrees(((theirs * between).inv() * real).magnitude()).mean())

    ours = off("xyz", [1, 1, 1])
    assert ours < 1.5
    assert min(off("xyz", [-1, 1, 1]), off("xyz", [1, -1, 1]), off("xyz", [1, 1, -1]), off("ZYX", [1, 1, 1])) > 2 * ours


def make(run: object, source: Path, dest: Path, **options: str) -> Corpus:
    run(source, dest, options, quiet)  # type: ignore[operator]
    return open_corpus(dest)


def test_with_a_basis_the_coefficients_are_kept_and_the_face_comes_back(
    rng: np.random.Generator, basis: Path, tmp_path: Path
) -> None:
    for name in ("a1", "a2", "a3"):
        put(tmp_path / "in", name, coefficients(rng))
    corpus = make(import_deep3d, tmp_path / "in", tmp_path / "made", basis=str(basis))
    clip = corpus.clip("a1")
    stored = loadmat(tmp_path / "in" / "a1.mat")["coeff"]
    shift = clip.motion.expression - stored[:, 80:144]
    np.testing.assert_allclose(shift, np.broadcast_to(shift[0], shift.shape), atol=1e-5)
    np.testing.assert_allclose(clip.motion.pose[:, :3], stored[:, 224:227], atol=1e-6)
    np.testing.assert_allclose(clip.motion.pose[:, 5], 10 * stored[:, 256] - 100, atol=1e-4)
    shown = project(decode_face(corpus.face_model, "a1", clip.motion.expression), clip.motion.pose, clip.camera)
    assert np.linalg.norm((shown - clip.landmarks)[..., :2], axis=2).mean() < 4, "pixels of 224"
    assert corpus.info.blink_scale == "closure"


def test_with_landmarks_beside(rng: np.random.Generator, basis: Path, tmp_path: Path) -> None:
    coeff = coefficients(rng)
    put(tmp_path / "in", "a1", coeff)
    held = Coefficients(
        np.arange(200), coeff[:, :80], coeff[:, 80:144], coeff[:, 224:227], coeff[:, 254:257], np.zeros(200)
    )
    np.save(tmp_path / "in" / "a1.landmarks.npy", project_basis(read_basis(basis), held))
    corpus = make(import_deep3d, tmp_path / "in", tmp_path / "made", image_size="224x224", fps="50")
    assert corpus.entries[0].frames == 100


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda f: (f / "a1.mat").write_text("text"), r"it cannot be read as \.mat"),
        (
            lambda f: savemat(f / "a1.mat", {"coeff": np.zeros((200, 100))}),
            r"float64 \(200, 100\), expected numbers \(T, 257\)",
        ),
        (lambda f: savemat(f / "a1.mat", {"other": 1}), "its coeff are not there"),
        (
            lambda f: savemat(f / "a1.mat", {"coeff": np.where(np.eye(257)[:200], np.nan, 0)}),
            "NaN in frame 0, column 0",
        ),
        (lambda f: (f / "a1.blink.npy").unlink(), r"there is no a1\.blink\.npy beside it"),
        (lambda f: np.save(f / "a1.blink.npy", np.zeros(3)), r"a1\.blink\.npy is float64 of shape \(3,\)"),
        (lambda f: np.save(f / "a1.blink.npy", np.full(200, 3.0)), "is not within 0..1"),
        (lambda f: (f / "a1.wav").write_bytes(b"RIFF"), r"a1\.wav cannot be read"),
    ],
)
def test_a_bad_file_is_one_line(
    rng: np.random.Generator, basis: Path, tmp_path: Path, spoil: object, complaint: str
) -> None:
    put(tmp_path / "in", "a1", coefficients(rng))
    spoil(tmp_path / "in")  # type: ignore[operator]
    with pytest.raises(CorpusError, match=complaint) as problem:
        make(import_deep3d, tmp_path / "in", tmp_path / "made", basis=str(basis))
    assert "\n" not in str(problem.value)


def test_what_must_be_said_before(rng: np.random.Generator, basis: Path, tmp_path: Path) -> None:
    put(tmp_path / "in", "a1", coefficients(rng))
    np.savez(tmp_path / "bad.npz", mean=np.zeros((68, 3)), identity=np.zeros((80, 68, 3)), expression=np.zeros(3))
    for options, complaint in (
        ({}, "needs landmarks: --option basis=FILE.npz"),
        ({"basis": str(basis), "image_size": "2x2"}, "one of them"),
        ({"basis": str(tmp_path / "none.npz")}, "cannot be read"),
        ({"image_size": "big"}, "is no size in pixels"),
        ({"basis": str(tmp_path / "bad.npz")}, r"expression is \(3,\)"),
        ({"base": "x"}, "Did you mean 'basis'"),
    ):
        with pytest.raises(FacialBenchError, match=complaint):
            make(import_deep3d, tmp_path / "in", tmp_path / "made", **options)


def test_facials_own_release(real_data: Path, basis: Path, tmp_path: Path) -> None:
    """The released states of a recording, with a basis of the tests' own, become a corpus at 25 frames a second."""
    corpus = make(import_facial_release, real_data / "facial-release", tmp_path / "made", basis=str(basis))
    (entry,) = corpus.entries
    assert (entry.id, entry.identity, entry.frames) == ("obama2", "obama2", 609)
    clip = corpus.clip("obama2")
    assert corpus.info.blink_scale == "AU45"
    assert np.abs(clip.motion.pose[:, :3]).max() < np.radians(15), "they are degrees in the file"
    with np.load(real_data / "facial-release" / "obama2.npz") as archive:
        state = archive["face"]
    pitch = clip.motion.pose[::5, 0]
    np.testing.assert_allclose(pitch, np.radians(state[::6, 0])[: len(pitch)], atol=1e-5)
    np.savez(tmp_path / "two.npz", a=np.zeros((5, 71)), b=np.zeros((5, 71)))
    with pytest.raises(
        CorpusError, match=r"its states are not there, expected one array \(T, 71\); it holds \(5, 71\), \(5, 71\)"
    ):
        make(import_facial_release, tmp_path / "two.npz", tmp_path / "other", basis=str(basis))
