"""The documentation is held to the program: names, links, quoted output. It judges no prose."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

from ghapp.attribution.exclusions import registry as exclusions
from ghapp.attribution.model import Audit, Reason, Verdict
from ghapp.cli.main import COMMANDS, main
from ghapp.evidence.carried_registry import CARRIED
from ghapp.evidence.registry import SOURCES
from ghapp.settings import VARIABLES
from tests.cases import FIXTURES, TOP, cases

DOCS = TOP / "docs"
RULES = (DOCS / "rules.md").read_text("utf-8")
PAGES = sorted([TOP / "README.md", *DOCS.rglob("*.md"), *FIXTURES.rglob("README.md")])
DECISIONS = 16
"""Of section 2 of the rules."""

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)
_FENCED = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"^```console\n\$ (?P<command>.+)\n(?P<output>(?:.*\n)*?)```", re.MULTILINE)
_DIGEST = re.compile(r"sha256:[0-9a-f]+")


def named(page: Path) -> str:
    return page.relative_to(TOP).as_posix()


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page as GitHub makes them from its headings."""
    text = _FENCED.sub("", page.read_text("utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(text))
    return {heading.replace(" ", "-") for heading in plain}


# --- every name has its place --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("reasons.md", set(Reason)),
        ("exclusions.md", {*exclusions.FILE_RULES, *exclusions.LINE_RULES}),
        ("settings.md", {name.lower() for name in VARIABLES}),
        ("evidence.md", {*SOURCES, *CARRIED}),
        ("rules.md", set(Verdict)),
    ],
)
def test_every_name_has_an_anchor(page: str, names: set[str]) -> None:
    assert names
    assert names - anchors(DOCS / page) == set()


def test_every_source_reads_cases_of_its_name() -> None:
    assert {folder.name for folder in cases("evidence")} == {*SOURCES, *CARRIED}


def _commands(group: click.Group, path: str = "ghapp") -> set[str]:
    found: set[str] = set()
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inside = _commands(command, f"{path} {name}") if isinstance(command, click.Group) else set()
        found |= inside or {f"{path} {name}"}
    return found


def test_every_command_is_documented() -> None:
    assert isinstance(main, click.Group)
    found = _commands(main)
    assert len(found) >= len(COMMANDS)
    written = "\n".join(page.read_text("utf-8") for page in [*PAGES, TOP / "Procfile"])
    started = written.replace("python3 run.py", "ghapp")
    assert {one for one in found if one not in started} == set()


def test_the_document_is_described_member_by_member() -> None:
    section = RULES.split("## 5. ")[1].split("\n## ")[0]
    described = set(re.findall(r"`([\w.]+)(?:\[\])?(?:\.\w+)?`", section))
    assert set(Audit.__struct_fields__) - {one.partition(".")[0] for one in described} == set()


def test_what_starts_the_app_is_documented_with_every_setting() -> None:
    example = (TOP / ".env.example").read_text("utf-8")
    assert set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) == set(VARIABLES)


# --- decisions and their cases -------------------------------------------------------------------


def decisions() -> dict[str, str]:
    """Return the sections of the decisions, by identifier."""
    section = RULES.split("## 2. ")[1].split("\n## ")[0]
    parts = re.split(r"^### (\w+)$", section, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_decisions_are_numbered_in_order() -> None:
    numbers = [re.match(r"\s*2\.(\d+) \*\*", text) for text in decisions().values()]
    assert [found and int(found[1]) for found in numbers] == list(range(1, DECISIONS + 1))


@pytest.mark.parametrize("name", decisions())
def test_a_decision_has_its_cases(name: str) -> None:
    _, _, listed = decisions()[name].partition("Cases:")
    named_cases = set(re.findall(r"`(\w+)`", listed))
    assert named_cases
    assert named_cases <= {folder.name for folder in cases("audits")}


# --- links ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCED.sub("", page.read_text("utf-8"))):
        target, _, anchor = unquote(link).partition("#")
        if "://" in target:
            continue
        there = (page.parent / target).resolve() if target else page
        is_text = there.suffix == ".md" and there.is_file()
        if not there.exists() or (anchor and not (is_text and anchor in anchors(there))):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_path_that_is_named_is_there(page: Path) -> None:
    text = _FENCED.sub("", page.read_text("utf-8"))
    paths = re.findall(r"`((?:ghapp|workers|bench|fixtures)/[\w./-]*(?:\.py|/))`", text)
    assert [path for path in paths if not (TOP / path).exists()] == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached = {TOP / "README.md"}
    todo = [TOP / "README.md"]
    while todo:
        page = todo.pop()
        for link in _LINK.findall(_FENCED.sub("", page.read_text("utf-8"))):
            there = (page.parent / unquote(link).partition("#")[0]).resolve()
            found = sorted(there.glob("*.md")) if there.is_dir() else [there]
            new = [one for one in found if one.suffix == ".md" and one.is_file()]
            todo += [one for one in new if one not in reached]
            reached |= set(new)
    assert {named(page) for page in DOCS.rglob("*.md")} <= {named(page) for page in reached}


# --- what is quoted ------------------------------------------------------------------------------

QUOTED = [found for page in PAGES for found in _CONSOLE.finditer(page.read_text("utf-8"))]


def test_the_readme_quotes_the_program() -> None:
    assert {one["command"].split()[1] for one in QUOTED} >= {"audit", "--help"}


@pytest.mark.parametrize("quoted", QUOTED, ids=lambda one: str(one["command"])[:40])
def test_a_quoted_command_says_what_is_quoted(quoted: "re.Match[str]") -> None:
    program, *arguments = shlex.split(quoted["command"])
    assert program == "ghapp"
    done = subprocess.run(
        [sys.executable, "-m", "ghapp", *arguments],
        cwd=TOP,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "80", "NO_COLOR": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    # The digest is of the whole audit: it changes with the engine's version, the rest may not.
    assert _DIGEST.sub("sha256:", done.stdout) == _DIGEST.sub("sha256:", quoted["output"])


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_pictures_are_small(page: Path) -> None:
    pictures = [one for one in _LINK.findall(page.read_text("utf-8")) if one.endswith(".png")]
    sizes = {one: (page.parent / one).stat().st_size for one in pictures}
    assert {one: size for one, size in sizes.items() if size > 300_000} == {}
