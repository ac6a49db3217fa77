"""What the app tells a person of that person: own numbers in every mode, and nobody else's."""

from typing import Any

import msgspec

from ghapp.attribution.model import Edit
from ghapp.store import NewToken, TokenKind, new_secret
from ghapp.store.evidence import EditSender
from ghapp.summaries.counts import PullFacts
from ghapp.wire import OwnRecord
from tests.store.records import NOW, edit
from tests.web.api.audited import saved
from tests.web.place import Place


def record(place: Place, who: str) -> dict[str, Any]:
    found = place.signed_in(who).get("/api/viewer/record")
    assert found.status_code == 200, found.text
    assert msgspec.json.decode(found.data, type=OwnRecord).login == who
    shown = found.json
    assert isinstance(shown, dict)
    return shown


def keep(place: Place, name: str, *edits: Edit, who: int) -> None:
    repository = place.repositories[name].id
    place.store.evidence.add(repository, edits, now=NOW, sender=EditSender(actor_id=who))


def test_a_person_gets_own_numbers_and_nobody_elses(place: Place) -> None:
    for who in ("reader", "admin"):
        place.signed_in(who)
    people = {one: place.store.logins.named(one) for one in ("reader", "admin")}
    ids = {one: person.id for one, person in people.items() if person}
    keep(place, "app", edit("e1", actor="reader"), who=ids["reader"])
    keep(place, "app", edit("e2", actor="admin"), edit("e3", actor="admin"), who=ids["admin"])
    keep(place, "secret", edit("e4", actor="reader"), who=ids["reader"])
    for number, who in ((61, "reader"), (62, "admin"), (63, "admin")):
        about = PullFacts(title="x", author=who, author_id=ids[who], base_ref="main")
        saved(place, "app", number, 3, about)
    token = NewToken(kind=TokenKind.UPLOAD, login="reader", user_id=ids["reader"], label="laptop")
    place.store.tokens.issue(token, new_secret(TokenKind.UPLOAD), now=NOW)
    mine = record(place, "reader")
    # The edit in acme/secret, which this person may no longer read, is not counted.
    assert (mine["login"], mine["names"], mine["edits"]) == ("reader", "teams", 1)
    assert [one["label"] for one in mine["machines"]] == ["laptop"]
    (account,) = mine["accounts"]
    assert (account["account"], account["pulls"], account["tokens"]) == ("acme", 1, None)
    other = record(place, "admin")
    assert (other["edits"], other["machines"]) == (2, [])
    assert other["accounts"][0]["pulls"] == 2
    stranger = record(place, "stranger")
    assert (stranger["edits"], [one["pulls"] for one in stranger["accounts"]]) == (0, [0])


def test_nobody_is_told_anything_anonymously(place: Place) -> None:
    assert place.browser().get("/api/viewer/record").status_code == 401
