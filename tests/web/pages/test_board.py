"""The page for a board: an address of its own for each quarter."""

import pytest
from flask.testing import FlaskClient

BOARD = "/organizations/acme/board"


def test_the_address_names_the_quarter_and_leads_to_its_neighbors(admin: FlaskClient) -> None:
    page = admin.get(f"{BOARD}?quarter=2026-Q2").text
    assert "merged 1 Apr 2026 to 30 Jun 2026" in page
    assert f'href="{BOARD}?quarter=2026-Q1"' in page
    assert "quarter=2026-Q3" not in page  # it has not begun
    assert f"http://localhost{BOARD}?quarter=2026-Q2" in page
    assert admin.get(BOARD).text == admin.get(f"{BOARD}?quarter=2026-Q1").text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("quarter=2026", "give one from"),
        ("quarter=2026-Q1&quarter=2026-Q2", "2 times"),
        ("page=2", "page in the address means nothing here"),
        ("team=Web", "team is no filter of this page"),
    ],
)
def test_anything_else_is_refused(admin: FlaskClient, query: str, said: str) -> None:
    answer = admin.get(f"{BOARD}?{query}")
    assert (answer.status_code, said in answer.text) == (400, True)


def test_the_organizations_page_leads_to_the_quarter_that_it_shows(admin: FlaskClient) -> None:
    for query, quarter in (
        ("", "2026-Q1"),
        ("?since=2026-04-01&until=2026-05-20", "2026-Q2"),
        ("?since=2025-10-01&until=2025-12-31", "2025-Q4"),
        ("?since=2025-10-02&until=2025-12-31", "2026-Q1"),
    ):
        assert f"{BOARD}?quarter={quarter}" in admin.get(f"/organizations/acme{query}").text
