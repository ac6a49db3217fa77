"""Owners map names to people, one by one or by a table; verified e-mails map themselves."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from ghapp.store import UsageOrigin
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import TokenDay
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from tests.store.plain_usage import add
from tests.web.conftest import NOW
from tests.web.pages.reading import Read
from tests.web.place import Place

PAGE = "/organizations/acme/usage/identities"
MAIL = UsageIdentity(IdentityKind.EMAIL, "reader@example.com")
TOOL = UsageIdentity(IdentityKind.TOOL_INSTALLATION, "9f2c")


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("identities"))
    for who, days in ((MAIL, 1), (TOOL, 3)):
        origin = UsageOrigin(made.installed.id, UsageSource.EVENTS, who)
        add(made.store, origin, [row(day) for day in range(days)])
    made.store.usage.settle()
    made.sign_in("reader")
    yield made
    made.close()


def row(back: int) -> TokenDay:
    return TokenDay(
        agent="codex",
        agent_session=f"s{back}",
        day=NOW.date().replace(day=NOW.day - back),
        tokens=TokenCounts(output=1),
        answers=1,
    )


@pytest.fixture
def admin(place: Place) -> FlaskClient:
    return place.signed_in("admin")


def logins(place: Place) -> dict[str, str | None]:
    return {one.value: one.login for one in place.store.usage.identities(place.installed.id)}


def number(place: Place, who: UsageIdentity) -> str:
    found = place.store.usage.identities(place.installed.id)
    return str(next(one.id for one in found if one.value == who.value))


def test_who_has_most_usage_and_is_nobody_comes_first(place: Place, admin: FlaskClient) -> None:
    page = Read(admin.get(PAGE).text)
    rows = page.table("Name", "What it is", "Days with usage")
    assert [row[:4] for row in rows] == [
        [TOOL.value, "installation of a tool", "3", "20 May 2026"],
        [MAIL.value, "e-mail", "1", "20 May 2026"],
    ]
    usage = admin.get("/organizations/acme/usage").text
    assert "2 of these 2 people are names that nobody has mapped" in usage
    assert PAGE in usage
    assert PAGE not in place.signed_in("member").get("/organizations/acme/usage").text


def test_a_name_is_mapped_and_unmapped(place: Place, admin: FlaskClient) -> None:
    for login, known in (("Reader", "reader"), ("", None)):
        form = place.form_of(admin, identity=number(place, MAIL), login=login)
        assert admin.post(PAGE, data=form).status_code == 303
        assert logins(place)[MAIL.value] == known
        text = admin.get(PAGE).text
        if known is None:
            assert "Nothing is mapped." in text
        else:
            (shown,) = Read(text).table("Name", "What it is", "GitHub login", "By")
            assert shown[:4] == [MAIL.value, "e-mail", "reader", "admin"]


def test_only_who_is_known_can_be_named(place: Place, admin: FlaskClient) -> None:
    form = place.form_of(admin, identity=number(place, MAIL), login="nobody-here")
    answer = admin.post(PAGE, data=form)
    assert answer.status_code == 400
    assert "nobody whom this app knows" in answer.text
    assert logins(place)[MAIL.value] is None


def test_a_name_of_another_organization_is_not_there(place: Place, admin: FlaskClient) -> None:
    who = UsageIdentity(IdentityKind.EMAIL, "else@example.com")
    add(place.store, UsageOrigin(99, UsageSource.EVENTS, who), [row(0)])
    (other,) = place.store.usage.identities(99)
    form = place.form_of(admin, identity=str(other.id), login="reader")
    assert admin.post(PAGE, data=form).status_code == 404
    assert place.store.usage.identities(99) == (other,)


def test_a_form_of_another_site_maps_nothing(place: Place, admin: FlaskClient) -> None:
    form = {"identity": number(place, MAIL), "login": "reader"}
    assert admin.post(PAGE, data=form).status_code == 403
    assert logins(place)[MAIL.value] is None


def test_a_table_is_tried_first(place: Place, admin: FlaskClient) -> None:
    table = f"kind,value,login\nemail,{MAIL.value},reader\ntool_installation,9f2c,\n"
    answer = admin.post(f"{PAGE}/table", data=place.form_of(admin, table=table, action="check"))
    assert answer.status_code == 200
    assert Read(answer.text).table("Name", "What it is", "Now", "Then") == [
        [MAIL.value, "e-mail", "nobody", "reader"]
    ]
    assert table.replace("\n", "") in answer.text.replace("\n", "")
    assert logins(place)[MAIL.value] is None
    done = admin.post(f"{PAGE}/table", data=place.form_of(admin, table=table, action="import"))
    assert done.status_code == 303
    assert logins(place) == {MAIL.value: "reader", TOOL.value: None}
    # The table of all names, sent back as it came, changes nothing.
    whole = admin.get("/api/organizations/acme/usage/identities.csv").text
    again = admin.post(f"{PAGE}/table", data=place.form_of(admin, table=whole, action="check"))
    assert "The table changes nothing" in again.text


@pytest.mark.parametrize("action", ["check", "import"])
@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("kind,value,login\nemail,reader@example.com,reader\nemail,b@c.d,ghost-1\n", "ghost-1"),
        ("kind,value,login\nemail,reader@example.com,reader\nfoo,b@c.d,reader\n", "line 3"),
        ("", "line 1"),
    ],
)
def test_a_table_with_a_fault_stores_nothing(
    place: Place, admin: FlaskClient, action: str, table: str, problem: str
) -> None:
    data = place.form_of(admin, table=table, action=action)
    answer = admin.post(f"{PAGE}/table", data=data)
    assert answer.status_code == 400
    assert problem in answer.text
    assert set(logins(place).values()) == {None}


def emails(place: Place, *, permission: bool) -> None:
    if permission:
        place.installed.app.permissions["emails"] = "read"
    place.sandbox.give_email("reader", "Reader@Example.com")
    place.sandbox.give_email("reader", "other@example.com", verified=False)


def test_a_verified_address_maps_itself_at_the_sign_in(place: Place, admin: FlaskClient) -> None:
    who = UsageIdentity(IdentityKind.EMAIL, "other@example.com")
    add(place.store, UsageOrigin(place.installed.id, UsageSource.EVENTS, who), [row(0)])
    emails(place, permission=True)
    place.sign_in("reader")
    assert logins(place) == {
        MAIL.value: "reader",
        "other@example.com": None,
        TOOL.value: None,
    }
    page = admin.get(PAGE).text
    assert "maps itself when its person next signs in" in page
    assert "(sign-in)" in page


def test_without_the_permission_nothing_happens_and_the_page_says_so(
    place: Place, admin: FlaskClient
) -> None:
    emails(place, permission=False)
    place.sign_in("reader")
    assert place.returned.status_code == 303
    assert logins(place)[MAIL.value] is None
    assert "Give the app the account permission" in admin.get(PAGE).text
    assert place.sandbox.violations == []


def test_a_sign_in_does_not_wait_for_addresses(place: Place) -> None:
    emails(place, permission=True)
    place.sandbox.play({"kind": "server_error", "status": 503, "route": "/user/emails"})
    place.sign_in("reader")
    assert place.returned.status_code == 303
    assert logins(place)[MAIL.value] is None
