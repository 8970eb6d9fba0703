"""A small corpus with videos: two people, a bright square each, tracked by the test tracker; once it flashes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facial_bench.core.progress import QUIET
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.find_videos import find_sources
from facial_bench.corpora.from_videos.build import build_corpus
from facial_bench.corpora.from_videos.settings import BuildSettings
from facial_bench.plugin_api.build_tools import make_tools
from tests.helpers.media import TRACKER, moving, tone, write_video

FRAMES = 30
FLASH = 20
"""The frame of every recording whose ground is bright; a click is heard where it begins."""


def video_corpus(root: Path, people: int = 2) -> Corpus:
    """People p1 ..., two recordings of 30 and 35 frames each: one is trained on, one is tested."""
    for p in range(people):
        for k in range(2):
            pictures = moving(FRAMES + 5 * k + 5 * p, ground=30 + 20 * p)[5 * p :]
            pictures[FLASH] = np.maximum(pictures[FLASH], 150)
            sound = tone(len(pictures) / 25, beats=[FLASH / 25])
            write_video(root / "v" / f"p{p + 1}{'ab'[k]}.mp4", pictures, sound=sound)
    settings = BuildSettings(tracker="dot", plugin_files=(str(TRACKER),))
    build_corpus(find_sources(root / "v")[0], root / "v", root / "dots", settings, make_tools, workers=1, report=QUIET)
    return open_corpus(root / "dots")
