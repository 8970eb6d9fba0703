"""Every distribution of this repository says under which licence it comes, who made it, and that it is typed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert project(ROOT)["project"]["license"] == "Apache-2.0"
    assert len(PLUGINS) == 7


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_plugin_says_the_same_as_the_core(folder: Path) -> None:
    core, own = project(ROOT)["project"], project(folder)["project"]
    for key in ("license", "license-files", "authors", "classifiers", "requires-python"):
        assert own[key] == core[key], key
    assert set(own["urls"]) == set(core["urls"])
    assert own["urls"]["Documentation"] == f"{core['urls']['Documentation'].removesuffix('docs')}plugins/{folder.name}"
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_wheel_holds_the_licence_and_the_mark_of_types(folder: Path, tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("*.egg-info", "build", "__pycache__", "tests")
    source = shutil.copytree(folder, tmp_path / "source", ignore=ignored)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    command += ["--disable-pip-version-check", "--wheel-dir", str(tmp_path), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    package = f"facial_bench_{folder.name}"
    assert f"{package}/py.typed" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    modules = {path.name for path in (folder / "src" / package).glob("*.py")}
    assert {name.removeprefix(f"{package}/") for name in names if name.endswith(".py")} == modules
