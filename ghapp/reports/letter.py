"""A letter and its forms: Markdown, text, HTML, Slack's blocks, plain values. It sends none.

A letter holds words as others wrote them; each form makes them harmless in its own way.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from html import escape
from typing import Any, NamedTuple

from ghapp.attribution.model import Struct
from ghapp.reports.harmless import cell, code, visible

LONGEST_HEADER = 150
"""Characters: https://docs.slack.dev/reference/block-kit/blocks/header-block"""
LONGEST_SECTION = 3_000
"""Characters: https://docs.slack.dev/reference/block-kit/blocks/section-block"""
MOST_BLOCKS = 50
"""Of a message: https://docs.slack.dev/reference/block-kit/blocks"""
MOST_TEXT = 12_000
"""Characters of all blocks; Slack documents no such limit and refuses somewhat more than 13,000:
https://github.com/slackapi/bolt-js/issues/2509
"""
LONGEST_CELL = 44
"""Characters of a name in a table of text, so that its numbers stay in columns."""
SEE = "See every number and the lines behind it"


class LetterSpan(Struct, frozen=True):
    """Some words of a line."""

    text: str
    is_strong: bool = False
    is_name: bool = False
    """Somebody gave it: no form reads markup in it."""


Line = tuple[LetterSpan, ...]


class LineForm(NamedTuple):
    """How a form writes a name, a strong word and any other."""

    name: Callable[[str], str]
    strong: Callable[[str], str]
    plain: Callable[[str], str]

    def line(self, line: Line) -> str:
        """Return a line in this form."""
        return "".join(map(self._span, line))

    def _span(self, one: LetterSpan) -> str:
        write = self.name if one.is_name else self.strong if one.is_strong else self.plain
        return write(one.text)


class LetterTable(Struct, frozen=True):
    """A table; the first column holds names, the others numbers."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0
    """Rows that are left out."""


class LetterPart(Struct, frozen=True):
    """A title, and below it lines as a list, then a table, then paragraphs; any may be missing."""

    title: str | None = None
    items: tuple[Line, ...] = ()
    table: LetterTable | None = None
    paragraphs: tuple[Line, ...] = ()


class WeeklyLetter(Struct, frozen=True):
    """What an organization is told about a week."""

    organization: str
    week: str
    """In ISO 8601 form, such as ``2026-W21``."""
    first: date
    last: date
    parts: tuple[LetterPart, ...]
    address: str | None
    """URL of the page behind it; ``None``: the app's own URL is not known."""

    @property
    def days(self) -> str:
        """The days of the week."""
        return f"{self.first} to {self.last}"


# --- Markdown -------------------------------------------------------------------------------------


_MARKDOWN = LineForm(code, lambda text: f"**{text}**", str)


def to_markdown(letter: WeeklyLetter) -> str:
    """Return a letter as Markdown."""
    return "\n".join(_markdown(letter)) + "\n"


def _markdown(letter: WeeklyLetter) -> Iterator[str]:
    yield f"## {code(letter.organization)}: {letter.week} ({letter.days})"
    for part in letter.parts:
        if part.title:
            yield from ("", f"{part.title}:")
        if part.items:
            yield from ("", *(f"- {_MARKDOWN.line(one)}" for one in part.items))
        if part.table:
            yield ""
            yield f"| {' | '.join(part.table.heads)} |"
            yield "|---|" + "---:|" * (len(part.table.heads) - 1)
            for name, *numbers in part.table.rows:
                yield f"| {' | '.join((cell(name), *numbers))} |"
            if part.table.more:
                yield from ("", _more(part.table))
        for one in part.paragraphs:
            yield from ("", _MARKDOWN.line(one))
    if letter.address is not None:
        yield from ("", f"[{SEE}]({letter.address})")


# --- text -----------------------------------------------------------------------------------------


_TEXT = LineForm(visible, str, str)


def to_text(letter: WeeklyLetter) -> str:
    """Return a letter as text without any markup, for mail."""
    return "\n".join(_text(letter)) + "\n"


def _text(letter: WeeklyLetter) -> Iterator[str]:
    heading = f"{visible(letter.organization)}: {letter.week} ({letter.days})"
    yield from (heading, "=" * len(heading))
    for part in letter.parts:
        if part.title:
            yield from ("", f"{part.title}:")
        if part.items:
            yield from ("", *(f"- {_TEXT.line(one)}" for one in part.items))
        if part.table:
            yield from ("", *_columns(part.table))
        for one in part.paragraphs:
            yield from ("", _TEXT.line(one))
    if letter.address is not None:
        yield from ("", f"{SEE}:", letter.address)


