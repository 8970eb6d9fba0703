"""What code a spec comes from, as a digest: another digest is another method, whose finished work is not used again."""

from __future__ import annotations

import functools
import hashlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def file_digest(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    content = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            content.update(block)
    return content.hexdigest()


def source_digest(spec: Any) -> str:
    """SHA-256 over all files of the package (or over the single file) that a spec's function comes from."""
    return package_digest(getattr(spec, "create", None) or spec.make)


def package_digest(factory: Callable[..., Any]) -> str:
    """SHA-256 over all files of the package (or over the single file) that a function comes from."""
    content = hashlib.sha256()
    for name, path in source_files(factory):
        content.update((name.encode() + b"\0" if name else b"") + file_digest(path).encode())
    return content.hexdigest()


def source_files(factory: Callable[..., Any]) -> Iterator[tuple[str, Path]]:
    """(name within the package, file) of the package that a function comes from; of a single file without a name."""
    while isinstance(factory, functools.partial):
        factory = factory.func
    factory = inspect.unwrap(factory)
    module = inspect.getmodule(factory) or inspect.getmodule(type(factory))
    package = sys.modules.get(module.__name__.partition(".")[0]) if module else None
    for root in sorted(Path(folder) for folder in getattr(package, "__path__", ())):
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                yield str(path.relative_to(root)), path
    file = getattr(module, "__file__", None)
    if file and not hasattr(package, "__path__"):
        yield "", Path(file)
