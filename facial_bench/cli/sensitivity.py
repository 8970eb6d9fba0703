"""`facial-bench sensitivity`."""

from __future__ import annotations

from pathlib import Path

import click

from facial_bench.cli.common import cache_folder, find_corpus, plugin_option, reporter


@click.command()
@click.option("--corpus", default="synthetic", show_default=True, metavar="NAME|DIR", help="Whose motion to spoil.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("certification"), show_default=True, metavar="DIR")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@plugin_option
def sensitivity(corpus: str, out: Path, device: str, plugin_files: tuple[Path, ...]) -> None:
    """Spoil real held-out motion in known doses, and see which metrics answer.

    Writes CORPUS.json (every answer with its interval), CORPUS.md (the verdicts) and pictures into --out.
    """
    from facial_bench.core.device import choose_device
    from facial_bench.core.files import require_writable, write_bytes, write_json
    from facial_bench.evaluation.sensitivity.dose_response import measure_sensitivity
    from facial_bench.evaluation.setup import prepare, protocol_with
    from facial_bench.plugin_api.manager import load_plugins
    from facial_bench.reports.figures import figure_tools
    from facial_bench.reports.sensitivity import draw, report

    figure_tools()  # both before the minutes that the rest takes
    require_writable(out)
    log, plugins = reporter(), load_plugins(plugin_files)
    specs = [registered.spec for registered in plugins.registered("metrics").values()]
    opened = find_corpus(corpus, plugins, log)
    setup = prepare(opened, protocol_with(specs), specs, device=choose_device(device), cache=cache_folder(), report=log)
    found = measure_sensitivity(setup, log)
    name = opened.info.name
    write_json(out / f"{name}.json", found)
    write_bytes(out / f"{name}.md", report(found).encode())
    for path in (out / f"{name}.json", out / f"{name}.md", *draw(found, out)):
        click.echo(f"written: {path}")
