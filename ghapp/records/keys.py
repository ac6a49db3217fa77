"""The Ed25519 keys that sign records: make, name, sign, check. It stores none."""

import hashlib
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

PUBLIC_BYTES = 32


class PublicKeyError(ValueError):
    """The input is not the public key of a signing key."""


class PublicKey:
    """The key that checks signatures."""

    def __init__(self, raw: bytes) -> None:
        """Take the key's 32 bytes. Raises `PublicKeyError`."""
        if len(raw) != PUBLIC_BYTES:
            raise PublicKeyError(f"an Ed25519 public key has {PUBLIC_BYTES} bytes, not {len(raw)}")
        self.raw = raw
        self._key = Ed25519PublicKey.from_public_bytes(raw)

    @property
    def id(self) -> str:
        """``sha256:`` and the digest of the key's 32 bytes."""
        return "sha256:" + hashlib.sha256(self.raw).hexdigest()

    @property
    def pem(self) -> str:
        """The key in PEM, for other programs."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def is_signed(self, content: bytes, signature: bytes) -> bool:
        """Return whether this key's owner signed exactly these bytes."""
        try:
            self._key.verify(signature, content)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """The key that signs; anybody who has its 32 bytes can sign in the app's name."""

    def __init__(self, secret: bytes) -> None:
        """Take the secret's 32 bytes; 32 random bytes make a new key."""
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self.public = PublicKey(self._key.public_key().public_bytes_raw())

    def sign(self, content: bytes) -> bytes:
        """Return the signature: 64 bytes, the same each time."""
        return self._key.sign(content)


def shown(public: bytes, since: datetime, until: datetime | None) -> str:
    """Return a public key for people and programs: its id, its time in use, and its PEM."""
    key = PublicKey(public)
    end = until.isoformat() if until else "now"
    return f"# {key.id}\n# from {since.isoformat()} to {end}\n{key.pem}"


def named_key(name: str) -> str:
    """Return the id of a key that a person gives as an id or as a PEM file.

    Raises `PublicKeyError`.
    """
    if name.startswith("sha256:"):
        return name
    try:
        text = Path(name).read_bytes()
    except OSError as error:
        raise PublicKeyError(
            f"{name}: {error.strerror}; give a key's id (sha256:...) or its .pem file"
        ) from error
    try:
        key = load_pem_public_key(text)
    except ValueError as error:
        raise PublicKeyError(f"{name} is not a public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise PublicKeyError(f"{name} is a public key, but not an Ed25519 key")
    return PublicKey(key.public_bytes_raw()).id
