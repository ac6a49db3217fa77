"""Money that vendors report: the noun. It computes nothing and knows no price.

Amounts are whole micro-dollars, or millionths of the currency that the vendor names; amounts of two
currencies are never added.
"""

from ghapp.attribution.model import Struct
from ghapp.usage.sources import UsageIdentity

MOST_MICROS = 10**13
"""The largest amount of a row, ten million dollars. 900,000 of them still fit a 64-bit sum."""


class VendorAmount(Struct, frozen=True):
    """Money of one identity, product and model on one day of a vendor."""

    product: str
    """The vendor's own word, such as ``claude_code``; empty: it names none."""
    billed: int | None
    """After discounts; ``None``: the report does not say what is charged."""
    list_price: int | None
    """Without discounts; ``None``: the report does not say."""
    currency: str = "USD"
    identity: UsageIdentity | None = None
    """``None``: the vendor attributes it to nobody."""
    login: str | None = None
    """Login of an identity that is a GitHub account; ``None``: it is none."""
    agent: str | None = None
    """``None``: the product is no coding agent."""
    model: str | None = None
