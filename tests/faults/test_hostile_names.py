"""Thousands of hostile names and titles, rendered as GitHub does: none has any effect.

Names are put together at random from the pieces that attacks are made of, with a seed, in
tables and sentences of many names, so that one name could also harm its neighbor. The nightly run
tries a hundred thousand new ones.
"""

import html
import random
import re

from markdown_it import MarkdownIt

from ghapp.reports.harmless import cell, code, prose
from tests.searching import FACTOR

NAMES = 10_000 if FACTOR == 1 else 25_000 * FACTOR
TOGETHER = 50
"""Names in one document, because rendering takes most of the time."""
PIECES = (
    *("@octocat", "@org/team", "&#64;octocat", "&commat;octocat", "&#x40;octocat", "#12", "GH-1"),
    *("acme/app#12", "0123456789abcdef0123456789abcdef01234567", "https://evil.example", "www.a.b"),
    *("[x](https://evil.example)", "![x](//evil.example/p.png)", "<img src=x onerror=y>", "<!--"),
    *("-->", "<script>", "</td>", "|", "\\|", "\\", "`", "``", "```", "~~~", "*", "_", "**", "~~"),
    *("\n", "\r\n", "\t", "\x00", "\x1b[31m", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028"),
    *("$x$", ":tada:", "javascript:alert(1)", "mailto:a@b.example", "&lt;", "&amp;", "&", ";"),
    *(
        "# ",
        "- ",
        "1. ",
        "> ",
        "---",
        "===",
        "[^1]",
        "{{",
        "}}",
        "\u00ad",
        "\ud800",
        "a",
        ".py",
        "/",
    ),
)
LIVE = re.compile(
    r"@(?=[\w])|#(?=\d)|GH-(?=\d)|https?:(?=//)|www(?=\.)|mailto:(?=\w)",
    re.IGNORECASE,
)
UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200c-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
"""What hides, reorders or breaks text. The zero-width space is ours: it breaks mentions."""
ALLOWED = {"table", "thead", "tbody", "tr", "th", "td", "p", "code", "hr"}


def hostile(chance: random.Random) -> str:
    return "".join(chance.choices(PIECES, k=chance.randint(1, 8)))


def document(names: list[str]) -> str:
    rows = "\n".join(f"| {cell(name)} | {prose(name)} |" for name in names[::2])
    sentences = "\n\n".join(f"File {code(name)} of {prose(name)}." for name in names[1::2])
    return f"| Name | Title |\n|---|---|\n{rows}\n\n{sentences}\n"


def test_no_hostile_name_becomes_a_mention_a_link_or_markup() -> None:
    chance = random.Random(20260520 if FACTOR == 1 else None)  # noqa: S311 - no secret
    reader = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    for _ in range(NAMES // TOGETHER):
        names = [hostile(chance) for _ in range(TOGETHER)]
        page = reader.render(document(names))
        tags = set(re.findall(r"</?([a-zA-Z]+)", page))
        assert tags <= ALLOWED, (tags - ALLOWED, names)
        assert page.count("<tr>") == 1 + TOGETHER // 2, names
        assert page.count("<td>") == TOGETHER, names
        assert page.count("<p>") == TOGETHER // 2, names
        text = html.unescape(re.sub(r"<[^>]*>", " ", page))
        assert not LIVE.search(text), (LIVE.search(text), names)
        assert not UNSEEN.search(text), (UNSEEN.search(text), names)
