"""The blueprint that every page shares, and what their templates have in common."""

from typing import Any

from flask import Blueprint, Response, url_for

from ghapp.reports.words import AGENTS
from ghapp.summaries.counts import PullRow
from ghapp.summaries.selection import NotShown, WrongPlace
from ghapp.web.current import services
from ghapp.web.errors import told
from ghapp.web.pages import filters

pages = Blueprint("pages", __name__)
ONLY_USAGE = dict.fromkeys(filters.WORDS.keys() - {"team", "agent"}) | {"basis": None}
NO_SEGMENTS = dict.fromkeys(filters.SEGMENTS - filters.WORDS.keys())
"""Parameters that an address leaves out where they mean nothing."""


@pages.context_processor
def known() -> dict[str, Any]:
    """Return the names that every template of a page knows."""
    return {
        "carried": filters.carried,
        "here": filters.here,
        "elsewhere": filters.elsewhere,
        "every_agent": tuple(AGENTS.items()),
        "no_segments": NO_SEGMENTS,
        "only_segments": dict.fromkeys(
            (filters.WORDS.keys() | filters.VIEW) - {"since", "until", "team"}
        ),
        "only_usage": ONLY_USAGE,
        "of_usage": ONLY_USAGE | NO_SEGMENTS,
        "names": services.summaries.naming.names.value,
        "pull_address": _pull_address,
        "wider": filters.wider,
        "web_url": services.settings.web_url,
    }


@pages.errorhandler(NotShown)
def keep_back(error: NotShown) -> Response:
    """Answer 403 to a question about people who are not shown."""
    return told(403, str(error), page="not_shown.html")


@pages.errorhandler(WrongPlace)
def refuse_place(error: WrongPlace) -> Response:
    """Answer 400 to a question for a page that no list has."""
    return told(400, str(error))


def _pull_address(row: PullRow) -> str:
    owner, _, name = row.repository.partition("/")
    return url_for("pages.pull_request", owner=owner, name=name, number=row.pull_request)
