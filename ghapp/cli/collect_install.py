"""``ghapp collect install``: adds the hook to Claude Code's settings, and removes it."""

import os
from pathlib import Path

import click

from ghapp.cli.collecting import LONGEST, said
from ghapp.cli.output import quiet_option, say
from ghapp.reports.harmless import visible


@click.command("install")
@click.option("--managed", is_flag=True, help="For everyone on this system, by managed settings.")
@click.option(
    "--plugin",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="For everyone who gets the plugin: write it and a marketplace into DIR.",
)
@click.option(
    "--output",
    metavar="FILE",
    help="With --managed: write the settings to FILE instead; - is standard output.",
)
@click.option(
    "--shell-diffs",
    is_flag=True,
    help="With --managed: let Claude Code record what shell commands change in files.",
)
@click.option("--remove", is_flag=True, help="Remove what install wrote.")
@quiet_option
def install(
    *, managed: bool, plugin: Path | None, output: str | None, shell_diffs: bool, remove: bool
) -> None:
    """Run the hook in Claude Code, for this user or for everyone.

    For this user it adds a few lines to ~/.claude/settings.json, and keeps one copy of the file
    as it was. --remove leaves what was there before, and nothing else.
    """
    if managed and plugin is not None:
        raise click.UsageError("give either --managed or --plugin, not both")
    if (output or shell_diffs) and not managed:
        raise click.UsageError("--output and --shell-diffs belong to --managed")
    with said():
        if managed:
            _install_managed(output, shell_diffs=shell_diffs, remove=remove)
        elif plugin is not None:
            _install_plugin(plugin, remove=remove)
        else:
            _install_for_user(remove=remove)


def _install_for_user(*, remove: bool) -> None:
    from ghapp.collector import rollout  # noqa: PLC0415 - `status` must answer at once

    for path in settings_files():
        command_here = rollout.command_here()
        changed = rollout.remove(path) if remove else rollout.install(path, command_here)
        state = "changed" if changed else "nothing to change"
        say(f"{visible(str(path), LONGEST)}: {state}")


def settings_files() -> list[Path]:
    """Return the settings files of every folder that Claude Code uses, else of its first choice."""
    from ghapp.collector.agents import config_roots  # noqa: PLC0415 - `status` must answer at once

    roots = config_roots(os.environ)
    return [root / "settings.json" for root in roots if root.is_dir()] or [
        roots[0] / "settings.json"
    ]


def _install_managed(output: str | None, *, shell_diffs: bool, remove: bool) -> None:
    from ghapp.collector import rollout  # noqa: PLC0415 - `status` must answer at once

    settings = rollout.managed_settings(shell_diffs=shell_diffs)
    if output == "-":
        click.echo(settings, nl=False)
        return
    path = Path(output) if output else rollout.managed_file()
    if remove:
        done = rollout.remove_files(path.parent, {path.name: b""})
        say(f"{path}: {'removed' if done else 'does not exist'}")
        return
    try:
        rollout.write_files(path.parent, {path.name: settings})
    except PermissionError as error:
        raise click.ClickException(
            f"{path} cannot be written: run this as an administrator, or give --output FILE "
            "and distribute that file"
        ) from error
    say(f"{path}: written")


def _install_plugin(folder: Path, *, remove: bool) -> None:
    from ghapp.collector import rollout  # noqa: PLC0415 - `status` must answer at once

    files = rollout.plugin_files()
    if remove:
        done = rollout.remove_files(folder, files)
        say(f"{folder}: {'removed' if done else 'holds no plugin of ours'}")
        return
    rollout.write_files(folder, files)
    say(f"{folder}: written; enable {rollout.PLUGIN}@{rollout.PLUGIN} in managed settings")
