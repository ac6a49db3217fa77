"""How templates write numbers, times, words and charts. It has no route."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

from flask import Flask
from markupsafe import Markup

from ghapp import __version__
from ghapp.reports import words
from ghapp.reports.charts import NOTHING, meter
from ghapp.reports.harmless import visible
from ghapp.reports.reading import silent_agent
from ghapp.reports.summary import moment, percent
from ghapp.spend.cost import TokenCost
from ghapp.spend.money import CURRENCY, for_machines, for_people
from ghapp.web.prose import to_html

WORDS = {
    "assisted": "assisted",
    "not_assisted": "not assisted",
    "no_evidence": "no evidence",
    "written": "written",
    "unchanged": "already up to date",
    "not_written": "not written",
    "left_out": "left out",
    "check_run": "Check run",
    "comment": "Comment",
    "label": "Label",
}
"""Ids → their words on a page; any other id keeps its own words, with spaces."""
_BRACKETS = re.compile(r"\([^()]*\)")

LONGEST_NOTICE = 500
"""Characters of a notice that a page shows."""


def add_frame(app: Flask, notice_file: Path | None = None) -> None:
    """Add the filters and globals that every template uses, and the notice on every page."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters |= {
        "agent": lambda agent: visible(words.agent_name(agent)),
        "commands": commands,
        "charged": charged,
        "cost": cost,
        "counted": words.counted,
        "how_sure": words.how_sure,
        "day": day,
        "dollars": for_people,
        "drawn": drawn,
        "iso": iso,
        "line_meter": line_meter,
        "made_by": words.made_by,
        "moment": moment,
        "number": lambda count: f"{count:,}",
        "prose": to_html,
        "unbroken": unbroken,
        "silent_agent": lambda one: silent_agent(
            one.agent, one.version, one.machines, one.last_edit_on
        ),
        "reason_group": lambda reason: words.group(reason).replace(" ", "_"),
        "reason_sentence": words.sentence,
        "visible": visible,
        "words": lambda name: WORDS.get(name, name.replace("_", " ")),
    }
    app.jinja_env.globals |= {"percent": percent, "version": __version__}
    app.jinja_env.globals["notice"] = lambda: notice(notice_file)


def notice(file: Path | None) -> str:
    """Return what the operator says on every page; empty: nothing, or the file is not there."""
    if file is None:
        return ""
    try:
        with file.open(encoding="utf-8", errors="replace") as text:
            return visible(" ".join(text.read(LONGEST_NOTICE).split()))
    except OSError:
        return ""


def cost(one: TokenCost | None) -> str:
    """Write an amount; a dash: unknown or not shown, a plus: it is at least so much.

    >>> cost(TokenCost(amount=2_500_000)), cost(None), cost(TokenCost(amount=1, is_floor=True))
    ('$2.50', '-', '$0.000001+')
    """
    if one is None or one.amount is None:
        return "-"
    return for_people(one.amount) + "+" * one.is_floor


def unbroken(words: str) -> str:
    """Keep what stands in brackets, such as an interval, on one line.

    >>> [len(one) for one in unbroken("12 points (2 to 8)").split(" ")]
    [2, 6, 8]
    """
    return _BRACKETS.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), words)


def charged(amount: int | None, currency: str) -> str:
    """Write what a vendor bills, in its own currency; a dash: not told, or not shown.

    >>> charged(2_500_000, "USD"), charged(2_500_000, "EUR"), charged(None, "USD")
    ('$2.50', '2.500000 EUR', '-')
    """
    if amount is None:
        return "-"
    return for_people(amount) if currency == CURRENCY else f"{for_machines(amount)} {currency}"


def line_meter(name: str, part: int, whole: int) -> str:
    """Draw a part of a number of lines as a bar."""
    return meter([("with", part), (NOTHING, whole - part)], f"{name}: {percent(part, whole)}")


def commands(text: str) -> Markup:
    """Return a sentence of ours with its commands, which stand in backticks, as code."""
    parts = text.split("`")
    shown = (
        Markup("<code>{}</code>").format(one) if at % 2 else one for at, one in enumerate(parts)
    )
    return Markup().join(shown)


def drawn(chart: str) -> Markup:
    """Return a chart unescaped: `ghapp.reports.charts` has escaped every word in it."""
    return Markup(chart)  # noqa: S704


def iso(at: datetime) -> str:
    """Return a time in ISO 8601, in UTC: ``2025-11-03T12:00:00Z``."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def day(on: date) -> str:
    """Return a day for people: ``3 Nov 2025``."""
    return f"{on.day} {on:%b %Y}"
