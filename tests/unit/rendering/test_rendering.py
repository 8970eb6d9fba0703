"""A rendering from beginning to end, in this process and apart; what goes wrong is one line and no score."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV is not installed: pip install -r requirements-video.txt")
pytest.importorskip("PIL", reason="Pillow is not installed: pip install -r requirements-video.txt")
pytest.importorskip("flip_evaluator", reason="flip-evaluator is not installed: pip install -r requirements-video.txt")

from facial_bench.core.errors import CorpusError, GenerationError, PluginError, ResultError
from facial_bench.core.progress import QUIET, Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.isolation.conditions import Conditions
from facial_bench.media.sound import RATE, SoundReader
from facial_bench.media.video import Video, rgb
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.rendering.cycle import find_tracker
from facial_bench.rendering.driving import real_motion, with_motion_of, with_stored_motion
from facial_bench.rendering.protocol import PictureProtocol
from facial_bench.rendering.references import make_references
from facial_bench.rendering.renderer import RendererCode
from facial_bench.rendering.result import FILE, Rendering, read_rendering
from facial_bench.rendering.run import RenderSettings, render_corpus
from facial_bench.rendering.scorer import PictureScorer
from facial_bench.rendering.tasks import PictureCorpus, open_pictures
from facial_bench.rendering.verify import PictureVerdict, verify_rendering
from facial_bench.types import RendererSpec
from tests.helpers.media import TRACKER
from tests.helpers.video_corpus import FLASH, video_corpus

ROOT = Path(__file__).parents[3]
CYCLE = ("cycle_lmd", "cycle_lmd/mouth", "cycle_blink")
SIZE = 64
PLACE = Path("c", "fixed", "seed-0")
RULES = PictureProtocol(size=SIZE, split=replace(Protocol(), resamples=100))


class Fixed:
    """Renders the first training picture of the person; a test replaces what it wants."""

    def __init__(self, context: Any) -> None:
        self.context, self.asked = context, []

    def fit(self, videos: Any, context: Any) -> None:
        self.first = {video.clip.identity: np.array(video.frames[0]) for video in videos}

    def render(self, motion: Any, camera: Any, like: Any) -> Any:
        self.asked.append(like.identity)
        return np.repeat(self.first[like.identity][None], motion.frames, axis=0)


class Stateful(Fixed):
    def state_dict(self) -> dict[str, np.ndarray]:
        return self.first

    def load_state_dict(self, state: dict[str, np.ndarray], context: Any) -> None:
        self.first = dict(state)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> PictureCorpus:
    return open_pictures(video_corpus(tmp_path_factory.mktemp("videos")), SIZE, RULES.split)


@pytest.fixture(scope="module")
def fixed(pictures: PictureCorpus, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Rendering, Path]:
    """What `Fixed` renders, and its folder."""
    out = tmp_path_factory.mktemp("fixed")
    return render(pictures, cache, out, code_of(Fixed)), out / PLACE


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def code_of(create: Callable[[Any], Any], **more: Any) -> RendererCode:
    spec = RendererSpec("fixed", "a test renderer", "none", create, **more)
    return RendererCode("fixed", "none", "test-plugin", "1", "0" * 64, {}, spec)


def verify(made: Rendering, folder: Path, pictures: PictureCorpus, cache: Path) -> PictureVerdict:
    return verify_rendering(made, folder, PictureScorer.of(pictures, RULES, tracker_of(pictures)), cache, QUIET)


def tracker_of(pictures: PictureCorpus):
    """The tracker of the tests' corpus."""
    trackers = {name: one.spec for name, one in load_plugins([TRACKER], installed=[]).registered("trackers").items()}
    return find_tracker(pictures.corpus, trackers, None)


def render(
    pictures: PictureCorpus, cache: Path, out: Path, code: RendererCode, report: Reporter = QUIET, **settings: Any
) -> Rendering:
    chosen = RenderSettings(label="fixed", **{"tracker": tracker_of(pictures), **settings})
    return render_corpus(code, pictures, RULES, real_motion(), chosen, out / PLACE, cache, report)


