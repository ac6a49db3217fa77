"""The app with some weeks of the demo's data, for tests that look at pages.

To make the weeks takes seconds, so the first that asks in a test run makes them, and all others
copy its database: the numbers of a new place are always the same.
"""

import fcntl
import os
import sqlite3
from base64 import urlsafe_b64encode
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit
from ghapp.demo.cast import PLACES
from ghapp.demo.year import YearStore, make_year, whole_year
from ghapp.keys.evidence import EvidenceKeys
from ghapp.keys.signing import RecordSigner
from ghapp.store import Repository
from tests.web.conftest import NOW
from tests.web.place import Place

DAYS = 45
"""Of the demo's year: enough for every part of a page to have something in it."""
FIRST_DAY = (NOW - timedelta(days=DAYS)).date()
KEY = urlsafe_b64encode(bytes(range(32))).decode()
"""The same for all, so that each can read what another's database has sealed."""


def place_with_a_year(temporary: pytest.TempPathFactory, **settings: str) -> Place:
    """Return the app with the demo's repositories, which the admin may read, and their weeks."""
    place = Place(temporary.mktemp("year"), GHAPP_ENCRYPTION_KEY=KEY, **settings)
    ids = {one.name: _add(place, one.name) for one in PLACES}
    if not place.store.database.is_sqlite:
        _make(place, ids)
        return place
    here = temporary.getbasetemp()
    # Under xdist each worker has a folder of its own below that of the run.
    run = here.parent if "PYTEST_XDIST_WORKER" in os.environ else here
    place.store.close()
    _put_in(place, ids, run / "year.sqlite3")
    known = place.store.installations.repositories()
    assert ids.items() <= {one.full_name: one.id for one in known}.items()
    return place


def _put_in(place: Place, ids: dict[str, int], made: Path) -> None:
    own = Path(str(place.store.database.url.database))
    with made.with_suffix(".lock").open("wb") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if made.exists():
            _copy(made, own)
            return
        _make(place, ids)
        new = made.with_suffix(".new")
        _copy(own, new)
        new.replace(made)


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)


def _make(place: Place, ids: dict[str, int]) -> None:
    key = place.services.settings.encryption_key
    present = EvidenceKeys(place.store, key).present(place.installed.id, now=NOW)
    witness = RecordSigner(place.store, key).witness
    office = YearStore(place.store, place.installed.id, "acme", present, witness)
    make_year(office, ids, whole_year(NOW, DAYS), until=NOW)


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
