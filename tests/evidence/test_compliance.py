"""Agent sessions from the Compliance API: tool calls are kept, and what people said is not."""

from ghapp.attribution.model import DecidedBy, Edit, EditDecider, UnreadEvidence
from ghapp.evidence.compliance import LocalSession, SessionBlock, SessionMessage, edits
from ghapp.evidence.source import Found, everything

SESSION = LocalSession(id="s1", created_at="2026-05-19T10:00:00Z")

REFUSED = "The user doesn't want to proceed with this tool use."


def message(role: str, *blocks: SessionBlock) -> SessionMessage:
    return SessionMessage(id="m", role=role, created_at="2026-05-19T10:00:00Z", content=blocks)


def call(*, truncated: bool = False, as_text: bool = True) -> SessionMessage:
    given = '{"file_path":"/w/a.py","content":"one\\n"}'
    block = SessionBlock(
        type="tool_use",
        id="t1",
        name="Write",
        input=given if as_text else None,
        truncated=truncated,
    )
    return message("assistant", SessionBlock(type="text", content="I write"), block)


def result(*, is_error: bool | None = None, content: str = "done") -> SessionMessage:
    block = SessionBlock(type="tool_result", tool_use_id="t1", is_error=is_error, content=content)
    return message("user", block)


def read(*messages: SessionMessage) -> list[Found]:
    return list(edits(SESSION, messages, everything))


def test_a_call_and_its_result_are_an_edit() -> None:
    [edit] = read(call(), result())
    assert isinstance(edit, Edit)
    assert (edit.id, edit.agent_session, edit.path) == ("t1", "s1", "/w/a.py")
    assert (edit.outcome, [hunk.own for hunk in edit.lines.hunks]) == ("applied", [("one",)])


def test_a_failed_call_keeps_the_text_that_tells_why() -> None:
    edit, decider = read(
        call(),
        result(is_error=True, content=f"{REFUSED} The tool use was rejected"),
    )
    assert isinstance(edit, Edit)
    assert edit.outcome == "refused"
    assert decider == EditDecider(edit=edit.id, path=edit.path, by=DecidedBy.PERSON)


def test_arguments_that_were_cut_are_named_and_never_half_an_edit() -> None:
    [found] = read(call(truncated=True), result())
    assert isinstance(found, UnreadEvidence)
    assert "call t1 were cut" in found.problem


def test_what_people_and_the_model_said_is_nothing() -> None:
    said = SessionMessage(id="m", role="user", created_at="2026-05-19T10:00:00Z", content="hello")
    assert read(said, message("assistant", SessionBlock(type="text", content="hi"))) == []
