"""The scripts of docs/datasets.md, run on lists as their authors publish them: what they write is a recipe."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from facial_bench.corpora.find_videos import find_sources
from facial_bench.corpora.sources import Source
from facial_bench.errors import CorpusError
from tests.helpers.media import moving, write_video

PAGE = Path(__file__).parents[2] / "docs" / "datasets.md"


def make_recipe(folder: Path, script: str) -> list[Source]:
    """Run a script of the page in a folder; what its recipe takes."""
    blocks = dict(re.findall(r"```python\n# file: (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    subprocess.run([sys.executable, "-c", blocks[script]], cwd=folder, check=True)
    return find_sources(folder / "videos", folder / "recipe.csv")[0]


def test_hdtf(tmp_path: Path) -> None:
    lists = {
        "annotion_time": "AmyKlobuchar1.mp4 00:35-02:45 03:25-04:00 \nByron.mp4 00:05-04:00\nGone.mp4 00:02-01:00\n",
        "resolution": "AmyKlobuchar1.mp4 128\nByron.mp4 720\nGone.mp4 1080\n",
        "crop_wh": "AmyKlobuchar1_0.mp4 20 101 0 101\nAmyKlobuchar1_1.mp4 40 96 8 96\nGone_0.mp4 1 2 3 4\n",
    }
    (tmp_path / "HDTF_dataset").mkdir()
    for name, text in lists.items():
        (tmp_path / "HDTF_dataset" / f"WDA_{name}.txt").write_text(text)
    write_video(tmp_path / "videos" / "AmyKlobuchar1.mp4", moving(3))  # 96 x 64
    video, person = "AmyKlobuchar1.mp4", "AmyKlobuchar"
    assert make_recipe(tmp_path, "hdtf.py") == [
        Source("AmyKlobuchar1-1", video, person, "AmyKlobuchar1", 0.0, 35.0, 165.0, (10, 0, 50, 50)),
        Source("AmyKlobuchar1-2", video, person, "AmyKlobuchar1", 0.0, 205.0, 240.0, (20, 4, 48, 48)),
    ]


def test_mead_and_voxceleb2(tmp_path: Path) -> None:
    for number, file in enumerate(("front/angry/level_1", "front/sad/level_2", "down/sad/level_2")):
        (tmp_path / "mead/videos/M003/video" / file).mkdir(parents=True)
        (tmp_path / "mead/videos/M003/video" / file / "001.mp4").write_text(str(number))
    assert [(s.identity, s.recording) for s in make_recipe(tmp_path / "mead", "mead.py")] == [
        ("M003", "angry level_1 001"),
        ("M003", "sad level_2 001"),
    ]
    (tmp_path / "vox/videos/id00017/7t6lfzvVaTM").mkdir(parents=True)
    for name in ("00001", "00002"):
        (tmp_path / f"vox/videos/id00017/7t6lfzvVaTM/{name}.mp4").write_text(name)
    found = make_recipe(tmp_path / "vox", "voxceleb2.py")
    assert {(s.identity, s.recording) for s in found} == {("id00017", "7t6lfzvVaTM")}


def test_celebvhq_asks_for_the_people(tmp_path: Path) -> None:
    write_video(tmp_path / "videos" / "M2Ohb0FAaJU.mp4", moving(3))
    box = {"top": 0.0, "bottom": 0.8815, "left": 0.1964, "right": 0.6922}
    span = {"start_sec": 81.62, "end_sec": 86.17}
    clip = {"ytb_id": "M2Ohb0FAaJU", "duration": span, "bbox": box}
    clips = {"M2Ohb0FAaJU_1": clip, "gone_0": {**clip, "ytb_id": "gone"}}
    (tmp_path / "celebvhq_info.json").write_text(json.dumps({"meta_info": {}, "clips": clips}))
    with pytest.raises(CorpusError, match=r"line 2: no identity for M2Ohb0FAaJU\.mp4"):
        make_recipe(tmp_path, "celebvhq.py")
    recipe = tmp_path / "recipe.csv"
    recipe.write_text(recipe.read_text().replace(",,", ",anna,"))
    (source,), _ = find_sources(tmp_path / "videos", recipe)
    assert (source.start, source.end, source.crop) == (81.62, 86.17, (18, 0, 48, 56))
    assert (source.identity, source.recording) == ("anna", "M2Ohb0FAaJU")
