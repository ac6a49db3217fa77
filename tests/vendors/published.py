"""Holds what stand-ins answer to the shapes that the vendors publish."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jsonschema_rs

from ghapp.demo.sandbox import Exchange
from tests.openapi.validate import exchange_problems
from tests.vendors.stand_in import Asked, Reply

SHAPES = Path(__file__).with_name("anthropic.json")
COPILOT = "/orgs/{org}/copilot/metrics/reports/users-1-day"


@cache
def _shape(name: str) -> jsonschema_rs.Draft202012Validator:
    shape = json.loads(SHAPES.read_text("utf-8"))[name]
    return jsonschema_rs.Draft202012Validator(shape, validate_formats=True)


def anthropic_problems(name: str, rows: list[Any]) -> list[str]:
    """Return what is wrong with rows of an answer of Anthropic's."""
    return [error.message for row in rows for error in _shape(name).iter_errors(row)]


def github_problems(asked: Asked, reply: Reply) -> list[str]:
    """Return what is wrong with a request for Copilot's metrics and its answer."""
    exchange = Exchange(
        number=1,
        at=datetime(2026, 11, 30, tzinfo=UTC),
        method=asked.verb,
        path=asked.path,
        query=urlencode(asked.query, doseq=True),
        template=COPILOT,
        params={"org": "acme"},
        request_headers=dict(asked.headers),
        request_body=b"",
        status=reply.status,
        headers={"Content-Type": "application/json"},
        body=reply.data,
        identity="",
        wrote=False,
    )
    return exchange_problems(exchange)
