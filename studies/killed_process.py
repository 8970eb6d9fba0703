"""`facial-bench` in a process of its own, which may be killed."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path


def run(arguments: Sequence[str], folder: Path, after: float | None = None) -> tuple[int, str]:
    """Run `facial-bench` in a process of its own, in a folder, and kill it after some seconds; its status and output.

    The process is a copy of this one, which has imported everything already: the moments fall into the work itself.
    """
    said = folder / "said.txt"
    child = os.fork()
    if not child:
        status = 1
        try:
            os.chdir(folder)
            out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(out, 1)
            os.dup2(out, 2)
            status = call(arguments)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    begun = time.monotonic()
    if after is not None:
        while time.monotonic() - begun < after:
            if os.waitpid(child, os.WNOHANG)[0]:
                return 0, said.read_text()
            time.sleep(0.002)
        os.kill(child, signal.SIGKILL)
    _, code = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(code), said.read_text() if said.is_file() else ""


def call(arguments: Sequence[str]) -> int:
    """The exit status of a command, within this process."""
    from facial_bench.cli import main

    try:
        main(list(arguments), prog_name="facial-bench")
    except SystemExit as end:
        sys.stdout.flush()
        return end.code if isinstance(end.code, int) else 1
    return 0
