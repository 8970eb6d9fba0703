"""`facial-bench corpus import | info | verify | make`."""

from __future__ import annotations

from pathlib import Path

import click

from facial_bench.cli.common import aligned, option_option, parse_options, plugin_option, reporter

folder = click.Path(path_type=Path)


@click.group()
def corpus() -> None:
    """Make, import and inspect corpus folders."""


@corpus.command("import")
@click.argument("source", type=folder)
@click.argument("dest", type=folder)
@click.option("--format", "format_", required=True, metavar="NAME", help="The importer, e.g. `tracks`.")
@option_option
@click.option("--audio", help="Short for --option audio=NAME.")
@click.option("--expression", help="Short for --option expression=NAME.")
@plugin_option
def import_(source: Path, dest: Path, format_: str, options: tuple[str, ...], plugin_files: tuple[Path, ...],
            **short: str | None) -> None:  # fmt: skip
    """Turn tracked clips in SOURCE into the corpus folder DEST."""
    from facial_bench.plugins import call, load_plugins

    chosen = {**{key: value for key, value in short.items() if value}, **parse_options(options)}
    importer = load_plugins(plugin_files).get("importers", "format", format_)
    call(importer, f"importing {source}", importer.spec.run, source, dest, chosen, reporter())
    click.echo(f"corpus: {dest}")


@corpus.command()
@click.argument("dir", type=folder)
def info(dir: Path) -> None:
    """Show what a corpus folder holds, and how it is split."""
    from facial_bench.corpus import open_corpus
    from facial_bench.protocol import Protocol
    from facial_bench.split import split_clips

    opened = open_corpus(dir)
    about = opened.info
    split = split_clips(opened.entries, Protocol())
    click.echo(
        f"{about.name} {about.version}  digest {about.digest[:16]}  {about.fps:g} fps  "
        f"audio {about.audio_kind} x {about.audio_width}  landmarks {about.landmark_unit}  "
        f"length {about.length_unit}  blink {about.blink_scale}"
    )
    parts = {name: {s.clip: s for s in getattr(split, name)} for name in ("train", "validation", "test")}
    rows = [("clip", "identity", "seconds", "split")]
    for entry in opened.entries:
        spans = [f"{name} {p[entry.id].start}..{p[entry.id].stop}" for name, p in parts.items() if entry.id in p]
        rows.append((entry.id, entry.identity, f"{entry.frames / about.fps:.2f}", ", ".join(spans)))
    click.echo(aligned(rows))
    for person, note in split.notes.items():
        click.echo(f"{person}: {note}")


@corpus.command()
@click.argument("dir", type=folder)
def verify(dir: Path) -> None:
    """Check every file of a corpus folder against its digest."""
    from facial_bench.corpus import open_corpus

    opened = open_corpus(dir)
    click.echo(f"{opened.verify()} clips verified, digest {opened.info.digest[:16]}")


@corpus.command()
@click.argument("name")
@click.argument("dest", type=folder)
@plugin_option
def make(name: str, dest: Path, plugin_files: tuple[Path, ...]) -> None:
    """Make the named corpus in the folder DEST."""
    from facial_bench.plugins import call, load_plugins

    offer = load_plugins(plugin_files).get("corpora", "corpus", name)
    call(offer, f"making the corpus {name}", offer.spec.make, dest)
    click.echo(f"corpus: {dest}")
