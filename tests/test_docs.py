"""The documentation agrees with the program: names, links, commands, quoted output."""

import ast
import importlib.util
import re
import shlex
from pathlib import Path
from urllib.parse import unquote

import click
import pytest
import yaml
from flask import Flask

from ghapp.attribution.exclusions import registry as exclusions
from ghapp.attribution.model import Audit, NoEvidence, Reason, Verdict
from ghapp.cli.main import COMMANDS, main
from ghapp.evidence.carried_registry import CARRIED
from ghapp.evidence.registry import SOURCES
from ghapp.settings import VARIABLES
from ghapp.web.app import BLUEPRINTS
from tests.cases import FIXTURES, TOP, cases
from tests.cli.commands import ghapp

DOCS = TOP / "docs"
RULES = (DOCS / "rules.md").read_text("utf-8")
PAGES = sorted([TOP / "README.md", *DOCS.rglob("*.md"), *FIXTURES.rglob("README.md")])
DECISIONS = 22
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
    return {_anchor(heading) for heading in _HEADING.findall(text)}


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# --- every name has its place --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("reasons.md", set(Reason)),
        ("exclusions.md", {*exclusions.FILE_RULES, *exclusions.LINE_RULES}),
        ("settings.md", {name.lower() for name in VARIABLES}),
        ("evidence.md", {*SOURCES, *CARRIED}),
        ("rules.md", set(Verdict)),
        ("no-evidence.md", set(NoEvidence)),
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


LONG = {"rules.md", "evidence.md"}
"""References: they begin with an index of their sections."""
LONGEST = 200
"""Lines of any other page."""


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=named)
def test_a_page_is_short_or_begins_with_its_index(page: Path) -> None:
    lines = page.read_text("utf-8").splitlines()
    if page.name not in LONG:
        assert len(lines) <= LONGEST, "split it by what a reader looks for, or say it shorter"
        return
    top = "\n".join(lines[:50])
    sections = [line[3:] for line in lines if line.startswith("## ")]
    assert [one for one in sections if f"](#{_anchor(one)})" not in top.replace("\n", " ")] == []


# --- no documented name goes stale ---------------------------------------------------------------

CHANGELOG = DOCS / "changelog.md"
"""It names what earlier versions had."""
SOURCES_OF_TEXT = [*(page for page in PAGES if page != CHANGELOG), *(TOP / "ghapp").rglob("*.py")]
# `ghapp/git/landed.py`, `fixtures/audits/`
_PATH = re.compile(r"(?<![\w/.])(?:ghapp|workers|tests|bench|fixtures)/(?:[\w./-]*(?:\.py|/(?=`)))")
# ghapp.keys.evidence.EvidenceKeys, workers.schedule
_DOTTED = re.compile(r"(?<![\w./@])(?:ghapp|workers)(?:\.[A-Za-z_]\w*)+(?!\w*[/(])")
# GHAPP_NAMES, GITHUB_APP_ID
_VARIABLE = re.compile(r"\b(?:GHAPP|GITHUB)_[A-Z_]+\b(?!\*)|\b(?:DATABASE|REDIS)_URL\b")
# `ghapp admin stuck`, ``ghapp admin``
_SPAN = re.compile(r"(`+)((?:ghapp|python3 run\.py) [^`]+)\1")
# A line of a code block: "$ ghapp audit --git .", "python3 run.py demo"
_LINE = re.compile(r"^ *(?:\$ )?((?:ghapp|python3 run\.py) .+)$", re.MULTILINE)
_BLOCK = re.compile(r"^( *)```.*?^\1```|^ {4,}\S.*$", re.MULTILINE | re.DOTALL)
FILES = {"ghapp.sqlite3"}
"""Names of files that look like modules."""
EXAMPLES = {"docs/exclusions.md", "ghapp/attribution/exclusions/test_fixture.py"}
"""Texts whose paths below ``tests/`` are those of somebody's repository."""
VARIABLES_ELSEWHERE = {"GHAPP_VENV", "GHAPP_SETUP_TOKEN", "GITHUB_TOKEN", "GHAPP_READ_TOKEN"}
"""run.py reads the first; ``ghapp serve`` gives the second to its set-up page; an auditor's own
token is in the third; `ghapp mine --app` reads the one of GHAPP_READ_TOKEN."""
NO_COMMANDS = {"test", "coverage", "lock", "tools", "ANYTHING"}
"""What ``python3 run.py`` takes beside the commands of ``ghapp``, and a placeholder."""


def prose(source: Path) -> str:
    """Return a page, or the docstrings of a module."""
    text = source.read_text("utf-8")
    if source.suffix == ".md":
        return text
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Expr)]
    values = [node.value.value for node in nodes if isinstance(node.value, ast.Constant)]
    return "\n".join(value for value in values if isinstance(value, str))


