"""Where agents keep their records: which are read, which are not, and whose a file is."""

from ghapp.evidence.homes import UNREAD_HOMES, agent_at, is_unread, read_homes
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


def test_records_with_names_of_their_own_are_known_to_be_unread() -> None:
    names = (
        *(".local/share/amp/threads/T-1.json", ".local/share/goose/sessions/sessions.db"),
        *(".kiro/sessions/cli/1.json", ".codeium/windsurf/cascade/1.pb"),
        ".local/share/zed/threads/threads.db",
        ".config/Code/User/workspaceStorage/a1/chatSessions/1.json",
    )
    for name in names:
        assert is_unread(f"/home/ann/{name}")
        assert agent_at(f"/home/ann/{name}") is not None
    assert not is_unread("/home/ann/shop/goose.json")
