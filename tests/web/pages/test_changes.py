"""The pages of changes: words for what cannot be compared, and where their rows lead."""

from flask.testing import FlaskClient

from tests.web.pages.reading import Read

CHANGES = "/organizations/acme/changes"
APRIL = "since=2026-04-24&until=2026-05-13"


def test_rows_lead_to_the_same_days_of_a_team_and_a_repository(admin: FlaskClient) -> None:
    links = [
        link.replace("&amp;", "&") for link in Read(admin.get(f"{CHANGES}?{APRIL}").text).links
    ]
    assert f"{CHANGES}?{APRIL}&team=Web" in links
    assert f"/repositories/acme/shop/changes?{APRIL}" in links
    for link in (f"{CHANGES}?{APRIL}&team=Web", f"/repositories/acme/shop/changes?{APRIL}"):
        assert "What changed" in admin.get(link).text


def test_it_is_said_where_there_is_nothing_to_compare_with(admin: FlaskClient) -> None:
    first = admin.get(f"{CHANGES}?since=2000-01-01&until=2026-05-20").text
    assert "There are no days before these to compare with." in first
    nothing = admin.get(f"{CHANGES}?since=2020-01-01&until=2020-01-31").text
    assert "No pull request matches" in nothing
    alone = admin.get(f"{CHANGES}?since=2026-04-03&until=2026-05-20").text
    assert "there is nothing to compare with." in alone


def test_the_api_gives_the_same_figures(admin: FlaskClient) -> None:
    found = admin.get(f"/api{CHANGES}?{APRIL}").json
    assert found is not None
    page = Read(admin.get(f"{CHANGES}?{APRIL}").text).table("Measure", "Now", "Before")
    assert page[0][1:3] == [f"{found['totals']['pulls']:,}", f"{found['totals_before']['pulls']:,}"]
    share = next(one for one in found["measures"] if one["measured"] == "share")
    assert page[1][1].startswith(f"{int(100 * share['now']['value'])}%")
    assert share["difference"]["low"] < share["difference"]["value"] < share["difference"]["high"]
    refused = admin.get(f"/api{CHANGES}?since=2030-01-01")
    assert (refused.status_code, "after today" in refused.text) == (400, True)
