"""What an answer costs: the requests to GitHub and the SQL statements, to compare two answers."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from tests.web.place import Place


@dataclass(frozen=True)
class Cost:
    """What the app did for one answer."""

    github: tuple[str, ...]
    """Method and kind of address of each request to GitHub, without names and numbers."""
    sql: tuple[str, ...]


@contextmanager
def costs(place: Place) -> Iterator[list[Cost]]:
    """Note what is asked of GitHub and of the database meanwhile."""
    engine, said, found = place.store.database.engine, [], []
    before = len(place.sandbox.exchanges)

    def hear(_: Any, __: Any, statement: str, *___: Any) -> None:
        # When a token was used last is written once in minutes, whatever is asked.
        if not statement.startswith(("BEGIN", "UPDATE access_token SET used_at")):
            said.append(statement)

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", hear)
        asked = (
            f"{one.method} {re.sub(r'[0-9]+|orgs/.*|(?<=/repos/).*', '#', one.path)}"
            for one in place.sandbox.exchanges[before:]
        )
        found.append(Cost(tuple(asked), tuple(said)))
