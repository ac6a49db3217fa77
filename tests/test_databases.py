"""The server that the processes of a test run share: it is there for whoever comes, also late."""

from pathlib import Path

import psycopg

from tests.databases import shared_server
from tests.waiting import wait_until


def answers(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def test_who_comes_after_the_last_one_left_is_served_too(tmp_path: Path) -> None:
    meeting = tmp_path / "meeting"
    with shared_server(meeting) as first:
        assert answers(first)
    wait_until(lambda: not (meeting / "address").exists(), "the keeper's end")
    with shared_server(meeting) as second:
        assert answers(second)
