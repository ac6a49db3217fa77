"""Makes the pictures of README.md and docs/ anew: the demo is started and photographed.

`.venv/bin/python docs/images/renew.py` needs the development packages and a Chromium, which
`CHROMIUM` names where it is not on PATH. With names it makes only those pictures. Those named
`comment_…` show a golden comment as GitHub would: they need pip and npm, which fetch GitHub's
renderer and its style for this once. Look at the pictures before you commit them.
"""
# ruff: noqa: INP001 - a script beside the pictures that it makes, and no package

import base64
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
from tests.mine.day import OwnDay, transcript

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
    <edit name="family" mode="prepend" binding="strong"><string>Inter</string>
      <string>DejaVu Sans</string></edit></match>
  <match target="pattern"><test name="family"><string>monospace</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>DejaVu Sans Mono</string>
    </edit></match>
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
    Shot("board", "/organizations/acme/board", width=1012, height=1500),
    Shot("outcomes", "/organizations/acme/outcomes", height=1200),
    Shot("phone", "/organizations/acme", width=390, height=1500),
    Shot("phone_dark", "PULL", "dark", width=390, height=1500),
)

ON_GITHUB = {"check_run": "check run", "comment": "commented on"}
"""Pictures of the stand-in's page, and the words by which each section is found."""
GOLDEN = HERE.parent.parent / "fixtures" / "reports" / "provisional" / "expected.md"
"""The comment as the app writes it, with a long path."""
RENDERER, STYLE = "cmarkgfm==2025.10.22", "github-markdown-css@5.9.0"
"""GitHub's fork of cmark from PyPI, and GitHub's style from npm."""
COMMENTS = (
    Shot("comment_phone", "", width=390),
    Shot("comment_phone_dark", "", "dark", width=390),
    Shot("comment_desk", "", width=1012),
    Shot("comment_desk_dark", "", "dark", width=1012),
)
OWN_WORK = (
    Shot("mine", "", width=1012),
    Shot("mine_phone_dark", "", "dark", width=390),
)
"""What ``ghapp mine --open`` shows of a day that the tests make up."""


OVERVIEW = "overview"
"""The comment beside an organization's page, from their own pictures, for the README."""


def main() -> None:
    """Take the pictures that are asked for, or all of them."""
    path = find() or sys.exit(MISSING)
    names = set(sys.argv[1:])
    asked = {
        photograph: [shot for shot in shots if not names or shot.name in names]
        for photograph, shots in ((photograph_comment, COMMENTS), (photograph_own_work, OWN_WORK))
    }
    for photograph, shots in asked.items():
        if shots:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
                photograph(browser, shots)
                browser.close()
    if not names or names - {OVERVIEW, *(shot.name for shot in (*COMMENTS, *OWN_WORK))}:
        of_the_demo(path)
    if not names or OVERVIEW in names:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
            put_side_by_side(browser, "comment", "organization")
            browser.close()


def of_the_demo(path: str) -> None:
    """Start the demo, take the pictures, end it."""
    with demo() as addresses, typeset() as environment, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=list(OPTIONS), env=environment
        )
        try:
            names = set(sys.argv[1:]) or {*ON_GITHUB, *(shot.name for shot in SHOTS)}
            if names & set(ON_GITHUB):
                photograph_github(browser, addresses["see"])
            photograph(browser, addresses, [shot for shot in SHOTS if shot.name in names])
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


def photograph_comment(browser: Browser, shots: Iterable[Shot]) -> None:
    """Write the golden comment as GitHub's renderer and style show it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", name, RENDERER]
        npm = ["npm", "install", "--silent", "--prefix", name, STYLE]
        render = (
            "import sys, cmarkgfm, cmarkgfm.cmark as cmark; "
            "print(cmarkgfm.github_flavored_markdown_to_html("
            "sys.stdin.read(), cmark.Options.CMARK_OPT_UNSAFE))"
        )
        for command in (pip, npm):
            subprocess.run(command, check=True)  # noqa: S603 - named above
        done = subprocess.run(  # noqa: S603 - ours
            [sys.executable, "-c", render],
            input=GOLDEN.read_text("utf-8"),
            env={**os.environ, "PYTHONPATH": name},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        style = (folder / "node_modules/github-markdown-css/github-markdown.css").read_text("utf-8")
    for shot in shots:
        page = browser.new_page(
            viewport={"width": shot.width, "height": 100}, color_scheme=shot.scheme
        )
        page.set_content(
            "<!doctype html><meta name=viewport content='width=device-width'>"
            f"<style>{style} body {{ margin: 0 }} .markdown-body {{ padding: 16px; "
            f"font-size: 14px }}</style><div class=markdown-body>{done.stdout}</div>"
        )
        picture = HERE / f"{shot.name}.png"
        page.screenshot(path=picture, full_page=True, animations="disabled")
        page.close()


def photograph_own_work(browser: Browser, shots: Iterable[Shot]) -> None:
    """Write the page of a developer's own work, made on a machine with a clone and a transcript."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        day = OwnDay(home)
        other = transcript(day.records / "-gone", Path("/home/ann/gone/a.py"), session="1" * 8)
        other.write_text(other.read_text().replace("opus", "sonnet"))
        command = [sys.executable, "-m", "ghapp", "mine", "--since", "2026-05-01", "--open"]
        done = subprocess.run(  # noqa: S603 - ours
            [*command, "--until", "2026-05-31"],
            env={"HOME": name, "BROWSER": "true", "PATH": os.environ["PATH"]},
            cwd=HERE.parent.parent,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        for shot in shots:
            page = browser.new_page(
                viewport={"width": shot.width, "height": 100}, color_scheme=shot.scheme
            )
            page.goto(Path(done.stdout.strip()).as_uri())
            page.screenshot(path=HERE / f"{shot.name}.png", full_page=True, animations="disabled")
            page.close()


def photograph_github(browser: Browser, url: str) -> None:
    """Write what GitHub shows of one pull request: the comment and the check run."""
    page = browser.new_page(viewport={"width": 800, "height": 1200}, color_scheme="light")
    page.goto(url)
    for name, words in ON_GITHUB.items():
        section = page.locator("section", has=page.get_by_text(words)).first
        section.screenshot(path=HERE / f"{name}.png", animations="disabled")


def put_side_by_side(browser: Browser, *names: str) -> None:
    """Write the overview: pictures that there are, on one sheet, the later over the earlier."""
    pictures = [base64.b64encode((HERE / f"{name}.png").read_bytes()).decode() for name in names]
    sheet = "".join(f"<img src='data:image/png;base64,{one}'>" for one in pictures)
    page = browser.new_page(viewport={"width": 1000, "height": 560})
    page.set_content(
        "<style>body { margin: 0; height: 560px; background: #e9ebf3; position: relative; "
        "overflow: hidden }"
        "img { position: absolute; border-radius: 8px; box-shadow: 0 6px 24px #1c1e2a40 }"
        "img:first-child { width: 520px; left: 28px; top: 96px; z-index: 1 }"
        "img:last-child { width: 700px; right: 24px; top: 28px }</style>" + sheet
    )
    page.screenshot(path=HERE / f"{OVERVIEW}.png", animations="disabled")
    page.close()


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
        page.wait_for_load_state()
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
        page.get_by_role("link", name="Last 30 days").click()
        page.locator("td.title a").first.click()
    else:
        page.goto(start + wanted)


if __name__ == "__main__":
    main()
