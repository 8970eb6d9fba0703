"""HTML from the templates beside this module. Every value is escaped."""

from __future__ import annotations


def render(template: str, **values: object) -> str:
    """A template of `reports/templates/` with its values; a value that it names and does not get raises."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("facial_bench", "reports/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template(template).render(values)
