"""The app with some weeks of the demo's data, for tests that look at pages."""

from datetime import timedelta

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit
from ghapp.demo.cast import PLACES
from ghapp.demo.year import YearStore, make_year
from ghapp.keys.evidence import EvidenceKeys
from ghapp.keys.signing import RecordSigner
from ghapp.store import Repository
from tests.web.conftest import NOW
from tests.web.place import Place

DAYS = 45
"""Of the demo's year: enough for every part of a page to have something in it."""
FIRST_DAY = (NOW - timedelta(days=DAYS)).date()


def add_a_year(place: Place) -> None:
    """Add the demo's repositories, which the admin may read, with what was merged in them."""
    ids = {one.name: _add(place, one.name) for one in PLACES}
    key = place.services.settings.encryption_key
    present = EvidenceKeys(place.store, key).present(place.installed.id, now=NOW)
    witness = RecordSigner(place.store, key).witness
    office = YearStore(place.store, place.installed.id, "acme", present, witness)
    make_year(office, ids, until=NOW, days=DAYS)


def _add(place: Place, full_name: str) -> int:
    owner, _, name = full_name.partition("/")
    repository = place.sandbox.add_repository(owner, name)
    place.sandbox.allow(repository, "admin", "admin")
    seen = Repository(id=repository.id, owner=owner, name=name, installation_id=place.installed.id)
    place.store.installations.repository_seen(seen, now=NOW)
    return repository.id


def documents(place: Place, full_name: str | None = None) -> list[Audit]:
    """Return the audits in force, of one repository or all, read from their documents: slowly."""
    found = []
    for repository in place.store.installations.repositories():
        if full_name in {None, repository.full_name}:
            last = {one.pull_request: one for one in place.store.audits.all_of(repository.id)}
            kept = (place.store.audits.document(one.id) for one in last.values())
            found += [from_document(one) for one in kept if one is not None]
    return found
