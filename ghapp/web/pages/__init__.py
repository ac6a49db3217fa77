"""The pages: one module each; importing it adds its routes. `ghapp.web.access` checks viewers."""

from ghapp.web.pages import (
    front,
    method,
    organization,
    pull_request,
    replays,
    repository,
    spend,
    usage,
    usage_sources,
)
from ghapp.web.pages.blueprint import pages

__all__ = [
    "front",
    "method",
    "organization",
    "pages",
    "pull_request",
    "replays",
    "repository",
    "spend",
    "usage",
    "usage_sources",
]
