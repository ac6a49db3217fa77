"""The method's page and the front page: what they say, and that every word has its address."""

import re
from pathlib import Path

from flask.testing import FlaskClient

import ghapp.web
from ghapp.attribution.model import Reason, Verdict
from ghapp.rulebook import PAGES, sections
from ghapp.web.pages.method import FOR_PROGRAMS


def test_every_reason_verdict_and_rule_has_an_address(client: FlaskClient) -> None:
    page = client.get("/method").text
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    shown = {part.id for one in PAGES for part in sections(one).values()} - FOR_PROGRAMS
    assert set(Reason) | set(Verdict) | shown <= set(ids)


def test_links_between_rules_stay_on_the_page(client: FlaskClient) -> None:
    page = client.get("/method").text
    assert ".md" not in "".join(re.findall(r'href="([^"]+)"', page))
    inside = set(re.findall(r'href="/method#([^"]+)"', page)) | set(
        re.findall(r'href="#([^"]+)"', page)
    )
    assert inside <= set(re.findall(r'id="([^"]+)"', page))


def test_every_term_that_a_page_links_to_is_there(client: FlaskClient) -> None:
    ids = set(re.findall(r'id="([^"]+)"', client.get("/method").text))
    templates = Path(ghapp.web.__file__).with_name("templates").glob("*.html")
    named = {
        anchor
        for one in templates
        for anchor in re.findall(r'part\.how\("([^"]+)"', one.read_text("utf-8"))
    }
    assert named
    assert named <= ids


def test_reasons_have_a_page_that_comments_link_to(client: FlaskClient) -> None:
    answer = client.get("/reasons")
    ids = set(re.findall(r'id="([^"]+)"', answer.text))
    assert answer.status_code == 200
    assert set(Reason) <= ids
    assert set(re.findall(r'href="#([^"]+)"', answer.text)) <= ids
