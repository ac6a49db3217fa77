"""A letter in each of its forms: the same words everywhere, harmless, within what Slack takes."""

import json
import re
from datetime import date
from html import unescape

from hypothesis import example, given
from hypothesis import strategies as st

from ghapp.reports.letter import (
    LONGEST_HEADER,
    LONGEST_SECTION,
    MOST_BLOCKS,
    MOST_TEXT,
    LetterPart,
    LetterSpan,
    LetterTable,
    WeeklyLetter,
    to_html,
    to_markdown,
    to_slack,
    to_text,
    to_values,
)

HOSTILE = "<!channel>`*_&|\u202e<script>alert(1)</script>"
NAMES = st.one_of(st.just(HOSTILE), st.text(min_size=1, max_size=120), st.just("m" * 5_000))


@st.composite
def letters(draw: st.DrawFn) -> WeeklyLetter:
    """Draw letters with names as others give them, some far too long."""
    name = draw(NAMES)
    lines = tuple(
        (
            LetterSpan(name, is_name=True),
            LetterSpan(", May: "),
            LetterSpan("exceeded", is_strong=True),
        )
        for _ in range(draw(st.integers(1, 400)))
    )
    rows = tuple((name, "1", "-") for _ in range(draw(st.integers(1, 12))))
    return WeeklyLetter(
        organization=name,
        week="2026-W21",
        first=date(2026, 5, 18),
        last=date(2026, 5, 24),
        parts=(
            LetterPart(table=LetterTable(("repository", "merged", "share"), rows, more=3)),
            LetterPart(title="Budgets", items=lines),
            LetterPart(paragraphs=((LetterSpan("A share is a floor."),),)),
        ),
        address="https://ghapp.example/acme?since=2026-05-18&until=2026-05-24",
    )


def of(name: str) -> WeeklyLetter:
    """Return a short letter about a name."""
    return WeeklyLetter(
        organization="acme",
        week="2026-W21",
        first=date(2026, 5, 18),
        last=date(2026, 5, 24),
        parts=(
            LetterPart(
                items=((LetterSpan(name, is_name=True), LetterSpan(" fell")),),
                table=LetterTable(
                    ("repository", "merged"), ((name, "12"), ("acme/b", "3")), more=1
                ),
            ),
        ),
        address="https://ghapp.example/acme?a=1&b=2",
    )


@given(letters())
def test_slack_takes_every_letter(letter: WeeklyLetter) -> None:
    said = to_slack(letter)
    header, *sections = said["blocks"]
    assert 0 < len(header["text"]["text"]) <= LONGEST_HEADER
    texts = [one["text"]["text"] for one in sections]
    assert len(said["blocks"]) <= MOST_BLOCKS
    assert all(0 < len(text) <= LONGEST_SECTION for text in texts)
    assert sum(map(len, texts)) <= MOST_TEXT + LONGEST_SECTION
    assert texts[-1].startswith("<https://ghapp.example/acme?since=2026-05-18&amp;until=")
    # Slack reads nothing between angle brackets but our own link.
    assert not any("<" in text or ">" in text for text in texts[:-1])


@given(NAMES)
@example(HOSTILE)
def test_no_form_reads_markup_in_a_name(name: str) -> None:
    letter = of(name)
    html = to_html(letter)
    assert "<script" not in html
    assert set(re.findall(r"<(\w+)", html)) <= {
        *("html", "head", "meta", "title", "body", "div", "h1", "h2", "p", "a", "ul", "li"),
        *("code", "table", "tr", "th", "td"),
    }
    assert "\u202e" not in html + to_text(letter) + to_markdown(letter) + json.dumps(
        to_slack(letter)
    )


def test_each_form_says_the_same() -> None:
    letter = of("acme/shop")
    said = unescape(re.sub(r"<[^>]+>", " ", to_html(letter)))
    forms = (to_markdown(letter), to_text(letter), said, json.dumps(to_slack(letter)))
    for form in (*forms, json.dumps(to_values(letter))):
        for words in ("acme", "2026-W21", "acme/shop", "fell", "repository", "12", "acme/b"):
            assert words in form
    assert all("and 1 more" in form for form in forms)
    assert to_values(letter)["text"] == to_markdown(letter)


def test_a_table_of_text_keeps_its_columns() -> None:
    lines = to_text(of("m" * 100)).splitlines()
    table = lines[lines.index(next(one for one in lines if one.startswith("repository"))) :][:3]
    assert len({len(line) for line in table}) == 1
    assert all(len(line) < 80 for line in table)
