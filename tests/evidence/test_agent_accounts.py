"""Only an app's account with a verified signature of its own or of GitHub proves a commit."""

import pytest

from ghapp.evidence.agent_accounts import (
    ACCOUNTS,
    WEB_FLOW,
    CommitAccounts,
    is_proven,
    named_account,
)
from ghapp.reports.words import AGENTS
from tests.cases import TOP

COPILOT, ANN = 198982749, 7


def accounts(
    author: int | None = COPILOT,
    kind: str | None = "Bot",
    committer: int | None = WEB_FLOW,
    *,
    verified: bool = True,
) -> CommitAccounts:
    return CommitAccounts(
        author_id=author, author_type=kind, committer_id=committer, is_verified=verified
    )


@pytest.mark.parametrize("number", ACCOUNTS)
def test_an_app_with_githubs_signature_or_its_own_is_proven(number: int) -> None:
    assert is_proven(accounts(number))
    assert is_proven(accounts(number, committer=number))


@pytest.mark.parametrize("number", ACCOUNTS)
@pytest.mark.parametrize(
    "forged",
    [
        {"verified": False},
        {"committer": ANN},
        {"committer": None},
        {"committer": ANN, "verified": False},
        {"kind": "User"},
        {"kind": None},
    ],
)
def test_each_agent_can_be_forged_and_the_forgery_proves_nothing(
    number: int, forged: dict[str, object]
) -> None:
    made = accounts(number, **forged)  # type: ignore[arg-type]
    assert not is_proven(made)
    assert named_account(made) is ACCOUNTS[number], "GitHub names the account all the same"


@pytest.mark.parametrize("author", [None, ANN, 81847])
def test_another_account_is_no_agents(author: int | None) -> None:
    assert named_account(accounts(author)) is None
    assert not is_proven(accounts(author))


def test_the_documentation_and_the_names_have_each_account() -> None:
    told = (TOP / "docs" / "evidence.md").read_text("utf-8")
    for number, account in ACCOUNTS.items():
        row = f"| `{account.agent}` | `{account.login}` ({number}) | {account.proof} |"
        assert row in told
        assert {account.agent, account.counted_as} <= AGENTS.keys()
