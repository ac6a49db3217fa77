"""What can go wrong when a vendor is asked: a closed set of errors. It asks nobody.

A message names the request and the field, never the key, and never words of an answer: those may
be about people.
"""

# ruff: noqa: N818 (an error is named after what it means)

from datetime import datetime


class VendorError(Exception):
    """A vendor did not tell what was asked. Each subclass calls for a different next step."""


class KeyRefused(VendorError):
    """401 or 403: a person has to give another key, or another scope."""


class RequestRefused(VendorError):
    """The vendor refuses the request itself: it will not work again by itself."""


class VendorAway(VendorError):
    """No answer, or none that tells anything: worth another try."""


class VendorLimited(VendorError):
    """429: nothing may be asked before ``until``."""

    def __init__(self, what: str, until: datetime) -> None:
        super().__init__(
            f"{what}: asked too often; reading goes on after {until:%Y-%m-%d %H:%M} UTC"
        )
        self.until = until


class NotThereYet(VendorError):
    """The vendor has not finished the day's report."""


class WrongAnswer(VendorError):
    """The answer is not as documented, or only a part of it came; nothing of it counts."""
