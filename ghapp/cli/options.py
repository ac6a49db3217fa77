"""Options that several commands share, and the parsers of their values. It runs no command."""

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghapp.cli.times import as_time

if TYPE_CHECKING:  # the core is imported when a command runs, not for help and wrong use
    from ghapp.attribution.policy import Policy


def as_roots(ctx: click.Context, param: click.Parameter, roots: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG001 - click's signature
    """Return roots as transcripts name them; a callback for click.

    ``.`` and ``../app`` are paths of this machine and become absolute. Any other path may belong
    to another machine or operating system, and stays as it is.
    """
    return tuple(str(Path(root).resolve()) if root.startswith(".") else root for root in roots)


root_option = click.option(
    "--root",
    "roots",
    metavar="PATH",
    multiple=True,
    callback=as_roots,
    help="Where the repository was checked out on the machine that wrote the evidence. "
    "May be given several times. [default: inferred]",
)

evidence_option = click.option(
    "--evidence",
    metavar="DIR",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Transcripts as the agents write them, read recursively, such as ~/.claude/projects. "
    "May be given several times; needed unless --carried is given.",
)

carried_option = click.option(
    "--carried",
    is_flag=True,
    help="With --git: also read the evidence in the clone itself: Entire checkpoints, git-ai "
    "notes, Agent Trace, Aider's commits.",
)


def check_evidence(evidence: tuple[Path, ...], *, carried: bool) -> None:
    """Raise `click.UsageError` where a call names no evidence at all."""
    if not evidence and not carried:
        raise click.UsageError(
            "Missing option '--evidence': name a directory of transcripts, or give --carried "
            "to read the evidence in the clone itself"
        )


as_of_option = click.option(
    "--as-of",
    metavar="TIME",
    callback=as_time,
    help="The time that decides whether an audit is final. [default: now]",
)

policy_option = click.option(
    "--policy",
    "policy_name",
    metavar="NAME|FILE",
    default="claude-code-v1",
    show_default=True,
    help="A built-in policy, or a file that holds one.",
)

FINGERPRINT_KEY_BYTES = 32


def as_key(ctx: click.Context, param: click.Parameter, path: Path | None) -> bytes | None:
    """Return the key in a file of base64; a callback for click. ``None``: no file was given."""
    if path is None:
        return None
    try:
        key = base64.b64decode(path.read_bytes().strip(), validate=True)
    except (OSError, binascii.Error) as error:
        raise click.BadParameter(f"{path}: {error}", ctx, param) from error
    if len(key) != FINGERPRINT_KEY_BYTES:
        problem = f"{path} holds {len(key)} bytes; a key has {FINGERPRINT_KEY_BYTES}"
        raise click.BadParameter(problem, ctx, param)
    return key


fingerprint_key_option = click.option(
    "--fingerprint-key",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=as_key,
    help="The installation's key, from ghapp admin fingerprint-key: compare lines by their "
    "fingerprints, as the app does. [default: as text]",
)


def named_policy(name: str) -> "Policy":
    """Return the policy that ``--policy`` names. Raises `click.UsageError`."""
    from ghapp.policy.named import PolicyError, find  # noqa: PLC0415 - see the top

    try:
        return find(name)
    except PolicyError as error:
        raise click.UsageError(f"--policy: {error}") from error
