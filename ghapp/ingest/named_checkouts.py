"""The checkouts that records name themselves, with their repository. It reads no record.

Without them, a change of ``README.md`` alone shows no checkout: every repository has one.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ghapp.attribution.paths import below, tidy
from ghapp.evidence.source import NamedCheckout
from ghapp.git.remotes import normalized


def named_roots(named: Iterable[NamedCheckout], repositories: Iterable[str]) -> tuple[str, ...]:
    """Return the roots of the checkouts of some repositories, given as ``owner/name``.

    If a record names only a folder inside a checkout, the folder above it that is called like the
    repository is the root, or else the folder itself.
    """
    wanted = {one.lower() for one in repositories}
    found: dict[str, None] = {}
    for one in named:
        name = _name(one.remote)
        if name in wanted:
            folder = tidy(one.folder)
            found[folder if one.is_root else _root(folder, name.rpartition("/")[2])] = None
    return tuple(found)


def foreign_roots(named: Iterable[NamedCheckout], repositories: Iterable[str]) -> tuple[str, ...]:
    """Return the roots of the checkouts of other repositories than some, ``owner/name``.

    A repository of the same name may be a fork, from which the change came, and what the audited
    repository carries may name it as it was called before: these are none of them.
    """
    ours = {one.lower().rpartition("/")[2] for one in repositories}
    found: dict[str, None] = {}
    for one in named if ours else ():
        name = _name(one.remote).rpartition("/")[2]
        if name not in ours and not one.is_carried:
            folder = tidy(one.folder)
            found[folder if one.is_root else _root(folder, name)] = None
    return tuple(found)


def repositories_of(repository: str | None, clone: Path | None = None) -> tuple[str, ...]:
    """Return the names of the audited repository: as given, else as the clone's remotes say."""
    if repository is not None:
        return (repository,)
    if clone is None:
        return ()
    from ghapp.git.clone_remotes import remotes  # noqa: PLC0415 - an audit of a diff needs no git

    return tuple(one.partition("/")[2] for one in remotes(clone))


def with_clone(roots: Sequence[str], checkouts: Sequence[str]) -> tuple[str, ...]:
    """Add a clone's checkouts, its worktrees among them, to roots if one of them is a root."""
    given = {tidy(root) for root in roots}
    is_there = any(below(root, tidy(one)) == "" for root in given for one in checkouts)
    return (*roots, *checkouts) if is_there else tuple(roots)


def _name(remote: str) -> str:
    full = normalized(remote)
    return full.partition("/")[2] if full else remote.lower().removesuffix(".git")


def _root(folder: str, name: str) -> str:
    names = folder.split("/")
    called = [at for at, part in enumerate(names) if part.lower() == name]
    return "/".join(names[: called[-1] + 1]) if called else folder
