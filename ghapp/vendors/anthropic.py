"""Anthropic's two kinds of organization, each with its own key and reports.

Both keys open Usage & Cost. With a key of the Console, the tokens of Claude Code come from its own
Analytics API alone: the same work told by two reports would count twice.
"""

from collections.abc import Mapping

from ghapp.vendors import claude_code_analytics, enterprise_users, usage_and_cost
from ghapp.vendors.vendor import AgentVendor

ADDRESS = "https://api.anthropic.com"


def _headers(key: str) -> Mapping[str, str]:
    return {"x-api-key": key, "anthropic-version": "2023-06-01"}


CONSOLE = AgentVendor(
    name="anthropic-console",
    title="Anthropic Console",
    key_is="an Admin API key (sk-ant-admin…), which an admin of the Console organization makes "
    "in its settings",
    address=ADDRESS,
    headers=_headers,
    reports=(claude_code_analytics.REPORT, usage_and_cost.COSTS),
)
ENTERPRISE = AgentVendor(
    name="anthropic-enterprise",
    title="Claude Enterprise",
    key_is="an organization key with the scope read:analytics, which the primary owner makes in "
    "claude.ai's organization settings under API",
    address=ADDRESS,
    headers=_headers,
    reports=(enterprise_users.REPORT, usage_and_cost.COSTS_AND_TOKENS),
)
