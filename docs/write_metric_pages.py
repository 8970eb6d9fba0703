"""Write docs/metrics.md and docs/metrics/: the definitions, what they respond to, their formulas in LaTeX.

    python docs/write_metric_pages.py

`formulas.toml` holds the LaTeX, each with the digest of the definition that it is of: a changed definition needs its
formula looked at again.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from facial_bench.core.types import FAMILIES, Definition
from facial_bench.evaluation.sensitivity.record import Sensitivity, read_sensitivity
from facial_bench.metrics.catalog import all_definitions, definition_digest
from facial_bench.reports.metric_pages import anchor, by_family, index, section

DOCS = Path(__file__).parent
TITLES = {"lips": "Lips", "head": "Head", "blinks": "Blinks", "people": "People"}
NOTATION = {
    "lips": r"""$L_{t,k}$ is landmark $k$ (iBUG's 68, counted from 0) of frame $t$ in pixels. $C_{t,k}$ is the
same landmark, decoded from the expression alone at zero pose. $V$ holds the scored frames. $s$ is the
median distance $\lVert L_{t,45} - L_{t,36} \rVert$ between the outer corners of the eyes. A hat marks
generated motion.""",
    "head": r"""$\theta$ are pitch, yaw and roll, $R$ is the rotation that they make. $V'$ holds the frames that are
scored and follow a scored one. A hat marks generated motion.""",
    "blinks": "A hat marks generated motion.",
    "people": r"""$W_i$ holds the windows of person $i$. A hat marks generated motion.""",
}


def formulas() -> dict[str, list[str]]:
    """Metric -> its formula in LaTeX, as lines of Markdown; raises ValueError where the definition has changed."""
    known = all_definitions()
    written: dict[str, list[str]] = {}
    for name, held in tomllib.loads((DOCS / "formulas.toml").read_text(encoding="utf-8")).items():
        if definition_digest(known[name])[:16] != held["definition"]:
            raise ValueError(f"formulas.toml: {name} is defined otherwise now; look at its formula again")
        written[name] = [line for formula in held["latex"].strip().splitlines() for line in ("$$", formula, "$$")]
    return written


def pages(sensitivities: list[Sensitivity]) -> Mapping[str, str]:
    """Path within docs/ -> text."""
    known, latex = by_family(all_definitions()), formulas()
    links = {one.id: f"metrics/{one.family}.md#{anchor(one.id)}" for one in known}
    families = [family for family in FAMILIES if any(one.family == family for one in known)]
    toctree = ["```{toctree}", ":hidden:", "", *(f"metrics/{family}" for family in families), "```", ""]
    head = ["# The metrics", "", "Written by `python docs/write_metric_pages.py`.", ""]
    found = {"metrics.md": "\n".join([*head, *index(known, links, sensitivities), *toctree])}
    for family in families:
        found[f"metrics/{family}.md"] = family_page(family, known, latex, sensitivities)
    return found


def family_page(
    family: str, known: list[Definition], latex: Mapping[str, list[str]], sensitivities: list[Sensitivity]
) -> str:
    """The definitions of a family, and what they respond to as a picture."""
    lines = [f"# {TITLES[family]}", "", *NOTATION[family].splitlines(), ""]
    for one in known:
        if one.family == family:
            lines += section(one, sensitivities, level=2, latex=latex.get(one.id, ()))
    lines += ["## Dose and response", ""]
    lines += [
        "Rows are metrics, columns are perturbations of real motion. Blue: made for it. The band is the interval.",
        "",
    ]
    for each in sensitivities:
        name = each.header.corpus.name
        lines += [f"![{TITLES[family]}: responses on {name}](../sensitivity/{name}-{family}.png)", ""]
    return "\n".join(lines).rstrip() + "\n"


def measured() -> list[Sensitivity]:
    """The committed sensitivities, one per corpus."""
    return [read_sensitivity(path) for path in sorted((DOCS / "sensitivity").glob("*.jsonl.xz"))]


if __name__ == "__main__":
    for path, text in pages(measured()).items():
        (DOCS / path).parent.mkdir(exist_ok=True)
        (DOCS / path).write_text(text, encoding="utf-8")
