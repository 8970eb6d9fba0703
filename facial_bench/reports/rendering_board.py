"""Boards of renderers: one table a corpus and size, the best first; Markdown, and the renderings beside it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from facial_bench.core.errors import ResultError, one_line
from facial_bench.core.files import write_bytes
from facial_bench.core.names import safe_name
from facial_bench.evaluation.result import disagreement, result_digest
from facial_bench.evaluation.result_schema import Metric
from facial_bench.metrics.image.cycle import cycle_definitions
from facial_bench.metrics.image.definitions import image_metrics
from facial_bench.rendering.references import CEILING_IS
from facial_bench.rendering.result import REAL, Rendering
from facial_bench.reports.board_markdown import RENDERERS
from facial_bench.reports.tables import arrow, cell, escape, markdown, number, unscored

RANKED = ("psnr/face", "psnr/mouth", "l1/face", "l1/mouth", "ssim/face", "ssim/mouth", "flip/face", "flip/mouth")
"""Columns of the table; the first one orders it. Clothes and background move by themselves: they rank nothing."""
OTHERS = ("psnr", "ssim", "l1", "flip", "psnr/eyes", "sharpness", "temporal_error/face", "motion_ratio/face")
ENDING = ".renderings.jsonl"


def rendering_boards(renderings: Sequence[Rendering]) -> dict[str, str]:
    """File name -> Markdown of every board that renderings of real motion give.

    Raises:
        ResultError: two renderings of one renderer and seed, or of two protocols, on one corpus.
    """
    boards = {}
    for label, own in _by_corpus(renderings).items():
        boards[f"{label}{RENDERERS}"] = _board(label, own)
    return boards


def board_files(renderings: Sequence[Rendering]) -> dict[str, bytes]:
    """File name -> content of the renderings that each board rests on, one a line."""
    encoder = msgspec.json.Encoder()
    return {
        f"{label}{ENDING}": b"\n".join(encoder.encode(one) for one in own) + b"\n"
        for label, own in _by_corpus(renderings).items()
    }


def write_rendering_boards(out: Path, renderings: Sequence[Rendering]) -> list[Path]:
    """Write the boards and what they rest on; returns the boards."""
    boards = rendering_boards(renderings)
    for name, content in board_files(renderings).items():
        write_bytes(out / name, content, ResultError)
    for name, text in boards.items():
        write_bytes(out / name, text.encode(), ResultError)
    return [out / name for name in boards]


def read_rendering_lines(path: Path) -> list[Rendering]:
    """The renderings beside a board.

    Raises:
        ResultError: a line that is none, or was changed.
    """
    renderings = []
    for count, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            renderings.append(msgspec.json.decode(line, type=Rendering))
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise ResultError(f"{path}, line {count}: {one_line(problem)}. Restore the file.") from None
        if result_digest(renderings[-1]) != renderings[-1].digest:
            raise ResultError(f"{path}, line {count}: it was changed after it was written. Restore the file.")
    return renderings


def _by_corpus(renderings: Sequence[Rendering]) -> dict[str, list[Rendering]]:
    """Board name -> its renderings of real motion, the best first."""
    groups: dict[str, list[Rendering]] = {}
    for one in renderings:
        if one.driving.motion == REAL:
            groups.setdefault(safe_name(one.corpus.label, "board"), []).append(one)
    for label, own in groups.items():
        if len({(one.protocol.digest, one.corpus.digest) for one in own}) > 1:
            raise ResultError(
                f"The renderings on {label} are of two protocols or two corpora. Render the older ones again."
            )
        names = [(one.renderer.label, one.seed) for one in own]
        twice = [name for name in set(names) if names.count(name) > 1]
        if twice:
            raise ResultError(f"{twice[0][0]}, seed {twice[0][1]}, was rendered twice on {label}. Remove one.")
        own.sort(key=lambda one: (-_value(one.metrics.get(RANKED[0])), one.renderer.label, one.seed))
    return groups


def _board(label: str, renderings: Sequence[Rendering]) -> str:
    first = renderings[0]
    scored = sum(row.shown[0] for row in first.clips)
    people = ", ".join(escape(person) for person in first.corpus.identities)
    lines = [
        f"# Renderers on {escape(label)}",
        "",
        f"Video-based self-reenactment: each renderer learned from the training videos of {people}, and rendered the "
        f"held-out stretches from their real motion. {scored} frames of {len(first.clips)} stretches, "
        f"{first.protocol.size} x {first.protocol.size} px, protocol {escape(first.protocol.name)} "
        f"`{first.protocol.digest[:12]}`. In brackets: the 95 % interval. See docs/rendering.md.",
        "",
        *_tables(renderings),
    ]
    return "\n".join(lines) + "\n"


def _tables(renderings: Sequence[Rendering]) -> list[str]:
    brought, lines = _brought(renderings), []
    agreed = [name for name, entries in brought.items() if not disagreement(entries)]
    for title, columns in (("Face and mouth", RANKED), ("Everything else", OTHERS), ("Metrics of plugins", agreed)):
        if not columns:
            continue
        heads = ["renderer", "budget", "seed"]
        for name in columns:
            metric = next(one.metrics[name] for one in renderings if name in one.metrics)
            unit = "" if metric.unit == "1" else f", {escape(metric.unit)}"
            heads.append(f"{escape(name)} {arrow(metric.higher_is_better)}{unit}")
        rows = [
            [escape(one.renderer.label), one.renderer.budget, str(one.seed), *(_cell(one, name) for name in columns)]
            for one in renderings
        ]
        references = {name: one for rendering in renderings for name, one in rendering.references.items()}
        ceilings = [number(references[name].ceiling.value, "") for name in columns]
        rows.append([f"*{CEILING_IS}*", "", "", *ceilings])
        lines += [f"## {title}", "", markdown(rows, heads), ""]
    lines += [
        f"{escape(name)} has no column: {why}.\n" for name, entries in brought.items() if (why := disagreement(entries))
    ]
    failed = [
        f"- {escape(one.renderer.label)} failed on {count} of {len(one.clips)} stretches; they count as "
        "the mean picture does."
        for one in renderings
        if (count := sum(row.status == "failed" for row in one.clips))
    ]
    speeds = itertools.chain.from_iterable(
        [
            [f"{escape(one.renderer.label)} {one.timing['render_fps']}"]
            for one in renderings
            if one.timing.get("render_fps")
        ]
    )
    return [*lines, *failed, f"Rendered, frames a second on the machine of each: {', '.join(speeds)}."]


def _brought(renderings: Sequence[Rendering]) -> dict[str, list[Metric]]:
    """Name -> what the renderings hold under it, of the metrics that plugins measured."""
    own = {one.id for one in (*image_metrics(renderings[0].protocol.size), *cycle_definitions())}
    found: dict[str, list[Metric]] = {}
    for rendering in renderings:
        for name, metric in rendering.metrics.items():
            if name not in own and metric.status != "absent":
                found.setdefault(name, []).append(metric)
    return dict(sorted(found.items()))


def _cell(rendering: Rendering, name: str) -> str:
    metric = rendering.metrics.get(name)
    if metric is None:
        return ""
    failed = unscored(metric.n_failed, 0)
    return cell(metric, metric.unit) + (f" ({failed})" if failed else "")


def _value(metric: Metric | None) -> float:
    return float("-inf") if metric is None or metric.value is None else float(metric.value)


def first_rendering_difference(out: Path, renderings: Sequence[Rendering]) -> str:
    """The first file of a folder that is not what renderings give; empty where all are."""
    wanted: Mapping[str, bytes] = {name: text.encode() for name, text in rendering_boards(renderings).items()}
    for name, content in {**wanted, **board_files(renderings)}.items():
        if not (out / name).is_file() or (out / name).read_bytes() != content:
            return f"{out / name}"
    return ""
