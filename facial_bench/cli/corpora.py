"""`facial-bench corpus build | import | info | verify | make`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facial_bench.cli.common import aligned, option_option, parse_options, plugin_option, printable, reporter

if TYPE_CHECKING:
    from facial_bench.corpora.corpus import Corpus

folder = click.Path(path_type=Path)


@click.group()
def corpus() -> None:
    """Make, import and inspect corpus folders."""


@corpus.command()
@click.argument("videos", type=folder)
@click.argument("dest", type=folder)
@click.option("--tracker", default="mediapipe", show_default=True, metavar="NAME", help="Who looks for faces.")
@click.option("--model", type=folder, metavar="PATH", help="The tracker's weights, where it does not find them itself.")
@click.option("--audio", default="mel29", show_default=True, metavar="NAME", help="The audio features.")
@option_option
@click.option(
    "--table",
    type=folder,
    metavar="FILE.csv",
    help="Columns file, identity and, if wanted, recording and sound_offset (seconds).",
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
@click.option("--strict", is_flag=True, help="Fail when anything was left out.")
@plugin_option
def build(
    videos: Path,
    dest: Path,
    model: Path | None,
    options: tuple[str, ...],
    table: Path | None,
    plugin_files: tuple[Path, ...],
    workers: int,
    strict: bool,
    **choices: Any,
) -> None:
    """Track the faces in a folder of VIDEOS and write the corpus folder DEST.

    Interrupted, the same command goes on where it stopped.
    """
    from facial_bench.corpora.find_videos import find_sources
    from facial_bench.corpora.from_videos.build import build_corpus
    from facial_bench.corpora.from_videos.settings import BuildSettings
    from facial_bench.plugin_api.build_tools import make_tools

    log = reporter()
    sources, how = find_sources(videos, table)
    click.echo(f"{len(sources)} videos; identities {how}:", err=True)
    for person in sorted({source.identity for source in sources}):
        click.echo(f"  {person}: {', '.join(s.file for s in sources if s.identity == person)}", err=True)
    settings = BuildSettings(
        model=str(model.absolute()) if model else None,
        options=parse_options(options),
        plugin_files=tuple(str(file.absolute()) for file in plugin_files),
        **choices,
    )
    built = build_corpus(sources, videos, dest, settings, make_tools, workers=workers, report=log, strict=strict)
    left = f", {len(built.rejected)} left out" if built.rejected else ""
    click.echo(f"corpus: {dest} ({built.clips} clips, {built.seconds:.0f} s{left})")


@corpus.command("import")
@click.argument("source", type=folder)
@click.argument("dest", type=folder)
@click.option("--format", "format_", required=True, metavar="NAME", help="The importer, e.g. `tracks`.")
@option_option
@click.option("--audio", help="Short for --option audio=NAME.")
@click.option("--expression", help="Short for --option expression=NAME.")
@plugin_option
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
    call(importer, f"importing {source}", importer.spec.run, source, dest, chosen, reporter())
    click.echo(f"corpus: {dest}")


@corpus.command()
@click.argument("dir", type=folder)
@click.option("--html", type=folder, metavar="FILE.html", help="Also write a page: thumbnails with landmarks, curves.")
@click.option("--videos", type=folder, metavar="DIR", help="Where the videos of the corpus lie, if they moved.")
def info(dir: Path, html: Path | None, videos: Path | None) -> None:
    """Show what a corpus folder holds, clip by clip, and how it is split."""
    from facial_bench.core.protocol import Protocol
    from facial_bench.corpora.clip_quality import clip_facts, show_offset
    from facial_bench.corpora.corpus import open_corpus
    from facial_bench.corpora.split import split_clips

    opened = open_corpus(dir)
    about = opened.info
    split = split_clips(opened.entries, Protocol())
    click.echo(
        f"{about.name} {about.version}  digest {about.digest[:16]}  {about.fps:g} fps  "
        f"audio {about.audio_kind} x {about.audio_width}  landmarks {about.landmark_unit}  "
        f"length {about.length_unit}  blink {about.blink_scale}"
    )
    parts = {name: {s.clip: s for s in getattr(split, name)} for name in ("train", "validation", "test")}
    rows = [("clip", "identity", "seconds", "tracked", "blinks/min", "pitch, yaw, roll °", "sound offset s", "split")]
    for entry in opened.entries:
        spans = [f"{name} {p[entry.id].start}..{p[entry.id].stop}" for name, p in parts.items() if entry.id in p]
        facts = clip_facts(opened.clip(entry.id), about)
        offset = show_offset(facts.sound_offset, "–")
        rows.append(
            (
                entry.id,
                entry.identity,
                f"{facts.seconds:.2f}",
                f"{facts.tracked:.3f}",
                f"{facts.blink_rate:.1f}",
                ", ".join(f"{one:.1f}" for one in facts.pose_spread),
                offset,
                ", ".join(spans),
            )
        )
    click.echo(aligned(rows))
    for person, note in split.notes.items():
        click.echo(f"{person}: {note}")
    left_out = opened.note().get("left_out_of_videos")
    for pair in left_out if isinstance(left_out, list) else ():
        click.echo(f"left out: {': '.join(map(printable, pair if isinstance(pair, list) else ()))}")
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
def requests(dir: Path, identities: str | None) -> None:
    """List as CSV what a method is asked for: to make outputs elsewhere, for the method `precomputed`."""
    import csv

    import numpy as np

    from facial_bench.core.protocol import Protocol
    from facial_bench.corpora.corpus import open_corpus
    from facial_bench.corpora.split import split_clips
    from facial_bench.evaluation.requests import make_tasks

    opened = open_corpus(dir)
    if identities:
        opened = opened.select([name.strip() for name in identities.split(",") if name.strip()])
    people, fps = opened.info.identities, opened.info.fps
    test = opened.segments(split_clips(opened.entries, Protocol()).test)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("request", "identity", "frames", "fps", "width", "height", "video", "from_s", "to_s"))
    for task in make_tasks(test, people, dict.fromkeys(people, np.zeros(71)), fps, 0):
        clip, made = task.clip, opened.note("clips", task.clip.id)
        video = opened.note("videos", made.get("video", "")).get("file") or clip.id
        start = (made["start_s"] if isinstance(made.get("start_s"), float) else 0.0) + clip.start / fps
        size = (clip.camera.width, clip.camera.height) if task.request.camera else ("", "")
        writer.writerow(
            (
                task.request.id,
                task.request.identity,
                clip.frames,
                f"{fps:g}",
                *size,
                video,
                f"{start:.3f}",
                f"{start + clip.frames / fps:.3f}",
            )
        )


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
@plugin_option
def make(name: str, dest: Path, plugin_files: tuple[Path, ...]) -> None:
    """Make the named corpus in the folder DEST."""
    from facial_bench.plugin_api.manager import call, load_plugins

    registered = load_plugins(plugin_files).get("corpora", "corpus", name)
    call(registered, f"making the corpus {name}", registered.spec.make, dest)
    click.echo(f"corpus: {dest}")
