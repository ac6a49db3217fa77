"""How many people some authors are: by their accounts, and by logins where that is all we know."""

import pytest

from ghapp.store import Store
from ghapp.store.summaries.accounts import AuthorAccounts, note_author, people
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.summaries.counts import PullFacts
from ghapp.summaries.selection import NotShown, PersonNaming, PullSelection, TimeGrain
from tests.store.records import NOW, document
from tests.store.summaries.worlds import LAST, be_teams, by_authors

FOUR = ("ann", "bob", "carl", "dora")
NOBODY = {
    "an_agent_without_bot_in_its_login": PullFacts(
        author="Copilot", author_id=9, author_type="Bot"
    ),
    "everybody_who_deleted_the_account": PullFacts(author="ghost", author_id=8, author_type="User"),
    "an_app": PullFacts(author="dependabot[bot]", author_id=7, author_type="Bot"),
    "another_login_of_one_person": PullFacts(author="ann-new", author_id=1, author_type="User"),
}
"""Who is no fifth person."""


def test_bots_and_unknown_authors_are_no_people() -> None:
    assert people(["Ann", "ann", "bob", "", None, "dependabot[bot]", "Ghost"]) == 2


def known(store: Store, *abouts: PullFacts) -> int:
    with store.database.write() as connection:
        for about in abouts:
            note_author(connection, store.database, about)
        return AuthorAccounts(connection).people([about.author for about in abouts])


def test_accounts_are_counted_and_not_logins(store: Store) -> None:
    four = [
        PullFacts(author=login, author_id=number, author_type="User")
        for number, login in enumerate(FOUR, start=1)
    ]
    assert known(store, *four, *NOBODY.values()) == 4
    fifth = PullFacts(author="Eve", author_id=5)
    assert known(store, *four, *NOBODY.values(), fifth) == 5
    # What is known of an account stays known, and a login without an account counts by itself.
    assert known(store, PullFacts(author="copilot", author_id=9)) == 0
    assert known(store, PullFacts(author="frank"), PullFacts(author="Frank")) == 1


@pytest.mark.parametrize("who", NOBODY)
def test_the_rule_of_five_is_not_passed_by_who_is_no_fifth_person(store: Store, who: str) -> None:
    be_teams(store)
    numbers = iter(range(100, 200))
    for number, login in enumerate(FOUR, start=1):
        about = PullFacts(author=login, author_id=number, author_type="User")
        save(store, next(numbers), about)
    save(store, next(numbers), NOBODY[who])
    ours = by_authors(store, {})
    quick = SummaryQuestions(store.database, PersonNaming())
    page = quick.organization(ours, TimeGrain.DAY, today=LAST)
    assert [(row.team, row.people) for row in page.teams] == [(None, 4)]
    with pytest.raises(NotShown):
        quick.totals(PullSelection((42,), team="core"))


def save(store: Store, number: int, about: PullFacts) -> None:
    store.audits.save(42, number, document(pull_request=number), now=NOW, about=about)
