"""An old merge is judged by the policy of its day, and asking for a policy stores nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from ghapp.policy.in_force import PolicyFile, PolicyInForce, keep, policy_in_force
from ghapp.store import Store

MAY = datetime(2026, 5, 20, tzinfo=UTC)
JUNE, JULY = MAY + timedelta(days=30), MAY + timedelta(days=60)
BROKEN = "window_before_days: [\n"


def asked(store: Store, text: str | None, at: datetime) -> PolicyInForce:
    """Return the policy in force for a merge whose base has this file."""
    own = None
    if text is not None:
        own = PolicyFile(repository_id=42, repository="acme/app", text=text, as_of=at)
    return policy_in_force(own, lambda: None, store, merged_at=at)


def audited(store: Store, text: str, at: datetime) -> None:
    keep(asked(store, text, at), store)


@pytest.mark.parametrize("order", [(MAY, JULY), (JULY, MAY)])
def test_a_broken_file_is_answered_by_the_version_before_the_merge(
    store: Store, order: tuple[datetime, datetime]
) -> None:
    texts = {MAY: "id: in-may\n", JULY: "id: in-july\n"}
    for at in order:
        audited(store, texts[at], at)
    found = asked(store, BROKEN, JUNE)
    assert found.policy.rules.id == "in-may"
    assert "last good version" in found.source
    assert len(found.problems) == 1
    assert asked(store, BROKEN, JULY).policy.rules.id == "in-july"


def test_before_the_first_good_version_the_app_s_own_policy_holds_and_says_so(
    store: Store,
) -> None:
    audited(store, "id: in-july\n", JULY)
    found = asked(store, BROKEN, JUNE)
    assert (found.policy.rules.id, found.source) == ("claude-code-v1", "the app's own policy")
    assert len(found.problems) == 1


def test_the_question_stores_nothing(store: Store) -> None:
    assert asked(store, "id: in-may\n", MAY).policy.rules.id == "in-may"
    assert store.policy_files.last_good(42, JULY) is None


def test_a_file_that_did_not_change_is_kept_once(store: Store) -> None:
    for at in (MAY, JUNE, JUNE, JULY):
        audited(store, "id: the-same\n", at)
    assert store.policy_files.last_good(42, MAY - timedelta(seconds=1)) is None
    assert store.policy_files.last_good(42, MAY) == "id: the-same\n"
