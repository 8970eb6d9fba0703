"""Core and plugins as wheels: built, installed in an empty environment, and run there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/pyproject.toml"))

IMPORT_ALL = """
import importlib, pkgutil, sys
for package in map(importlib.import_module, sys.argv[1:]):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            print(module.name)
"""
"""What is missing from a wheel is found by importing all of it."""


def done(*command: object, cwd: Path, **variables: str) -> str:
    """What a command prints; it must succeed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FACIAL_BENCH"))}
    ran = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**clean, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels of the core and of every plugin, built from a copy so that no earlier build is found."""
    base = tmp_path_factory.mktemp("wheels")
    left_out = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    for name in ("facial_bench", "facial_bench_worker", "plugins"):
        shutil.copytree(ROOT / name, base / "source" / name, ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, base / "source")
    sources = ["./source", *(f"./source/plugins/{name}" for name in PLUGINS)]
    alone = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    done(sys.executable, "-m", "pip", "wheel", *alone, "--wheel-dir", "wheels", *sources, cwd=base)
    return base / "wheels"


@pytest.mark.slow
@pytest.mark.parametrize("name", PLUGINS)
def test_a_wheel_holds_the_licence_and_the_mark_of_types(wheels: Path, name: str) -> None:
    package = f"facial_bench_{name}"
    (wheel,) = wheels.glob(f"{package}-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert f"{package}/py.typed" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    modules = {path.name for path in (ROOT / "plugins" / name / "src" / package).glob("*.py")}
    assert {name.removeprefix(f"{package}/") for name in names if name.endswith(".py")} == modules


@pytest.mark.slow
def test_wheels_install_in_an_empty_environment_and_run(wheels: Path, tmp_path: Path) -> None:
    built = sorted(wheels.glob("*.whl"))
    assert len(built) == len(PLUGINS) + 1 >= 6
    done(sys.executable, "-m", "venv", "--without-pip", "empty", cwd=tmp_path)
    python = tmp_path / "empty/bin/python"
    offline = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    done(sys.executable, "-m", "pip", "--python", python, "install", *offline, *built, cwd=tmp_path)
    site = next((tmp_path / "empty").glob("lib/python*/site-packages"))
    # Dependencies are those of this environment. Its editable installs are no packages here: a path is not a site.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    where = done(python, "-c", "import facial_bench; print(facial_bench.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(site)
    command = tmp_path / "empty/bin/facial-bench"
    cache = {"FACIAL_BENCH_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    listed = done(command, "plugins", cwd=tmp_path, **cache)
    for name in PLUGINS:
        assert f"facial-bench-{name}" in listed
    assert "failed to load: none" in listed
    done(command, "corpus", "make", "synthetic", "corpus", cwd=tmp_path, **cache)
    checked = done(command, "check", "replay", "--corpus", "corpus", "--json", cwd=tmp_path, **cache)
    assert json.loads(checked)["replay"]["fit"]["state"] == "pass"
    packages = [f"facial_bench_{name}" for name in PLUGINS]
    imported = done(python, "-c", IMPORT_ALL, "facial_bench", *packages, cwd=tmp_path, **cache).split()
    assert len(imported) > 150 and {"facial_bench_facial.training", "facial_bench.reports.board"} <= set(imported)
