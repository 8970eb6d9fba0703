"""`facial-bench render` and its boards, as a user calls them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

pytest.importorskip("av", reason="PyAV is not installed: pip install -r requirements-video.txt")
pytest.importorskip("PIL", reason="Pillow is not installed: pip install -r requirements-video.txt")
pytest.importorskip("flip_evaluator", reason="flip-evaluator is not installed: pip install -r requirements-video.txt")

from facial_bench.cli import main
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus, open_corpus
from facial_bench.corpora.from_videos.video_frames import clip_frames
from facial_bench.corpora.synthetic_video import make
from facial_bench.rendering.result import Rendering, read_rendering
from facial_bench.rendering.tasks import open_pictures
from facial_bench.reports.rendering_board import rendering_boards
from tests.helpers.media import TRACKER, moving, tone, write_video

TINY = {"names": ("p1",), "clips": 2, "seconds": 2.0}


def invoke(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dest = tmp_path_factory.mktemp("drawn") / "tiny"
    make(dest, **TINY)
    return dest


@pytest.fixture(scope="module")
def renders(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("renders")
    for renderer in ("reference-frame", "nearest-warp"):
        done = invoke("render", "--renderer", renderer, "--corpus", drawn, "--size", 64, "--out", out)
        assert done.exit_code == 0, done.output
    return out


@pytest.mark.slow
def test_a_warped_frame_beats_a_still_one_on_a_board(renders: Path, drawn: Path, tmp_path: Path) -> None:
    done = invoke("leaderboard", "--renders", renders, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    (board,) = tmp_path.glob("*.md")
    lines = board.read_text().splitlines()
    rows = [line.split("|")[1].strip() for line in lines if line.startswith("| ") and "renderer" not in line]
    assert rows[:3] == ["nearest-warp", "reference-frame", "*real pictures, encoded*"]
    assert invoke("leaderboard", "--renders", tmp_path, "--out", tmp_path, "--check").exit_code == 0
    board.write_text(board.read_text().replace("nearest-warp", "mine"))
    done = invoke("leaderboard", "--renders", tmp_path, "--out", tmp_path, "--check")
    assert done.exit_code == 1 and "Run without --check" in done.output
    beside = next(tmp_path.glob("*.jsonl"))
    beside.write_text(beside.read_text().replace('"seed":0', '"seed":1', 1))
    done = invoke("leaderboard", "--renders", tmp_path, "--out", tmp_path, "--check")
    assert done.exit_code == 1 and "line 1: it was changed after it was written" in done.output


@pytest.mark.slow
def test_verify_and_json(renders: Path, drawn: Path) -> None:
    folder = next(renders.glob("*/nearest-warp/seed-0"))
    done = invoke("verify", folder)
    assert done.exit_code == 0 and "verified; " in done.output, done.output
    done = invoke(
        "render", "--renderer", "nearest-warp", "--corpus", drawn, "--size", 64, "--out", renders, "--json", "-q"
    )
    told = json.loads(done.stdout)
    assert told["driving"] == {"motion": "real"} and told["metrics"]["psnr/face"]["status"] == "ok"
    assert told["metrics"]["cycle_lmd"]["reason"] == "the corpus names no tracker"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--renderer", "nearest-wrap"), "Unknown renderer 'nearest-wrap'. Did you mean 'nearest-warp'?"),
        (("--renderer", "linear", "--option", "x=1"), "renderer linear: unknown option 'x'"),
        (("--renderer", "linear", "--size", "65"), "--size 65: videos take even sizes only. Use 66."),
        (("--renderer", "linear", "--corpus", "TRACKS"), "the corpus was not built from videos"),
        (("--renderer", "linear", "--identities", "p9"), "Unknown identity 'p9'"),
        (("--renderer", "linear", "--motion", "nowhere"), "nowhere"),
        (("--renderer", "linear", "--videos", "nowhere"), "Name the folder of videos"),
        (("--renderer", "precomputed", "--option", "videos=nowhere"), "videos=nowhere is no folder"),
        (("--renderer", "linear", "--metric-model", "csim=x"), "Unknown metric with a model 'csim'."),
        (("--renderer", "linear", "--metric-plugin", "facial-bench-csmi"), "Unknown plugin 'facial-bench-csmi'"),
    ],
)
def test_bad_input_is_one_line(
    drawn: Path, make_corpus: Callable[..., Corpus], tmp_path: Path, words: tuple[str, ...], reason: str
) -> None:
    words = tuple(str(make_corpus(clips=1, frames=60).path) if word == "TRACKS" else word for word in words)
    corpus = () if "--corpus" in words else ("--corpus", drawn)
    done = invoke("render", *words, *corpus, "--out", tmp_path / "out")
    assert done.exit_code == 1, done.output
    assert reason in done.output.splitlines()[-1] and "Traceback" not in done.output


@pytest.mark.slow
def test_metrics_of_plugins_have_a_table_of_their_own_on_a_board(renders: Path) -> None:
    warp, still = (
        read_rendering(next(renders.glob(f"*/{name}/seed-0"))) for name in ("nearest-warp", "reference-frame")
    )
    assert "plugins" not in "".join(rendering_boards([warp, still]).values())

    def with_mine(rendering: Rendering, definition: str) -> Rendering:
        mine = msgspec.structs.replace(rendering.metrics["l1"], definition=definition, unit="m|n")
        metrics = {**rendering.metrics, "mine": mine}
        return msgspec.structs.replace(
            rendering, metrics=metrics, references={**rendering.references, "mine": rendering.references["l1"]}
        )

    one = with_mine(warp, "1" * 64)
    (text,) = rendering_boards([one, still]).values()
    table = text.split("## Metrics of plugins")[1].splitlines()
    assert "mine ↓, m&#124;n" in table[2] and table[4].startswith("| nearest-warp")
    assert table[5].replace(" ", "") == "|reference-frame|quick|0||"
    (text,) = rendering_boards([one, with_mine(still, "2" * 64)]).values()
    assert "## Metrics of plugins" not in text
    assert "mine has no column: the results define it differently." in text


def test_no_rendering_there(tmp_path: Path) -> None:
    done = invoke("leaderboard", "--renders", tmp_path, "--out", tmp_path / "boards")
    assert done.exit_code == 1 and "No renderings below" in done.output


@pytest.fixture(scope="module")
def dots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of a square that moves, of too few frames for classifiers; beside it its test stretches as videos."""
    root = tmp_path_factory.mktemp("dots")
    for name in ("p1a", "p1b", "p2a", "p2b"):
        write_video(root / "videos" / f"{name}.mp4", moving(36), sound=tone(36 / 25))
    built = invoke(
        *("corpus", "build", root / "videos", root / "dots", "--tracker", "dot", "--plugin", TRACKER, "--workers", 1)
    )
    assert built.exit_code == 0, built.output
    corpus = open_corpus(root / "dots")
    for task in open_pictures(corpus, 128, Protocol()).test:
        frames = range(task.clip.start, task.clip.start + task.clip.frames)
        images = [image for _, image in clip_frames(corpus, task.clip.id, frames)]
        write_video(root / "made" / "self" / f"{task.id}.mp4", images)
    return root


