"""The synthetic corpus: the same from the same seed, and as docs/synthetic.md says it is."""

import itertools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facial_bench.core.geometry import decode_face, project
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import open_corpus
from facial_bench.corpora.split import split_clips
from facial_bench.corpora.synthetic import make
from facial_bench.corpora.synthetic.blink import Blinks, closure, draw_blinks
from facial_bench.corpora.synthetic.face import (
    MIRROR,
    MOVEMENTS,
    move_face,
    movement_directions,
    neutral_face,
    person_face,
)
from facial_bench.corpora.synthetic.head import coupled_rotation
from facial_bench.corpora.synthetic.lexicon import VOWELS, sentence, vocabulary
from facial_bench.corpora.synthetic.logits import BLANK, SYMBOLS, at_frames, character_logits, gain
from facial_bench.corpora.synthetic.mouth import articulate, visemes
from facial_bench.corpora.synthetic.noise import smooth_noise
from facial_bench.corpora.synthetic.people import people
from facial_bench.corpora.synthetic.speech import FRAME_RATE, RATE, speak
from facial_bench.corpora.synthetic.tracks import record


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    dest = tmp_path_factory.mktemp("synthetic") / "corpus"
    make(dest, seed=3)
    return dest


@pytest.fixture(scope="module")
def corpus(folder):
    return open_corpus(folder)


@pytest.fixture(scope="module")
def clips(corpus):
    return [corpus.clip(entry.id) for entry in corpus.entries]


@pytest.fixture(scope="module")
def takes():
    """Person's name -> a few takes."""
    return {
        person.name: [record(person, np.random.default_rng([5, index, number])) for number in range(4)]
        for index, person in enumerate(people())
    }


@pytest.fixture(scope="module")
def speeches():
    return [speak(np.random.default_rng(seed)) for seed in range(40)]


def spelled(logits):
    """Greedy reading of CTC logits: collapse repeats, drop blanks."""
    return "".join(SYMBOLS[symbol] for symbol, _ in itertools.groupby(logits.argmax(axis=1)) if symbol != BLANK)


# The corpus folder


def test_same_seed_gives_the_same_bytes(folder, tmp_path):
    make(tmp_path / "again", seed=3)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert len(files) == 62
    for name in files:
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_another_seed_gives_other_clips(takes):
    person = people()[0]
    other = record(person, np.random.default_rng([6, 0, 0]))
    assert other.speech.text != takes["p1"][0].speech.text
    frames = min(len(other.closure), len(takes["p1"][0].closure))
    assert np.abs(other.rotation[:frames] - takes["p1"][0].rotation[:frames]).mean() > 0.005


def test_five_people_with_twelve_clips_of_13_to_20_seconds(corpus):
    assert corpus.info.identities == ("p1", "p2", "p3", "p4", "p5")
    assert len(corpus.entries) == 60
    assert len({entry.recording for entry in corpus.entries}) == 60
    assert all(13 <= entry.frames / corpus.info.fps <= 20 for entry in corpus.entries)


def test_split_leaves_clips_of_everyone_in_every_part(corpus):
    split = split_clips(corpus.entries, Protocol())
    for part, least in ((split.train, 5), (split.validation, 1), (split.test, 4)):
        assert all(sum(s.identity == name for s in part) >= least for name in corpus.info.identities)


def test_units_and_kinds_are_declared(corpus):
    info = corpus.info
    assert (info.fps, info.audio_kind, info.audio_width) == (25.0, "ctc29", 29)
    assert (info.length_unit, info.landmark_unit, info.blink_scale) == ("cm", "px", "closure")


def test_arrays_are_finite_and_in_range(clips):
    for clip in clips:
        assert clip.audio.shape == (clip.frames, 29)
        assert np.isfinite(clip.audio).all() and np.isfinite(clip.motion.state()).all()
        assert clip.motion.blink.min() >= 0 and clip.motion.blink.max() <= 1
        assert np.abs(clip.motion.pose[:, :3]).max() < np.radians(40)
        assert (clip.motion.pose[:, 5] < -15).all()
        assert clip.landmarks[:, :, :2].min() > 0 and clip.landmarks[:, :, :2].max() < 256


def test_decoded_motion_lands_on_the_tracked_landmarks(corpus, clips):
    for clip in clips[::12]:
        face = decode_face(corpus.face_model, clip.identity, clip.motion.expression)
        seen = project(face, clip.motion.pose, clip.camera)[:, :, :2]
        eyes = np.linalg.norm(clip.landmarks[:, 36, :2] - clip.landmarks[:, 45, :2], axis=1).mean()
        assert np.linalg.norm(seen - clip.landmarks[:, :, :2], axis=2).mean() / eyes < 0.02


