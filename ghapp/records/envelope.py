"""DSSE envelopes: a payload with its signatures. It does not read the payload.

https://github.com/secure-systems-lab/dsse, protocol 1.0.2.
"""

from collections.abc import Mapping

import msgspec

from ghapp.attribution.model import Struct
from ghapp.records.keys import PublicKey, SigningKey

IN_TOTO = "application/vnd.in-toto+json"


class EnvelopeError(ValueError):
    """No key that counts signed the envelope; the message says which key it names."""


class Signature(Struct, frozen=True):
    """One signature; bytes are base64 in JSON."""

    keyid: str
    sig: bytes


class Envelope(Struct, frozen=True, rename={"payload_type": "payloadType"}):
    """A signed payload."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    def encoded(self) -> bytes:
        """Return the envelope as canonical JSON: sorted members, no spare space."""
        return msgspec.json.encode(self, order="sorted")


def sealed(payload: bytes, key: SigningKey) -> Envelope:
    """Sign a payload with a key and return the envelope."""
    signature = Signature(keyid=key.public.id, sig=key.sign(signed_bytes(IN_TOTO, payload)))
    return Envelope(payload=payload, payload_type=IN_TOTO, signatures=(signature,))


def opened(envelope: Envelope, keys: Mapping[str, PublicKey]) -> tuple[bytes, PublicKey]:
    """Return the payload and the key that signed it. Raises `EnvelopeError`."""
    if envelope.payload_type != IN_TOTO:
        raise EnvelopeError(f"its payload is {envelope.payload_type!r}, not {IN_TOTO}")
    if len(envelope.signatures) != 1:
        raise EnvelopeError(f"it has {len(envelope.signatures)} signatures, not one")
    (signature,) = envelope.signatures
    key = keys.get(signature.keyid)
    if key is None:
        raise EnvelopeError(
            f"it is signed by key {signature.keyid}, which is not one of the trusted keys"
        )
    if not key.is_signed(signed_bytes(envelope.payload_type, envelope.payload), signature.sig):
        raise EnvelopeError(f"its signature is not by key {key.id}")
    return envelope.payload, key


def signed_bytes(payload_type: str, payload: bytes) -> bytes:
    r"""Return the bytes to sign: DSSE's pre-authentication encoding.

    >>> signed_bytes("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
