"""The access log's line of what somebody does at a terminal. It writes none of it."""

import getpass

from ghapp.store import AccessDoor, AccessEntry


def by_hand(
    what: str,
    repository_id: int | None = None,
    *,
    pull_request: int | None = None,
    detail: str | None = None,
) -> AccessEntry:
    """Return the access of whoever runs this command, to be noted before anything is done."""
    return AccessEntry(
        who=f"system:{getpass.getuser()}",
        door=AccessDoor.COMMAND_LINE,
        what=what,
        repository_id=repository_id,
        pull_request=pull_request,
        detail=detail,
    )
