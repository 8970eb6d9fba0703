"""`facial-bench corpus build | import | info | verify | make`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facial_bench.cli.common import (
    aligned,
    make_reporter,
    option_option,
    parse_names,
    parse_options,
    plugin_option,
    printable,
    verbosity_options,
)
from facial_bench.cli.common import path as folder

if TYPE_CHECKING:
    from facial_bench.corpora.corpus import Corpus


@click.group()
def corpus() -> None:
    """Make, import and inspect corpus folders."""


@corpus.command()
@click.argument("videos", type=folder)
@click.argument("dest", type=folder)
@click.option("--tracker", default="mediapipe", show_default=True, metavar="NAME", help="Face tracker to use.")
@click.option("--model", type=folder, metavar="PATH", help="File of the tracker's weights, if it does not find them.")
@click.option("--audio", default="mel29", show_default=True, metavar="NAME", help="The audio features.")
@option_option
@click.option(
    "--recipe",
    "--table",
    type=folder,
    metavar="FILE.csv",
    help="What to take: columns video and any of identity, recording, start, end, crop and sound_offset.",
)
@click.option(
    "--min-tracked",
    type=click.FloatRange(0, 1),
    default=0.8,
    show_default=True,
    help="Share of frames with a face below which a clip is left out.",
)
@click.option(
    "--min-seconds",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help="Length below which a clip is left out.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=lambda: min(os.cpu_count() or 1, 8),
    show_default="cores, 8 at most",
    help="Videos at once.",
)
@click.option("--strict", is_flag=True, help="Exit 1 if anything was left out.")
@plugin_option
@verbosity_options
def build(
    videos: Path,
    dest: Path,
    model: Path | None,
    options: tuple[str, ...],
    recipe: Path | None,
    plugin_files: tuple[Path, ...],
    workers: int,
    strict: bool,
    **choices: Any,
) -> None:
    """Track the faces in a folder of VIDEOS and write the corpus folder DEST.

    If interrupted, the same command continues where it stopped.
    """
    from facial_bench.corpora.find_videos import find_sources, other_files
    from facial_bench.corpora.from_videos.build import build_corpus
    from facial_bench.corpora.from_videos.settings import BuildSettings
    from facial_bench.plugin_api.build_tools import make_tools

    report, (sources, how) = make_reporter(), find_sources(videos, recipe)
    files = len({source.file for source in sources})
    parts = f"{len(sources)} parts of " if len(sources) > files else ""
    report(f"{parts}{files} video{'s' * (files != 1)}; identities {how}:")
    for person in sorted({source.identity for source in sources}):
        report(f"  {person}: {', '.join(s.shown for s in sources if s.identity == person)}")
    others = other_files(videos, recipe, model)
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        report(f"not read: {', '.join(others[:3])}{more}")
    settings = BuildSettings(
        model=str(model.absolute()) if model else None,
        options=parse_options(options),
        plugin_files=tuple(str(file.absolute()) for file in plugin_files),
        **choices,
    )
    built = build_corpus(sources, videos, dest, settings, make_tools, workers=workers, report=report, strict=strict)
    left = f", {len(built.rejected)} left out" if built.rejected else ""
    _made(dest, f" ({built.clips} clips, {built.seconds:.0f} s{left})")


@corpus.command("import")
@click.argument("source", type=folder)
@click.argument("dest", type=folder)
@click.option("--format", "format_", required=True, metavar="NAME", help="The importer, e.g. `tracks`.")
@option_option
@click.option("--audio", help="Short for --option audio=NAME.")
@click.option("--expression", help="Short for --option expression=NAME.")
@plugin_option
@verbosity_options
def import_(
    source: Path,
    dest: Path,
    format_: str,
    options: tuple[str, ...],
    plugin_files: tuple[Path, ...],
    **short: str | None,
) -> None:
    """Turn tracked clips in SOURCE into the corpus folder DEST."""
    from facial_bench.plugin_api.manager import call, load_plugins

    chosen = {**{key: value for key, value in short.items() if value}, **parse_options(options)}
    importer = load_plugins(plugin_files).get("importers", "format", format_)
    call(importer, f"importing {source}", importer.spec.run, source, dest, chosen, make_reporter())
    _made(dest)


def _made(dest: Path, about: str = "") -> None:
    """Say that a corpus is there, and what it lacks for a run."""
    from facial_bench.corpora.corpus import open_corpus
    from facial_bench.reports.corpus_table import motion_warning

    click.echo(f"corpus: {dest}{about}")
    warning = motion_warning(open_corpus(dest))
    if warning:
        click.echo(f"warning: {warning}", err=True)


@corpus.command()
@click.argument("dir", type=folder)
@click.option("--html", type=folder, metavar="FILE.html", help="Also write a page: thumbnails with landmarks, curves.")
@click.option("--videos", type=folder, metavar="DIR", help="Folder of the corpus's videos, if they moved.")
def info(dir: Path, html: Path | None, videos: Path | None) -> None:
    """Show what a corpus folder holds, clip by clip, and how it is split."""
    from facial_bench.corpora.corpus import open_corpus
    from facial_bench.reports.corpus_table import clip_rows, corpus_line, corpus_notes

    opened = open_corpus(dir)
    click.echo(corpus_line(opened))
    click.echo(aligned(clip_rows(opened)))
    for line in corpus_notes(opened):
        click.echo(printable(line))
    if html:
        _write_page(opened, html, videos)


def _write_page(opened: Corpus, html: Path, videos: Path | None) -> None:
    from facial_bench.core.files import write_bytes
    from facial_bench.reports.corpus_page import corpus_page

    page, missing = corpus_page(opened, videos)
    write_bytes(html, page.encode())
    for line in dict.fromkeys(missing):
        click.echo(f"no pictures: {line}", err=True)
    click.echo(f"page: {html}")


@corpus.command()
@click.argument("dir", type=folder)
@click.option("--identities", metavar="A,B,...", help="As the run's: these people only.")
@click.option("--fold", "folds", type=click.Choice(["one", "all"]), default="one", help="As the run's.")
def requests(dir: Path, identities: str | None, folds: str) -> None:
    """List as CSV what a method is asked for: to make outputs elsewhere, for the method `precomputed`."""
    import csv

    from facial_bench.corpora.corpus import open_corpus
    from facial_bench.reports.corpus_table import request_rows

    opened = open_corpus(dir)
    people = parse_names(identities)
    rows = request_rows(opened.select(people) if people else opened, folds)
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows)


@corpus.command()
@click.argument("dir", type=folder)
def verify(dir: Path) -> None:
    """Check every file of a corpus folder against its digest."""
    from facial_bench.corpora.corpus import open_corpus

    opened = open_corpus(dir)
    click.echo(f"{opened.verify()} clips verified, digest {opened.info.digest[:16]}")


@corpus.command()
@click.argument("name")
@click.argument("dest", type=folder)
@click.option("--option", "options", multiple=True, metavar="K=V", help="An option of the corpus. Repeatable.")
@plugin_option
@verbosity_options
def make(name: str, dest: Path, options: tuple[str, ...], plugin_files: tuple[Path, ...]) -> None:
    """Make the named corpus in the folder DEST. `facial-bench corpora NAME` lists its options."""
    from facial_bench.plugin_api.make_corpus import make_corpus
    from facial_bench.plugin_api.manager import load_plugins

    registered = load_plugins(plugin_files).get("corpora", "corpus", name)
    make_corpus(registered, dest, parse_options(options))
    _made(dest)
