"""An envelope is opened by the one key that signed it, and says why if it is not."""

from typing import Any

import msgspec
import pytest

from ghapp.records.envelope import (
    IN_TOTO,
    Envelope,
    EnvelopeError,
    Signature,
    opened,
    sealed,
    signed_bytes,
)
from tests.records.bundles import KEY, OTHER_KEY

PAYLOAD = b'{"a":1}'
SEALED = sealed(PAYLOAD, KEY)
(SIGNATURE,) = SEALED.signatures
KEYS = {KEY.public.id: KEY.public}


def test_what_was_sealed_is_opened() -> None:
    assert opened(SEALED, KEYS) == (PAYLOAD, KEY.public)
    assert msgspec.json.decode(SEALED.encoded(), type=Envelope) == SEALED
    assert sealed(PAYLOAD, KEY) == SEALED


def test_it_is_written_as_dsse_has_it() -> None:
    found = msgspec.json.decode(SEALED.encoded())
    assert [*found] == ["payload", "payloadType", "signatures"]
    assert (found["payload"], found["payloadType"]) == ("eyJhIjoxfQ==", IN_TOTO)
    assert [[*one] for one in found["signatures"]] == [["keyid", "sig"]]


def test_the_bytes_to_sign_are_counted_and_not_written_as_text() -> None:
    # Lengths keep a byte from moving between the type and the payload.
    assert signed_bytes("é", b"a b") == b"DSSEv1 2 \xc3\xa9 3 a b"
    assert signed_bytes("a", b" 1 b") != signed_bytes("a 4", b"1 b")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"payload": PAYLOAD + b" "}, "its signature is not by key"),
        ({"payload_type": "text/plain"}, "its payload is 'text/plain'"),
        ({"signatures": ()}, "it has 0 signatures"),
        ({"signatures": (SIGNATURE, SIGNATURE)}, "it has 2 signatures"),
        ({"signatures": (Signature(KEY.public.id, b"short"),)}, "its signature is not by key"),
        (
            {"signatures": (Signature(OTHER_KEY.public.id, SIGNATURE.sig),)},
            "not one of the trusted keys",
        ),
    ],
)
def test_what_was_changed_is_not_opened(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(EnvelopeError, match=problem):
        opened(msgspec.structs.replace(SEALED, **changed), KEYS)


def test_a_key_under_the_name_of_another_opens_nothing() -> None:
    with pytest.raises(EnvelopeError, match=f"not by key {OTHER_KEY.public.id}"):
        opened(SEALED, {KEY.public.id: OTHER_KEY.public})
    with pytest.raises(EnvelopeError, match=KEY.public.id):
        opened(SEALED, {})
