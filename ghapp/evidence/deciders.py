"""Who refused an agent's edit, by what was said about it. It reads no record."""

import re

from ghapp.attribution.model import DecidedBy

# The user denied this operation. / patch rejected by user / User did not allow tool call
_PERSON = re.compile(
    r"\buser (?:denied|rejected|declined|refused)\b"
    r"|\b(?:denied|rejected|declined|refused) by (?:the )?user\b"
    r"|\bUser did not allow tool call\b",
    re.IGNORECASE,
)
# patch rejected: writing outside of the project; rejected by user approval settings
_RULE = re.compile(
    r"\bby user approval settings\b|\bdenied by policy\b|\brule which prevents\b", re.IGNORECASE
)


def refused_by(prose: str) -> DecidedBy | None:
    """Return who refused a call, by what was said about it; ``None``: that does not say it.

    >>> refused_by("The user denied this operation."), refused_by("Permission denied")
    (<DecidedBy.PERSON: 'person'>, None)
    """
    if _RULE.search(prose):
        return DecidedBy.AUTOMATIC
    return DecidedBy.PERSON if _PERSON.search(prose) else None
