"""The command line as click knows it."""

from __future__ import annotations

from collections.abc import Iterator

import click


def commands(group: click.Group, path: str = "facial-bench") -> Iterator[tuple[str, click.Command]]:
    """`facial-bench corpus make` and the like -> the command, in the order of the help."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command
