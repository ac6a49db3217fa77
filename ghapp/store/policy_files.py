"""The valid policy files that each repository had, each since when, as text. It parses none."""

from datetime import datetime

from sqlalchemy import select

from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import policy_file


class PolicyFiles:
    """The policy texts that stay in force while a repository's file is broken."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, repository_id: int, text: str, *, as_of: datetime) -> None:
        """Keep a valid file as it was at ``as_of``; nothing changes if it was the same before."""
        text = clean(text)
        if self.last_good(repository_id, as_of) == text:
            return
        insert = self._database.insert(policy_file)
        row = insert.values(repository_id=repository_id, text=text, as_of=as_of)
        # Two audits of one merge read the same base, so the row that is there says the same.
        self._database.execute(row.on_conflict_do_nothing())

    def last_good(self, repository_id: int, at: datetime) -> str | None:
        """Return the latest text that was valid at ``at`` or before; ``None``: none is known."""
        columns = policy_file.c
        query = (
            select(columns.text)
            .where(columns.repository_id == repository_id, columns.as_of <= at)
            .order_by(columns.as_of.desc())
            .limit(1)
        )
        text: str | None = self._database.value(query)
        return text
