"""The demo leaves nothing behind, however it is ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_ended_takes_what_it_wrote_along(tmp_path: Path, signum: int) -> None:
    command = [sys.executable, "-u", "-m", "ghapp", "demo"]
    with subprocess.Popen(
        command,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        assert b"Starting Valkey" in process.stdout.readline()
        assert list(tmp_path.glob("ghapp-demo-*"))
        process.send_signal(signum)
        assert process.wait(60) == 130
    assert list(tmp_path.glob("ghapp-demo-*")) == []