def test_expression_is_mostly_speech(clips):
    """The strongest direction of the face model is the opening mouth, and noise directions are weak."""
    coefficients = np.concatenate([clip.motion.expression for clip in clips])
    variance = coefficients.var(axis=0)
    assert variance[:8].sum() > 0.85 * variance.sum()


# Text and logits


def test_vocabulary_is_sound():
    words = [word for group in vocabulary().values() for word in group]
    assert len(words) > 250
    for word in words:
        assert set(word.text) <= set(SYMBOLS[:27]), word
        assert set(word.phones) <= set(visemes()), word
        assert any(phone in VOWELS for phone in word.phones), word
        assert word.stressed < 0 or word.phones[word.stressed] in VOWELS, word
    assert set().union(*(word.phones for word in words)) >= set(visemes()) - {"SIL", "ZH"}


def test_sentences_vary():
    rng = np.random.default_rng(0)
    assert len({sentence(rng) for _ in range(50)}) > 45


def test_phones_follow_each_other_without_a_gap(speeches):
    for speech in speeches:
        np.testing.assert_allclose(speech.start[1:], (speech.start + speech.duration)[:-1], atol=1e-9)
        assert (speech.duration > 0.02).all()
        assert 13 <= speech.frames / FRAME_RATE <= 20.05
        assert len(speech.energy) == speech.frames * RATE / FRAME_RATE


def test_tempo_slows_the_speech():
    def syllables(tempo):
        runs = [speak(np.random.default_rng(seed), tempo) for seed in range(10)]
        return sum(phone in VOWELS for run in runs for phone in run.phones) / sum(
            run.frames / FRAME_RATE for run in runs
        )

    assert syllables(0.85) > 1.1 * syllables(1.25)


def test_logits_spell_the_text(speeches):
    for seed, speech in enumerate(speeches):
        assert spelled(character_logits(speech, np.random.default_rng(seed))) == speech.text


def test_logits_change_with_the_text(speeches):
    first, second = (character_logits(speech, np.random.default_rng(0)) for speech in speeches[:2])
    assert spelled(first) != spelled(second)


def test_the_blank_dominates(speeches):
    winners = np.concatenate([character_logits(s, np.random.default_rng(1)).argmax(axis=1) for s in speeches])
    shares = np.bincount(winners, minlength=29) / len(winners)
    assert shares[BLANK] > 0.5
    assert shares[:BLANK].max() < 0.2


def test_characters_are_heard_when_they_are_spoken(speeches):
    """No character of a word drifts away from the word's phones by more than 0.4 s."""
    for speech in speeches:
        spoken = at_frames(speech.pause, speech.frames) < 0.9
        heard = np.flatnonzero(spoken)
        letters = speech.character_frame[[character != " " for character in speech.text]]
        assert np.abs(letters[:, None] - heard).min(axis=1).max() <= 0.4 * FRAME_RATE


def test_loudness_shows_in_the_logits(speeches):
    """The spread of a frame's logits follows the energy: prosody reaches the features this way only."""
    for speech in speeches[:5]:
        spread = character_logits(speech, np.random.default_rng(2)).std(axis=1)
        assert np.corrcoef(spread, at_frames(speech.energy, speech.frames))[0, 1] > 0.7
        assert gain(speech).min() >= 3 and gain(speech).max() <= 12


# Mouth and face


def test_lips_meet_on_p_b_m(takes):
    for person in people():
        for take in takes[person.name]:
            gap = take.articulators[:, 1]
            for phone, start, length in zip(take.speech.phones, take.speech.start, take.speech.duration, strict=True):
                if phone in ("P", "B", "M"):
                    frame = round((start + length / 2) * FRAME_RATE)
                    assert gap[max(frame - 1, 0) : frame + 2].min() < 0.1 * np.percentile(gap, 90)


def test_open_vowels_open_the_mouth_wider_than_closed_ones(takes):
    def mean_gap(phones):
        gaps = [
            take.articulators[round((start + length / 2) * FRAME_RATE), 1]
            for own in takes.values()
            for take in own
            for phone, start, length in zip(take.speech.phones, take.speech.start, take.speech.duration, strict=True)
            if phone in phones
        ]
        return np.mean(gaps)

    assert mean_gap({"AA", "AY", "AE"}) > 2 * mean_gap({"UW", "IY"})


def test_rounding_is_anticipated():
    """Coarticulation: the L of "blue" is rounder than the L of "believe"."""
    rounding = {}
    for seed in range(60):
        speech = speak(np.random.default_rng(seed))
        curve = articulate(speech, 1.0)[:, 3]
        for phone, follower, start, length in zip(
            speech.phones, speech.phones[1:], speech.start, speech.duration, strict=False
        ):
            if phone == "L" and follower in ("UW", "IY"):
                rounding.setdefault(follower, []).append(curve[int((start + length / 2) * FRAME_RATE)])
    assert np.mean(rounding["UW"]) > np.mean(rounding["IY"]) + 0.1


