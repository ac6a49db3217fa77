"""Laws: no name changes the structure, links anything or pings anybody."""

import html
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ghapp.attribution.model import (
    Audit,
    AuditInputs,
    AuditState,
    AuditTotals,
    FileVerdict,
    LineVerdict,
    Measure,
    Reason,
    Verdict,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.reports import markdown
from ghapp.reports.annotations import annotations
from ghapp.reports.harmless import BREAK, cell, code, path_cell, plain, prose, visible
from ghapp.reports.summary import summarize
from tests.searching import searched

PIECES = [
    *("@octocat", "#12", "GH-12", "gh-3", "acme/app#4", "acme/app@deadbeef", "a@b.co", ":tada:"),
    *("&#64;octocat", "&#x40;o", "&commat;o", "&num;1", "&lt;b&gt;", "$x$", "$`", "`$"),
    *("`", "``", "```", "~~~", "|", "\\|", "\\\\|", "\\", "**", "__", "*", "_", "~~"),
    *("[a](https://evil.example)", "![", "](", ")", "<", ">", "<b>", "</details>", "</td>"),
    *("<!--", "-->", "<script>", "<img/src=x>", "https://evil.example", "www.evil.example"),
    *("mailto:a@b.co", "- ", "1. ", "> ", "# ", "---", "===", ":--", "    ", "x", "y.py"),
    *("deadbeef", "4f9c6b0e6504aec91c674cd2376fecc00000abcd", "20260520"),
]
UNSEEN = [
    "\n",
    "\r",
    "\t",
    "\0",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u200d",
    "\u2028",
    "\ud800",
    "\xa0",
]

hostile = (
    st.lists(
        st.sampled_from([*PIECES, *UNSEEN, " ", "a"]) | st.text(max_size=4), min_size=1, max_size=8
    )
    .map("".join)
    .filter(bool)
)

# An audit document is UTF-8, so lone surrogates cannot get into one.
documented = hostile.filter(lambda text: "\ud800" not in text)

# What GitHub acts on in finished text, or in a quotation that comes back by e-mail.
ACTS = re.compile(
    r"@[A-Za-z0-9]|#\d|\bGH-\d|://|\bwww\.|(?<!\w)[0-9a-f]{7,40}(?!\w)|mailto:\w|&#\w|&commat",
    re.IGNORECASE,
)
INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff]")

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def audit_of(name: str, agent: str) -> Audit:
    """Return an audit in which every user text is ``name`` or ``agent``."""
    line = LineVerdict(line=1, reason=Reason.RUN, attributed=True, agent=agent, edit=name)
    excluded = LineVerdict(line=1, reason=name)

    def file(path: str, row: LineVerdict, rule: str | None) -> FileVerdict:
        return FileVerdict(
            path=path,
            previous_path=path,
            added=1,
            effective=int(rule is None),
            attributed=int(row.attributed),
            excluded=rule,
            lines=(row,),
        )

    policy = CLAUDE_CODE_V1.used()
    return Audit(
        schema="ghapp/audit/1",
        repository=None,
        pull_request=1,
        merge_commit=None,
        merged_at=datetime(2026, 5, 20, tzinfo=UTC),
        state=AuditState.FINAL,
        verdict=Verdict.ASSISTED,
        policy=policy,
        engine="1.0.0",
        measure=Measure.CHARACTERS,
        inputs=AuditInputs(diff="", evidence="", edits_considered=1, change_complete=True),
        totals=AuditTotals(
            added=2,
            effective=1,
            attributed=1,
            share=1.0,
            by_reason={"run": 1, name: 1},
            by_agent={agent: 1},
        ),
        files=(file(name, line, None), file(name, excluded, name)),
    )


def texts(audit: Audit) -> list[str]:
    summary = summarize(audit)
    run = markdown.check_run(summary)
    return [markdown.comment(summary), run.summary, run.text]


def shape(source: str) -> list[str]:
    """Return the structure of a text: its blocks and inlines without their content."""
    return [part for token in PARSER.parse(source) for part in _parts(token)]


def _parts(token: Token) -> list[str]:
    if token.type.startswith("html"):
        return [token.content]  # raw HTML of ours is known; theirs must not come through
    if token.type in {"text", "text_special"}:
        return []
    return [token.type, *(part for child in token.children or [] for part in _parts(child))]


@searched(40)
@given(name=documented, agent=documented)
def test_a_hostile_name_changes_no_structure(name: str, agent: str) -> None:
    tame = texts(audit_of("name.py", "agent"))
    for ours, theirs in zip(tame, texts(audit_of(name, agent)), strict=True):
        assert shape(theirs) == shape(ours)


@searched(60)
@given(name=hostile)
def test_nothing_that_github_acts_on_is_left(name: str) -> None:
    for shown in (plain(name), code(name), cell(name), html.unescape(prose(name))):
        assert not ACTS.search(shown)
        assert not INVISIBLE.search(shown)
        shown.encode()


@searched(60)
@given(name=documented, agent=documented)
def test_an_annotation_pings_nobody(name: str, agent: str) -> None:
    for annotation in annotations(audit_of(name, agent)):
        assert not ACTS.search(annotation.message)
        assert not ACTS.search(annotation.title)


@searched(40)
@given(name=hostile)
def test_a_code_span_shows_the_name(name: str) -> None:
    rendered = PARSER.parseInline(code(name))[0].children or []
    assert [token.type for token in rendered] == ["code_inline"]
    assert rendered[0].content.strip() == (plain(name) or " ").strip()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("src/a.py", "src/a.py"),
        ("a\u202eb\n", r"a\u202eb\u000a"),
        ("caf\u00e9", "caf\u00e9"),
        ("\U000e0041", r"\U000e0041"),
        ("\udc80", r"\udc80"),
        ("x" * 500, "x" * 66 + "\u2026" + "x" * 133),
    ],
)
def test_visible(name: str, shown: str) -> None:
    assert visible(name) == shown


@pytest.mark.parametrize(
    ("name", "span"),
    [
        ("a.py", "`a.py`"),
        ("a|b", r"`a\|b`"),
        ("a\\|b", r"`a\\u007cb`"),
        ("`a`", "`` `a` ``"),
        ("", "` ` `".replace("` ` `", "`   `")),
    ],
)
def test_cell(name: str, span: str) -> None:
    assert cell(name) == span


def test_a_long_path_may_wrap_after_its_signs_and_a_short_one_stays_whole() -> None:
    long = "src/billing/a_rather_long_name/test_it.py"
    assert path_cell("src/billing/invoice.py") == cell("src/billing/invoice.py")
    assert path_cell(long).replace(BREAK, "") == cell(long)
    assert max(map(len, path_cell(long).split(BREAK))) < 12


def test_prose_is_readable_where_nothing_is_hostile() -> None:
    assert prose("Fix the in-place sort, again") == "Fix the in-place sort, again"
