"""What a newcomer's machine lacks is one sentence at the end, never a thousand errors."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.chromium import MISSING
from tests.cases import TOP
from tests.queues import NoValkey, valkey_server

WITHOUT = ("-p", "no:cacheprovider", "-p", "no:schemathesis")
"""Plugins that take longer to import than the tests of this copy run."""

TEST = """
import pytest

@pytest.mark.parametrize("number", range(40))
def test_that_needs_a_service({service}, number):
    pass
"""


def run(tmp_path: Path, text: str, *options: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """Run tests in a copy of this suite's fixtures."""
    tests = tmp_path / "suite"
    tests.mkdir()
    (tests / "conftest.py").write_text("from tests.conftest import *\n")
    (tests / "test_it.py").write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *WITHOUT, *options, str(tests)],
        cwd=TOP,
        env={**os.environ, "PYTHONPATH": str(TOP), **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "at_once"])
def test_without_a_postgresql_the_run_ends_with_one_sentence(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    # No binaries anywhere: neither Debian's nor the wheel's nor any on PATH.
    hidden = "import tests.databases as d\nd.DEBIAN = d.Path('/nowhere')\n"
    hidden += "d._wheel_binaries = lambda: []\nd.shutil.which = lambda name: None\n"
    hidden += "import contextlib\n@contextlib.contextmanager\ndef own(meeting):\n"
    hidden += "    with d.postgresql_server() as url:\n        yield url\n"
    hidden += "import tests.conftest as c\nc.shared_server = own\n"
    done = run(tmp_path, hidden + TEST.format(service="postgresql_store"), *options)
    said = [line for line in done.stdout.splitlines() if "PostgreSQL cannot start here" in line]
    assert done.returncode != 0
    assert len(said) == 1, done.stdout
    assert "DATABASE_URL_TEST_POSTGRES" in said[0]
    assert "Traceback" not in done.stdout
    assert len(re.findall(r"^ERROR ", done.stdout, re.MULTILINE)) <= 4, done.stdout


def test_without_a_valkey_the_run_ends_with_one_sentence(tmp_path: Path) -> None:
    hidden = "import tests.queues as q\nq.get_binary_path = lambda: '/bin/false'\n"
    done = run(tmp_path, hidden + TEST.format(service="redis_url"))
    said = [line for line in done.stdout.splitlines() if "Valkey cannot start here" in line]
    assert (done.returncode != 0, len(said)) == (True, 1), done.stdout


def test_a_valkey_that_cannot_be_run_is_a_state_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.queues.get_binary_path", lambda: "/nowhere/valkey-server")
    with pytest.raises(NoValkey, match="cannot be run"), valkey_server():
        pass


def test_what_was_left_out_is_one_line_with_the_way_to_get_it(tmp_path: Path) -> None:
    text = "import pytest\n@pytest.mark.parametrize('n', range(3))\ndef test_page(n):\n"
    text += f"    pytest.skip({MISSING!r})\n"
    done = run(tmp_path, text)
    (said,) = (line for line in done.stdout.splitlines() if line.startswith("left out: "))
    assert done.returncode == 0
    assert said.startswith("left out: 3 test(s) of ")
    assert said.endswith(MISSING)