def test_articulation_scales_the_opening():
    speech = speak(np.random.default_rng(1))
    assert articulate(speech, 1.2)[:, 1].mean() > 1.1 * articulate(speech, 0.9)[:, 1].mean()


def test_the_face_is_symmetric():
    assert (MIRROR[MIRROR] == np.arange(68)).all()
    for shape in (neutral_face(), *movement_directions()):
        np.testing.assert_allclose(shape[MIRROR] * (-1, 1, 1), shape, atol=1e-12)


def test_proportions_are_human():
    face = neutral_face()
    assert np.linalg.norm(face[36] - face[45]) == pytest.approx(9.0)
    assert face[:, 1].argmin() == 8 and face[:, 2].argmax() == 30
    for person in people():
        own = person_face(person)
        eyes = np.linalg.norm(own[36] - own[45])
        assert 8 < eyes < 10
        assert 1.0 < np.linalg.norm(own[27] - own[8]) / eyes < 1.5
        assert 0.45 < np.linalg.norm(own[48] - own[54]) / eyes < 0.65


def test_gap_is_the_distance_of_the_inner_lips():
    for value in (0.0, 0.4, 1.2):
        movement = np.zeros((1, len(MOVEMENTS)))
        movement[0, MOVEMENTS.index("gap")] = value
        face = move_face(neutral_face(), movement)[0]
        rest = neutral_face()[62, 1] - neutral_face()[66, 1]
        assert face[62, 1] - face[66, 1] == pytest.approx(rest + value, abs=1e-9)


def test_a_full_blink_shuts_the_eye():
    movement = np.zeros((1, len(MOVEMENTS)))
    movement[0, MOVEMENTS.index("blink")] = 1.0
    face = move_face(neutral_face(), movement)[0]
    opening = face[[37, 38], 1] - face[[41, 40], 1]
    assert (np.abs(opening) < 0.1).all()


# Head


def test_emphasis_moves_the_axis_of_the_person_after_the_lag_of_the_person(speeches):
    for person in people():
        lags = np.arange(-10, 25)
        axis = int(np.abs(person.head.beat).argmax())
        only = replace(person.head, turn=(0.0, 0.0, 0.0))
        score = np.zeros(len(lags))
        for seed, speech in enumerate(speeches[:10]):
            moved = coupled_rotation(only, speech, np.random.default_rng(seed))[:, axis]
            stress = at_frames(speech.stress, speech.frames)
            score += [np.corrcoef(np.roll(stress, lag), moved)[0, 1] for lag in lags]
        score *= np.sign(person.head.beat[axis]) / 10
        assert score.max() > 0.5
        assert abs(lags[score.argmax()] / FRAME_RATE - person.head.beat_lag) <= 0.12


def test_emphasis_shows_in_the_tracked_rotation(takes):
    """Coupling survives sway and noise: the answer to stress correlates with the motion, high-passed."""
    for person in people():
        axis = int(np.abs(person.head.beat).argmax())
        scores = []
        for take in takes[person.name]:
            expected = coupled_rotation(person.head, take.speech, np.random.default_rng(0))[:, axis]
            scores.append(np.corrcoef(np.diff(expected), np.diff(take.rotation[:, axis]))[0, 1])
        assert np.mean(scores) > 0.4, person.name


def test_a_beat_peaks_at_its_gain():
    """A lone, fully emphasised syllable turns the head by `beat`, to a vigour that wanders by 20 %."""
    speech = speak(np.random.default_rng(0))
    times = np.arange(len(speech.stress)) / RATE
    lone = replace(speech, stress=np.exp(-0.5 * ((times - 6) / 0.08) ** 2), phrase_end=np.zeros(len(times)))
    for person in people():
        moved = coupled_rotation(person.head, lone, np.random.default_rng(1))
        axis = int(np.abs(person.head.beat).argmax())
        assert 0.5 < np.abs(moved[:, axis]).max() / abs(person.head.beat[axis]) < 1.7
        assert np.abs(moved[: 5 * 25]).max() < 1e-4


def test_camera_and_level_belong_to_the_recording(takes):
    means = {name: np.array([take.rotation.mean(axis=0) for take in own]) for name, own in takes.items()}
    assert all(np.degrees(rows.std(axis=0)).max() > 0.8 for rows in means.values())


def test_tracked_rotation_is_close_to_the_true_one(takes):
    take = takes["p1"][0]
    true = Rotation.from_euler("xyz", take.pose[:, :3])
    error = np.degrees((true.inv() * Rotation.from_euler("xyz", take.rotation)).magnitude())
    assert 0 < error.mean() < 0.3


# Blinks


@pytest.fixture(scope="module")
def drawn(speeches):
    """Person's name -> blinks of 40 speeches."""
    return {
        person.name: [draw_blinks(person.blink, s, np.random.default_rng([k, 9])) for k, s in enumerate(speeches)]
        for person in people()
    }


