"""What `corpus info` tells of a clip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from facial_bench.cli import main
from facial_bench.corpora.clip_quality import LEAD, clip_facts, lip_gap, loudness, sound_offset
from facial_bench.corpora.corpus import open_corpus


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def talking(rng: np.random.Generator, late: float, frames: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Loudness and opening of a mouth whose sound comes `late` seconds after the lips, besides their natural lead."""
    fine = gaussian_filter1d(rng.normal(size=20 * frames + 4000), 60) * 40
    times = np.arange(frames) / 25
    clock = np.arange(len(fine)) / 500
    opening = np.interp(times + 4, clock, fine)
    loud = np.interp(times + 4 - late - LEAD, clock, fine)
    return 20 * loud + rng.normal(0, 0.3, frames), opening + rng.normal(0, 0.005, frames)


@pytest.mark.parametrize("late", [-0.2, -0.06, 0.0, 0.08, 0.16, 0.25])
def test_an_offset_is_found_to_a_fraction_of_a_frame(rng: np.random.Generator, late: float) -> None:
    loud, opening = talking(rng, late)
    measured = sound_offset(loud, opening, np.ones(400, bool), 25.0)
    assert measured == pytest.approx(late, abs=0.02)
    assert sound_offset(2 * loud + 7, 0.1 * opening - 3, np.ones(400, bool), 25.0) == pytest.approx(measured, abs=0.01)


def test_where_nothing_is_clear_nothing_is_said(rng: np.random.Generator) -> None:
    loud, opening = talking(rng, 0.1)
    every = np.ones(400, bool)
    assert np.isnan(sound_offset(loud, np.zeros(400), every, 25.0)), "a still mouth"
    assert np.isnan(sound_offset(np.full(400, -60.0), opening, every, 25.0)), "silence"
    assert np.isnan(sound_offset(loud, opening, ~every, 25.0)), "no face"
    assert np.isnan(sound_offset(loud[:30], opening[:30], every[:30], 25.0)), "too short"
    alone = [sound_offset(rng.normal(size=400), rng.normal(size=400), every, 25.0) for _ in range(40)]
    assert np.isnan(alone).mean() > 0.9, "two things that have nothing to do with each other"


def test_frames_without_a_face_do_not_count(rng: np.random.Generator) -> None:
    loud, opening = talking(rng, 0.12)
    valid = np.ones(400, bool)
    valid[100:200] = False
    spoiled = np.where(valid, opening, 50 * rng.normal(size=400))
    assert sound_offset(loud, spoiled, gaussian_filter1d(valid.astype(float), 2) > 0.99, 25.0) == pytest.approx(
        0.12, abs=0.03
    )


def test_lip_gap_by_hand() -> None:
    landmarks = np.zeros((1, 68, 3))
    landmarks[0, 45], landmarks[0, 36] = [50, 0, 0], [-50, 0, 0]
    landmarks[0, 66] = [0, 25, 9]
    assert lip_gap(landmarks).tolist() == [0.25]


@pytest.mark.slow
def test_real_clips_whose_sound_is_moved(real_data: Path, tmp_path: Path) -> None:
    """The reference tracks were put in step by hand: the estimate is near 0 where it is clear, which is in most
    clips; moved by four frames it is 0.16 s."""
    from click.testing import CliRunner

    command = ["corpus", "import", str(real_data / "real-tracks"), str(tmp_path / "made"), "--format", "tracks"]
    assert CliRunner().invoke(main, command, catch_exceptions=False).exit_code == 0
    corpus = open_corpus(tmp_path / "made")
    clips = [corpus.clip(entry.id) for entry in corpus.entries]
    still, moved = [], []
    for clip in clips:
        assert loudness(clip, corpus.info).shape == (clip.frames,)
        late = replace(clip, audio=np.roll(clip.audio, 4, axis=0))
        still.append(clip_facts(clip, corpus.info).sound_offset)
        moved.append(clip_facts(late, corpus.info).sound_offset)
    clear = ~np.isnan(still)
    assert clear.sum() >= 9
    assert np.abs(np.array(still)[clear]).max() < 0.035
    both = clear & ~np.isnan(moved)
    np.testing.assert_allclose(np.array(moved)[both] - np.array(still)[both], 0.16, atol=0.02)
