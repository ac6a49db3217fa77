"""How ``ghapp worker`` and ``ghapp scheduler`` become their process. It imports neither."""

import os
import sys
from typing import NoReturn

from ghapp.cli.app_store import reported
from ghapp.settings import Settings


def become(module: str, *arguments: str) -> NoReturn:
    """Check the settings, then replace this process by ``python -m module``."""
    with reported():
        Settings.from_environment()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - our own program, no shell
