"""What meets text from outside takes linear time: 100 kB of the worst input, and no more CPU.

A process of its own does it, and the system ends it if it uses far more CPU than it needs: a
quadratic pattern takes minutes.
"""

import resource
import subprocess
import sys

import pytest

from tests.cases import TOP

ENOUGH = 20
"""Seconds of CPU; all of it takes about one."""
PIECES = (
    *("eyJ", "eyJa.", "-----BEGIN ", "-----BEGIN PRIVATE KEY", "authorization:", "bearer "),
    *(
        "authorization: bearer ",
        "://a:",
        ":/",
        "gha_",
        " ",
        "a",
        "a ",
        "\t",
        "/",
        "\\",
        "(",
        "[",
        "<",
    ),
    *("@", "a@", "git@a:", "Co-authored-by: ", "Entire-Checkpoint: ", "Reverts a#1 ", "`", "*"),
    *("This reverts commit ", "#", "/attribution ", "%", "..", "../", "=", "|", "\n", "é", '"'),
)
READERS = {
    "log": "from ghapp.log import redact as read",
    "remotes": "from ghapp.git.remotes import normalized as read",
    "names": "from ghapp.git.names import RepositoryName; read = RepositoryName.parse",
    "comment": "from ghapp.events.dispatch import command_in as read",
    "external_id": "from ghapp.github.external_id import ExternalId; read = ExternalId.from_text",
    "record_line": "from ghapp.reports.record_line import record_in as read",
    "checkpoints": "from ghapp.evidence.entire import checkpoints as read",
    "reverts": """
from ghapp.upkeep.outcomes import reverts
def read(text):
    reverts(text, 1, ())
""",
    "generated": """
from ghapp.attribution.exclusions import generated
def read(text):
    found = generated._COMMENT.match("# " + text)
    generated._HEADER.match(found[1] if found else text)
    generated._HEADER.match("this file was " + text)
    generated._NAMES.fullmatch(text)
""",
    "aider": """
from ghapp.evidence import aider
def read(text):
    aider._NAMED.fullmatch(text)
    aider._TRAILER.search(text)
    aider._TRAILER.search("co-authored-by: aider (" + text)
""",
    "local_path": "from ghapp.web.login import local_path as read",
    "visible": "from ghapp.reports.harmless import visible as read",
    "prose": "from ghapp.reports.harmless import prose as read",
    "normalize": "from ghapp.attribution.normalize import normalize as read",
    "diff": """
from ghapp.attribution.unified_diff import DiffError, parse_diff
def read(text):
    try:
        parse_diff(b"diff --git a/x b/x\\n--- a/x\\n+++ b/x\\n@@ -1 +1 @@\\n" + text.encode())
        parse_diff(b"diff --git " + text.encode())
    except DiffError:
        pass
""",
}
"""What is read → how the process gets its reader."""


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (ENOUGH, ENOUGH))


@pytest.mark.parametrize("name", READERS)
def test_the_worst_input_takes_linear_time(name: str) -> None:
    code = f"""
{READERS[name]}
for piece in {PIECES!r}:
    for text in (piece * (100_000 // len(piece)), "x" + piece + " " * 100_000 + "x"):
        read(text)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=TOP,
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:] or "it took more CPU than it needs"
