"""Names as git writes them, and as they are on disk."""

import pytest

from ghapp.attribution.quoted import unquote


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("plain.py", "plain.py"),
        ('"tab\\there"', "tab\there"),
        (r'"a\\b\"c"', 'a\\b"c'),
        (r'"\303\274.py"', "\u00fc.py"),
        (r'"\377.py"', "\ufffd.py"),
        (r'"\a\b\f\n\r\v"', "\a\b\f\n\r\v"),
        ('"unquoted \u00fc"', "unquoted \u00fc"),
        ('""', ""),
    ],
)
def test_a_quoted_name_is_as_on_disk(written: str, name: str) -> None:
    assert unquote(written) == name


@pytest.mark.parametrize("name", ['"half', 'half"', 'a"b"', '"a"b"', r"a\303"])
def test_what_is_not_quoted_as_a_whole_is_unchanged(name: str) -> None:
    assert unquote(name) == name
