"""A recipe on real videos: a part tracked in its window is where it is in the whole video."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("mediapipe", reason="MediaPipe is not installed: pip install -r requirements-video.txt")

from facial_bench.cli import main
from facial_bench.core.geometry import outer_eye_distance
from facial_bench.corpora.corpus import Corpus, open_corpus

LEFT, TOP = 40, 40
RECIPE = f"""video,start,end,crop,identity
s12a.mp4,1,3.4,{LEFT} {TOP} 440 440,s12
s02a.mp4,5,7,,s02
"""


@pytest.fixture
def data() -> Path:
    folder = os.environ.get("FACIAL_BENCH_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("real data: FACIAL_BENCH_DATA does not name a folder")
    return Path(folder)


def build(root: Path, data: Path, name: str, recipe: str) -> Corpus:
    (root / f"{name}.csv").write_text(recipe)
    command = ["corpus", "build", str(root / "v"), str(root / name), "--recipe", str(root / f"{name}.csv")]
    weights = data / "models" / "face_landmarker.task"
    done = CliRunner().invoke(main, [*command, "--workers", "1", "--model", str(weights)])
    assert done.exit_code == 0, done.output
    return open_corpus(root / name)


@pytest.mark.slow
def test_a_part_in_its_window_is_where_it_is_in_the_whole(data: Path, tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    for file in ("s12a.mp4", "s02a.mp4", "s02a.wav"):
        (tmp_path / "v" / file).symlink_to(data / "videos" / file)
    parts = build(tmp_path, data, "parts", RECIPE)
    whole = build(tmp_path, data, "whole", "video,end\ns12a.mp4,\ns02a.mp4,8\n")
    for name, shift, cut in (("s12a", (LEFT, TOP), (440, 440)), ("s02a", (0, 0), None)):
        part, all_of_it = parts.clip(name), whole.clip(name)
        starts = [corpus.note("clips", name)["clock_s"] for corpus in (parts, whole)]
        first = round((starts[0] - starts[1]) * 25)
        there = slice(first, first + part.frames)
        apart = np.linalg.norm(part.landmarks[..., :2] + shift - all_of_it.landmarks[there, :, :2], axis=2)
        eyes = outer_eye_distance(all_of_it.landmarks[there])
        assert np.median(apart / eyes[:, None]) < 0.005
        turned = np.abs(part.motion.pose[:, :3] - all_of_it.motion.pose[there, :3])
        assert np.degrees(turned.mean(axis=0)).max() < 1.0
        assert cut is None or (part.camera.width, part.camera.height) == cut
        sounds = np.abs(part.extras["loudness"] - all_of_it.extras["loudness"][there])
        assert np.median(sounds) < 2.0, "decibels"
