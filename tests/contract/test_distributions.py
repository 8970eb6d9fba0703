"""Every distribution of this repository says under which licence it comes, who made it, and that it is typed."""

from __future__ import annotations

import tomllib
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
