"""Digests of an audit's inputs in a canonical form; it holds no input.

Equal inputs have equal digests however they were read: as a diff file or over an API, in any
order.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from ghapp.attribution.model import Change, Edit, FileDiff

_TOLD = tuple(name for name in FileDiff.__struct_fields__ if name != "blobs")
"""What a diff file and GitHub's API both tell of a file; ids of contents only one of them does."""


def of_change(change: Change) -> str:
    """Return the digest of a change's files, hunks and base ``.gitattributes``."""
    files = sorted(change.files, key=lambda file: (file.path, file.previous_path or ""))
    told = [{name: getattr(file, name) for name in _TOLD} for file in files]
    return _digest((told, sorted(change.gitattributes.items()), sorted(change.missing)))


def of_edits(edits: Iterable[Edit]) -> str:
    """Return the digest of the edits whose lines an audit compared, their order left out.

    Whose edits they were is left out, too: the app may know, a transcript does not say.
    """
    digest = hashlib.sha256()
    for edit in sorted(edits, key=lambda edit: edit.id):
        digest.update(msgspec.msgpack.encode(nameless(edit)))
    return "sha256:" + digest.hexdigest()


def nameless(edit: Edit) -> Edit:
    """Return an edit without the developer's name."""
    return edit if edit.actor is None else msgspec.structs.replace(edit, actor=None)


def _digest(value: object) -> str:
    return "sha256:" + hashlib.sha256(msgspec.msgpack.encode(value, order="sorted")).hexdigest()
