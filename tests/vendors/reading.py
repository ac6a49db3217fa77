"""One report of a vendor, read from its stand-in."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from ghapp.vendors.asking import VendorAccess, VendorRequests
from ghapp.vendors.nouns import ReportedDay
from ghapp.vendors.registry import VENDORS
from tests.vendors.stand_in import KEY, NOW, StandIn


@contextmanager
def asking_of(told: StandIn, key: str = KEY) -> Iterator[VendorRequests]:
    """Connect to a stand-in as the app does."""
    vendor = VENDORS[told.vendor]
    access = VendorAccess(told.address, key, "acme")
    made = VendorRequests(access, vendor.headers(key), clock=lambda: NOW, seconds=10)
    try:
        yield made
    finally:
        made.close()


def read(told: StandIn, report: str, day: date) -> ReportedDay:
    """Read one report's day."""
    found = {one.name: one for one in VENDORS[told.vendor].reports}
    with asking_of(told) as asking:
        return found[report].read(asking, day)
