"""Which account of GitHub a login is, by all that the app has heard. It asks nobody."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, func, or_, select

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.rows import chunks, clean
from ghapp.store.schema import access_token, author_account, person, usage_identity
from ghapp.store.summaries.accounts import PERSON
from ghapp.store.tokens import TokenKind
from ghapp.usage.sources import IdentityKind


class KnownAccount(Struct, frozen=True):
    """An account of GitHub."""

    id: int
    login: str


class KnownAccounts:
    """The accounts that the app has heard of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def named(self, logins: Iterable[str]) -> dict[str, KnownAccount]:
        """Return the accounts of logins in any case, by login in lower case.

        Who signed in last under a login has it; then who enrolled a machine, whose usage a machine
        sent, and who wrote a pull request. A login that nobody is known by is left out.
        """
        found: dict[str, KnownAccount] = {}
        wanted = {clean(one).lower() for one in logins}
        with self._database.read() as connection:
            # The best knowledge comes last and stays.
            for chunk in chunks(sorted(wanted)):
                for query in _questions(chunk):
                    for login, number, shown in connection.execute(query):
                        found[login] = KnownAccount(number, shown)
        return found


def _questions(logins: list[str]) -> Iterable[Select[Any]]:
    author, sent, token = author_account.c, usage_identity.c, access_token.c
    is_person = or_(author.account_type.is_(None), author.account_type == PERSON)
    yield select(author.login_lower, author.account_id, author.login_lower).where(
        author.login_lower.in_(logins), is_person
    )
    yield (
        select(func.lower(sent.login), sent.account_id, sent.login)
        .where(sent.kind == IdentityKind.ACCOUNT.value, func.lower(sent.login).in_(logins))
        .order_by(sent.seen_at)
    )
    yield (
        select(token.login_lower, token.user_id, token.login)
        .where(token.kind == TokenKind.UPLOAD.value, token.login_lower.in_(logins))
        .order_by(token.id)
    )
    yield (
        select(func.lower(person.c.login), person.c.id, person.c.login)
        .where(func.lower(person.c.login).in_(logins))
        .order_by(person.c.signed_in_at)
    )
