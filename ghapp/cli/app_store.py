"""How commands open the app's store, and note in its access log who ran them. It prints nothing.

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

if TYPE_CHECKING:  # see above
    from ghapp.settings import Settings
    from ghapp.store import Repository, Store

data_option = click.option(
    "--data",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="GHAPP_DATA_DIR",
    help="The app's data directory. [default: .data]",
)


@contextmanager
def server_packages(what: str) -> Iterator[None]:
    """Say which extra to install where the block imports a package that is missing.

    ``what`` needs the packages, such as "importing". Raises `click.ClickException`.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"the package {error.name} is not installed; {what} needs the extra 'server': "
            "pip install 'ghapp[server]'"
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


@contextmanager
def opened(
    data: Path | None = None, *, what: str = "this command"
) -> "Iterator[tuple[Store, Settings]]":
    """Open the app's store, its tables brought up to date; ``data`` names its directory.

    Raises `click.ClickException`.
    """
    with server_packages(what):
        from ghapp.log import configure  # noqa: PLC0415 - see the top
        from ghapp.settings import Settings  # noqa: PLC0415 - see the top
        from ghapp.store import Store  # noqa: PLC0415 - see the top

    given = {**os.environ, **({"GHAPP_DATA_DIR": str(data)} if data else {})}
    with reported():
        settings = Settings.from_environment(given, app_required=False)
        configure("WARNING", hidden=settings.hidden)
        with Store.open(settings.database_url) as store:
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
