"""The pages people see: one module for each. Who may see which is decided in `ghapp.web.access`."""

from typing import Any

from flask import Blueprint, Response, url_for

from ghapp.bootstrap import Services
from ghapp.reports.words import AGENTS
from ghapp.summaries.counts import PullRow
from ghapp.summaries.selection import NotShown
from ghapp.web.errors import told
from ghapp.web.pages import filters, front, method, organization, pull_request, replays, repository


def pages(services: Services) -> Blueprint:
    """Return the routes of all pages."""
    blueprint = Blueprint("pages", __name__)
    for page in (front, method, organization, pull_request, replays, repository):
        page.add(blueprint, services)

    @blueprint.context_processor
    def known() -> dict[str, Any]:
        return {
            "carried": filters.carried,
            "here": filters.here,
            "elsewhere": filters.elsewhere,
            "every_agent": tuple(AGENTS.items()),
            "names": services.summaries.naming.names.value,
            "pull_address": _pull_address,
            "web_url": services.settings.web_url,
        }

    @blueprint.errorhandler(NotShown)
    def keep_back(error: NotShown) -> Response:
        return told(403, str(error))

    return blueprint


def _pull_address(row: PullRow) -> str:
    owner, _, name = row.repository.partition("/")
    return url_for("pages.pull_request", owner=owner, name=name, number=row.pull_request)
