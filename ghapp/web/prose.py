"""Sections of the documentation as HTML."""

import re

from markdown_it import MarkdownIt
from markupsafe import Markup

from ghapp.rulebook import PAGES, PageSection, sections

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
# [verdicts](rules.md#3-verdicts)
_LINK = re.compile(r"\[([^\[\]]*)\]\(([^()\s]+)\)")


def to_html(section: PageSection) -> Markup:
    """Return a section's text as HTML; links to other sections lead within ``/method``."""

    def within(link: re.Match[str]) -> str:
        """Keep a link that works on our pages; replace any other by its words."""
        words, target = link.groups()
        page, _, anchor = target.partition("#")
        name = page.removesuffix(".md") or section.page
        if target.startswith("https://"):
            return link[0]
        found = sections(name).get(anchor) if name in PAGES else None
        return f"[{words}](/method#{found.id})" if found else words

    # This is our own documentation, rendered without raw HTML: no user wrote any of it.
    return Markup(_MARKDOWN.render(_LINK.sub(within, section.text)))  # noqa: S704
