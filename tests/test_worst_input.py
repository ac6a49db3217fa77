"""What meets text from outside takes linear time: 100 kB of the worst input, and no more CPU.

Every regular expression of the code is found and tried on texts made from it; then the readers
that work without one. A process of its own does it, and the system ends it if one text takes far
more CPU than it needs.
"""

import ast
import json
import re
import subprocess
import sys

import pytest

from tests.cases import TOP
from tests.patterns import Hidden, Pattern, hidden, hidden_in, missed, patterns, rooms
from tests.worst_text import ENOUGH, PIECES, SIZE, Form, forms

BUILT = {
    "ghapp/attribution/exclusions/path_pattern.py: _compiled": "a glob; reader path_pattern",
    "ghapp/demo/sandbox/faults.py: module": "matches what a test gives, nothing from outside",
    "ghapp/demo/sandbox/routing.py: _pattern": "an address of the stand-in's own; reader routes",
    "ghapp/log.py: LogRedaction.__init__": "the installation's own secrets; reader hidden_secrets",
}
"""Where a pattern is made at run time → why, and what tries it instead."""
READERS = {
    "path_pattern": """
from ghapp.attribution.exclusions.path_pattern import from_text
def read(text):
    from_text("*a*" * 100 + "b").matches([text])
    from_text("**/[^a]/*a").matches(["a", text])
    from_text(text)
""",
    "routes": """
from ghapp.demo.sandbox.routing import Router
from ghapp.demo.sandbox.dispatch import ALL
router = Router(ALL)
def read(text):
    router.find("GET", "/repos/acme/shop/" + text)
    router.find("GET", "/repos/acme/shop/contents/" + text)
""",
    "hidden_secrets": """
from ghapp.log import LogRedaction
redaction = LogRedaction(["aaaaaaaaaaaaaaaab", "secretsecret"])
def read(text):
    redaction(None, "info", {"event": text, "list": [text]})
""",
    "log": "from ghapp.log import redact as read",
    "remotes": "from ghapp.git.remotes import normalized as read",
    "names": "from ghapp.git.names import RepositoryName; read = RepositoryName.parse",
    "comment": "from ghapp.events.dispatch import command_in as read",
    "record_line": "from ghapp.reports.record_line import record_in as read",
    "reverts": """
from ghapp.upkeep.outcomes import reverts
def read(text):
    reverts(text, 1, ("0" * 40,))
    reverts('Revert "' + text, 1, ())
    reverts("Reverts a" + text, 1, ())
""",
    "local_path": "from ghapp.web.login import local_path as read",
    "visible": "from ghapp.reports.harmless import visible as read",
    "prose": "from ghapp.reports.harmless import prose as read",
    "normalize": "from ghapp.attribution.normalize import normalize as read",
    "diff": """
from ghapp.attribution.unified_diff import DiffError, parse_diff
def tried_as(text):
    try:
        parse_diff(text.encode())
    except DiffError:
        pass
def read(text):
    tried_as("diff --git a/x b/x\\n--- a/x\\n+++ b/x\\n@@ -1 +1 @@\\n" + text)
    tried_as("diff --git " + text)
    tried_as("diff --git " + text + "\\nold mode 100644\\nnew mode 100755\\n")
    tried_as("Binary files " + text + " differ\\n")
""",
}
"""What is read → how the process gets its reader."""
QUADRATIC = (
    (r"\[([^\]]*)\]\(([^)\s]+)\)", 0, "finditer"),
    (r".*\(aider\) <[^>]*>", 0, "fullmatch"),
    (r"mcp__(?P<server>.+?)__(?P<tool>.+)", 0, "fullmatch"),
    (r"# Current Directory \(([^\n]+)\) Files", 0, "search"),
    (r"https://(?P<host>[^/]+)/+(?P<path>[^?#\s]+)", re.IGNORECASE, "fullmatch"),
    (r"^[^,]*[^,\s][^,]*$", 0, "search"),
    (r"^\s+|\s+$", 0, "finditer"),
    (r"prt_.+\.json", 0, "search"),
    (r"<!--.*?-->", re.DOTALL, "finditer"),
    (r"(\w+\s?)+$", 0, "match"),
)
"""Patterns of which most were ours, with a use that takes too long."""


