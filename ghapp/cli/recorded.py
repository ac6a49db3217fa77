"""Reads recorded audits from the app's store, and logs each access. It prints none of them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit
from ghapp.cli.app_store import note_access, opened

if TYPE_CHECKING:  # files of documents are read without the server's packages
    from ghapp.store import ErasedSince, Repository, Store

# acme/shop or acme/shop#17
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
    """Yield the audit in force of each pull request of a repository, by the time of its merge.

    ``what`` names the access in the access log. Raises `click.UsageError`.
    """
    with _opened(name, what) as (store, repository):
        ever = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        for saved in store.audits.in_force(repository.id, *ever):
            yield from_document(store.audits.document(saved.id) or b"")


def recorded_audit(
    name: str, pull_request: int, number: int | None, what: str
) -> tuple[Audit, "ErasedSince | None"]:
    """Return an audit of a pull request, and what was erased of its evidence since.

    ``number`` ``None`` takes the audit in force. Raises `click.UsageError`.
    """
    with _opened(name, what, pull_request) as (store, repository):
        saved = (
            store.audits.latest(repository.id, pull_request)
            if number is None
            else store.audits.numbered(repository.id, pull_request, number)
        )
        if saved is None:
            which = "" if number is None else f" number {number}"
            raise click.UsageError(f"{name}#{pull_request} has no recorded audit{which}")
        audit = from_document(store.audits.document(saved.id) or b"")
        return audit, store.erasures.since(saved)


@contextmanager
def _opened(
    name: str, what: str, pull_request: int | None = None
) -> "Iterator[tuple[Store, Repository]]":
    """Open the store, find the repository, and log the access before anything is shown."""
    with opened(what="reading recorded audits") as (store, _):
        repository = store.installations.find(name)
        if repository is None:
            raise click.UsageError(f"there is no file {name}, and no repository of this name")
        note_access(store, what, repository.id, pull_request=pull_request)
        yield store, repository
