"""The site: Sphinx, MyST and Furo. `make docs` builds it into build/site, with warnings as errors."""

from __future__ import annotations

import os
import re
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

from facial_bench.core.version import __version__

project = "facial-bench"
author = "The facial-bench authors"
copyright = "The facial-bench authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click", "sphinx_copybutton"]
exclude_patterns = ["*.py", "formulas.toml"]

myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 4

default_role = "code"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "description"
autodoc_typehints_format = "short"
copybutton_prompt_text = "$ "

html_math_renderer = "mathml"
html_theme = "furo"
html_title = "facial-bench"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "source_repository": "https://github.com/facial-bench/facial-bench/",
    "source_branch": "main",
    "source_directory": "docs/",
}

REPOSITORY = "https://github.com/facial-bench/facial-bench/blob/main"
ROOT = Path(__file__).parents[1]
OUT_OF_DOCS = re.compile(r"\]\(((?:\.\./)+[^)#]*)(#[^)]*)?\)")


def link_to_repository(app: Sphinx, page: str, source: list[str]) -> None:
    """Links to files outside of docs/ lead to the repository."""
    folder = (Path(app.srcdir) / page).parent

    def replace(found: re.Match[str]) -> str:
        target = Path(os.path.normpath(folder / found[1]))
        if target.is_relative_to(app.srcdir):
            return found[0]
        return f"]({REPOSITORY}/{target.relative_to(ROOT).as_posix()}{found[2] or ''})"

    source[0] = OUT_OF_DOCS.sub(replace, source[0])


def write_math(translator: HTML5Translator, node: nodes.math) -> None:
    """Formulas as MathML, which browsers draw without a script from the network."""
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def write_displayed_math(translator: HTML5Translator, node: nodes.math_block) -> None:
    """A formula of its own, which scrolls where the page is narrow."""
    translator.body.append(f'<div class="math">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def write_schemas(app: Sphinx, problem: Exception | None) -> None:
    """The JSON Schema of each file format, beside the pages."""
    import msgspec

    from facial_bench.corpora.schema import Manifest
    from facial_bench.evaluation.result_schema import Result
    from facial_bench.rendering.result import Rendering
    from facial_bench.reports.ledger import Entry

    if problem or app.builder.format != "html":
        return
    records = {"corpus": Manifest, "result": Result, "rendering": Rendering, "ledger": Entry}
    folder = Path(app.outdir) / "schemas"
    folder.mkdir(exist_ok=True)
    for name, record in records.items():
        (folder / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(msgspec.json.schema(record))))


def setup(app: Sphinx) -> None:
    """What Sphinx calls."""
    app.add_html_math_renderer("mathml", (write_math, None), (write_displayed_math, None))
    app.connect("build-finished", write_schemas)
    app.connect("source-read", link_to_repository)
