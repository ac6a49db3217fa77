"""Digests of an audit's inputs in a canonical form. It stores no input.

Equal inputs have equal digests, whether they came from a diff file or an API, in any order.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from ghapp.attribution.model import AgentCommit, Change, Edit, FileDiff, ShellCommand

_SHARED = tuple(name for name in FileDiff.__struct_fields__ if name not in {"blobs", "symlink"})
"""Members that both a diff file and GitHub's API provide; the API has no content ids and modes."""


def of_change(change: Change) -> str:
    """Return the digest of a change's files, hunks and base ``.gitattributes``."""
    files = sorted(change.files, key=lambda file: (file.path, file.previous_path or ""))
    shared = [{name: getattr(file, name) for name in _SHARED} for file in files]
    return _digest((shared, sorted(change.gitattributes.items()), sorted(change.missing)))


def of_edits(edits: Iterable[Edit], commands: Iterable[ShellCommand] = ()) -> str:
    """Return the digest of the edits whose lines an audit compared, in any order.

    ``commands`` are the commands that could reach a file of the change.

    It omits the developers: the app may know them, but a transcript does not name them.
    """
    digest = hashlib.sha256()
    for _, one in sorted((edit.id, msgspec.msgpack.encode(nameless(edit))) for edit in edits):
        digest.update(one)
    for one in sorted(map(packed_command, commands)):
        digest.update(one)
    return "sha256:" + digest.hexdigest()


def packed_command(one: ShellCommand) -> bytes:
    """Return a command as a digest takes it; those of an audit are sorted, behind its edits."""
    return msgspec.msgpack.encode(msgspec.structs.replace(one, edit=nameless(one.edit)))


def with_commits(edits: str, commits: Iterable[AgentCommit]) -> str:
    """Return the digest of edits together with agents' own commits; without any, that of edits."""
    found = sorted(commits, key=lambda one: one.sha)
    return _digest((edits, found)) if found else edits


def nameless(edit: Edit) -> Edit:
    """Return an edit without the developer's name."""
    return edit if edit.actor is None else msgspec.structs.replace(edit, actor=None)


def _digest(value: object) -> str:
    return "sha256:" + hashlib.sha256(msgspec.msgpack.encode(value, order="sorted")).hexdigest()