def test_the_training_and_the_test_stretches_are_the_protocols(pictures: PictureCorpus) -> None:
    assert len(pictures.training) == 2 and len(pictures.test) == 2
    assert {clip.recording for clip in pictures.training}.isdisjoint(task.clip.recording for task in pictures.test)
    for task in pictures.test:
        seen = list(pictures.pictures(task.clip))
        assert len(seen) == task.clip.frames and all(picture.shape == (SIZE, SIZE, 3) for picture, _ in seen)
        assert max(abs(off) for _, off in seen) < 0.001


def test_a_rendering_is_scored_shown_and_verified(
    pictures: PictureCorpus, cache: Path, fixed: tuple[Rendering, Path]
) -> None:
    made, folder = fixed
    assert read_rendering(folder) == made
    assert {row.status for row in made.clips} == {"ok"} and {row.shown[0] for row in made.clips} <= {30, 35}
    psnr = made.metrics["psnr/face"]
    assert 0 < psnr.value < made.references["psnr/face"].ceiling.value
    assert made.metrics["motion_ratio/face"].value == 0
    ceiling = made.references["cycle_lmd"].ceiling.value
    assert 1.5 * ceiling < made.metrics["cycle_lmd"].value, "a picture that stands still does not do as it was asked"
    for task in pictures.test:
        with Video(folder / "videos" / f"{task.id}.mp4") as video:
            frames = list(video.read())
            assert len(frames) == task.clip.frames and video.has_sound
            assert rgb(frames[0][1]).shape == (SIZE, 2 * SIZE, 3)
        assert (folder / "videos" / f"{task.id}.errors.mp4").is_file()
        assert (folder / "sheets" / f"{task.id}.png").read_bytes().startswith(b"\x89PNG")
    verdict = verify(made, folder, pictures, cache)
    assert not verdict.differences and verdict.compared > 100


def test_the_sound_is_in_step_with_the_pictures(pictures: PictureCorpus, fixed: tuple[Rendering, Path]) -> None:
    """The flash of the real video, on the left, and the click in it: in the mp4 within half a frame of each other."""
    for task in pictures.test:
        file = fixed[1] / "videos" / f"{task.id}.mp4"
        with Video(file) as video:
            bright = {seconds: float(rgb(frame)[:8, :SIZE].mean()) for seconds, frame in video.read()}
        flash = max(bright, key=lambda seconds: bright[seconds])
        assert bright[flash] > np.median(list(bright.values())) + 50
        reader = SoundReader(file)
        heard, _ = reader.read(0.0, task.clip.frames / 25)
        reader.close()
        click = int((np.abs(heard) > 0.3).argmax()) / RATE
        assert flash == pytest.approx(FLASH / 25, abs=1e-3)
        assert abs(click - flash) < 0.5 / 25


def test_chance_scores_as_chance(pictures: PictureCorpus, cache: Path, tmp_path: Path) -> None:
    class Mean(Fixed):
        def fit(self, videos: Any, context: Any) -> None:
            self.first = {
                video.clip.identity: np.round(video.frames[video.clip.valid].mean(axis=0)).astype(np.uint8)
                for video in videos
            }

    made = render(pictures, cache, tmp_path, code_of(Mean))
    for name, metric in made.metrics.items():
        assert metric.value == pytest.approx(made.references[name].chance, rel=1e-9), name
        assert metric.skill in (None, pytest.approx(0, abs=1e-9))


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.unit.rendering.test_rendering import *
from facial_bench.corpora.corpus import open_corpus
from facial_bench.media.encode import VideoWriter

add = VideoWriter.add


def add_and_die(self, picture):
    add(self, picture)
    if self.path.name.startswith("p2") and self.frames == 9:
        os.kill(os.getpid(), signal.SIGKILL)


