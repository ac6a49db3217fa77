"""Names that come close to a command's."""

import click
import pytest

from ghapp.cli.groups import NamedGroup

GROUP = NamedGroup(
    "g", commands={name: click.Command(name, callback=lambda: None) for name in ("list", "last")}
)


def test_a_known_name_is_found() -> None:
    name, command, rest = GROUP.resolve_command(click.Context(GROUP), ["list", "x"])
    assert (name, command, rest) == ("list", GROUP.commands["list"], ["x"])


@pytest.mark.parametrize(("given", "told"), [("lst", "'list' or 'last'"), ("lits", "'list'")])
def test_a_near_name_is_answered_with_what_it_may_mean(given: str, told: str) -> None:
    with pytest.raises(click.UsageError, match=f"No such command '{given}'. Did you mean {told}"):
        GROUP.resolve_command(click.Context(GROUP), [given])


def test_a_name_far_from_all_is_only_unknown() -> None:
    with pytest.raises(click.UsageError, match=r"No such command 'zzz'\.$"):
        GROUP.resolve_command(click.Context(GROUP), ["zzz"])
