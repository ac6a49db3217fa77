"""A command is split as a shell splits it, or refused."""

import pytest

from ghapp.evidence.shell_words import LONGEST_COMMAND, ShellTextError, ShellWord, pipelines


def texts(command: str) -> list[tuple[list[list[str]], str]]:
    return [
        ([[word.text for word in words] for words in one.programs], one.ends)
        for one in pipelines(command)
    ]


def word(command: str) -> ShellWord:
    return next(pipelines(command)).programs[0][0]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("a b && c | d; e", [([["a", "b"]], "&&"), ([["c"], ["d"]], ";"), ([["e"]], ";")]),
        ("a || b & c", [([["a"]], "||"), ([["b"]], "&"), ([["c"]], ";")]),
        ("a\n\nb # c; d\n", [([["a"]], ";"), ([["b"]], ";")]),
        ("a 'b c' \"d e\" f\\ g", [([["a", "b c", "d e", "f g"]], ";")]),
        ("a \\\n b", [([["a", "b"]], ";")]),
        ("a > x 2>&1 b 2>/dev/null", [([["a", "b"]], ";")]),
        ("a <<'EOF'\nx; y\nEOF\nb", [([["a"]], ";"), ([["b"]], ";")]),
        ("a <<-EOF\n\tx\n\tEOF\nb", [([["a"]], ";"), ([["b"]], ";")]),
        ('a "x\\"y\\n" \'\\\'', [([["a", 'x"y\\n', "\\"]], ";")]),
    ],
)
def test_words_and_what_joins_them(command: str, expected: object) -> None:
    assert texts(command) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("*.py", ShellWord("*.py", globs=True)),
        ("'*.py'", ShellWord("*.py", bare=False)),
        ('"$f"', ShellWord("$f", expands=True, bare=False)),
        ('"s/a$/b/"', ShellWord("s/a$/b/", bare=False)),
        ("'s/a/$b/'", ShellWord("s/a/$b/", bare=False)),
        ("$(git ls-files)", ShellWord("", expands=True, bare=False, inner="git ls-files")),
        ("`ls 'a)'`", ShellWord("", expands=True, bare=False, inner="ls 'a)'")),
    ],
)
def test_what_a_shell_would_do_with_a_word(command: str, expected: ShellWord) -> None:
    assert word(command) == expected


@pytest.mark.parametrize(
    "command",
    [
        "(a)",
        "a <(b)",
        "a <<< b",
        "a 'b",
        'a "b',
        "a $'b\\n'",
        "a x$(b)",
        "a $(b)x",
        "a $(b $(c))",
        "a $(b",
        "a <<EOF\nx",
        "a >",
        "case a in b) c;; esac",
        "a" * (LONGEST_COMMAND + 1),
    ],
)
def test_what_is_not_read_surely_is_refused(command: str) -> None:
    with pytest.raises(ShellTextError):
        list(pipelines(command))
