"""Names: any script, and nothing that leaves its folder or that a file system minds."""

from __future__ import annotations

import pytest

from facial_bench.core.names import as_name, nfc, safe_name
from facial_bench.errors import CorpusError


@pytest.mark.parametrize(
    "name", ["a", "s01a", "x_1-2.b", "facial@lr=1e-4,x=2", "A" * 120, "ä", "Zoë", "张三", "नमस्ते", "٣", "张" * 40]
)
def test_a_good_name_is_given_back(name: str) -> None:
    assert safe_name(name, "clip") == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "/x",
        "a/b",
        "a\\b",
        ".hidden",
        "-rf",
        "a.",
        "a b",
        "a\n",
        "a\0",
        "a" * 121,
        None,
        3,
        "~",
        "e\u0301",
        "\u0301a",
        "a\u200fb",
        "a\udceb",
        "a😀",
        "con",
        "NUL.txt",
        "张" * 41,
    ],
)
def test_a_name_that_could_leave_its_folder_is_refused(name: object) -> None:
    with pytest.raises(CorpusError, match=r"The clip .* cannot name a file") as problem:
        safe_name(name, "clip", CorpusError)  # type: ignore[arg-type]
    assert "\n" not in str(problem.value)
    assert len(str(problem.value)) < 300


@pytest.mark.parametrize(
    ("name", "flaw"),
    [
        ("a b", "it holds ' '; use letters and digits, and . _"),
        ("a\u200fb", r"it holds the character U\+200F"),
        ("-a", "it begins with '-'"),
        ("a.", "it ends with a dot"),
        ("aux", "it names a device on Windows"),
        ("e\u0301", "write it in Unicode NFC"),
        ("张" * 41, "it takes 123 bytes, 120 at most"),
    ],
)
def test_a_refusal_says_what_is_wrong(name: str, flaw: str) -> None:
    with pytest.raises(CorpusError, match=flaw):
        safe_name(name, "clip", CorpusError)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Zoe\u0308 1", "Zoë_1"),
        ("李四", "李四"),
        ("Wait...", "Wait"),
        ("O'Brien", "O_Brien"),
        ("_x", "x"),
        ("😀", ""),
        ("\u0301", ""),
        ("नमस्ते", "नमस्ते"),
    ],
)
def test_a_text_makes_a_name(text: str, name: str) -> None:
    assert as_name(text) == nfc(name)
    assert not name or safe_name(as_name(text), "clip") == name


def test_long_texts_make_names_that_fit_and_stay_apart() -> None:
    one, two = as_name("张" * 60, 100), as_name("张" * 60 + "a", 100)
    assert one != two
    assert max(len(one.encode()), len(two.encode())) <= 100
    assert one.startswith("张" * 30)
    safe_name(one, "clip", longest=100)
