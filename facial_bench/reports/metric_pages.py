"""The definitions as text: what each number is, where it comes from, and what it responds to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from facial_bench.core.types import FAMILIES, Definition
from facial_bench.evaluation.sensitivity.record import Sensitivity, Verdict
from facial_bench.metrics.catalog import all_definitions, definition_digest
from facial_bench.metrics.probe import behaviour_digest
from facial_bench.reports.tables import arrow, escape, markdown

ARROWS = "↑ higher is better, ↓ lower is better, ≈ only the distance to the real value means anything"
DIRECTION = {True: "higher is better", False: "lower is better", None: "only the distance to the real value counts"}
VERDICTS: Mapping[Verdict, str] = {
    "answers": "responds to",
    "no response": "no response to",
    "also answers": "also responds to",
}


def by_family(definitions: Mapping[str, Definition]) -> list[Definition]:
    """In the order in which tables show them."""
    return sorted(definitions.values(), key=lambda one: FAMILIES.index(one.family))


def rows(definitions: Mapping[str, Definition]) -> list[tuple[str, str, str, str]]:
    """Id, direction, unit and meaning of each."""
    return [
        (one.id, arrow(one.higher_is_better), one.unit, one.meaning or one.formula) for one in by_family(definitions)
    ]


def describe(one: Definition, source: str, sensitivities: Sequence[Sensitivity] = ()) -> str:
    """All of one definition, as text for a terminal.

    Args:
        one: the definition.
        source: who brings it.
        sensitivities: what it was found to respond to, one per corpus.
    """
    facts = {
        "unit": f"{one.unit}, {DIRECTION[one.higher_is_better]}",
        "family": one.family,
        "measured": _measured(one),
        "needs": ", ".join(_needs(one)),
        "formula": one.formula,
        "origin": one.origin,
        "pitfalls": one.pitfalls,
        "made for": ", ".join(one.perturbations),
        "from": source,
        "version": str(one.version),
        "digest": definition_digest(one),
        "probe": behaviour_digest(one),
    }
    lines = [f"{one.id}: {one.meaning}" if one.meaning else one.id, ""]
    lines += [f"{name:<9}  {text or '–'}" for name, text in facts.items()]
    lines += [f"{'found':<9}  on {each.header.corpus.name}: {_verdict(each, one.id)}" for each in sensitivities]
    return "\n".join(lines)


def page(definitions: Mapping[str, Definition], sensitivities: Sequence[Sensitivity] = ()) -> str:
    """All definitions as Markdown: a table to find one's way, then each."""
    corpora = [escape(each.header.corpus.name) for each in sensitivities]
    headers = ["id", "", "unit", "family", "measured", *(f"sensitivity on {corpus}" for corpus in corpora)]
    table = [
        [
            f"[`{one.id}`](#{_anchor(one.id)})",
            arrow(one.higher_is_better),
            escape(one.unit),
            one.family,
            "ranked" if one.ranked else "every run" if one.every_run else "on demand",
            *(_mark(each, one.id) for each in sensitivities),
        ]
        for one in by_family(definitions)
    ]
    parts = [
        "# The metrics",
        "",
        f"Written by `facial-bench metrics --markdown`. {ARROWS}. *Ranked*: measured in every run, and methods are "
        "ranked on it. *On demand*: `facial-bench score RESULT --metric ID`. *Sensitivity*: ✓ responds to every "
        "perturbation that it is made for ([sensitivity.md](sensitivity.md)).",
        "",
        markdown(table, headers),
        "",
    ]
    for one in by_family(definitions):
        parts += [
            f"### {one.id}",
            "",
            f"{escape(one.meaning[:1].upper() + one.meaning[1:])}. "
            * bool(one.meaning)
            + f"In {escape(one.unit)}, {DIRECTION[one.higher_is_better]}; version {one.version}, digest "
            f"`{definition_digest(one)[:16]}`.",
            "",
            f"- **Formula**: {escape(one.formula)}",
            f"- **Needs**: {escape(', '.join(_needs(one)) or '–')}",
            f"- **Origin**: {escape(one.origin or '–')}",
            f"- **Pitfalls**: {escape(one.pitfalls or '–')}",
            *(
                f"- **Sensitivity on {corpus}**: {_verdict(each, one.id)}"
                for corpus, each in zip(corpora, sensitivities, strict=True)
            ),
            "",
        ]
    return "\n".join(parts)


def _needs(one: Definition) -> tuple[str, ...]:
    """The parts of a motion that it looks at."""
    return getattr(one, "needs", ())


def _measured(one: Definition) -> str:
    if one.id not in all_definitions():
        return "in every run that loads its plugin"
    if not one.every_run:
        return f"on demand: facial-bench score RESULT --metric {one.id}"
    return "in every run" + (", and methods are ranked on it" if one.ranked else "")


def _anchor(metric: str) -> str:
    return "".join(mark for mark in metric.lower() if mark.isalnum() or mark in "-_")


def _verdict(sensitivity: Sensitivity, metric: str) -> str:
    """What a metric responds to, in words."""
    if metric not in sensitivity.header.metrics:
        return "not measured"
    named = {text: ", ".join(sensitivity.named(metric, verdict)) for verdict, text in VERDICTS.items()}
    return "; ".join(f"{text} {names}" for text, names in named.items() if names) or "–"


def _mark(sensitivity: Sensitivity, metric: str) -> str:
    silent = sensitivity.named(metric, "no response")
    if silent:
        return f"no response: {', '.join(silent)}"
    return "✓" if sensitivity.named(metric, "answers") else "–"
