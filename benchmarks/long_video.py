"""`python -m benchmarks.long_video VIDEO --hours 4`: does memory stay flat while a very long video is built?

The long video is the given one again and again: packets copied with later time stamps, sound included. The build is
`facial-bench corpus build`, in a process of its own, one worker; its resident memory is read every second.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av


def repeat(source: Path, dest: Path, seconds: float) -> float:
    """Copy the packets of a video until it is that long; its length."""
    with av.open(str(source)) as probe:
        streams = [s for s in (*probe.streams.video[:1], *probe.streams.audio[:1])]
        length = max(float(s.duration * s.time_base) for s in streams)
    done = 0.0
    with av.open(str(dest), "w") as out:
        made = None
        while done < seconds:
            with av.open(str(source)) as once:
                chosen = [*once.streams.video[:1], *once.streams.audio[:1]]
                made = made or [out.add_stream_from_template(stream) for stream in chosen]
                for packet in once.demux(chosen):
                    if packet.dts is None:
                        continue
                    shift = round(done / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = made[chosen.index(packet.stream)]
                    out.mux(packet)
            done += length + 0.25  # room for the stamps before zero that encoders begin with
    return done


def resident(pid: int, what: str = "VmRSS") -> float | None:
    """MiB of memory that a process holds, or (`VmHWM`) held at most; None when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(what)), None)


def main() -> None:
    """Make the video, build it, print memory quarter by quarter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--hours", type=float, default=4.0)
    parser.add_argument("--build-option", action="append", default=[], help="handed to `corpus build`; repeatable")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        videos, dest = Path(folder) / "videos", Path(folder) / "long"
        videos.mkdir()
        seconds = repeat(options.video, videos / f"long{options.video.suffix}", 3600 * options.hours)
        command = [
            sys.executable,
            "-m",
            "facial_bench",
            "corpus",
            "build",
            str(videos),
            str(dest),
            "--workers",
            "1",
            *options.build_option,
        ]
        began, samples = time.monotonic(), []
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            held = resident(process.pid)
            if held is not None:
                samples.append((time.monotonic() - began, held))
            time.sleep(1)
        took = time.monotonic() - began
        print(f"{seconds / 3600:.2f} h of video, {took:.0f} s, exit code {process.returncode}")
        print("| part of the build | median memory, MiB | peak, MiB |\n|---|---|---|")
        for k in range(10):
            part = [m for t, m in samples if k * took / 10 <= t < (k + 1) * took / 10]
            if part:
                print(f"| tenth {k + 1} | {statistics.median(part):.0f} | {max(part):.0f} |")


if __name__ == "__main__":
    main()
