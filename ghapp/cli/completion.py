"""``ghapp completion``: installs what completes commands and options in a shell, and removes it."""

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from ghapp.cli.output import quiet_option, say

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_GHAPP_COMPLETE"
"""By it the shell asks this program what may follow."""
BEGIN, END = "# begin: completion of ghapp", "# end: completion of ghapp"
"""Around our lines in a file that is the user's own."""

_ZSH = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\n"
"""The script needs zsh's own completion, which a bare ~/.zshrc does not start."""


@click.command("completion", short_help="Let the shell complete commands and options.")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.option("--print", "printed", is_flag=True, help="Print the script, and write nothing.")
@click.option("--remove", is_flag=True, help="Remove what was installed.")
@quiet_option
def command(shell: str | None, *, printed: bool, remove: bool) -> None:
    """Let SHELL complete commands and options from its next start; without SHELL, yours.

    bash and fish load it from a folder of completions, bash by the package bash-completion; zsh
    gets a few lines in ~/.zshrc.
    """
    chosen = shell or Path(os.environ.get("SHELL", "")).name
    if chosen not in SHELLS:
        known = ", ".join(SHELLS)
        raise click.UsageError(f"SHELL names {chosen or 'no shell'}: give one of {known}")
    if printed:
        click.echo(_script(chosen))
        return
    path = _file(chosen)
    try:
        done = _remove(path, chosen) if remove else _install(path, chosen)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    word = "removed" if remove else "installed; it works from the next shell on"
    say(f"{path}: {word if done else 'nothing to change'}")


def _script(shell: str) -> str:
    from ghapp.cli.main import main  # noqa: PLC0415 - that module lists this one

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - click knows each of `SHELLS`
    return found(main, {}, "ghapp", VARIABLE).source()


def _file(shell: str) -> Path:
    """Return the file that the shell reads by itself."""
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return {
        # https://github.com/scop/bash-completion#faq: completions of a user
        "bash": data / "bash-completion" / "completions" / "ghapp",
        "zsh": Path(os.environ.get("ZDOTDIR") or home) / ".zshrc",
        # https://fishshell.com/docs/current/completions.html#where-to-put-completions
        "fish": config / "fish" / "completions" / "ghapp.fish",
    }[shell]


def _install(path: Path, shell: str) -> bool:
    before = path.read_text("utf-8") if path.exists() else ""
    script = (_ZSH if shell == "zsh" else "") + _script(shell) + "\n"
    after = f"{_without(before)}{BEGIN}\n{script}{END}\n" if shell == "zsh" else script
    if after == before:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(after, "utf-8")
    return True


def _remove(path: Path, shell: str) -> bool:
    if not path.exists():
        return False
    before = path.read_text("utf-8")
    left = _without(before) if shell == "zsh" else ""
    if left:
        path.write_text(left, "utf-8")
    else:
        path.unlink()
    return left != before


def _without(text: str) -> str:
    """Return a file's text without our lines."""
    before, begin, rest = text.partition(f"{BEGIN}\n")
    return before + rest.partition(f"{END}\n")[2] if begin else text
