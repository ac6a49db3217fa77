"""How commands find the app and open its store, and note in its access log who ran them.

No command makes an app: what is missing is said, never made. It prints nothing.

The server's packages are imported when a command opens the store: a developer's or an auditor's
machine has none.
"""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghapp.cli.groups import NamedGroup

if TYPE_CHECKING:  # see above
    from ghapp.settings import Settings
    from ghapp.store import Repository, Store

_GIVEN = "ghapp.cli.app_store.data"


def _remember(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    del param
    if value is not None:
        ctx.find_root().meta[_GIVEN] = value


data_option = click.option(
    "--data",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    expose_value=False,
    callback=_remember,
    help="The app's data directory. [default: GHAPP_DATA_DIR, or that of the app that runs here]",
)
"""`opened` and `app_environment` find what it was given; no command passes it on."""


class AppGroup(NamedGroup):
    """A group whose commands are all about one app: each has the option ``--data``."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, with the option."""
        super().add_command(cmd if isinstance(cmd, click.Group) else data_option(cmd), name)


@contextmanager
def server_packages(what: str) -> Iterator[None]:
    """Say where to run a command where the block imports a package that is missing.

    ``what`` needs the packages, such as "importing". Raises `click.ClickException`.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"the package {error.name} is not installed; {what} needs the server's packages: "
            "run it where the app runs (docs/deployment.md)"
        ) from error


@contextmanager
def reported() -> Iterator[None]:
    """Turn a problem with settings, database or keys into the command's error message."""
    from ghapp.keys.evidence import KeyLost  # noqa: PLC0415 - see the top
    from ghapp.settings import SettingsError  # noqa: PLC0415 - see the top
    from ghapp.store import StoreError  # noqa: PLC0415 - see the top

    try:
        yield
    except (SettingsError, StoreError, KeyLost) as error:
        raise click.ClickException(str(error)) from error


def app_environment(data: Path | None = None, *, must_exist: bool = True) -> dict[str, str]:
    """Return the settings of the app: those of this command, and what the running app was given.

    ``data`` names its directory; ``None``: as docs/operations.md says. ``must_exist=False``: the
    directory may still have to be made. Raises `click.ClickException`, which says what to give.
    """
    from ghapp.serve.running import given_to, note_of  # noqa: PLC0415 - see the top
    from ghapp.settings import VARIABLES  # noqa: PLC0415 - see the top

    own = {name: value for name, value in os.environ.items() if value.strip()}
    directory = data or _data_directory(own)
    if directory is None:
        return own
    directory = directory.expanduser().absolute()
    if directory.is_dir() and not os.access(directory, os.R_OK | os.X_OK):
        problem = "cannot be read: run this as the user that runs the app"
        raise click.ClickException(f"{directory} {problem}")
    if must_exist and not directory.is_dir() and "DATABASE_URL" not in own:
        problem = "does not exist: name the app's data directory with --data or GHAPP_DATA_DIR"
        raise click.ClickException(f"{directory} {problem}")
    running = note_of(directory)
    if running is not None:
        theirs = {name: one for name, one in given_to(running).items() if name in VARIABLES}
        own = {**theirs, **own}
        if running.queue is not None:
            own.setdefault("REDIS_URL", running.queue)
    return {**own, "GHAPP_DATA_DIR": str(directory)}


def with_a_queue(environment: dict[str, str]) -> dict[str, str]:
    """Return settings that name a Redis: where no app runs, one that does not answer."""
    directory = Path(environment.get("GHAPP_DATA_DIR", ".data")).absolute()
    return {"REDIS_URL": f"unix://{directory / 'valkey.sock'}", **environment}


def _data_directory(own: dict[str, str]) -> Path | None:
    """Return the directory of the app that is meant; ``None``: the environment names a database."""
    from ghapp.serve.running import found  # noqa: PLC0415 - see the top

    context = click.get_current_context(silent=True)
    given = None if context is None else context.find_root().meta.get(_GIVEN)
    named = given or own.get("GHAPP_DATA_DIR")
    if named:
        return Path(named)
    if "DATABASE_URL" in own:
        return None
    running = found()
    if len(running) > 1:
        listed = ", ".join(map(str, running))
        raise click.ClickException(f"several apps run on this machine: give --data, of {listed}")
    if running:
        return running[0]
    if Path(".data").is_dir():
        return Path(".data")
    raise click.ClickException(
        "no app of yours runs on this machine, and nothing says where its data are: "
        "give --data DIR, or set GHAPP_DATA_DIR"
    )


@contextmanager
def opened(
    data: Path | None = None, *, what: str = "this command", seals: bool = False
) -> "Iterator[tuple[Store, Settings]]":
    """Open the store of an app that exists; ``data`` names its directory.

    ``seals``: the command encrypts something, so it makes the key where there never was one.
    Raises `click.ClickException`.
    """
    with server_packages(what):
        from ghapp.log import configure  # noqa: PLC0415 - see the top
        from ghapp.settings import Settings  # noqa: PLC0415 - see the top
        from ghapp.store import Store  # noqa: PLC0415 - see the top

    with reported():
        settings = Settings.from_environment(app_environment(data), app_required=False, makes=seals)
        configure("WARNING", hidden=settings.hidden)
        with Store.unmigrated(settings.database_url) as store:
            store.database.check()
            yield store, settings


def known_repository(store: "Store", name: str) -> "Repository":
    """Return a repository that the app knows; else raise `click.UsageError` with some it knows."""
    repository = store.installations.find(name)
    if repository is not None:
        return repository
    known = ", ".join(one.full_name for one in store.installations.repositories()[:10])
    hint = f"it knows {known}" if known else "install the app on it first"
    raise click.UsageError(f"the app does not know the repository {name}; {hint}")


def note_access(
    store: "Store",
    what: str,
    repository_id: int | None = None,
    *,
    pull_request: int | None = None,
    detail: str | None = None,
) -> None:
    """Note in the access log what the person at this terminal does; call it before it is done."""
    from ghapp.store import AccessDoor, AccessEntry  # noqa: PLC0415 - see the top

    access = AccessEntry(
        who=person(),
        door=AccessDoor.COMMAND_LINE,
        what=what,
        repository_id=repository_id,
        pull_request=pull_request,
        detail=detail,
    )
    store.access_log.note(access, now=datetime.now(UTC))


def person() -> str:
    """Return who runs this command, as the access log names people of this machine."""
    return f"system:{getpass.getuser()}"
