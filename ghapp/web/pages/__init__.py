"""The pages: one module each; importing it adds its routes. `ghapp.web.access` checks viewers."""

from ghapp.web.pages import (
    adoption,
    agents,
    board,
    changes,
    front,
    method,
    organization,
    pull_request,
    replays,
    repository,
    spend,
    unknown,
    usage,
    usage_sources,
)
from ghapp.web.pages.blueprint import pages

__all__ = [
    "adoption",
    "agents",
    "board",
    "changes",
    "front",
    "method",
    "organization",
    "pages",
    "pull_request",
    "replays",
    "repository",
    "spend",
    "unknown",
    "usage",
    "usage_sources",
]
