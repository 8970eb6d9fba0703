"""`facial-bench certify`."""

from __future__ import annotations

from pathlib import Path

import click

from facial_bench.cli.common import cache_folder, find_corpus, plugin_option, reporter


@click.command()
@click.option("--corpus", default="synthetic", show_default=True, metavar="NAME|DIR", help="Whose motion to spoil.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("certification"), show_default=True, metavar="DIR")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@plugin_option
def certify(corpus: str, out: Path, device: str, plugin_files: tuple[Path, ...]) -> None:
    """Spoil real held-out motion in known doses, and see which metrics answer.

    Writes CORPUS.json (every answer with its interval), CORPUS.md (the verdicts) and pictures into --out.
    """
    from facial_bench.bench import prepare, protocol_with
    from facial_bench.certification.report import draw, report
    from facial_bench.certification.response import certify as respond
    from facial_bench.device import choose_device
    from facial_bench.pictures import figure_tools
    from facial_bench.plugins import load_plugins
    from facial_bench.storage import require_writable, write_bytes, write_json

    figure_tools()  # both before the minutes that the rest takes
    require_writable(out)
    log, plugins = reporter(), load_plugins(plugin_files)
    specs = [offer.spec for offer in plugins.offers("metrics").values()]
    opened = find_corpus(corpus, plugins, log)
    bench = prepare(opened, protocol_with(specs), specs, device=choose_device(device), cache=cache_folder(), log=log)
    found = respond(bench, log)
    name = opened.info.name
    write_json(out / f"{name}.json", found)
    write_bytes(out / f"{name}.md", report(found).encode())
    for path in (out / f"{name}.json", out / f"{name}.md", *draw(found, out)):
        click.echo(f"written: {path}")
