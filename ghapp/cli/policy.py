"""``ghapp policy``: shows and compares named policies, and checks policy files."""

from pathlib import Path

import click
import msgspec

from ghapp.attribution.policy import Policy
from ghapp.cli.groups import NamedGroup
from ghapp.cli.output import format_option, json_option, print_json
from ghapp.cli.problems import LONGEST
from ghapp.policy.file import schema
from ghapp.policy.named import PolicyError, differences, find, read
from ghapp.reports.harmless import visible


@click.group("policy", cls=NamedGroup, short_help="Show, compare and check policies.")
def command() -> None:
    """Show, compare and check policies: named sets of windows, limits and exclusions."""


@command.command("show")
@click.argument("name", metavar="NAME|FILE", default="claude-code-v1")
@json_option
def show(name: str) -> None:
    """Print a policy as JSON, and its digest."""
    policy = _found(name)
    members = msgspec.to_builtins(policy) | {"digest": policy.digest}
    click.echo(msgspec.json.format(msgspec.json.encode(members)).decode())


@command.command("diff")
@click.argument("one", metavar="NAME|FILE")
@click.argument("other", metavar="NAME|FILE")
@format_option
def diff(one: str, other: str, form: str) -> None:
    """Print the members in which two policies differ; nothing if they are the same."""
    differing = differences(_found(one), _found(other))
    if form == "json":
        print_json({"differences": differing})
    for found in differing if form == "text" else ():
        before, after = (
            msgspec.json.encode(value).decode() for value in (found.before, found.after)
        )
        click.echo(visible(f"{found.member}: {before} -> {after}"))


@command.command("validate")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@format_option
def validate(path: Path, form: str) -> None:
    """Check a policy file: a repository's YAML (.yml), or a named policy's TOML or JSON.

    Exit status 1 and the reason, with its line, if it is wrong.
    """
    try:
        policy = read(path)
    except PolicyError as error:
        raise click.ClickException(visible(str(error), LONGEST)) from error
    if form == "json":
        print_json({"id": policy.id, "digest": policy.digest})
    else:
        click.echo(f"{policy.id} {policy.digest}")


@command.command("schema")
@json_option
def show_schema() -> None:
    """Print the JSON Schema of a repository's policy file."""
    click.echo(msgspec.json.format(msgspec.json.encode(schema())).decode())


def _found(name: str) -> Policy:
    try:
        return find(name)
    except PolicyError as error:
        raise click.UsageError(visible(str(error), LONGEST)) from error
