"""A distribution really installed, as pip would for a user."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def pip_install(source: Path, site: Path) -> Path:
    """Install the distribution in `source` into the folder `site`, without its dependencies and without a network."""
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(site), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return site