VideoWriter.add = add_and_die
corpus, cache, out = map(Path, sys.argv[1:])
render(open_pictures(open_corpus(corpus), SIZE, RULES.split), cache, out, code_of(Stateful))
"""


def test_a_rendering_that_is_killed_goes_on(
    pictures: PictureCorpus, cache: Path, tmp_path: Path, fixed: tuple[Rendering, Path]
) -> None:
    """SIGKILL in the middle of the second stretch: the fit and the first stretch are used again, nothing stays half
    written, and the result is the one that an undisturbed renderer gives."""
    asked: list[str] = []

    class Counting(Stateful):
        def render(self, motion: Any, camera: Any, like: Any) -> Any:
            asked.append(like.identity)
            return super().render(motion, camera, like)

    command = [sys.executable, "-c", KILLED, str(pictures.corpus.path), str(cache), str(tmp_path)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert len(list((tmp_path / PLACE / "rows").iterdir())) == 1
    assert len(list((tmp_path / PLACE / "pictures").glob(".p2*"))) == 1
    made = render(pictures, cache, tmp_path, code_of(Counting))
    assert asked == ["p2"] and made.timing["fit_reused"] is True
    assert made.digest == fixed[0].digest, "and so the same seed gives the same file"
    left = {file.relative_to(tmp_path / PLACE) for file in (tmp_path / PLACE).rglob("*")}
    assert left - {Path("fitted.safetensors")} == {file.relative_to(fixed[1]) for file in fixed[1].rglob("*")}


def test_a_stretch_that_fails_counts_as_the_mean_picture(
    pictures: PictureCorpus, cache: Path, tmp_path: Path, fixed: tuple[Rendering, Path]
) -> None:
    class Half(Fixed):
        def render(self, motion: Any, camera: Any, like: Any) -> Any:
            return super().render(motion[1:] if like.identity == "p2" else motion, camera, like)

    lines: list[str] = []

    class Told(Reporter):
        def warn(self, line: str) -> None:
            lines.append(line)

    told = Told()
    made = render(pictures, cache, tmp_path, code_of(Half), told)
    bad = next(row for row in made.clips if row.identity == "p2")
    assert bad.status == "failed" and bad.shown[0] == 0 and made.metrics["psnr/face"].n_failed == 1
    assert any("pictures for" in line for line in lines)
    ok = next(row for row in fixed[0].clips if row.identity == "p1")
    rows = make_references(PictureScorer.of(pictures, RULES, tracker_of(pictures)), cache, QUIET).chance
    mean = next(row for row in rows if row.identity == "p2")
    values = [row.metrics["l1/face"].value for row in (ok, mean)]
    weights = [row.metrics["l1/face"].weight for row in (ok, mean)]
    assert made.metrics["l1/face"].value == pytest.approx(np.average(values, weights=weights))


def test_what_fails_everywhere_is_no_rendering(pictures: PictureCorpus, cache: Path, tmp_path: Path) -> None:
    class Bad(Fixed):
        def render(self, motion: Any, camera: Any, like: Any) -> Any:
            raise ValueError("no\npaint")

    with pytest.raises(GenerationError, match=r"fixed failed on all 2 clips; .*no paint"):
        render(pictures, cache, tmp_path, code_of(Bad))
    assert not list(tmp_path.rglob(FILE))


def test_a_fit_that_raises_is_one_line(pictures: PictureCorpus, cache: Path, tmp_path: Path) -> None:
    class Bad(Fixed):
        def fit(self, videos: Any, context: Any) -> None:
            raise RuntimeError("no brush")

    with pytest.raises(
        PluginError, match=r"renderer fixed could not be fitted: .*no brush.*; traceback in .*error.log"
    ):
        render(pictures, cache, tmp_path, code_of(Bad))
    with pytest.raises(Exception, match="unknown option 'size'"):
        render(pictures, cache, tmp_path, code_of(Fixed), options={"size": "3"})


def test_pictures_or_numbers_that_were_changed_are_found(
    pictures: PictureCorpus, cache: Path, tmp_path: Path, fixed: tuple[Rendering, Path]
) -> None:
    made, folder = fixed[0], shutil.copytree(fixed[1], tmp_path / "copy")
    content = json.loads((folder / FILE).read_text())
    content["metrics"]["psnr/face"]["value"] = 99.0
    (tmp_path / "edited.json").write_text(json.dumps(content))
    with pytest.raises(ResultError, match="was changed after it was written"):
        read_rendering(tmp_path / "edited.json")
    forged = msgspec.convert(content, Rendering)
    wrong = verify(forged, folder, pictures, cache).differences
    assert any("psnr/face" in line and "99.0 stored" in line for line in wrong)
    stored = sorted((folder / "pictures").iterdir())
    stored[0].write_bytes(stored[1].read_bytes())
    (line,) = verify(made, folder, pictures, cache).differences
    assert "is not there, or not what was scored" in line


def test_a_corpus_without_videos_is_refused(make_corpus: Callable[..., Corpus]) -> None:
    with pytest.raises(CorpusError, match="the corpus was not built from videos"):
        open_pictures(make_corpus(), SIZE, RULES.split)


def test_a_video_that_moved_is_named(pictures: PictureCorpus, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"p1a\.mp4, the video of p1a, is not in .*Name the folder of videos"):
        open_pictures(pictures.corpus, SIZE, RULES.split, tmp_path)


PLUGIN = """
import os
import numpy as np
from facial_bench import hookimpl
from facial_bench.types import RendererSpec


