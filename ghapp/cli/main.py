"""The ``ghapp`` command: the list of its commands, and exit statuses. It holds no command.

A command's module is imported only when the command is called, so an offline audit never
pays for the server's packages and works where they are not installed.
"""

import importlib
import os
import sys
from typing import Any

import click

import ghapp
from ghapp.cli.groups import NamedGroup

COMMANDS = {
    "audit": ("ghapp.cli.audit", "Audit a diff file or a git commit, without any server."),
    "replay": ("ghapp.cli.replay", "Audit merged pull requests again."),
    "compare": ("ghapp.cli.compare", "Say what differs between two files of audit documents."),
    "explain": ("ghapp.cli.explain", "Say why lines of an audit document count or do not."),
    "report-line": (
        "ghapp.cli.report_line",
        "Report a line's wrong reason without showing your code.",
    ),
    "sample": ("ghapp.cli.sample", "Draw lines for people to judge, and score their answers."),
    "export-audit": (
        "ghapp.cli.export_audit",
        "Write recorded audits as a bundle that proves itself.",
    ),
    "verify": ("ghapp.cli.verify", "Check a bundle of recorded audits offline."),
    "policy": ("ghapp.cli.policy", "Show, compare and check policies."),
    "evidence": ("ghapp.cli.evidence", "Preview evidence, or import it."),
    "mine": (
        "ghapp.cli.mine",
        "Show your own agents' work, and what of it stands.",
    ),
    "why": (
        "ghapp.cli.why",
        "Say which agent's edit wrote a line, and what you had asked.",
    ),
    "usage": ("ghapp.cli.usage", "Count the tokens of your own agent sessions, offline."),
    "collect": ("ghapp.cli.collect", "Send evidence from a developer's machine."),
    "demo": ("ghapp.cli.demo", "Run a demo with a stand-in for GitHub."),
    "serve": ("ghapp.cli.serve", "Run the app: web, workers and scheduler."),
    "worker": ("ghapp.cli.worker", "Run the worker of one QUEUE."),
    "scheduler": ("ghapp.cli.scheduler", "Enqueue what is due, every few seconds."),
    "doctor": ("ghapp.cli.doctor", "Say what is wrong with this installation of the app."),
    "admin": ("ghapp.cli.admin", "Retry, drain, back up, restore."),
    "completion": ("ghapp.cli.completion", "Let the shell complete commands and options."),
    "migrate": ("ghapp.cli.database", "Bring the database to this version's schema."),
}
"""Name → the module whose ``command`` it is, and its line in ``ghapp --help``."""

CLOSED_PIPE = 141
"""Exit status when the reader of our output closed the pipe: 128 + SIGPIPE, as in a shell."""

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 + SIGINT."""


START = """\
Three things that most people want:

  ghapp demo                                      see the app at work
  ghapp audit --git . --commit HEAD --evidence ~/.claude/projects
                                                  audit a commit of yours
  ghapp mine                                      see your own agents' work

ghapp --help lists all commands.
"""
"""What ``ghapp`` alone says."""


class LazyGroup(NamedGroup):
    """A group that lists its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of the table: the everyday ones first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a command's module; return ``None`` for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        try:
            module = importlib.import_module(COMMANDS[cmd_name][0])
        except ModuleNotFoundError as error:
            raise click.ClickException(_missing(cmd_name, error)) from error
        command = module.command
        assert isinstance(command, click.Command)  # noqa: S101 - our own table, held by a test
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the lines of the table, so that help imports no command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; end without a traceback on Ctrl-C and on a closed pipe."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _forget_standard_output()
            ctx.exit(CLOSED_PIPE)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            ctx.exit(INTERRUPTED)
        return result


_SERVER = "this is a command of the server: run it where the app runs (docs/deployment.md)"
_EXTRAS = {"verify": "signatures need one package more: pip install cryptography"}
"""Command → how to get its packages, if they are not the server's."""


def _missing(command: str, error: ModuleNotFoundError) -> str:
    """Return which package a command lacks, and how to get it."""
    if (error.name or "").startswith("ghapp"):
        return f"{command}: this installation lacks the module {error.name}; install ghapp again"
    return f"{command}: the package {error.name} is not installed; {_EXTRAS.get(command, _SERVER)}"


def _forget_standard_output() -> None:
    """Discard what is still buffered; otherwise Python complains about the pipe at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@click.command(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(ghapp.__version__, prog_name="ghapp")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Say which added lines of a merged pull request were written in AI coding sessions."""
    # Escape file names that the terminal's encoding lacks instead of failing.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if ctx.invoked_subcommand is None:
        click.echo(START, nl=False)
