"""The last good policy file of each repository. It reads none of them."""

from datetime import datetime

from sqlalchemy import select

from ghapp.store.database import Database
from ghapp.store.rows import clean
from ghapp.store.schema import policy_file


class PolicyFiles:
    """What stays in force while a repository's file is broken."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, repository_id: int, text: str, *, as_of: datetime) -> None:
        """Keep a file that was read without fault, as it stood at ``as_of``.

        An older one than what is kept changes nothing: audits of the past bring those.
        """
        values = {"text": clean(text), "as_of": as_of}
        insert = self._database.insert(policy_file).values(repository_id=repository_id, **values)
        newer = insert.on_conflict_do_update(
            index_elements=["repository_id"],
            set_=values,
            where=policy_file.c.as_of <= insert.excluded.as_of,
        )
        with self._database.write() as connection:
            connection.execute(newer)

    def last_good(self, repository_id: int) -> str | None:
        """Return the text that was kept last; ``None``: there was never a good one."""
        query = select(policy_file.c.text).where(policy_file.c.repository_id == repository_id)
        with self._database.read() as connection:
            return connection.execute(query).scalar()