class Apart:
    def fit(self, videos, context):
        {fit}
        self.first = {{video.clip.identity: np.array(video.frames[0]) for video in videos}}

    def render(self, motion, camera, like):
        {render}
        for _ in range(motion.frames):
            yield self.first[like.identity][None]


@hookimpl
def facial_bench_renderers():
    return [RendererSpec("apart", "a test renderer", "none", lambda context: Apart())]
"""


def apart(tmp_path: Path, fit: str = "pass", render: str = "pass") -> RendererCode:
    file = tmp_path / "plugin.py"
    file.write_text(PLUGIN.format(fit=fit, render=render))
    return RendererCode("apart", "none", "plugin.py", "", "0" * 64, {"file": str(file)})


def test_a_process_of_its_own_gives_the_same(
    pictures: PictureCorpus, cache: Path, tmp_path: Path, fixed: tuple[Rendering, Path]
) -> None:
    there = render(pictures, cache, tmp_path / "there", apart(tmp_path))
    assert there.metrics == fixed[0].metrics


@pytest.mark.parametrize(
    ("fit", "reason"),
    [
        ("os._exit(7)", "ended with status 7"),
        ("videos[0].frames[0] = 0", "read-only"),
        ("import time; time.sleep(60)", "did not answer|no answer"),
    ],
)
def test_a_process_that_misbehaves_in_its_fit(
    pictures: PictureCorpus, cache: Path, tmp_path: Path, fit: str, reason: str
) -> None:
    with pytest.raises(PluginError, match=reason):
        render(pictures, cache, tmp_path / "out", apart(tmp_path, fit=fit), isolation=Conditions(timeout=3))


def test_a_process_cannot_pass_a_pipe_for_pictures(pictures: PictureCorpus, cache: Path, tmp_path: Path) -> None:
    """It runs as the user does, so it can put anything where its pictures belong."""
    swap = (
        "import glob, tempfile; room = [p for p in glob.glob(tempfile.gettempdir() + '/facial-bench-*/room/*.rgb')"
        " if os.path.getsize(p) == 0]; [(os.unlink(p), os.mkfifo(p)) for p in room]"
    )
    with pytest.raises(GenerationError, match="its pictures are 0 bytes"):
        render(pictures, cache, tmp_path / "out", apart(tmp_path, render=swap))


def test_the_motion_of_a_method_is_rendered_and_scored_without_alignment(
    pictures: PictureCorpus, cache: Path, tmp_path: Path
) -> None:
    from tests.helpers.sessions import make_session, run_one

    session = make_session(tmp_path / "cache", RULES.split, metrics=["lmd"])
    run_one(session, "frozen", pictures.corpus, tmp_path / "results")
    (folder,) = (path.parent for path in (tmp_path / "results").rglob("result.json"))
    driving, driven = with_motion_of(folder, pictures)
    assert (driving.motion, driving.seed) == ("frozen", 0)
    chosen = RenderSettings(label="fixed", tracker=tracker_of(pictures))
    out = tmp_path / "out"
    made = render_corpus(code_of(Fixed), driven, RULES, driving, chosen, out, cache, QUIET)
    assert set(made.metrics) == {"sharpness", "motion_ratio/face", *CYCLE}
    assert not list((out / "videos").glob("*errors*")) and len(list((out / "videos").glob("*.mp4"))) == 2
    scorer = PictureScorer.of(with_stored_motion(made, out, pictures), RULES, tracker_of(pictures))
    assert not verify_rendering(made, out, scorer, cache, QUIET).differences
    next((out / "motions").iterdir()).write_bytes(b"")
    with pytest.raises(ResultError, match="is not there, or not what was rendered"):
        with_stored_motion(made, out, pictures)
    other = replace(pictures, corpus=pictures.corpus.select(["p1"]))
    with pytest.raises(ResultError, match=r"is a result for p1, p2, this is to render p1\. Give both the same --id"):
        with_motion_of(folder, other)
    info = replace(pictures.corpus.info, digest="0" * 64)
    with pytest.raises(ResultError, match="Run the method on this corpus"):
        with_motion_of(folder, replace(pictures, corpus=replace(pictures.corpus, info=info)))


def test_with_other_metrics_the_stored_pictures_are_scored_again(
    pictures: PictureCorpus, cache: Path, tmp_path: Path, fixed: tuple[Rendering, Path]
) -> None:
    """A plugin's metrics are metrics like any other. What cannot be measured is absent, and the result says why."""
    asked: list[str] = []

    class Counting(Fixed):
        def render(self, motion: Any, camera: Any, like: Any) -> Any:
            asked.append(like.identity)
            return super().render(motion, camera, like)

    nothing = find_tracker(pictures.corpus, {}, None)
    l1 = next(one for one in RULES.metrics() if one.id == "l1")
    brought = [replace(l1, id="mine", source="1"), replace(l1, id="other", source="1", absent="No model here.")]
    made = render(pictures, cache, tmp_path, code_of(Counting), tracker=nothing, brought=brought)
    assert made.metrics["mine"].value == made.metrics["l1"].value == fixed[0].metrics["l1"].value
    assert made.references["mine"] == made.references["l1"]
    for name, reason in (("other", "No model here."), *((name, nothing.reason) for name in CYCLE)):
        metric = made.metrics[name]
        assert (metric.status, metric.value, metric.n_failed, metric.reason) == ("absent", None, 0, reason)
    assert nothing.reason == "the corpus was tracked with dot, which is not installed"
    scorer = PictureScorer.of(pictures, RULES, nothing, brought)
    assert not verify_rendering(made, tmp_path / PLACE, scorer, cache, QUIET).differences
    assert verify_rendering(
        fixed[0], fixed[1], PictureScorer.of(pictures, RULES, nothing), cache, QUIET
    ).differences == (
        *(f"metrics[{name}]: it has a value, and cannot be computed here: {nothing.reason}" for name in CYCLE),
    )
    again = render(pictures, cache, tmp_path, code_of(Counting))
    assert asked == ["p1", "p2"] and again.digest == fixed[0].digest