def is_name(dotted: str) -> bool:
    """Return whether a dotted name is a module, or an attribute of one."""
    module, rest = dotted, list[str]()
    while not _spec(module):
        module, _, name = module.rpartition(".")
        rest.insert(0, name)
    found: object = importlib.import_module(module)
    for name in rest:
        members = {*dir(found), *getattr(found, "__annotations__", ())}
        if name not in members:
            return False
        found = getattr(found, name, None)
    return True


def _spec(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def wrong(line: str) -> str | None:
    """Return what a command line names that does not exist."""
    words = shlex.split(re.split(r"[|>&;]| #", line.replace("…", ""))[0])
    words = words[2:] if words[0] == "python3" else words[1:]
    if words[0] == "bench":
        return None if (TOP / "bench" / f"{words[1]}.py").exists() else words[1]
    command: click.Command = main
    while isinstance(command, click.Group) and words and words[0] not in NO_COMMANDS:
        if words[0].startswith("-"):
            break
        inside = command.get_command(click.Context(command), words[0])
        if inside is None:
            return words[0]
        command, words = inside, words[1:]
    if isinstance(command, click.Group):
        words = []
    known = {one for each in command.params for one in (*each.opts, *each.secondary_opts)}
    given = {word.partition("=")[0] for word in words if re.match(r"--[a-z]", word)}
    return next(iter(sorted(given - known - {"--help"})), None)


def command_lines(source: Path) -> list[str]:
    """Return the command lines in code spans and code blocks."""
    text = prose(source).replace("\\\n", " ")
    blocks = text if source.suffix == ".py" else "\n".join(m[0] for m in _BLOCK.finditer(text))
    return [" ".join(span[2].split()) for span in _SPAN.finditer(text)] + _LINE.findall(blocks)


@pytest.mark.parametrize("source", SOURCES_OF_TEXT, ids=named)
def test_every_documented_name_exists(source: Path) -> None:
    text = prose(source)
    paths = {path for path in _PATH.findall(text) if not (TOP / path).exists()}
    if named(source) in EXAMPLES:
        paths = {path for path in paths if not path.startswith("tests/")}
    names = {name for name in set(_DOTTED.findall(text)) - FILES if not is_name(name)}
    variables = set(_VARIABLE.findall(text)) - set(VARIABLES) - VARIABLES_ELSEWHERE
    commands = {line: wrong(line) for line in command_lines(source) if wrong(line)}
    assert (paths, names, variables, commands) == (set(), set(), set(), {})


# --- what is quoted ------------------------------------------------------------------------------

QUOTED = [found for page in PAGES for found in _CONSOLE.finditer(page.read_text("utf-8"))]


def test_the_readme_quotes_the_program() -> None:
    assert {one["command"].split()[1] for one in QUOTED} >= {"audit", "--help"}


@pytest.mark.parametrize("quoted", QUOTED, ids=lambda one: str(one["command"])[:40])
def test_a_quoted_command_says_what_is_quoted(quoted: "re.Match[str]") -> None:
    program, *arguments = shlex.split(quoted["command"])
    assert program == "ghapp"
    done = ghapp(*arguments, cwd=TOP)
    assert (done.returncode, done.stderr) == (0, b"")
    # The digest is of the whole audit: it changes with the engine's version, the rest may not.
    assert _DIGEST.sub("sha256:", done.stdout.decode()) == _DIGEST.sub("sha256:", quoted["output"])


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_pictures_are_small(page: Path) -> None:
    pictures = [one for one in _LINK.findall(page.read_text("utf-8")) if one.endswith(".png")]
    sizes = {one: (page.parent / one).stat().st_size for one in pictures}
    assert {one: size for one, size in sizes.items() if size > 300_000} == {}


def test_the_permissions_that_the_app_asks_for_are_told() -> None:
    asked = yaml.safe_load((TOP / "app.yml").read_text("utf-8"))["default_permissions"]
    section = (DOCS / "access.md").read_text("utf-8").split("## What the app asks GitHub for")[1]
    told = re.findall(r"^\| `(\w+): (\w+)` \|", section.split("\n## ")[0], re.MULTILINE)
    assert dict(told) == asked


SYSTEMS = 13
"""What the table of compared systems has a row for."""


def test_what_the_compared_systems_are_answered_with_is_there() -> None:
    text = (DOCS / "compared.md").read_text("utf-8").split("## Thirteen systems")[1]
    rows = [line for line in text.split("\n## ")[0].splitlines() if line.startswith("| ")][1:]
    assert len(rows) == SYSTEMS
    app = Flask("routes")
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    known = {re.sub(r"<\w+\([^)]*\):", "<", rule.rule) for rule in app.url_map.iter_rules()}
    for row in rows:
        _, _, here, by, _ = row.split("|")
        named = re.findall(r"`([^`]+)`", here)
        assert named
        assert {one for one in named if one.startswith("/")} <= known
        commands = [one.split()[1] for one in named if one.startswith("ghapp ")]
        assert set(commands) <= set(COMMANDS)
        tests = re.findall(r"`(tests/[^`]+)`", by)
        assert tests
        assert all((TOP / one).is_file() for one in tests)
