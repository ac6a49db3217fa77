"""Which lines of a notebook hold a source line, and which stay as they are."""

import pytest

from ghapp.attribution.notebook import source


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('    "x = 1\\n",', "x = 1"),
        ('    "x = 1"', "x = 1"),
        ('    "  indented\\n"', "  indented"),
        ('"caf\\u00e9"', "caf\u00e9"),
        ('""', ""),
        ('    "two\\n\\n",', "two\n"),
        ('   "source": "a = 1\\nb = 2",', "a = 1\nb = 2"),
        ('   "source": ["a = 1\\n", "b = 2"]', "a = 1\nb = 2"),
    ],
)
def test_a_json_string_is_read_as_its_source(line: str, found: str) -> None:
    assert source(line) == found


@pytest.mark.parametrize(
    "line",
    [
        "",
        '"',
        "x = 1",
        ' "cell_type": "code",',
        '"unfinished \\"',
        '"a" + "b"',
        ' "execution_count": 3,',
        "  ],",
        '   "source": [],',
        '   "source": [',
        '   "source": [1, 2]',
        '   "source": ' + "[" * 5000 + "]" * 5000,
    ],
)
def test_any_other_line_stays_as_it_is(line: str) -> None:
    assert source(line) == line
