"""`facial-bench sensitivity`."""

from __future__ import annotations

from pathlib import Path

import click

from facial_bench.cli.common import device_option, make_session, metric_plugin_option, path, verbosity_options


@click.command()
@click.option(
    "--corpus", default="synthetic", show_default=True, metavar="NAME|DIR", help="Corpus whose motion is perturbed."
)
@click.option("--out", type=path, default="sensitivity", show_default=True, metavar="DIR", help="Folder to write to.")
@click.option(
    "--redraw",
    type=path,
    metavar="FILE.jsonl.xz",
    help="Measure nothing: write the table and the pictures of a file that was measured before.",
)
@device_option
@metric_plugin_option
@verbosity_options
def sensitivity(corpus: str, out: Path, redraw: Path | None, device: str, plugin_files: tuple[str, ...]) -> None:
    """Perturb real held-out motion in known doses, and show which metrics respond.

    Writes CORPUS.jsonl.xz (every value with its interval), CORPUS.md (the verdicts) and pictures into --out.
    """
    from facial_bench.core.files import require_writable, write_bytes
    from facial_bench.evaluation.sensitivity.record import SUFFIX, read_sensitivity, write_sensitivity
    from facial_bench.reports.figures import figure_tools
    from facial_bench.reports.sensitivity import draw, verdicts_page

    figure_tools()  # both before the minutes that the rest takes
    require_writable(out, "with --out")
    session = make_session(plugin_files)
    if redraw:
        measured = read_sensitivity(redraw)
    else:
        measured = session.measure_sensitivity(corpus, device)
        file = out / f"{measured.header.corpus.name}{SUFFIX}"
        write_sensitivity(file, measured)
        click.echo(f"written: {file}")
    page = out / f"{measured.header.corpus.name}.md"
    write_bytes(page, verdicts_page(measured).encode())
    for file in (page, *draw(measured, session.definitions(), out)):
        click.echo(f"written: {file}")
