"""Recorded audits out of the app's store, each look logged. It prints none of them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit

if TYPE_CHECKING:  # files of documents are read without the server's packages
    from ghapp.store import ErasedSince, Repository, Store

_NAME = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(?:#(?P<number>[1-9]\d*))?")


def named(text: str) -> tuple[str, int | None] | None:
    """Return repository and pull request of ``OWNER/NAME#17``; ``None``: it names a file.

    A path that exists is a file, whatever it looks like.
    """
    found = _NAME.fullmatch(text)
    if found is None or Path(text).exists():
        return None
    return found["name"], int(found["number"]) if found["number"] else None


def in_force(name: str, what: str) -> Iterator[Audit]:
    """Yield the audit in force of each pull request of a repository, by the time of its merge."""
    with _looking(name, what) as (store, repository):
        ever = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        for saved in store.audits.in_force(repository.id, *ever):
            yield from_document(store.audits.document(saved.id) or b"")


def one(
    name: str, pull_request: int, number: int | None, what: str
) -> tuple[Audit, "ErasedSince | None"]:
    """Return an audit of a pull request, and what was erased of its evidence since.

    It is the one in force, or one by its number.
    """
    with _looking(name, what, pull_request) as (store, repository):
        saved = (
            store.audits.latest(repository.id, pull_request)
            if number is None
            else store.audits.numbered(repository.id, pull_request, number)
        )
        if saved is None:
            which = "" if number is None else f" of number {number}"
            raise click.UsageError(f"{name}#{pull_request} has no recorded audit{which}")
        audit = from_document(store.audits.document(saved.id) or b"")
        return audit, store.erasures.since(saved)


@contextmanager
def _looking(
    name: str, what: str, pull_request: int | None = None
) -> "Iterator[tuple[Store, Repository]]":
    """Open the store, find the repository, and log the look before anything is shown."""
    try:
        from ghapp.cli.by_hand import by_hand  # noqa: PLC0415 - see the top
        from ghapp.settings import Settings, SettingsError  # noqa: PLC0415 - see the top
        from ghapp.store import Store, StoreError  # noqa: PLC0415 - see the top
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"the package {error.name} is not installed; recorded audits need the extra "
            "'server': pip install 'ghapp[server]'"
        ) from error
    try:
        url = Settings.from_environment(app_required=False).database_url
        with Store.open(url) as store:
            repository = store.installations.find(name)
            if repository is None:
                raise click.UsageError(
                    f"there is no file {name}, and the app knows no such repository"
                )
            access = by_hand(what, repository.id, pull_request=pull_request)
            store.access_log.note(access, now=datetime.now(UTC))
            yield store, repository
    except (SettingsError, StoreError) as error:
        raise click.ClickException(str(error)) from error