def run(code: str, given: str = "") -> tuple[int, str]:
    """Run code; return its status, and the last lines of what it said."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=TOP,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout.splitlines()[-1:] + done.stderr.splitlines()[-3:]
    return done.returncode, "\n".join(line[:500] for line in said)


def try_patterns(given: list[Pattern]) -> tuple[int, str]:
    """Try patterns on their worst texts."""
    lines = [
        json.dumps(
            [
                one.name,
                one.text.decode("latin-1") if isinstance(one.text, bytes) else one.text,
                one.flags,
                isinstance(one.text, bytes),
                sorted(one.uses),
            ]
        )
        for one in given
    ]
    return run("from tests.worst_text import main; main()", "\n".join(lines))


@pytest.mark.parametrize("room", rooms())
def test_every_regular_expression_takes_linear_time(room: str) -> None:
    status, said = try_patterns(list(patterns(room)))
    assert status == 0, f"more than {ENOUGH} s of CPU, or a fault, at:\n{said}"


def test_no_regular_expression_hides() -> None:
    found = {one.place: one.found for one in hidden()}
    assert found.keys() == BUILT.keys(), (
        "bind a compiled pattern to a name of its module, or give a reader that tries it: "
        f"{ {place: what for place, what in found.items() if place not in BUILT} }"
    )
    assert list(missed()) == []


@pytest.mark.parametrize(
    "code",
    [
        "import re\ndef f(text): return re.match('a', text)",
        "import re\ndef f(text): return re.compile('a').match(text)",
        "import re\nif True:\n    A = re.compile('a')",
        "import re\nclass A:\n    B = re.compile('a')",
        "import re\ndef f(text, a=re.compile('a')): return a.match(text)",
        "import re\nsearch = re.search",
        "from re import compile",
        "import re as patterns",
        "import fnmatch\nA = fnmatch.translate('*')",
        "Name = Annotated[str, Meta(pattern=FORM)]",
    ],
)
def test_what_hides_is_seen(code: str) -> None:
    assert list(hidden_in(ast.parse(code), "a.py"))


def test_what_shows_is_not_accused() -> None:
    code = """
import re
A = re.compile("a")
B = {name: re.compile(re.escape(name), re.MULTILINE) for name in ("a", "b")}
Name = Annotated[str, Meta(pattern="^a$")]
def f(found: re.Match[str]) -> re.Pattern[str]: ...
"""
    assert list(hidden_in(ast.parse(code), "a.py")) == []


def test_where_a_pattern_hides_is_named() -> None:
    code = "import re\nclass A:\n    def f(self): return re.compile('a')"
    assert list(hidden_in(ast.parse(code), "a.py")) == [Hidden("a.py: A.f", "re.compile")]


@pytest.mark.parametrize(("text", "flags", "use"), QUADRATIC)
def test_a_pattern_that_takes_too_long_is_noticed(text: str, flags: int, use: str) -> None:
    status, said = try_patterns([Pattern("bad", text, flags | re.UNICODE, frozenset({use}))])
    assert status < 0, "the system did not end it"
    assert said.startswith(f"bad: {use}, ")


def test_a_pattern_is_tried_on_what_it_matches_almost() -> None:
    found = set(forms(r"ab+(?:cx|dy)e", 0))
    assert {
        Form("a", "b", "", "\n"),
        Form("", "abcx", "", ""),
        Form("", "abdy", "", ""),
        Form("", "a", "b", ""),
    } <= found
    assert all(len(form.text()) > SIZE // 2 for form in found if form.first)


@pytest.mark.parametrize("name", READERS)
def test_the_worst_input_takes_linear_time(name: str) -> None:
    code = f"""
from tests.worst_text import tried
{READERS[name]}
for piece in {PIECES!r}:
    for text in (piece * ({SIZE} // len(piece)), "x" + piece + " " * {SIZE} + "x"):
        tried(f"{{piece!r}} {{text[:20]!r}}", lambda: read(text))
"""
    status, said = run(code)
    assert status == 0, f"more than {ENOUGH} s of CPU, or a fault, at:\n{said}"
