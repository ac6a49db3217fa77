"""Where agents keep their records: which are read, which are not, and whose a file is."""

from ghapp.evidence.homes import UNREAD_HOMES, agent_at, read_homes
from ghapp.evidence.registry import SOURCES


def test_every_source_has_its_homes() -> None:
    assert {home.agent for home in read_homes()} == {one.AGENT for one in SOURCES.values()}


def test_no_folder_is_read_and_unread() -> None:
    for home in UNREAD_HOMES:
        for one in read_homes():
            assert not f"{home.below_home}/".startswith(f"{one.below_home}/")


def test_a_file_belongs_to_the_agent_of_the_deepest_home() -> None:
    for home in (*read_homes(), *UNREAD_HOMES):
        assert agent_at(f"/home/ann/{home.below_home}") is not None
    assert agent_at("C:\\Users\\ann\\.codex\\sessions\\a.jsonl") == "codex"
    assert agent_at("/work/notes/codex/sessions.jsonl") is None
