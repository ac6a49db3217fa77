"""The front page: what this is, or what one may read."""

from flask.testing import FlaskClient

from tests.web.pages.reading import Read
from tests.web.place import Place


def read(browser: FlaskClient, path: str) -> Read:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return Read(answer.text)


def test_the_front_lists_what_somebody_may_read(place: Place, admin: FlaskClient) -> None:
    assert "/repositories/acme/shop" in read(admin, "/").links
    reader = read(place.signed_in("reader"), "/").links
    assert [link for link in reader if link.startswith("/rep")] == [
        "/repositories/acme/app",
        "/repositories/acme/open",
    ]


def test_the_front_page_says_what_this_is(client: FlaskClient) -> None:
    page = client.get("/").text
    assert "Which lines did an agent write?" in page
    assert 'href="/method"' in page
