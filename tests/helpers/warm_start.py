"""Processes that begin with torch and facial-bench imported: forked from one that waits, as `python` starts them."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
WAITING = """
import gc, json, os, runpy, sys, tempfile
import torch._dynamo
import facial_bench.api, facial_bench.cli.show, facial_bench.evaluation.run_seeds

gc.freeze()  # what is shared with the forked processes is left alone
asked, told = os.dup(0), os.dup(1)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
os.dup2(2, 1)
for line in os.fdopen(asked, closefd=False):
    call = json.loads(line)
    child = os.fork()
    if child == 0:
        break
    os.write(told, b"%d\\n" % child)
    os.write(told, b"%d\\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
else:
    os._exit(0)

os.setsid()
os.close(asked)
os.close(told)
for number, path in ((1, call["stdout"]), (2, call["stderr"])):
    os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY), number)
sys.stdout = open(1, "w", closefd=False)  # what they were opened for may have been another kind of file
sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
os.chdir(call["cwd"])
os.environ.clear()
os.environ.update(call["env"])
tempfile.tempdir = None  # asked for once, before it was this process's
kind, code, *words = call["arguments"]
sys.argv = [kind, *words]
if kind == "-m":
    runpy.run_module(code, run_name="__main__", alter_sys=True)
else:
    exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
"""
"""Forks a process for each line that it reads, and writes its number, then the status that it ended with."""


class WarmStart:
    """Starts processes of this interpreter, one at a time."""

    def __init__(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._waiting = subprocess.Popen([sys.executable, "-c", WAITING], env=environment, bufsize=0, **pipes)

    def start(
        self, command: Sequence[str], cwd: Path, env: Mapping[str, str], stdout: IO[bytes], stderr: IO[bytes], **_: Any
    ) -> WarmProcess:
        """As `subprocess.Popen` with `start_new_session`: `python -m MODULE ...` or `python -c CODE ...`."""
        call = {"arguments": command[1:], "cwd": str(cwd), "env": dict(env)}
        call |= {"stdout": stdout.name, "stderr": stderr.name}
        self._waiting.stdin.write(json.dumps(call).encode() + b"\n")
        return WarmProcess(self._waiting.stdout)

    def run(self, command: Sequence[str], cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run`, with what it wrote and the status that it ended with."""
        with tempfile.NamedTemporaryFile() as stdout, tempfile.NamedTemporaryFile() as stderr:
            process = self.start(command, cwd, {**os.environ, **environment}, stdout, stderr)
            status = process.wait()
            told = [Path(one.name).read_text() for one in (stdout, stderr)]
        return subprocess.CompletedProcess(command, status, *told)

    def close(self) -> None:
        """No more processes."""
        self._waiting.stdin.close()
        self._waiting.wait(60)
        self._waiting.stdout.close()


class WarmProcess:
    """What a test needs of `subprocess.Popen`.

    Args:
        told: Where its number stands, and later its status.
    """

    def __init__(self, told: IO[bytes]) -> None:
        self._told, self.returncode = told, None  # type: IO[bytes], int | None
        self.pid = int(told.readline())

    def poll(self) -> int | None:
        """Its status, if it has ended."""
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> int | None:
        """Its status; None where it goes on for longer than that many seconds."""
        if self.returncode is None and select.select([self._told], [], [], timeout)[0]:
            self.returncode = int(self._told.readline())
        return self.returncode
