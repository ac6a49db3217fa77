"""The read-only API below ``/api``: one module per resource; importing it adds its routes."""

from ghapp.web.api import (
    dora,
    exports,
    own_record,
    pulls,
    repositories,
    segments,
    spend,
    summaries,
    usage,
    usage_changes,
    usage_exports,
)
from ghapp.web.api.blueprint import api

__all__ = [
    "api",
    "dora",
    "exports",
    "own_record",
    "pulls",
    "repositories",
    "segments",
    "spend",
    "summaries",
    "usage",
    "usage_changes",
    "usage_exports",
]
