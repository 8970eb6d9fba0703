"""What several commands share: options, a session of the API, text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from facial_bench.core.errors import printable
from facial_bench.core.names import nfc

if TYPE_CHECKING:
    from facial_bench.api import Session
    from facial_bench.core.progress import Reporter
    from facial_bench.plugin_api.registry import Plugins

Command = TypeVar("Command", bound=Callable[..., Any])
path = click.Path(path_type=Path)

plugin_option = click.option(
    "--plugin",
    "plugin_files",
    multiple=True,
    type=path,
    metavar="FILE.py",
    envvar="FACIAL_BENCH_PLUGIN",
    help="Load a single Python file as a plugin. Repeatable.",
)
metric_plugin_option = click.option(
    "--plugin",
    "plugin_files",
    multiple=True,
    metavar="FILE.py|DISTRIBUTION",
    help="Load this plugin's metrics into this process: name only what you trust. Repeatable.",
)
isolation_options = [
    click.option(
        "--python",
        metavar="PATH",
        envvar="FACIAL_BENCH_PYTHON",
        help="Run the method under this interpreter: ENV/bin/python.",
    ),
    click.option(
        "--sandbox", "isolation", flag_value="sandbox", help="Run the method without network and files (bubblewrap)."
    ),
    click.option(
        "--in-process",
        "isolation",
        flag_value="in-process",
        help="Run the method in this process, for a debugger. Boards do not take the result.",
    ),
    click.option(
        "--readable",
        multiple=True,
        type=path,
        metavar="PATH",
        help="What a method in a sandbox may read besides its own code. Repeatable.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        help="Time limit of a fit, and of a batch of requests. [default: a day]",
    ),
]
"""How far a method is kept apart from the harness, and how long it may take."""
option_option = click.option(
    "--option",
    "options",
    multiple=True,
    metavar="K=V",
    help="An option of the method, importer or audio features. Repeatable.",
)
device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    envvar="FACIAL_BENCH_DEVICE",
    help="Device to compute on.",
)
classifiers_option = click.option(
    "--classifiers",
    type=path,
    metavar="FILE|DIR",
    envvar="FACIAL_BENCH_CLASSIFIERS",
    help="Identity classifiers published beside a board. Used if corpus and protocol agree.",
)
results_argument = click.argument("results", nargs=-1, required=True, type=path, metavar="RESULT...")
result_corpus_option = click.option(
    "--corpus", metavar="NAME|DIR", help="The corpus, if it is not found automatically."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")


def with_options(options: Iterable[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    """A decorator that adds several options, the first one first in the help."""

    def add(command: Command) -> Command:
        for option in reversed(list(options)):
            command = option(command)
        return command

    return add


def verbosity_options(command: Command) -> Command:
    """`--quiet` and `--verbose`; they act on `make_reporter` and on how errors are shown."""

    def keep(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        context.find_root().ensure_object(dict)[parameter.name] = value

    verbose = click.option(
        "-v", "--verbose", is_flag=True, expose_value=False, callback=keep, help="Show the tracebacks behind errors."
    )
    quiet = click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=keep, help="Show warnings and results only."
    )
    return verbose(quiet(command))


def make_reporter() -> Reporter:
    """What shows progress on standard error until the command ends."""
    from facial_bench.cli.progress import reporting

    context = click.get_current_context()
    chosen = context.find_root().ensure_object(dict)
    return context.with_resource(reporting(quiet=chosen.get("quiet", False), verbose=chosen.get("verbose", False)))


def make_session(metric_plugins: Iterable[Path | str] = (), **more: Any) -> Session:
    """A session of the API whose progress is shown; see `facial_bench.api.Session` for what `more` may be."""
    from facial_bench.api import Session

    return Session(metric_plugins=tuple(metric_plugins), report=make_reporter(), **more)


def parse_options(pairs: Iterable[str], takes: str = "--option takes K=V") -> dict[str, str]:
    """("k=v", ...) -> {"k": "v"}."""
    options: dict[str, str] = {}
    for pair in pairs:
        key, mark, value = pair.partition("=")
        if not mark or not key:
            raise click.UsageError(f"{takes}, got '{pair}'.")
        options[key] = value
    return options


def parse_names(text: str | None) -> tuple[str, ...]:
    """ "a, b" -> ("a", "b")."""
    return tuple(name.strip() for name in nfc(text or "").split(",") if name.strip())


def warn_failures(plugins: Plugins) -> None:
    """Name the plugins that could not be loaded, on standard error."""
    for failure in plugins.failures:
        click.echo(f"warning: {failure.source} failed to load: {failure.reason}", err=True)


def aligned(rows: Iterable[tuple[Any, ...]]) -> str:
    """Rows as columns of text, the last one free."""
    texts = [tuple(printable(cell) for cell in row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*texts, strict=True)][:-1]
    return "\n".join("  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[-1]]) for row in texts)
