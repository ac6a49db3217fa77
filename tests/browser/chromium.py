"""Where the browser is. Debian's package chromium is enough; `CHROMIUM` names another one."""

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "there is no Chromium here: install Debian's package 'chromium', or name a browser in CHROMIUM"
)
OPTIONS = ("--no-sandbox", "--font-render-hinting=none")
"""Root may start it, and words are set as evenly as on a sharp screen."""


def find() -> str | None:
    """Return the browser's path; ``None``: there is none on this machine."""
    found = (os.environ.get("CHROMIUM"), *map(shutil.which, NAMES))
    return next((path for path in found if path and Path(path).exists()), None)
