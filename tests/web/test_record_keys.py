"""The public keys of signed records, for anybody."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.web.conftest import NOW
from tests.web.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


def test_anybody_may_have_the_keys_that_records_are_signed_with(place: Place) -> None:
    with place.store.database.write() as connection:
        made = place.services.signer.key(connection, now=NOW)
    text = place.signed_in(None).get("/records/keys.pem").text
    assert text.startswith(f"# {made.public.id}\n# from 2026-")
    assert text.endswith(made.public.pem)


def test_a_key_that_was_retired_is_still_there_with_its_end(place: Place) -> None:
    signer, later = place.services.signer, NOW + timedelta(days=1)
    with place.store.database.write() as connection:
        first = signer.key(connection, now=NOW)
        second = signer.rotate(connection, now=later)
    text = place.browser().get("/records/keys.pem").text
    ids = [line for line in text.splitlines() if line.startswith("# sha256:")]
    assert sorted(ids) == sorted(f"# {one}" for one in (first.public.id, second.id))
    assert f"to {later.isoformat()}" in text
    assert text.count("BEGIN PUBLIC KEY") == 2
    assert "PRIVATE" not in text
