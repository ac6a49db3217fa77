"""A link names the one before it by everything in it."""

from typing import Any

import msgspec
import pytest

from ghapp.records.chain import ChainLink, digest_of

LINK = ChainLink(
    created_at=1_779_291_000_000_000,
    digest=digest_of(b"document"),
    number=1,
    position=2,
    previous=digest_of(b"before"),
    pull_request=17,
    repository_id=42,
)


def test_a_digest_says_how_it_was_made() -> None:
    # The digest of nothing, as in FIPS 180-2.
    assert digest_of(b"") == (
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_the_chain_is_over_the_canonical_json() -> None:
    written = (
        f'{{"created_at":1779291000000000,"digest":"{LINK.digest}","number":1,"position":2,'
        f'"previous":"{LINK.previous}","pull_request":17,"repository_id":42}}'
    )
    assert LINK.chain == digest_of(written.encode())


@pytest.mark.parametrize("name", ChainLink.__struct_fields__)
def test_every_member_is_in_the_chain(name: str) -> None:
    value: Any = getattr(LINK, name)
    other = value + 1 if isinstance(value, int) else None
    assert msgspec.structs.replace(LINK, **{name: other}).chain != LINK.chain
