"""Of a Python script only what it may write is its own text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.evidence.python_texts import LONGEST_SCRIPT, script_texts
from tests.searching import searched

SAVE = "\nPath('a.py').write_text(s)\n"


def written(script: str) -> list[str]:
    found = script_texts(script + SAVE)
    assert found is not None
    return sorted(found.written)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("s = s.replace('old', 'new')", ["new"]),
        ("s = s.replace('old', 'new', 1)", ["new"]),
        (
            "old = 'x\\ny'\nnew = 'z\\nw'\nassert old in s, 'lost'\ns = s.replace(old, new)",
            ["z\nw"],
        ),
        ("old, new = 'x', 'z'\ns = s.replace(old, new)", ["z"]),
        ("for old, new in [('x', 'z'), ('y', 'w')]:\n    s = s.replace(old, new)", ["w", "z"]),
        ("edits = [('x', 'z')]\nfor a, b in edits:\n    s = s.replace(a, b)", ["z"]),
        ("for a, b in {'x': 'z'}.items():\n    s = s.replace(a, b)", ["z"]),
        ("for n, (a, b) in enumerate([('x', 'z')]):\n    s = s.replace(a, b)", []),
        (
            "def sub(a, b):\n    global s\n    s = s.replace(a, b)\nsub('x', 'z')\nsub('y', b='w')",
            ["w", "z"],
        ),
        ("import re\ns = re.sub('x+', 'z', s)", ["z"]),
        ("s = re.compile('x+').sub('z', s)", ["z"]),
        ("s = re.sub('(x)', r'\\1z', s)", []),
        ("at = s.index('x')\ns = s[:at] + 'z' + s[at:]", ["z"]),
        ("if 'x' not in s:\n    s += 'z'", ["z"]),
        ("if s == 'x':\n    s = 'z'", []),
        ("s = '\\n'.join(['a', 'b'])", ["\n", "a\nb"]),
        ("lines.insert(3, 'z')", ["z"]),
        ("s = textwrap.dedent('''\\\n  z\n''')", ["  z\n"]),
        ("print('x'); raise SystemExit('y')", []),
        ("subprocess.run(['x', 'y'])\nquery('z')", []),
        ("s = f'x{s}y'", []),
        ("'''about it'''", []),
        ("config['x'] = 'z'", ["z"]),
        ("s = s.replace(a := 'x', 'z')", ["z"]),
    ],
)
def test_what_a_script_looks_for_is_not_its_own(script: str, expected: list[str]) -> None:
    assert written(script) == expected


def test_what_names_a_file_is_a_path() -> None:
    found = script_texts("p = Path('src') / 'a.py'\nopen('/r/b c.txt', 'w').write('z\\n')")
    assert found is not None
    assert sorted(found.paths) == ["/r/b c.txt", "a.py"]


@pytest.mark.parametrize(
    "script",
    [
        "s = 'z'",
        "open('a').write('z'",
        "p.write('a\0')",
        "(" * 300 + "p.write('z')",
        "x.write('z')" + " " * LONGEST_SCRIPT,
        "p = p\n" * 99 + "for a in p:\n    pass\n" * 99 + "f.write('z')",
    ],
)
def test_what_cannot_be_read_or_writes_nothing_gives_nothing(script: str) -> None:
    assert script_texts(script) is None


@searched(60)
@given(
    st.lists(
        st.sampled_from(
            [
                "a",
                "'b'",
                "=",
                "(",
                ")",
                ",",
                "\n",
                ".replace",
                "in ",
                "p.write",
                "for ",
                ":",
                "\\",
                "f'{",
                "}'",
            ]
        ),
        max_size=25,
    )
)
def test_no_script_is_too_strange(pieces: list[str]) -> None:
    script_texts("".join(pieces) + SAVE)
