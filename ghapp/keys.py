"""The key of an installation's fingerprints: made once, kept encrypted. It makes no fingerprint.

Whoever holds the database alone can neither read a fingerprint's key nor try out guesses.
"""

import base64
import secrets

from cryptography.fernet import Fernet, InvalidToken

from ghapp.attribution.fingerprint import Fingerprinter
from ghapp.store import Store

KEY_BYTES = 32


class KeyLost(RuntimeError):  # noqa: N818 - a state of this installation, named as what it is
    """The kept key was encrypted with another encryption key; the message says what to do."""


def fingerprinter(store: Store, encryption_key: bytes, installation_id: int) -> Fingerprinter:
    """Return what makes an installation's fingerprints; its key is made at the first call.

    ``encryption_key`` are the settings' 32 bytes. Raises `KeyLost`, and `LookupError` where
    the installation was never heard of.
    """
    box = Fernet(base64.urlsafe_b64encode(encryption_key))
    fresh = box.encrypt(secrets.token_bytes(KEY_BYTES))
    kept = store.installations.evidence_key(installation_id, fresh)
    if kept is None:
        raise LookupError(f"installation {installation_id} is not known: is the app installed?")
    try:
        return Fingerprinter(box.decrypt(kept))
    except InvalidToken as error:
        raise KeyLost(
            f"the evidence key of installation {installation_id} was encrypted with another "
            "GHAPP_ENCRYPTION_KEY: set that one again"
        ) from error
