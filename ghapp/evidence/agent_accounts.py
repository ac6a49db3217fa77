"""Which commits agents in the cloud made themselves, by what GitHub says of them. It asks nobody.

A name or an address proves nothing: GitHub names an account by the address in a commit, which
anybody can write. A commit is an agent's if that account is the agent's app, and GitHub verified a
signature that only this app can have (rules.md 2.21).
"""

from typing import NamedTuple

from ghapp.attribution.model import Struct

WEB_FLOW = 19864447
"""Id of the account ``web-flow``, by which GitHub itself commits and signs. The address
noreply@github.com belongs to it, so nobody else's key is verified for it."""
BOT = "Bot"


class AgentAccount(NamedTuple):
    """An agent's account at GitHub."""

    login: str
    agent: str
    """Our name of the agent in the cloud; its label is made of it."""
    counted_as: str
    """The agent that a policy may count it as."""
    proof: str
    """What is known of its commits' signatures, and where."""


ACCOUNTS: dict[int, AgentAccount] = {
    198982749: AgentAccount(
        "Copilot",
        "copilot-cloud",
        "copilot",
        "GitHub signs all of them since 2026-04-03, as pages say that quote its changelog: "
        "https://agentpatterns.ai/workflows/agent-commit-attribution/",
    ),
    209825114: AgentAccount(
        "claude[bot]",
        "claude-code-cloud",
        "claude-code",
        "signed where they are made over GitHub's API without another author, not where git pushes "
        "them: https://github.com/anthropics/claude-code-action/issues/1511",
    ),
    199175422: AgentAccount(
        "chatgpt-codex-connector[bot]",
        "codex-cloud",
        "codex",
        "none seen signed; most carry their requester's name or an address of openai.com",
    ),
    161369871: AgentAccount(
        "google-labs-jules[bot]", "jules", "jules", "pushed with git, none seen signed"
    ),
    158243242: AgentAccount(
        "devin-ai-integration[bot]", "devin", "devin", "pushed with git, none seen signed"
    ),
    206951365: AgentAccount(
        "cursor[bot]",
        "cursor-cloud",
        "cursor",
        "most are of cursoragent, an account of type User: "
        "https://github.com/anthropics/claude-code/issues/90255",
    ),
}
"""Id of the account, which never changes → the agent."""


class CommitAccounts(Struct, frozen=True):
    """What GitHub says about a commit's people."""

    author_id: int | None
    """``None``: GitHub knows no account for the address, as for the next two."""
    author_type: str | None
    committer_id: int | None
    is_verified: bool
    """Whether GitHub verified a signature of the committer's key."""


def named_account(accounts: CommitAccounts) -> AgentAccount | None:
    """Return the agent's account that GitHub names as a commit's author; it may be forged."""
    return ACCOUNTS.get(accounts.author_id) if accounts.author_id is not None else None


def is_proven(accounts: CommitAccounts) -> bool:
    """Return whether only the named account itself can have made a commit.

    A verified signature is the committer's. So the committer is the account itself, or GitHub on
    its behalf: GitHub signs what an app commits over the API, and only without another author
    (https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots).
    """
    return (
        named_account(accounts) is not None
        and accounts.author_type == BOT
        and accounts.is_verified
        and accounts.committer_id in {accounts.author_id, WEB_FLOW}
    )
