"""The badge of a repository: for whom it is there, and that it says no more than a number."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


def test_an_administrator_gives_its_address_to_a_readme(place: Place) -> None:
    link = place.sign_in("admin").get("/api/repositories/acme/app/badge").json
    assert link is not None
    path = link["url"].removeprefix("http://localhost")
    shown = place.browser().get(path)
    assert shown.status_code == 200
    assert shown.content_type == "image/svg+xml"
    assert shown.headers["Cache-Control"] == "public, max-age=3600"
    assert "agent-assisted lines" in shown.text
    assert link["markdown"] == f"![Agent-assisted lines]({link['url']})"
    again = place.browser().get(path, headers={"If-None-Match": shown.headers["ETag"]})
    assert again.status_code == 304


def test_the_address_opens_one_badge_only(place: Place) -> None:
    link = place.sign_in("admin").get("/api/repositories/acme/app/badge").json
    assert link is not None
    key = link["url"].partition("?")[2]
    browser = place.browser()
    for path in ("app.svg", "app.svg?key=", "app.svg?key=0", f"secret.svg?{key}", f"no.svg?{key}"):
        assert browser.get(f"/badge/acme/{path}").status_code == 404


def test_public_badges_follow_the_setting(tmp_path: Path) -> None:
    for switch, status in (("off", 404), ("on", 200)):
        place = Place(tmp_path / switch, GHAPP_PUBLIC_PAGES=switch)
        assert place.browser().get("/badge/acme/open.svg").status_code == status
        assert place.browser().get("/badge/acme/app.svg").status_code == 404
        place.close()
