"""The fingerprint keys of installations: made here, stored encrypted. It makes no fingerprint.

With the database alone nobody can read a fingerprint key, or test guesses of lines.
"""

import base64
import secrets
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken

from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import Struct
from ghapp.store import KeptKey, Store

KEY_BYTES = 32


class KeyLost(RuntimeError):  # noqa: N818 - a state of this installation, not a fault
    """The stored key was encrypted with another encryption key; the message says what to do."""


class EvidenceKey(Struct, frozen=True):
    """A decrypted key; the secret is not in ``repr``."""

    id: str
    secret: bytes
    """32 bytes."""

    def __repr__(self) -> str:
        """Leave the secret out."""
        return f"EvidenceKey(id={self.id!r})"

    @property
    def fingerprinter(self) -> LineFingerprinter:
        """Return the fingerprinter of this key."""
        return LineFingerprinter(self.secret)


class EvidenceKeys:
    """The keys of all installations. ``encryption_key`` is the settings' 32 bytes.

    Methods raise `KeyLost`, and `LookupError` if the installation is not known.
    """

    def __init__(self, store: Store, encryption_key: bytes) -> None:
        self._store = store
        self._box = Fernet(base64.urlsafe_b64encode(encryption_key))

    def present(self, installation_id: int, *, now: datetime) -> EvidenceKey:
        """Return the key in use; the first call makes the first key."""
        kept = self._store.fingerprint_keys.present(installation_id, self._fresh(), now=now)
        return self._opened(_known(kept, installation_id))

    def rotate(self, installation_id: int, *, now: datetime) -> EvidenceKey:
        """Make a new key. The old one stays for comparing until its evidence expires."""
        kept = self._store.fingerprint_keys.rotate(installation_id, self._fresh(), now=now)
        return self._opened(_known(kept, installation_id))

    def named(self, key_id: str) -> EvidenceKey | None:
        """Return a key by id, retired or not; ``None``: it was deleted."""
        kept = self._store.fingerprint_keys.one(key_id)
        return None if kept is None else self._opened(kept)

    def _fresh(self) -> bytes:
        return self._box.encrypt(secrets.token_bytes(KEY_BYTES))

    def _opened(self, kept: KeptKey) -> EvidenceKey:
        try:
            return EvidenceKey(id=kept.id, secret=self._box.decrypt(kept.secret))
        except InvalidToken as error:
            raise KeyLost(
                f"the evidence key {kept.id} of installation {kept.installation_id} was encrypted "
                "with another GHAPP_ENCRYPTION_KEY: set that one again"
            ) from error


def _known(kept: KeptKey | None, installation_id: int) -> KeptKey:
    if kept is None:
        raise LookupError(f"installation {installation_id} is not known: is the app installed?")
    return kept