def test_blink_rates_are_the_habits(drawn, speeches):
    minutes = sum(speech.frames for speech in speeches) / FRAME_RATE / 60
    for person in people():
        rate = sum(len(blinks.onset) for blinks in drawn[person.name]) / minutes
        assert rate == pytest.approx(person.blink.rate, rel=0.2), person.name


def test_blink_durations_are_the_habits(drawn):
    for person in people():
        durations = np.concatenate([blinks.duration for blinks in drawn[person.name]])
        assert np.median(durations) == pytest.approx(person.blink.duration, rel=0.12)
        assert durations.min() >= 0.1 and durations.max() <= 0.6


def test_the_refractory_time_is_kept(drawn):
    for person in people():
        gaps = np.concatenate([np.diff(blinks.onset) for blinks in drawn[person.name]])
        ends = np.concatenate(
            [blinks.onset[1:] - (blinks.onset + blinks.duration)[:-1] for blinks in drawn[person.name]]
        )
        assert gaps.min() >= person.blink.refractory - 0.02
        assert ends.min() >= -0.02


def test_pauses_and_emphasis_hurry_blinks_as_the_person_does(drawn, speeches):
    def share(person, curve):
        """Mean of a curve at the onsets over its mean."""
        at = [
            getattr(s, curve)[(b.onset * RATE).astype(int)] for s, b in zip(speeches, drawn[person.name], strict=True)
        ]
        return np.concatenate(at).mean() / np.concatenate([getattr(s, curve) for s in speeches]).mean()

    by_pause = {person.name: share(person, "pause") for person in people()}
    by_stress = {person.name: share(person, "stress") for person in people()}
    most = max(people(), key=lambda person: person.blink.pause_gain).name
    assert max(by_pause, key=by_pause.get) == most and by_pause[most] > 1.6
    keen = max(people(), key=lambda person: person.blink.stress_gain).name
    assert max(by_stress, key=by_stress.get) == keen and by_stress[keen] > 1.3


def test_closure_of_one_blink_by_hand():
    """closing 0.5 of 0.4 s from 1.0 s: open at 1.0, half of the depth at 1.1 s, lowest at 1.2 s, open at 1.4 s."""
    habits = replace(people()[0].blink, closing=0.5)
    shape = closure(habits, Blinks(np.array([1.0]), np.array([0.4]), np.array([0.8])), 50)
    assert shape[25] == 0 and shape[35] == pytest.approx(0, abs=1e-9)
    assert shape[30] == pytest.approx(0.8)
    assert closure(habits, Blinks(np.array([0.9]), np.array([0.4]), np.array([0.8])), 50)[25] == pytest.approx(0.4)
    assert not shape[:25].any() and not shape[36:].any()


def test_no_blink_is_an_open_eye():
    none = np.empty(0)
    assert not closure(people()[0].blink, Blinks(none, none, none), 20).any()


def test_blinks_move_the_lids(takes):
    take = takes["p3"][0]
    opening = take.face[:, [37, 38, 43, 44], 1].mean(axis=1) - take.face[:, [40, 41, 46, 47], 1].mean(axis=1)
    assert np.corrcoef(opening, take.closure)[0, 1] < -0.9


# Noise


def test_smooth_noise_has_unit_variance_and_is_smooth():
    noise = smooth_noise(4000, 0.5, 25.0, np.random.default_rng(0), (20,))
    assert noise.shape == (4000, 20)
    assert noise.std() == pytest.approx(1.0, abs=0.1)
    assert np.diff(noise, axis=0).std() == pytest.approx(1 / (np.sqrt(2) * 0.5 * 25), rel=0.15)


# Documentation


def test_the_document_lists_the_people_as_they_are():
    text = (Path(__file__).parents[3] / "docs" / "synthetic.md").read_text()

    def cell(value):
        return ", ".join(f"{number:g}" for number in value) if isinstance(value, tuple) else f"{value:g}"

    for person in people():
        body = (person.tempo, person.articulation, person.brow, person.smile, person.size, person.build)
        for values in (body, vars(person.head).values(), vars(person.blink).values()):
            assert "| " + " | ".join([person.name, *map(cell, values)]) + " |" in text


@pytest.mark.slow
def test_the_corpus_is_the_same_whatever_the_number_of_threads(tmp_path):
    digests = set()
    for threads in ("1", "2"):
        code = (
            "import sys; from pathlib import Path; from facial_bench.corpora.corpus import open_corpus; "
            "from facial_bench.corpora.synthetic import make; "
            "make(Path(sys.argv[1])); print(open_corpus(sys.argv[1]).info.digest)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / threads)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
        )
        digests.add(done.stdout)
    assert len(digests) == 1
