"""Every route that shows an organization or a repository, and its answer as values to compare."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.laws.organizations import MadeOrganization
from tests.web.pages.figures import figures

PLACES = {"organization", "owner", "name"}
IDENTITIES = {"repository_id", "after", "id"}
"""Members that differ between two organizations with the same pull requests."""


def routes(app: Flask) -> list[str]:
    """Return the rule of every route that shows one organization or one repository."""
    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.arguments and rule.arguments <= PLACES
    )


def of_one_pull(app: Flask) -> list[str]:
    """Return the rule of every route that shows one pull request, in words that `ask` fills."""
    return sorted(
        re.sub(r"<int[^>]*:number>", "<number>", rule.rule)
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.arguments == {"owner", "name", "number"}
    )


def ask(browser: FlaskClient, made: MadeOrganization, rule: str, **query: str) -> TestResponse:
    """Ask one route about an organization."""
    return browser.get(made.address(rule), query_string=query, headers={"Accept": "*/*"})


def values(made: MadeOrganization, answer: TestResponse) -> Counter[str]:
    """Return what an answer says, without the names and numbers of its organization."""
    text, kind = made.without_name(answer.text), answer.mimetype
    if kind == "application/json":
        return Counter(_leaves(json.loads(text), ""))
    if kind == "application/jsonl":
        return Counter(leaf for line in text.splitlines() for leaf in _leaves(json.loads(line), ""))
    if kind == "text/csv":
        heads, *rows = csv.reader(io.StringIO(text))
        return Counter(
            f"{head}={cell}" for row in rows for head, cell in zip(heads, row, strict=True)
        )
    if kind == "text/html":
        return Counter(" | ".join(figure) for figure in figures(text))
    return Counter([text])


def _leaves(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            if name not in IDENTITIES:
                yield from _leaves(one, f"{where}.{name}")
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one, where)
    else:
        yield f"{where}={value}"


def words_in(value: Any) -> Iterator[str]:
    """Yield every text and the beginning of every path that an answer in JSON holds."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from words_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from words_in(one)
    elif isinstance(value, str) and re.fullmatch(r"[\w./-]{1,40}", value):
        yield value
