"""Makes the pictures of README.md and docs/ anew: the demo is started and photographed.

`.venv/bin/python docs/images/renew.py` needs the development packages and a Chromium, which
`CHROMIUM` names where it is not on PATH. With names it makes only those pictures of the app's
pages. Look at the pictures before you commit them.
"""
# ruff: noqa: INP001 - a script beside the pictures that it makes, and no package

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import MISSING, OPTIONS, find

HERE = Path(__file__).resolve().parent
PICTURED = "Retry deliveries with a growing pause"
"""Title of the demo's pull request whose check run and comment are shown."""
LINK = re.compile(r"^  (?P<name>\S+) +(?P<url>http://\S+)$")
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <match target="pattern"><test name="family"><string>system-ui</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
</fontconfig>
"""
"""Pages ask for the system's own type; a desktop has one, a server's is chosen here."""


@dataclass(frozen=True)
class Shot:
    """One picture of a page of the app."""

    name: str
    page: str
    """Path; ``PULL`` stands for a large pull request of the last weeks that an agent had a part
    in, ``LINES`` for a file of the one that GitHub's pictures show, with its text."""
    scheme: Literal["light", "dark"] = "light"
    width: int = 1200
    height: int = 1500
    """Pixels; the picture is cut there."""


SHOTS = (
    Shot("organization", "/organizations/acme", height=1560),
    Shot("organization_dark", "/organizations/acme", "dark", height=900),
    Shot("repository", "/repositories/acme/shop"),
    Shot("repository_dark", "/repositories/acme/shop", "dark"),
    Shot("pulls", "/repositories/acme/shop/pulls?verdict=assisted", height=900),
    Shot("pull_request", "PULL", height=1700),
    Shot("lines", "LINES", "dark", height=1150),
    Shot("outcomes", "/organizations/acme/outcomes", height=1200),
    Shot("phone", "/organizations/acme", width=390, height=1500),
    Shot("phone_dark", "PULL", "dark", width=390, height=1500),
)


def main() -> None:
    """Start the demo, take the pictures, end it."""
    path = find() or sys.exit(MISSING)
    with demo() as addresses, typeset() as environment, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=list(OPTIONS), env=environment
        )
        try:
            wanted = [shot for shot in SHOTS if shot.name in sys.argv[1:]]
            if not wanted:
                photograph_github(browser, addresses["see"])
            photograph(browser, addresses, wanted or SHOTS)
        finally:
            browser.close()


@contextmanager
def demo() -> Iterator[dict[str, str]]:
    """Yield the addresses that the demo prints, by name, while it is up."""
    command = [sys.executable, str(HERE.parent.parent / "run.py"), "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            yield _addresses(process)
        finally:
            process.send_signal(signal.SIGINT)


def _addresses(process: "subprocess.Popen[str]") -> dict[str, str]:
    """Read what the demo prints up to its end; raises `SystemExit` where a page is missing."""
    found: dict[str, str] = {}
    title = ""
    for line in process.stdout or ():
        if line.startswith("Ctrl-C"):
            break
        title = title if line.startswith("  ") else line
        link = LINK.match(line.rstrip())
        if link is not None and (link["name"] != "see" or PICTURED in title):
            found[link["name"]] = link["url"]
    missing = {"see", "start"} - set(found)
    if missing:
        sys.exit(f"the demo does not say where to find: {', '.join(sorted(missing))}")
    return found


@contextmanager
def typeset() -> Iterator[dict[str, str | float | bool]]:
    """Yield an environment in which the browser sets words as a desktop would."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(FONTS)
        file.flush()
        yield {**os.environ, "FONTCONFIG_FILE": file.name}


def photograph_github(browser: Browser, url: str) -> None:
    """Write what GitHub shows of one pull request: the comment and the check run."""
    page = browser.new_page(viewport={"width": 800, "height": 1200}, color_scheme="light")
    page.goto(url)
    sections = {"check_run": "check run", "comment": "commented on"}
    for name, words in sections.items():
        section = page.locator("section", has=page.get_by_text(words)).first
        section.screenshot(path=HERE / f"{name}.png", animations="disabled")


def photograph(browser: Browser, addresses: dict[str, str], shots: Iterable[Shot]) -> None:
    """Write the pictures of the app's own pages, seen by whoever owns everything."""
    for shot in shots:
        page = browser.new_page(
            viewport={"width": shot.width, "height": shot.height},
            color_scheme=shot.scheme,
            locale="en-GB",
        )
        page.goto(addresses["start"])
        page.get_by_role("link", name="Sign in with GitHub").click()
        _open(page, addresses, shot.page)
        tall = min(shot.height, page.evaluate("document.body.scrollHeight"))
        area = {"x": 0.0, "y": 0.0, "width": float(shot.width), "height": float(tall)}
        page.screenshot(path=HERE / f"{shot.name}.png", animations="disabled", clip=area)  # type: ignore[arg-type]
        page.close()


def _open(page: Page, addresses: dict[str, str], wanted: str) -> None:
    """Go where a picture is taken, as a person would who looks for it."""
    start = addresses["start"].rstrip("/")
    if wanted == "LINES":
        page.goto(f"{start}/repositories{urlsplit(addresses['see']).path}")
        page.get_by_role("link", name="Every line of this file, explained").first.click()
        page.get_by_role("link", name="Show it beside the reasons").click()
    elif wanted == "PULL":
        page.goto(f"{start}/repositories/acme/shop/pulls?verdict=assisted&sort=attributed")
        page.get_by_role("link", name="4 weeks").click()
        page.locator("td.title a").first.click()
    else:
        page.goto(start + wanted)


if __name__ == "__main__":
    main()
