"""What was passed over is counted once, and what is used is not passed over."""

from datetime import UTC, datetime

from msgspec.structs import replace

from ghapp.attribution.model import Edit, PassedOver, ReachedFiles, ShellCommand
from ghapp.evidence.source import without_used


def test_a_command_whose_substitution_is_used_is_not_passed_over() -> None:
    edit = Edit(
        id="1",
        agent="x",
        agent_session="s",
        at=datetime(2026, 5, 20, tzinfo=UTC),
        path="a",
        tool="Bash",
    )
    used = ShellCommand(edit=edit, rewrites=(), reach=())
    beside = ShellCommand(edit=edit, rewrites=(), reach=(ReachedFiles(path="b"),))
    copy = ShellCommand(edit=replace(edit, agent_session="t"), rewrites=(), reach=())
    told = [PassedOver(agent="x", what="Bash", count=3), PassedOver(agent="x", what="y", count=1)]
    assert without_used(told, [used, beside, copy]) == (
        PassedOver(agent="x", what="Bash", count=1),
        PassedOver(agent="x", what="y", count=1),
    )
    assert without_used(told[:1], [used] * 3) == ()
