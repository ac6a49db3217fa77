"""Audits for tests of the API, and how a program reads lists to their end."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from ghapp.attribution.model import AuditTotals, FileVerdict, LineVerdict
from ghapp.summaries.counts import PullFacts
from tests.store.records import NOW, document
from tests.web.place import Place

PULL = "/api/repositories/acme/app/pulls/17"


LINES = tuple(
    LineVerdict(line=number, reason="run" if number % 2 else "no_match", attributed=number % 2 == 1)
    for number in range(1, 8)
)


FILES = tuple(
    FileVerdict(
        path=path,
        previous_path=None,
        added=7,
        effective=7,
        attributed=4,
        excluded=None,
        lines=LINES,
    )
    for path in ("a.py", "b.py")
)


def pages(browser: FlaskClient, address: str) -> list[Any]:
    """Return all items of a list, following its links."""
    found: list[Any] = []
    while address:
        answer = browser.get(address)
        assert answer.status_code == 200
        assert answer.json is not None
        found += answer.json
        link = answer.headers.get("Link", "")
        address = link.removeprefix("<").partition(">")[0]
    return found


def saved(place: Place, name: str, number: int, days: int, about: PullFacts) -> None:
    """Save an audit of a pull request that merged so many days ago."""
    repository = place.repositories[name]
    body = document(
        NOW - timedelta(days=days),
        repository=f"acme/{name}",
        pull_request=number,
        totals=AuditTotals(
            added=9,
            effective=8,
            attributed=4,
            share=0.5,
            by_reason={},
            by_agent={"claude-code": 4},
        ),
    )
    place.store.audits.save(repository.id, number, body, now=NOW, about=about)


def with_pulls(root: Path) -> Place:
    """Return an app where people are named, with seven more pull requests of acme/app."""
    made = Place(root, GHAPP_NAMES="people")
    for number in range(20, 27):
        title = "=HYPERLINK(1)" if number == 20 else f"Change {number}"
        about = PullFacts(title=title, author=f"dev{number}", author_id=number, base_ref="main")
        saved(made, "app", number, number - 19, about)
    saved(made, "secret", 1, 1, PullFacts(title="Secret", author="dev20", author_id=20))
    return made
