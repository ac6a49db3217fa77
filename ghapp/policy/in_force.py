"""Find the policy in force for a pull request, and say what is wrong with its file.

The repository's own file on the base branch comes first, then the one in its organization's
``.github`` repository, then ``claude-code-v1``. If a file is broken, the last version that was good
before the merge stays in force: an old merge is judged by the policy of its day. A pull request's
own change of the file never counts for itself. Asking stores nothing; `keep` does.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from ghapp.attribution.model import Struct
from ghapp.attribution.policy import FILE
from ghapp.github.answers import GoneForGood, PermissionRefused, RequestRejected
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import policy_text
from ghapp.policy.file import PolicyFileError, RepositoryPolicy, read
from ghapp.store import Store


class PolicyFile(Struct, frozen=True, kw_only=True):
    """A policy file and where it was found."""

    repository_id: int
    repository: str
    """As ``owner/name``, for messages."""
    text: str
    as_of: datetime
    """When it held this text: the merge whose base it comes from, or when it was read."""


class PolicyInForce(Struct, frozen=True, kw_only=True):
    """The policy in force, and what people must know about it."""

    policy: RepositoryPolicy = RepositoryPolicy()
    source: str = "the app's own policy"
    """Where it comes from, in words."""
    problems: tuple[str, ...] = ()
    """What is wrong with which file, with its line."""
    file: PolicyFile | None = None
    """The valid file that it comes from; ``None``: none, or an earlier version of a broken one."""


def policy_in_force(
    own: PolicyFile | None,
    organization: Callable[[], PolicyFile | None],
    store: Store,
    *,
    merged_at: datetime,
) -> PolicyInForce:
    """Return the policy in force at a merge; ``organization`` is called only if it matters."""
    problems: list[str] = []
    places: tuple[Callable[[], PolicyFile | None], ...] = (lambda: own, organization)
    for look in places:
        file = look()
        if file is None:
            continue
        try:
            policy = read(file.text)
        except PolicyFileError as broken:
            problems.append(f"{file.repository}: {FILE}, {broken}")
            last = _last_good(file, store, merged_at)
            if last is None:
                continue
            source = f"the last good version of it in {file.repository}"
            return PolicyInForce(policy=last, source=source, problems=tuple(problems))
        source = f"{FILE} of {file.repository}"
        return PolicyInForce(policy=policy, source=source, problems=tuple(problems), file=file)
    return PolicyInForce(problems=tuple(problems))


def organization_file(
    owner: str,
    installation_id: int,
    store: Store,
    github: Callable[[int], AbstractContextManager[GitHub]],
    now: datetime,
) -> PolicyFile | None:
    """Read the present policy file in an organization's ``.github`` repository.

    ``github`` opens a repository by its id. ``None``: there is no such file, or the installation
    does not reach that repository.
    """
    shared = store.installations.find(f"{owner}/.github")
    if shared is None or shared.installation_id != installation_id:
        return None
    with github(shared.id) as opened:
        try:
            text = policy_text(opened)
        except (GoneForGood, PermissionRefused, RequestRejected):
            return None
    if text is None:
        return None
    return PolicyFile(repository_id=shared.id, repository=shared.full_name, text=text, as_of=now)


def keep(in_force: PolicyInForce, store: Store) -> None:
    """Store the valid file that a policy comes from, for when the file is broken."""
    if in_force.file is not None:
        file = in_force.file
        store.policy_files.keep(file.repository_id, file.text, as_of=file.as_of)


def _last_good(file: PolicyFile, store: Store, merged_at: datetime) -> RepositoryPolicy | None:
    text = store.policy_files.last_good(file.repository_id, merged_at)
    try:
        return None if text is None else read(text)
    except PolicyFileError:
        # An earlier, less strict version of the program stored it.
        return None
