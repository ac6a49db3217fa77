"""The vendors that can be connected: another one is a module and its line here."""

from collections.abc import Mapping
from types import MappingProxyType

from ghapp.vendors import anthropic, copilot, cursor
from ghapp.vendors.vendor import AgentVendor

VENDORS: Mapping[str, AgentVendor] = MappingProxyType(
    {
        one.name: one
        for one in (anthropic.CONSOLE, anthropic.ENTERPRISE, cursor.VENDOR, copilot.VENDOR)
    }
)
"""Name → vendor."""
