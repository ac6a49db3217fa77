"""The last valid policy file of each repository, as text. It parses none."""

from datetime import datetime

from sqlalchemy import select

from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import policy_file


class PolicyFiles:
    """The policy text that stays in force while a repository's file is broken."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, repository_id: int, text: str, *, as_of: datetime) -> None:
        """Keep a valid file as it was at ``as_of``.

        A file older than the stored one changes nothing: audits of the past read old files.
        """
        values = {"text": clean(text), "as_of": as_of}
        insert = self._database.insert(policy_file).values(repository_id=repository_id, **values)
        newer = insert.on_conflict_do_update(
            index_elements=["repository_id"],
            set_=values,
            where=policy_file.c.as_of <= insert.excluded.as_of,
        )
        self._database.execute(newer)

    def last_good(self, repository_id: int) -> str | None:
        """Return the latest stored text; ``None``: the repository never had a valid file."""
        query = select(policy_file.c.text).where(policy_file.c.repository_id == repository_id)
        text: str | None = self._database.value(query)
        return text
