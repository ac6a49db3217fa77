"""Ids as agents write them, and ids made for edits that have none. It reads no record.

Programs that publish transcripts blank what looks like a secret, ids among it. Blanked ids are all
equal, so they identify nothing: neither an edit nor the result of a call.
"""

import hashlib
import re

import msgspec

# REDACTED, toolu_[REDACTED], ****, xxxx, 00000000-0000-0000-0000-000000000000
_BLANKED = re.compile(r"(?is).*(?:redacted|\*\*\*).*|[\W_]*|x{3,}|[0-]{32,}")


def known_id(value: object) -> str | None:
    """Return an id that identifies something; ``None``: absent, no text, empty or blanked.

    >>> known_id("call_1"), known_id("REDACTED"), known_id("xxxx"), known_id("")
    ('call_1', None, None, None)
    """
    if not isinstance(value, str):
        return None
    # A call's id starts with a letter: two searches tell what the expression takes ten times for.
    if value[:1].isalpha() and value[0] not in "xX":
        return None if "***" in value or "redacted" in value.lower() else value
    return None if _BLANKED.fullmatch(value) else value


def is_blanked(value: object) -> bool:
    """Return whether something is the text of an id that identifies nothing."""
    return isinstance(value, str) and known_id(value) is None


def made_id(agent: str, *told: object) -> str:
    """Return an id made of what an edit is: equal edits get equal ids, on every machine."""
    digest = hashlib.sha256(msgspec.json.encode([str(part) for part in told]))
    return f"{agent}_{digest.hexdigest()[:32]}"
