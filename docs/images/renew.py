"""Makes the pictures of README.md anew: the demo is started and photographed.

`.venv/bin/python docs/images/renew.py` needs the development packages and a Chromium, which
`CHROMIUM` names where it is not on PATH. Look at the pictures before you commit them.
"""
# ruff: noqa: INP001 - a script beside the pictures that it makes, and no package

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright

HERE = Path(__file__).resolve().parent
PICTURED = "Retry deliveries with a growing pause"
"""Title of the demo's pull request that the pictures show."""
LINK = re.compile(r"^  see +(?P<url>http://\S+)$")
WIDTH, HEIGHT = 800, 1200
"""Of the browser's window, in CSS pixels; a picture is cut to what it shows."""
SHARPNESS = 1
"""Pixels of a picture for one of the window: sharp enough, and below 150 KB."""


def main() -> None:
    """Start the demo, take the pictures, end it."""
    with demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            photograph(browser, url)
        finally:
            browser.close()


@contextmanager
def demo() -> Iterator[str]:
    """Yield the address of the pictured pull request while the demo is up."""
    command = [sys.executable, str(HERE.parent.parent / "run.py"), "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            yield _address(process)
        finally:
            process.send_signal(signal.SIGINT)


def _address(process: "subprocess.Popen[str]") -> str:
    """Read what the demo prints up to its end; raises `SystemExit` where it shows no such page."""
    found, last = None, ""
    for line in process.stdout or ():
        if line.startswith("Ctrl-C"):
            break
        last = last if line.startswith("  ") else line
        link = LINK.match(line.rstrip())
        if link is not None and PICTURED in last:
            found = link["url"]
    return found or sys.exit(f"the demo shows no pull request named {PICTURED!r}")


def chromium() -> str:
    """Return the browser's path; raises `SystemExit` where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = (os.environ.get("CHROMIUM"), *map(shutil.which, names))
    return next(filter(None, found), "") or sys.exit("no Chromium on PATH; name it in CHROMIUM")


def photograph(browser: Browser, url: str) -> None:
    """Write the pictures of one pull request's page: the comment and the check run."""
    window = ViewportSize(width=WIDTH, height=HEIGHT)
    page = browser.new_page(viewport=window, device_scale_factor=SHARPNESS, color_scheme="light")
    page.goto(url)
    sections = {"check_run": "check run", "comment": "commented on"}
    for name, words in sections.items():
        section = page.locator("section", has=page.get_by_text(words)).first
        section.screenshot(path=HERE / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    main()
