"""`python -m benchmarks.long_rendering`: does memory stay flat while long videos are rendered and scored?

A square that moves is drawn for one minute and for ten, tracked by the tracker of the tests, and rendered by two null
renderers. Each rendering is `facial-bench render`, in a process of its own; the most resident memory is that of the
harness and of the renderer, each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.long_video import resident
from facial_bench.media.encode import VideoWriter
from tests.helpers.media import RATE, TRACKER, picture, tone

FPS = 25.0
SIZE = "64"


def draw(path: Path, seconds: float) -> None:
    """A video of a bright square that goes back and forth, with soft noise."""
    path.parent.mkdir(parents=True)
    with VideoWriter(path, FPS, sound=tone(seconds), sound_rate=RATE) as writer:
        for k in range(round(seconds * FPS)):
            writer.add(picture(48 + round(16 * np.sin(k / 9)), 32 + round(8 * np.cos(k / 7))))


def build(videos: Path, corpus: Path) -> None:
    """Make a corpus of the videos."""
    command = ["corpus", "build", str(videos), str(corpus), "--tracker", "dot", "--plugin", str(TRACKER)]
    _facial_bench([*command, "--workers", "1"])


def _facial_bench(words: list[str]) -> tuple[str, float]:
    """Standard output of a command, and the most MiB that its process held."""
    command = [sys.executable, "-m", "facial_bench", *words]
    with tempfile.TemporaryFile("w+") as out:
        process, peak = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL), 0.0
        while process.poll() is None:
            peak = max(peak, resident(process.pid, "VmHWM") or 0.0)
            time.sleep(0.1)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        out.seek(0)
        return out.read(), peak


def main() -> None:
    """Print the most memory of each rendering."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 10.0])
    parser.add_argument("--renderers", nargs="+", default=["mean-frame", "nearest-frame"])
    options = parser.parse_args()
    print("| minutes of video | frames rendered | renderer | harness, MiB | renderer, MiB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for minutes in options.minutes:
            place = Path(folder) / f"{minutes:g}"
            draw(place / "videos" / "long.mp4", 60 * minutes)
            build(place / "videos", place / "corpus")
            for renderer in options.renderers:
                words = ["render", "--renderer", renderer, "--corpus", str(place / "corpus"), "--size", SIZE]
                told, peak = _facial_bench([*words, "--out", str(place / "out"), "--json"])
                rendering = json.loads(told)
                frames, own = sum(row["frames"] for row in rendering["clips"]), rendering["timing"]
                row = f"{minutes:g} | {frames} | {renderer} | {peak:.0f} | {own['renderer_peak_memory_mib']}"
                print(f"| {row} |", flush=True)


if __name__ == "__main__":
    main()
