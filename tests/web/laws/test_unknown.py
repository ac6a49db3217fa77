"""Unknown is null on every surface: an organization without evidence shows no zero share anywhere.

Routes are found, not named. Counts of what is known stay numbers: how many pull requests, lines,
and audits without evidence there are.
"""

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Verdict
from ghapp.reports.badge import badge
from ghapp.reports.markdown import check_run, comment
from ghapp.reports.summary import summarize
from ghapp.reports.terminal import render
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.summaries.selection import PersonNaming, PullSelection
from tests.web.laws.organizations import (
    SPAN,
    MadeOrganization,
    administrator,
    make_organization,
    make_pulls,
)
from tests.web.laws.surfaces import ask, of_one_pull, routes
from tests.web.pages.figures import figures
from tests.web.place import Place

BY_MONTH = {**SPAN, "grain": "month"}
NO_SHARE = re.compile(r"(?<![\d.,])0(?:\.0+)?\s?%")
OF_EVIDENCE = re.compile(r"\bwith\b(?!out)|share|at least|assisted|attributed", re.IGNORECASE)
"""Labels of what only evidence can tell."""
ZERO = {"0", "0.0", "0%", "0 h"}


@pytest.fixture(scope="module")
def place(
    at_night_on_each: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    made = Place(
        tmp_path_factory.mktemp("laws"),
        GHAPP_NAMES="people",
        GHAPP_OPERATOR_TOKEN="a-token-of-thirty-two-characters",
        **at_night_on_each,
    )
    yield made
    made.close()


@pytest.fixture(scope="module")
def unknown(place: Place) -> MadeOrganization:
    return make_organization(place, make_pulls(seed=2, verdicts=[Verdict.NO_EVIDENCE]))


@pytest.fixture
def browser(place: Place) -> FlaskClient:
    return administrator(place)


def test_no_route_shows_a_zero_for_what_nobody_knows(
    place: Place, unknown: MadeOrganization, browser: FlaskClient
) -> None:
    read = 0
    for rule in (*routes(place.app), *of_one_pull(place.app)):
        # By month, since in a week without any pull request their number is a known 0.
        queries = (BY_MONTH, SPAN, {}, {"path": "README.md"}, {"path": "src/app.py"})
        answers = (ask(browser, unknown, rule, **query) for query in queries)
        answer = next((one for one in answers if one.status_code == 200), None)
        if answer is None:
            continue
        read += 1
        assert not list(zeros(answer.mimetype, answer.text)), rule
    assert read > 12


def zeros(kind: str, text: str) -> Iterator[str]:
    """Yield every zero that an answer states of what only evidence can tell."""
    if kind in {"application/json", "application/jsonl"}:
        for line in text.splitlines():
            yield from _zero_members(json.loads(line), "")
    elif kind == "text/csv":
        heads, *rows = (line.split(",") for line in text.splitlines())
        for row in rows:
            yield from (
                f"{head}={cell}"
                for head, cell in zip(heads, row, strict=True)
                if cell in ZERO and OF_EVIDENCE.search(head)
            )
    elif kind == "text/html":
        for *label, value in figures(text):
            if NO_SHARE.search(value) or (value in ZERO and OF_EVIDENCE.search(" ".join(label))):
                yield " | ".join((*label, value))
    elif match := NO_SHARE.search(text):
        yield match[0]


def _zero_members(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, dict):
        # What a record's engine credited is a fact of the record; its share says what is known.
        is_record = "digest" in value or "schema" in value
        credited = {"attributed", "totals", "files"} if is_record else set()
        for name in value.keys() - credited:
            yield from _zero_members(value[name], f"{where}.{name}")
    elif isinstance(value, list):
        for one in value:
            yield from _zero_members(one, where)
    elif value == 0 and value is not False and OF_EVIDENCE.search(where.rpartition(".")[2]):
        yield f"{where}={value}"


def test_prometheus_has_no_series_for_what_nobody_knows(
    place: Place, unknown: MadeOrganization
) -> None:
    token = {"Authorization": "Bearer a-token-of-thirty-two-characters"}
    text = place.browser().get("/metrics", headers=token).text
    number = str(unknown.installed.id)
    series = {
        sample.labels["lines"]
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if family.name == "ghapp_lines_four_weeks" and sample.labels["installation"] == number
    }
    assert series == {"effective"}


def test_reports_of_an_audit_show_no_zero(place: Place, unknown: MadeOrganization) -> None:
    home = place.store.installations.find(f"{unknown.account}/r0")
    assert home is not None
    for saved in place.store.audits.all_of(home.id):
        document = place.store.audits.document(saved.id)
        assert document is not None
        audit = from_document(document)
        assert audit.totals.share is None
        summary = summarize(audit)
        terminal = Console(file=io.StringIO(), width=100)
        render(audit, terminal)
        written = terminal.file.getvalue()  # type: ignore[attr-defined]
        for text in (comment(summary), *msgspec.structs.astuple(check_run(summary)), written):
            assert not NO_SHARE.search(str(text)), text


def test_the_badge_says_unknown(place: Place, unknown: MadeOrganization) -> None:
    home = place.store.installations.find(f"{unknown.account}/r0")
    assert home is not None
    counts = SummaryQuestions(place.store.database, PersonNaming()).totals(
        PullSelection((home.id,))
    )
    assert counts.pulls
    assert not NO_SHARE.search(badge(counts))
