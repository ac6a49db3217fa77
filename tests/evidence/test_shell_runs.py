"""What surely ran, where, and whether the command fails if it does."""

import pytest

from ghapp.evidence.shell_runs import sure_runs


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("a; b", [("a", "", False), ("b", "", True)]),
        ("a && b", [("a", "", True), ("b", "", True)]),
        ("cd x && a", [("a", "x", True)]),
        ("cd x; cd y\na", [("a", "x/y", True)]),
        ("a || b; c", [("c", "", True)]),
        ("a | b", [("b", "", False)]),
        ("set -e\na\nb", [("set", "", False), ("a", "", True), ("b", "", True)]),
        ("set -euo pipefail; a; b | c", [("set", "", False), ("a", "", True), ("c", "", False)]),
        ("grep x y && a; b", [("grep", "", False), ("b", "", True)]),
        ("a & b", [("b", "", True)]),
        ("if a; then b; fi", []),
        ("a; (b)", []),
        ("for f in x y; do a $f; done", [("a", "", False)]),
    ],
)
def test_only_what_surely_ran_is_told(command: str, expected: list[tuple[str, str, bool]]) -> None:
    found = [(run.words[0].text, run.directory, run.decides) for run in sure_runs(command)]
    assert found == expected


def test_a_here_document_belongs_to_its_program() -> None:
    first, second = sure_runs("a <<'E' > x\none\nE\nb <<-F 2>y\n\ttwo\n\tF")
    assert [(one.sign, one.document) for one in first.redirects[0]] == [
        ("<<", "one\n"),
        (">", None),
    ]
    assert [(one.sign, one.document) for one in second.redirects[0]] == [
        ("<<-", "two\n"),
        ("2>", None),
    ]
