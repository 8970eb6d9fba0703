"""What the command line says stands in one file each of help and errors, so that it can be read in a row."""

from __future__ import annotations

import re

import pytest

from tests.helpers.messages import ERRORS, HELP, error_messages, help_text

AGAIN = "what the command line says has changed: read it, then run `python -m tests.helpers.messages`"


def test_the_file_of_help_is_that_of_the_commands() -> None:
    assert HELP.read_text(encoding="utf-8") == help_text(), AGAIN


def test_the_file_of_errors_is_that_of_the_source() -> None:
    assert ERRORS.read_text(encoding="utf-8") == error_messages(), AGAIN


@pytest.mark.parametrize("word", ["spoil", "by itself", "without your word", "; repeatable"])
def test_help_is_plain_english(word: str) -> None:
    assert word not in help_text()


def test_help_has_few_semicolons() -> None:
    text = help_text()
    assert text.count(";") / len(re.findall(r"\w+", text)) < 0.005
