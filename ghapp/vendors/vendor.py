"""The shape of a vendor: how it is asked, and which reports one key of it opens. It asks nobody."""

from collections.abc import Callable, Mapping
from datetime import date

from ghapp.attribution.model import Struct
from ghapp.vendors.asking import VendorRequests
from ghapp.vendors.nouns import ReportedDay


class VendorReport(Struct, frozen=True):
    """One API that tells what was used or spent on a day."""

    name: str
    """In the database: short and lasting."""
    title: str
    """For people."""
    read: Callable[[VendorRequests, date], ReportedDay]
    """Return all that is known of a day. Raises the errors of `refusals`."""
    try_key: Callable[[VendorRequests, date], object]
    """Ask for almost nothing of a day, to see whether the key opens the report."""
    lag: int = 1
    """Days until a day can be whole: 1, on the day after it."""


class AgentVendor(Struct, frozen=True):
    """Everything that one kind of key opens."""

    name: str
    title: str
    key_is: str
    """Which key, who can make it and where, as half a sentence."""
    address: str
    """Of its API; empty: that of GitHub's API, which the settings name."""
    headers: Callable[[str], Mapping[str, str]]
    """Key → headers of every request."""
    reports: tuple[VendorReport, ...]
