"""The drawn corpus: its pictures show what its tracks say, its sound goes with them, and a seed gives it again."""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.from_videos.video_frames import clip_frames, video_file
from facial_bench.corpora.synthetic import corpus as synthetic
from facial_bench.corpora.synthetic.lexicon import VOWELS
from facial_bench.corpora.synthetic.speech import RATE, SILENCE
from facial_bench.corpora.synthetic_video import make, make_from_options
from facial_bench.corpora.synthetic_video.corpus import Shooting, shootings
from facial_bench.corpora.synthetic_video.curves import spline
from facial_bench.corpora.synthetic_video.drawing import draw_person
from facial_bench.corpora.synthetic_video.looks import look_of, looks_by_name
from facial_bench.corpora.synthetic_video.outlines import outlines
from facial_bench.corpora.synthetic_video.scene import SIZE, Scene
from facial_bench.corpora.synthetic_video.sound import SOUND_RATE
from facial_bench.errors import CorpusError, FacialBenchError
from facial_bench.media.sound import SoundReader

Image = pytest.importorskip("PIL.Image")
ImageDraw = pytest.importorskip("PIL.ImageDraw")
pytest.importorskip("av")
SECONDS = 3


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """One clip of three seconds a person."""
    dest = tmp_path_factory.mktemp("drawn") / "corpus"
    make(dest, clips=1, seconds=SECONDS)
    return open_corpus(dest)


def drawn(shot: Shooting, frames: np.ndarray) -> np.ndarray:
    """(N, 256, 256, 3) pictures of some frames of a whole take."""
    look, rng = look_of(shot.person.name), np.random.default_rng(0)
    curves = outlines(shot.person, look, shot.take, rng)
    scene, pictures = Scene(look, curves, rng), []
    for frame in frames:
        canvas = scene.canvas(frame)
        draw_person(canvas, curves, int(frame), look)
        pictures.append(scene.develop(canvas, int(frame)))
    return np.stack(pictures)


def within(points: np.ndarray) -> np.ndarray:
    """(256, 256) bool: inside a polygon of landmarks (N, 3), px."""
    mask = Image.new("1", (SIZE, SIZE))
    ImageDraw.Draw(mask).polygon([tuple(map(float, point)) for point in points[:, :2]], fill=1)
    return np.asarray(mask)


def around_eye(shot: Shooting, frame: int, first: int) -> np.ndarray:
    """(256, 256) bool: a patch around an eye, of the same size whether it is open or shut."""
    marks = shot.take.landmarks[frame]
    middle = (marks[first] + marks[first + 3])[:2] / 2
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    return np.hypot((columns - middle[0]) / 11, (rows - middle[1]) / 6) < 1


@pytest.mark.parametrize("index", [0, 1])
def test_an_eye_that_closes_shows_less_white(index: int) -> None:
    shot = shootings(clips=1)[index]
    frames = np.argsort(shot.take.closure)[np.linspace(0, shot.frames - 1, 24).astype(int)]
    white = []
    for frame, picture in zip(frames, drawn(shot, frames), strict=True):
        pale = (picture.min(axis=2) > 165) & (np.ptp(picture.astype(int), axis=2) < 32)
        white.append(sum((pale & around_eye(shot, frame, first)).sum() for first in (36, 42)))
    closure = shot.take.closure[frames]
    assert np.corrcoef(closure, white)[0, 1] < -0.8
    assert white[int(closure.argmax())] < 0.4 * white[int(closure.argmin())]


@pytest.mark.parametrize("index", [0, 1])
def test_a_mouth_that_opens_shows_the_dark_behind_the_lips_and_teeth(index: int) -> None:
    shot = shootings(clips=1)[index]
    gap = shot.take.articulators[:, 1]
    frames = np.argsort(gap)[np.linspace(0, shot.frames - 1, 24).astype(int)]
    dark, pale = [], []
    for frame, picture in zip(frames, drawn(shot, frames), strict=True):
        mouth = within(shot.take.landmarks[frame, 48:60])
        grey = picture[mouth].mean(axis=1)
        dark.append((grey < 45).sum())
        pale.append(((grey > 150) & (np.ptp(picture[mouth].astype(int), axis=1) < 60)).sum())
    assert np.corrcoef(gap[frames], dark)[0, 1] > 0.7
    assert np.corrcoef(gap[frames], pale)[0, 1] > 0.7
    assert pale[int(gap[frames].argmin())] < 5


@pytest.mark.parametrize("index", [0, 1])
def test_lips_are_where_the_landmarks_are(index: int) -> None:
    """The redness of the picture lies within the tracked outer lips, and moves with them."""
    shot = shootings(clips=1)[index]
    frames = np.linspace(0, shot.frames - 1, 12).astype(int)
    for frame, picture in zip(frames, drawn(shot, frames).astype(int), strict=True):
        marks = shot.take.landmarks[frame]
        red = (picture[..., 0] - picture[..., 1]) / picture.sum(axis=2)
        lips = within(marks[48:60]) & ~within(marks[60:68])
        skin = within(marks[[2, 4, 6, 8, 10, 12, 14, 33]]) & ~within(marks[48:60])
        assert red[lips].mean() > red[skin].mean() + 0.05
        assert np.ptp(picture[skin].mean(axis=0)) > 20, "and around them is skin"


