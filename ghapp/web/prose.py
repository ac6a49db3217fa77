"""Sections of the documentation as HTML for a page. It holds none of their words."""

import re

from markdown_it import MarkdownIt
from markupsafe import Markup

from ghapp.rulebook import PAGES, Section

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def to_html(section: Section) -> Markup:
    """Return a section's text as HTML; links to other sections lead within the method's page."""
    # Our own documentation, without HTML in it: nothing here was written by a user.
    return Markup(_MARKDOWN.render(_LINK.sub(_within, section.text)))  # noqa: S704


def _within(link: re.Match[str]) -> str:
    """Keep a link that works on our pages; of the others keep the words."""
    words, target = link.groups()
    page, _, anchor = target.partition("#")
    if target.startswith("https://"):
        return link[0]
    is_shown = page in {"", *(f"{name}.md" for name in PAGES)}
    return f"[{words}](/method#{anchor})" if anchor and is_shown else words