def _columns(table: LetterTable) -> Iterator[str]:
    """Yield a table as lines of one width: names on the left, numbers on the right."""
    rows = [table.heads, *((visible(row[0], LONGEST_CELL), *row[1:]) for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *numbers in rows:
        cells = [name.ljust(widths[0])]
        cells += [one.rjust(width) for one, width in zip(numbers, widths[1:], strict=True)]
        yield "  ".join(cells).rstrip()
    if table.more:
        yield _more(table)


def _more(table: LetterTable) -> str:
    return f"… and {table.more:,} more."


# --- HTML -----------------------------------------------------------------------------------------

_BODY = (
    "margin:0;padding:24px;font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;"
    "overflow-wrap:anywhere"
)
_CELL = "padding:6px 0 6px 12px;border-bottom:1px solid #8884;text-align:right;white-space:nowrap"
_NAME = (
    "padding:6px 0;border-bottom:1px solid #8884;text-align:left;font-weight:400;min-width:7em;"
    "overflow-wrap:anywhere"
)
_HEAD = ";white-space:normal;vertical-align:bottom;font-weight:400;opacity:.75"


_HTML = LineForm(
    lambda text: f"<code>{escape(visible(text))}</code>",
    lambda text: f"<strong>{escape(text)}</strong>",
    escape,
)


def to_html(letter: WeeklyLetter) -> str:
    """Return a letter as a page for mail: styles stand at each tag, and nothing is fetched."""
    return "".join(_html(letter))


def _html(letter: WeeklyLetter) -> Iterator[str]:
    title = escape(f"{visible(letter.organization)}: {letter.week}")
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<meta name="color-scheme" content="light dark"><title>{title}</title></head>'
    yield f'<body style="{_BODY}"><div style="max-width:640px;margin:0 auto">'
    yield f'<h1 style="font-size:20px;line-height:1.3;margin:0">{title}</h1>'
    yield f'<p style="margin:0 0 16px;opacity:.75">{letter.days}</p>'
    for part in letter.parts:
        yield from _part_of_html(part)
    if letter.address is not None:
        yield f'<p style="margin:24px 0 0"><a href="{escape(letter.address)}">{SEE}</a></p>'
    yield "</div></body></html>\n"


def _part_of_html(part: LetterPart) -> Iterator[str]:
    if part.title:
        yield f'<h2 style="font-size:16px;margin:24px 0 8px">{escape(part.title)}</h2>'
    if part.items:
        items = "".join(f"<li>{_HTML.line(one)}</li>" for one in part.items)
        yield f'<ul style="margin:0;padding-left:20px">{items}</ul>'
    if part.table:
        yield from _table_of_html(part.table)
    for one in part.paragraphs:
        yield f'<p style="margin:16px 0 0">{_HTML.line(one)}</p>'


def _table_of_html(table: LetterTable) -> Iterator[str]:
    def row(cells: Sequence[str], scope: str, style: str) -> str:
        name, *numbers = (escape(visible(one)) for one in cells)
        tag = "th" if style else "td"
        others = "".join(
            f'<{tag}{" scope=col" if style else ""} style="{_CELL}{style}">{one}</{tag}>'
            for one in numbers
        )
        return f'<tr><th scope="{scope}" style="{_NAME}{style}">{name}</th>{others}</tr>'

    look = "border-collapse:collapse;width:100%;font-size:14px;overflow-wrap:break-word"
    yield f'<table style="{look};margin:16px 0 0">'
    yield row(table.heads, "col", _HEAD)
    yield from (row(one, "row", "") for one in table.rows)
    yield "</table>"
    if table.more:
        yield f'<p style="margin:8px 0 0;opacity:.75">{_more(table)}</p>'


# --- Slack ----------------------------------------------------------------------------------------


def to_slack(letter: WeeklyLetter) -> dict[str, Any]:
    """Return a letter as a message of Slack: blocks, and the words of its notification."""
    title = f"{visible(letter.organization, LONGEST_CELL)}: {letter.week}, {letter.days}"
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:LONGEST_HEADER]}}
    ]
    room = MOST_TEXT
    for text in (text for part in letter.parts for text in _sections(part)):
        room -= len(text)
        if room < 0 or len(blocks) == MOST_BLOCKS - 2:
            blocks.append(_section("… and more on the page."))
            break
        blocks.append(_section(text))
    if letter.address is not None:
        blocks.append(_section(f"<{_slack(letter.address)}|{SEE}>"))
    return {"text": _slack(title), "blocks": blocks}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _sections(part: LetterPart) -> Iterator[str]:
    """Yield the texts of a part's sections, each as long as one may be."""
    lines = [] if part.title is None else [f"*{_slack(part.title)}*"]
    lines += [f"• {_SLACK.line(one)}" for one in part.items]
    if part.table:
        if lines:
            yield from _packed(lines)
        fence = "```"
        rows = [_slack(one) for one in _columns(part.table)]
        room = LONGEST_SECTION - 2 * len(fence) - 2
        yield from (f"{fence}\n{text}\n{fence}" for text in _packed(rows, room))
        lines = []
    lines += [_SLACK.line(one) for one in part.paragraphs]
    if lines:
        yield from _packed(lines)


def _packed(lines: Sequence[str], room: int = LONGEST_SECTION) -> Iterator[str]:
    """Yield the lines in as few texts as have room for them; a line that is longer is cut."""
    text = ""
    for line in lines:
        if text and len(text) + 1 + len(line) > room:
            yield text
            text = ""
        text = f"{text}\n{line}" if text else line[:room]
    yield text


def _slack(text: str) -> str:
    # https://docs.slack.dev/messaging/formatting-message-text
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_SLACK = LineForm(
    lambda text: f"`{_slack(visible(text).replace('`', chr(39)))}`",
    lambda text: f"*{_slack(text)}*",
    _slack,
)


# --- plain values ---------------------------------------------------------------------------------


def to_values(letter: WeeklyLetter) -> dict[str, Any]:
    """Return a letter as plain values, for programs: words without markup, and all in Markdown."""
    return {
        "organization": letter.organization,
        "week": letter.week,
        "since": letter.first.isoformat(),
        "until": letter.last.isoformat(),
        "address": letter.address,
        "text": to_markdown(letter),
        "parts": [_values(part) for part in letter.parts],
    }


def _values(part: LetterPart) -> dict[str, Any]:
    table = part.table
    return {
        "title": part.title,
        "items": ["".join(span.text for span in one) for one in part.items],
        "table": table and {"heads": table.heads, "rows": table.rows, "left_out": table.more},
        "paragraphs": ["".join(span.text for span in one) for one in part.paragraphs],
    }
