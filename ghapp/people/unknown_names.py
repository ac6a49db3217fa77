"""Stand-in ids for names that nobody knows here, so that asking about them costs the same.

An unknown name must take what a hidden one takes: the same questions to GitHub, kept as long.
"""

import hmac

from ghapp.github.token_cache import derive_key

FIRST_FREE = 2**50
"""No repository or installation has this id or one above: GitHub counts them, and is at 2**31."""


def nowhere(encryption_key: bytes, name: str) -> int:
    """Return an id that nothing on GitHub has, always the same one for a name in any case.

    Asking about it takes what asking about a hidden repository takes, and answers the same, so
    neither status nor time tells which names are known here.
    """
    key = derive_key(encryption_key, "unknown names")
    digest = hmac.digest(key, name.lower().encode("utf-8", "surrogatepass"), "sha256")
    return FIRST_FREE + int.from_bytes(digest[:6], "big")
