"""The page of ``ghapp mine --open``: the same as in the terminal, as a file that loads nothing."""

from html import escape

from ghapp.cli.mine_words import (
    NUMBERS,
    OwnWorkReport,
    facts,
    headline,
    notes,
    rows_by_agent,
    rows_by_repository,
)
from ghapp.reports.harmless import visible
from ghapp.reports.standalone import page

LONGEST = 2000


def page_of(told: OwnWorkReport) -> str:
    """Return the page of what ``ghapp mine`` found."""
    parts = [f"<p>{_text(sentence)}</p>" for sentence in headline(told.work)]
    tables = [
        ("By repository", rows_by_repository(told.work)),
        ("By agent and model", rows_by_agent(told.work)),
    ]
    parts += [_table(name, rows) for name, rows in tables if rows]
    parts += [f'<p class="soft">{_text(note)}</p>' for note in notes(told.work)]
    for name, lines, more in facts(told):
        parts.append(f"<h2>{escape(name)}</h2>")
        parts += [f"<p>{_text(line)}</p>" for line in lines]
        if more:
            parts.append(f'<p class="soft"><code>{escape(more)}</code> says more.</p>')
    parts.append('<p class="soft">This page is a file on your machine; nothing of it is sent.</p>')
    return page("Your agents' work", "\n".join(parts))


def _text(text: str) -> str:
    return escape(visible(text, LONGEST))


def _table(name: str, rows: list[tuple[str, list[str]]]) -> str:
    """Return a table whose rows stand below their names, so that a phone has room for both."""
    heads = "".join(f'<th scope="col" class="number">{head}</th>' for head in NUMBERS)
    bodies = "".join(
        f'<tbody><tr><th scope="rowgroup" colspan="{len(NUMBERS)}">{_text(title)}</th></tr>\n<tr>'
        + "".join(f'<td class="number">{one}</td>' for one in numbers)
        + "</tr></tbody>\n"
        for title, numbers in rows
    )
    return (
        f"<h2>{escape(name)}</h2>\n"
        f'<table class="even">\n<thead><tr>{heads}</tr></thead>\n{bodies}</table>'
    )
