"""A method without network, and without files but its interpreter and its own: bubblewrap's arguments.

What is not named here is not there. See docs/isolation.md for what it does not protect from.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from facial_bench.core.errors import FacialBenchError

SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"),
    *("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/ssl"),
    *("/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/OpenCL", "/etc/nvidia"),
)
"""Where programs and shared libraries are, and what they need of the settings; read-only."""
KEPT = ("PATH", "LANG", "LC_", "TZ", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "CUDA_", "CUBLAS_", "PYTHON", "LD_")
"""How the environment variables begin that a sandbox lets in."""
GRAPHICS = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset")
HINT = "Install bubblewrap (Debian: apt install bubblewrap), or run without --sandbox."


def sandboxed(
    command: Sequence[str], scratch: Path, readable: Iterable[Path], hidden: Iterable[Path], device: str
) -> list[str]:
    """A command that runs another one in a sandbox.

    Args:
        command: What to run.
        scratch: Its folder: `room` may be written in, the rest is read-only.
        readable: Files and folders that it may read.
        hidden: Folders that are empty for it, wherever they lie.
        device: `cpu`, or `cuda` to let it use the graphics cards.

    Raises:
        FacialBenchError: there is no bubblewrap, or it does not work here.
    """
    program = require_bubblewrap()
    binds = [("--ro-bind", place) for place in dict.fromkeys([*map(Path, SYSTEM), *readable]) if place.exists()]
    binds.sort(key=lambda bind: len(bind[1].parts))  # a folder before what lies in it
    arguments = [program, "--unshare-all", "--die-with-parent", "--cap-drop", "ALL"]  # else root could undo the mounts
    arguments += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for option, place in binds:
        arguments += [option, str(place), str(place)]
    for card in GRAPHICS if device == "cuda" else ():
        arguments += ["--dev-bind-try", card, card]
    for place in dict.fromkeys(path.resolve() for path in hidden):
        if place.is_dir() and any(place.is_relative_to(path.resolve()) for _, path in binds):
            arguments += ["--tmpfs", str(place)]
    room = scratch / "room"
    arguments += ["--ro-bind", str(scratch), str(scratch), "--bind", str(room), str(room), "--chdir", str(room)]
    return [*arguments, "--setenv", "HOME", str(room), "--setenv", "TMPDIR", str(room), "--", *command]


def sandbox_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that a sandbox lets in: no path of the user's, no key to anything."""
    return {name: value for name, value in environment.items() if name.startswith(KEPT)}


def require_bubblewrap() -> str:
    """Path of bubblewrap.

    Raises:
        FacialBenchError: it is not there, or the system does not let it work; says why.
    """
    program = shutil.which("bwrap") if sys.platform == "linux" else None
    if program is None:
        raise FacialBenchError(f"--sandbox needs bubblewrap on Linux, and there is none here. {HINT}")
    trial = [program, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--", sys.executable, "-S", "-c", ""]
    done = subprocess.run(trial, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[:200]
        raise FacialBenchError(f"--sandbox: bubblewrap does not work here ({said}). {HINT}")
    return program
