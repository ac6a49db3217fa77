"""Whose accounts the authors of pull requests are, so that people can be counted.

A person counts once, whatever logins the account had. Bots are told by GitHub's type of account,
because not every one has ``[bot]`` in its login: GitHub's own agent is ``Copilot``.
https://docs.github.com/en/rest/users/users#get-a-user
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, func, select

from ghapp.store.database import Database
from ghapp.store.rows import chunks, clean
from ghapp.store.schema import author_account
from ghapp.summaries.counts import PullFacts

BOT = "[bot]"
"""End of the logins of GitHub Apps, such as ``dependabot[bot]``: authors, but not people."""
GHOST = "ghost"
"""The account that stands for everybody who deleted theirs."""
PERSON = "User"

PersonKey = int | str
"""An account's id, or its login in lower case where the id is not known."""


def note_author(connection: Connection, database: Database, about: PullFacts) -> None:
    """Store whose account an author's login is, in the caller's transaction."""
    if about.author is None or about.author_id is None:
        return
    row = {
        "login_lower": clean(about.author).lower(),
        "account_id": about.author_id,
        "account_type": clean(about.author_type),
    }
    # An answer without a type takes nothing away.
    known = {name: value for name, value in row.items() if value is not None}
    insert = database.insert(author_account).values(row)
    connection.execute(insert.on_conflict_do_update(index_elements=["login_lower"], set_=known))


class AuthorAccounts:
    """Whose accounts logins are. It reads each login once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._keys: dict[str, PersonKey | None] = {}

    def people(self, logins: Iterable[str | None]) -> int:
        """Return how many different people these authors are."""
        return len(self.keys(login for login in logins if login))

    def keys(self, logins: Iterable[str]) -> set[PersonKey]:
        """Return which people these authors are; nobody for bots."""
        asked = {login.lower() for login in logins if login}
        self._read(asked - self._keys.keys())
        return {key for login in asked if (key := self._keys[login]) is not None}

    def with_renamed(self, told: Mapping[str, str]) -> dict[str, str]:
        """Return what is told of logins, in lower case, for every login that their accounts had.

        What is told of a login itself stays.
        """
        columns = author_account.c
        several = (
            select(columns.account_id)
            .group_by(columns.account_id)
            .having(func.count(columns.login_lower) > 1)
        )
        query = select(columns.account_id, columns.login_lower).where(
            columns.account_id.in_(several)
        )
        logins: defaultdict[int, list[str]] = defaultdict(list)
        for number, login in self._connection.execute(query.order_by(columns.login_lower)):
            logins[number].append(login)
        found = dict(told)
        for own in logins.values():
            known = [told[login] for login in own if login in told]
            found.update((login, min(known)) for login in own if known and login not in told)
        return found

    def _read(self, logins: Iterable[str]) -> None:
        wanted = [*logins]
        self._keys.update((login, _by_login(login)) for login in wanted)
        columns = author_account.c
        for chunk in chunks(map(clean, wanted)):
            query = select(columns.login_lower, columns.account_id, columns.account_type)
            for login, number, kind in self._connection.execute(
                query.where(columns.login_lower.in_(chunk))
            ):
                is_person = _by_login(login) is not None and kind in {None, PERSON}
                self._keys[login] = number if is_person else None


def account_numbers(connection: Connection, logins: Iterable[str]) -> dict[str, int]:
    """Return the accounts of authors by login in lower case; unknown ones are left out."""
    columns = author_account.c
    found: dict[str, int] = {}
    for chunk in chunks({clean(one).lower() for one in logins}):
        query = select(columns.login_lower, columns.account_id).where(
            columns.login_lower.in_(chunk)
        )
        found.update((login, number) for login, number in connection.execute(query))
    return found


def _by_login(login: str) -> PersonKey | None:
    """Return who a login is if nothing else is known; ``None``: no person."""
    return None if login == GHOST or login.endswith(BOT) else login


def people(logins: Iterable[str | None]) -> int:
    """Return how many different people these authors are, by their logins alone.

    >>> people(["Ann", "ann", "dependabot[bot]", "ghost", None])
    1
    """
    return len({_by_login(login.lower()) for login in logins if login} - {None})