@pytest.mark.slow
def test_the_pictures_of_the_corpus_are_those_that_were_drawn(corpus: Corpus) -> None:
    for shot in shootings(clips=1, seconds=SECONDS):
        assert video_file(corpus, shot.id) == corpus.path / "videos" / f"{shot.id}.mp4"
        shown = dict(clip_frames(corpus, shot.id, [0, 20, 30, SECONDS * 25 - 1]))
        assert list(shown) == [0, 20, 30, SECONDS * 25 - 1]
        pictures = [picture.astype(int) for picture in islice(shot.pictures(), 31)]
        for frame in (0, 20, 30):
            assert pictures[frame].shape == shown[frame].shape == (SIZE, SIZE, 3)
            off = [np.abs(picture - shown[frame]).mean() for picture in pictures]
            assert int(np.argmin(off)) == frame and off[frame] < 4


@pytest.mark.slow
def test_tracks_are_those_of_the_synthetic_corpus(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first clips of a person are the same talk, as a tracker with errors saw it."""
    monkeypatch.setattr(synthetic, "CLIPS", 1)
    tracks = {track.id: track for track in synthetic.synthetic_tracks(synthetic.PUBLIC_SEED)}
    clip = corpus.clip("p3-01")
    np.testing.assert_array_equal(clip.landmarks, tracks["p3-01"].landmarks[: SECONDS * 25])
    np.testing.assert_array_equal(clip.motion.blink, tracks["p3-01"].blink[: SECONDS * 25])
    assert (corpus.info.audio_kind, corpus.info.audio_width, corpus.info.fps) == ("ctc29", 29, 25)
    assert corpus.info.identities == ("p1", "p3") == tuple(looks_by_name())


@pytest.mark.slow
def test_the_sound_goes_with_the_speech(corpus: Corpus) -> None:
    for shot in shootings(clips=1, seconds=SECONDS):
        reader = SoundReader(video_file(corpus, shot.id))
        heard, share = reader.read(0.0, SECONDS)
        reader.close()
        assert share > 0.99
        speech, step = shot.take.speech, int(SOUND_RATE / RATE)
        level = np.sqrt((heard.reshape(-1, step) ** 2).mean(axis=1))
        at = np.searchsorted(speech.start, (np.arange(len(level)) + 0.5) / RATE, side="right") - 1
        silent = np.array([speech.phones[k] == SILENCE for k in at])
        vowel = np.array([speech.phones[k] in VOWELS for k in at])
        assert np.median(level[vowel]) > 8 * np.median(level[silent])
        loud = {lag: np.corrcoef(np.roll(level, lag), speech.energy[: len(level)])[0, 1] for lag in range(-12, 13, 2)}
        assert abs(max(loud, key=lambda lag: loud[lag])) <= 4, "hundredths of a second"


def test_voices_differ_in_pitch() -> None:
    for shot in shootings(clips=1, seconds=8):
        sound = shot.sound()
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))[: 400 * 8]
        wanted = look_of(shot.person.name).pitch
        frequency = np.arange(len(spectrum)) / 8
        own = (frequency > 0.8 * wanted) & (frequency < 1.3 * wanted)
        assert spectrum[own].sum() > 1.5 * spectrum[(frequency > 0.3 * wanted) & (frequency < 0.7 * wanted)].sum()


@pytest.mark.slow
def test_the_same_options_give_the_same_bytes(tmp_path: Path) -> None:
    options = {"people": "p3", "clips": "1", "seconds": "1", "seed": "5"}
    for name in ("a", "b"):
        make_from_options(tmp_path / name, options)
    files = {path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file()}
    assert {str(file) for file in files} >= {"corpus.json", "videos.json", "videos/p3-01.mp4"}
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file
    manifest = json.loads((tmp_path / "a/corpus.json").read_text())
    assert manifest["name"] == "synthetic-video-fresh"
    assert "seed" not in manifest["source"]
    assert open_corpus(tmp_path / "a").verify() == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.slow
def test_the_digest_depends_on_the_videos(corpus: Corpus) -> None:
    assert set(corpus.note("videos")) == {"p1-01", "p3-01"}
    for clip_id in corpus.note("clips"):
        assert len(corpus.note("videos", clip_id)["sha256"]) == 64
    path = video_file(corpus, "p1-01")
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:-1] + b"x")
        with pytest.raises(CorpusError, match="is not the video that p1-01 was tracked in"):
            list(clip_frames(corpus, "p1-01", [0]))
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"people": "p2"}, "Unknown drawn person"),
        ({"people": ""}, "the option people is empty"),
        ({"clips": "0"}, "the option clips takes a whole number from 1 to 1000"),
        ({"seconds": "2.5"}, "the option seconds takes a whole number from 1 to 20"),
        ({"seed": "-1"}, "the option seed takes a whole number from 0"),
        ({"name": "synthetic-video", "clips": "2"}, "Only the public corpus can be called synthetic-video"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_drawn(
    tmp_path: Path, options: dict[str, str], told: str
) -> None:
    with pytest.raises(FacialBenchError, match=told) as said:
        make_from_options(tmp_path / "c", options)
    assert "\n" not in str(said.value)
    assert not list(tmp_path.iterdir())


def test_a_folder_in_use_is_refused_before_anything_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(Shooting, "pictures", None)
    with pytest.raises(CorpusError, match="exists already"):
        make(tmp_path, clips=1, seconds=1)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_without_pillow_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(
        FacialBenchError, match=r"^Drawing needs Pillow.*Install it: pip install 'facial-bench\[render\]'"
    ):
        make(tmp_path / "c", clips=1, seconds=1)
    assert not list(tmp_path.iterdir())


def test_a_curve_goes_through_its_points() -> None:
    points = np.random.default_rng(0).standard_normal((7, 2))
    np.testing.assert_allclose((spline(7, 4) @ points)[::4], points, atol=1e-12)
    np.testing.assert_allclose((spline(7, 4, closed=True) @ points)[::4], points, atol=1e-12)
    np.testing.assert_allclose(spline(7, 4).sum(axis=1), 1)
