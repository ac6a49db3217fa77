"""What became linear finds what the quadratic pattern before it found, on texts drawn from pieces.

The patterns before are kept here as oracles.
"""

import json
import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp import rulebook
from ghapp.attribution import notebook
from ghapp.evidence import aider, antigravity, cline, homes
from ghapp.evidence.claude_code import tools
from ghapp.git import remotes
from ghapp.policy.file import LabelName
from ghapp.upkeep.outcomes import reverts
from ghapp.web import machines, openapi, prose
from tests.searching import searched

Find = Callable[[str], object]


def groups(pattern: re.Pattern[str], use: str = "search") -> Find:
    """Return what a pattern finds, as a function of the text."""

    def find(text: str) -> object:
        if use == "finditer":
            return [(one[0], *one.groups()) for one in pattern.finditer(text)]
        found = getattr(pattern, use)(text)
        return found and (found[0], *found.groups())

    return find


_OLD_URL = re.compile(
    r"(?:https?|ssh|git|git\+ssh|ssh\+git)://(?:[^/?#\s]*@)?(?P<host>\[[0-9a-f:.]+\]|[^/?#:\s@]+)"
    r"(?::[0-9]{0,5})?/+(?P<path>[^?#\s]+)",
    re.IGNORECASE,
)
_OLD_UNREAD = re.compile(
    r"/\.local/share/amp/threads/T-[^/]+\.json|/goose/sessions/sessions\.db"
    r"|/\.kiro/sessions/(?:[^/]+/)*[^/]+\.json|/windsurf/cascade/[^/]+\.pb"
    r"|/zed/threads/threads\.db|/workspaceStorage/[^/]+/chatSessions/[^/]+\.json"
)
_OLD_CELL = re.compile(r'\s*"source"\s*:\s*(?=["\[])')
_OLD_HEADING = re.compile(r"^(#{2,3}) +(.+?)\s*$", re.MULTILINE)
_OLD_DIFFERENCE = re.compile(r"\[diff_block_start\]\n(.*)\n\[diff_block_end\]", re.DOTALL)


def _host_and_names(pattern: re.Pattern[str]) -> Find:
    def find(text: str) -> object:
        found = pattern.fullmatch(text)
        names = found["path"].strip("/") if found else ""
        return (found["host"], names) if found and names else None

    return find


def _old_is_unread(path: str) -> bool:
    found = _OLD_UNREAD.search(path)
    return found is not None and found.end() == len(path)


def _old_difference(section: str) -> str | None:
    found = _OLD_DIFFERENCE.search(section)
    return found[1] if found else None


def _old_reverts(message: str) -> bool:
    if message.startswith('Revert "Revert "'):
        return False
    subject = re.match(r'Revert ".*\(#17\)"', message)
    return bool(subject or re.search(r"^Reverts \S*#17\b", message, re.MULTILINE))


def _old_source(line: str) -> str:
    text = line.strip().removesuffix(",")
    text = _OLD_CELL.sub("", text, count=1) if text.startswith('"source"') else text
    if len(text) < 2 or text[0] + text[-1] not in ('""', "[]"):
        return line
    try:
        value = json.loads(text)
    except ValueError:
        return line
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        value = "".join(value)
    return value.removesuffix("\n") if isinstance(value, str) else line


def _label() -> re.Pattern[str]:
    (meta,) = LabelName.__metadata__
    return re.compile(meta.pattern)


CASES: dict[str, tuple[Find, Find, Sequence[str]]] = {
    "remotes": (
        _host_and_names(_OLD_URL),
        _host_and_names(remotes._URL),
        ("https://", "git+ssh://", "h", "[::1]", ":443", "/", "//", "a", "@", ":", "#", "?", "\n"),
    ),
    "homes": (
        _old_is_unread,
        homes.is_unread,
        ("/.kiro/sessions/", "/.kiro", "sessions", "/", "a", ".json", "/windsurf/cascade/", ".pb"),
    ),
    "tools": (
        groups(re.compile(r"mcp__(?P<server>.+?)__(?P<tool>.+)"), "fullmatch"),
        groups(tools._OF_SERVER, "fullmatch"),
        ("mcp__", "_", "__", "a", "\n"),
    ),
    "aider": (
        groups(re.compile(r".*\(aider\) <[^>]*>"), "fullmatch"),
        groups(aider._NAMED, "fullmatch"),
        ("(aider) <", "a", " ", ">"),
    ),
    "model": (
        groups(re.compile(r"setting `Model Selection` from .*? to ([^\n]+?)\.?(?: No need|\n|$)")),
        groups(antigravity._MODEL),
        ("setting `Model Selection` from ", "a", " to ", ".", " No need", "\n", " "),
    ),
    "difference": (
        _old_difference,
        antigravity._difference,
        ("[diff_block_start]", "[diff_block_end]", "\n", "a"),
    ),
    "directory": (
        groups(re.compile(r"# Current (?:Working|Workspace) Directory \(([^\n]+)\) Files")),
        groups(cline._CWD),
        ("# Current Working Directory (", "/a", "#", " Current", ")", ") Files", "\n"),
    ),
    "reverts": (
        _old_reverts,
        lambda text: reverts(text, 17, ()),
        ('Revert "', "Reverts ", "a/b", "#17", "(#17)", "#18", '"', "1", " ", "\n"),
    ),
    "cells": (
        _old_source,
        notebook.source,
        ('"source"', ":", " ", '"', "[", "a", ","),
    ),
    "headings": (
        lambda text: [(one[1], one[2]) for one in _OLD_HEADING.finditer(text)],
        lambda text: [(one[1], one[2]) for one in rulebook._HEADING.finditer(text)],
        ("## a", "### b", "#c", "c", " ", "\n"),
    ),
    "labels": (
        groups(re.compile(r"^[^,\x00-\x1f]*[^,\s\x00-\x1f][^,\x00-\x1f]*$")),
        groups(_label()),
        ("a", ",", " ", "\t", "\n", "\x85", "\u00a0", "\x1c"),
    ),
    "fields": (
        groups(re.compile(r" - at `\$\.?(?P<field>.*)`$")),
        groups(machines._FIELD),
        (" - at `$", ".", "[0]", "a", ".b", "`"),
    ),
    "parameters": (
        groups(re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>"), "finditer"),
        groups(openapi._PARAMETER, "finditer"),
        ("<", "int", "(max=2)", ":", "a", ">", "/"),
    ),
}
"""Name → the function before, the function now, and the pieces of texts."""
ONCE = {"model", "directory", "fields"}
"""What these find ends before another beginning of the same, which no record of theirs holds."""


def _begins_once(text: str, beginning: str) -> bool:
    """Return whether a text has at most one beginning, and no sign of it behind."""
    return text.count(beginning) < 2 and text.partition(beginning)[2].count("`") < 2


@pytest.mark.parametrize("name", CASES)
def test_it_finds_what_the_pattern_before_found(name: str) -> None:
    before, now, pieces = CASES[name]

    texts = st.lists(st.sampled_from(pieces), max_size=9).map("".join)

    @searched(400)
    @given(texts.filter(lambda text: name not in ONCE or _begins_once(text, pieces[0])))
    def same(text: str) -> None:
        assert now(text) == before(text)

    same()


@pytest.mark.parametrize("page", rulebook.PAGES)
def test_the_links_of_our_pages_are_the_same(page: str) -> None:
    before = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
    texts = [section.text for section in rulebook.sections(page).values()]
    assert [prose._LINK.findall(text) for text in texts] == list(map(before.findall, texts))
    assert any(map(before.findall, texts))
