"""The definitions as text: what each number is, where it comes from, and what it responds to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

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
OWN: Mapping[Verdict, str] = {"answers": VERDICTS["answers"], "no response": VERDICTS["no response"]}
"""Of the perturbations that a metric is made for."""


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
    """All definitions as one page of Markdown: a table to find one's way, then each."""
    known = by_family(definitions)
    links = {one.id: f"#{anchor(one.id)}" for one in known}
    parts = ["# The metrics", "", *index(known, links, sensitivities)]
    for one in known:
        parts += section(one, sensitivities, level=3)
    return "\n".join(parts)


def index(
    definitions: Sequence[Definition], links: Mapping[str, str], sensitivities: Sequence[Sensitivity] = ()
) -> list[str]:
    """A table of definitions, in lines of Markdown.

    Args:
        definitions: the rows.
        links: id -> where all of the metric is told.
        sensitivities: what they were found to respond to, one per corpus.
    """
    corpora = [escape(each.header.corpus.name) for each in sensitivities]
    headers = ["id", "", "unit", "family", "measured", *(f"sensitivity on {corpus}" for corpus in corpora)]
    table = [
        [
            f"[`{one.id}`]({links[one.id]})",
            arrow(one.higher_is_better),
            escape(one.unit),
            one.family,
            "ranked" if one.ranked else "every run" if one.every_run else "on demand",
            *(_mark(each, one.id) for each in sensitivities),
        ]
        for one in definitions
    ]
    return [
        f"{ARROWS[0].upper()}{ARROWS[1:]}.",
        "",
        "- *Ranked*: measured in every run, and methods are ranked on it.",
        "- *On demand*: computed by `facial-bench score RESULT --metric ID`.",
        "- *Sensitivity*: ✓ responds to every perturbation that it is made for.",
        "",
        markdown(table, headers),
        "",
    ]


def section(
    one: Definition, sensitivities: Sequence[Sensitivity] = (), *, level: int, latex: Sequence[str] = ()
) -> list[str]:
    """All of one definition, in lines of Markdown.

    Args:
        one: the definition.
        sensitivities: what it was found to respond to, one per corpus.
        level: of the heading.
        latex: its formula in LaTeX, in lines; none where there is none.
    """
    formula = escape(one.formula) if set("`<") & set(one.formula) else f"`{one.formula}`"
    facts = [
        f"**Unit**: {escape(one.unit)}, {DIRECTION[one.higher_is_better]}",
        f"**Definition**: {formula}",
        f"**Needs**: {escape(', '.join(_needs(one)) or '–')}",
        f"**Origin**: {escape(_sentences(one.origin) or '–')}",
        f"**Pitfalls**: {escape(_sentences(one.pitfalls) or '–')}",
        *(
            f"**Sensitivity on {escape(each.header.corpus.name)}**: {_verdict(each, one.id, OWN)}"
            for each in sensitivities
        ),
        f"**Version** {one.version}, digest `{definition_digest(one)[:16]}`",
    ]
    wrapped = [line for fact in facts for line in _wrapped(f"- {fact}")]
    meaning = f"{escape(one.meaning[:1].upper() + one.meaning[1:])}." * bool(one.meaning)
    return [f"{'#' * level} {one.id}", "", *_wrapped(meaning), "", *latex, *([""] * bool(latex)), *wrapped, ""]


def _wrapped(text: str) -> list[str]:
    """A paragraph or an item of a list in lines of 100 columns."""
    return wrap(
        text, 100, subsequent_indent="  " * text.startswith("- "), break_long_words=False, break_on_hyphens=False
    )


def _sentences(text: str) -> str:
    """What stands between semicolons as sentences."""
    first, *others = text.split("; ")
    return ". ".join([first, *(part[:1].upper() + part[1:] for part in others)])


def _needs(one: Definition) -> tuple[str, ...]:
    """The parts of a motion that it looks at."""
    return getattr(one, "needs", ())


def _measured(one: Definition) -> str:
    if one.id not in all_definitions():
        return "in every run that loads its plugin"
    if not one.every_run:
        return f"on demand: facial-bench score RESULT --metric {one.id}"
    return "in every run" + (", and methods are ranked on it" if one.ranked else "")


def anchor(metric: str) -> str:
    """That of a metric's heading."""
    return "".join(mark for mark in metric.lower() if mark.isalnum() or mark in "-_")


def _verdict(sensitivity: Sensitivity, metric: str, verdicts: Mapping[Verdict, str] = VERDICTS) -> str:
    """What a metric responds to, in words."""
    if metric not in sensitivity.header.metrics:
        return "not measured"
    named = {text: ", ".join(sensitivity.named(metric, verdict)) for verdict, text in verdicts.items()}
    return "; ".join(f"{text} {names}" for text, names in named.items() if names) or "–"


def _mark(sensitivity: Sensitivity, metric: str) -> str:
    silent = sensitivity.named(metric, "no response")
    if silent:
        return f"no response: {', '.join(silent)}"
    return "✓" if sensitivity.named(metric, "answers") else "–"
