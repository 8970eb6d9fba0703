"""Messages: what a user reads is one line, and no longer than one can read."""

from __future__ import annotations

import pytest

from facial_bench.core.errors import one_line, unknown_name


@pytest.mark.parametrize(
    ("available", "expected"),
    [
        ([], "Unknown method 'rigde'. Available: none."),
        (["ridge"], "Unknown method 'rigde'. Did you mean 'ridge'? Available: ridge."),
        (["zero", "frozen"], "Unknown method 'rigde'. Available: frozen, zero."),
        (["ridge", "rigged", "zero"], "Unknown method 'rigde'. Did you mean 'ridge'? Available: ridge, rigged, zero."),
    ],
)
def test_few_names_are_all_listed(available: list[str], expected: str) -> None:
    assert str(unknown_name("method", "rigde", available)) == expected


@pytest.mark.parametrize(
    ("near", "guess"),
    [
        ([], ""),
        (["ridge"], " Did you mean 'ridge'?"),
        (["ridge", "rigged"], " Did you mean 'ridge' or 'rigged'?"),
        (["ridge", "rigged", "rigid", "bridge"], " Did you mean 'rigid', 'ridge' or 'rigged'?"),
    ],
)
def test_of_many_names_only_the_nearest_three(near: list[str], guess: str) -> None:
    many = [*near, *(f"other{k}" for k in range(40))]
    line = f"Unknown method 'rigde'.{guess} There are {len(many)}. Look."
    assert str(unknown_name("method", "rigde", many, "Look.")) == line


def test_a_long_text_of_several_lines_becomes_one_that_ends() -> None:
    assert one_line("  two\n\tlines ") == "two lines"
    assert len(one_line("x" * 1000)) == 300
