"""The rules as people read them: sections of docs/ by their anchors. It decides nothing.

Documentation, pages and command line share one text, so they cannot disagree. An installed
package holds the files; a checkout has them in docs/.
"""

import re
from functools import cache
from pathlib import Path

from ghapp.attribution.model import Reason, Struct

PAGES = ("metrics", "outcomes", "reasons", "no-evidence", "rules")
"""Files of docs/ that pages quote, in the order in which they are shown."""
OF_NUMBERS = frozenset({"metrics", "outcomes"})
"""Of those the ones that define numbers."""

RULE_OF: dict[str, str] = {
    Reason.RUN: "high_confidence",
    Reason.LINE: "high_confidence",
    Reason.REWRAPPED: "one_to_one",
    Reason.EDITED: "exactly_20_percent",
    Reason.SUBSTITUTED: "substitutions",
    Reason.SHELL_TEXT: "command_texts",
    Reason.AGENT_COMMIT: "agent_commits",
    Reason.COMMAND_CHANGED: "observed_commands",
    Reason.NO_MATCH: "high_confidence",
    Reason.REWRITTEN: "exactly_20_percent",
    Reason.COMMON_LINE: "high_confidence",
    Reason.SCATTERED: "high_confidence",
    Reason.CREDITED_ELSEWHERE: "one_to_one",
    Reason.MERGED_BEFORE: "earlier_merges",
    Reason.OUTSIDE_WINDOW: "window",
    Reason.NOT_APPLIED: "applied_only",
    Reason.TRIVIAL_LINE: "unicode",
    Reason.LONG_LINE: "long_lines",
}
"""Reason → its decision in docs/rules.md. Other reasons have only a section in docs/reasons.md."""

# "## 2. Decisions", "### exactly_20_percent"
_HEADING = re.compile(r"^(#{2,3}) +(\S++(?: +\S++)*+) *$", re.MULTILINE)
# "Cases: `window_open`, `window_closed`."
_CASES = re.compile(r"^Cases: .+?(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


class PageSection(Struct, frozen=True):
    """One section of a page: a heading and the Markdown below it."""

    page: str
    anchor: str
    """As GitHub makes it from the heading; unique within the page."""
    title: str
    level: int
    """2 or 3: how many number signs its heading has."""
    text: str
    """Without the names of test cases, which only contributors need."""

    @property
    def id(self) -> str:
        """The anchor on a page that holds all sections: numbers and rules share some headings."""
        return f"metric-{self.anchor}" if self.page in OF_NUMBERS else self.anchor


@cache
def sections(page: str) -> dict[str, PageSection]:
    """Return the sections of a page by anchor, in order. Raises `FileNotFoundError`."""
    text = _file(page).read_text("utf-8")
    found = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in found[1:]] + [len(text)]
    made = (
        PageSection(
            page=page,
            anchor=anchor(heading[2]),
            title=heading[2],
            level=len(heading[1]),
            text=_CASES.sub("", text[heading.end() : end]).strip(),
        )
        for heading, end in zip(found, ends, strict=True)
    )
    return {section.anchor: section for section in made}


def of_reason(reason: str) -> tuple[PageSection, ...]:
    """Return the sections that explain a reason: its own, and the decision behind it.

    Empty if only a repository's own policy knows the reason.
    """
    own = sections("reasons").get(reason)
    rule = sections("rules").get(RULE_OF.get(reason, ""))
    return tuple(section for section in (own, rule) if section is not None)


def anchor(heading: str) -> str:
    """Return a heading's anchor as GitHub makes it.

    >>> anchor("PRs with Claude Code (%)"), anchor("exactly_20_percent")
    ('prs-with-claude-code-', 'exactly_20_percent')
    """
    return _NOT_IN_ANCHORS.sub("", heading.lower()).replace(" ", "-")


def _file(page: str) -> Path:
    package = Path(__file__).resolve().parent
    inside = package / "docs" / f"{page}.md"
    return inside if inside.exists() else package.parent / "docs" / f"{page}.md"