FINISHED = ("run", "--method", "precomputed", "--metric-plugin", TRACKER, "--in-process", "--option", "name=theirs")


@pytest.mark.slow
def test_finished_videos_get_picture_metrics_with_those_of_their_motion(dots: Path, tmp_path: Path) -> None:
    own = ("--corpus", dots / "dots", "--option", f"videos={dots / 'made'}", "--out", tmp_path)
    done = invoke(*FINISHED, *own)
    assert done.exit_code == 0, done.output
    written = tmp_path / "dots@128px" / "precomputed@theirs" / "seed-0" / "rendering.json"
    assert "psnr/mouth" in done.stdout and f"pictures: {written}" in done.stdout
    assert "frames/s" not in done.stdout, "nothing was rendered here"
    assert read_rendering(written).metrics["l1"].value < 1
    done = invoke(*FINISHED, *own, "--json")
    assert json.loads(done.stdout)["method"]["label"] == "precomputed@theirs", "standard output stays one value"


@pytest.mark.slow
def test_where_pictures_cannot_be_scored_the_motion_is(dots: Path, tmp_path: Path) -> None:
    """The real videos are gone; the result stands, and a line says what it lacks."""
    shutil.copytree(dots / "dots", tmp_path / "moved")
    elsewhere = tmp_path / "moved" / "corpus.json"
    elsewhere.write_text(elsewhere.read_text().replace(str(dots / "videos"), str(tmp_path / "gone")))
    own = ("--corpus", tmp_path / "moved", "--option", f"videos={dots / 'made'}", "--out", tmp_path / "out")
    done = invoke(*FINISHED, *own)
    assert done.exit_code == 0, done.output
    assert "the pictures of these videos are not scored: " in done.stderr
    assert "lmd" in done.stdout and "psnr" not in done.stdout
