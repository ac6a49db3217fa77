"""The public keys of signed records, for anybody."""

from collections.abc import Iterator
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
