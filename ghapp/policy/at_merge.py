"""A repository's own policy as it was on the base before each merge, read from a clone.

The organization's file is in another repository, which the clone lacks, so a repository without a
file of its own gets ``claude-code-v1`` here.
"""

from collections.abc import Sequence

from ghapp.attribution.model import Struct
from ghapp.attribution.policy import CLAUDE_CODE_V1, FILE, Policy
from ghapp.git.process import GitError
from ghapp.git.repository import GitRepository
from ghapp.policy.file import PolicyFileError, read


class BasePolicy(Struct, frozen=True):
    """The policy in force at one merge."""

    policy: Policy = CLAUDE_CODE_V1
    problem: str | None = None
    """What is wrong with the file, and in which line; ``None``: nothing, or there is no file."""


class BasePolicies:
    """The policies in one clone's history. It reads each version of the file once."""

    def __init__(self, git: GitRepository) -> None:
        self._git = git
        self._read: dict[str, Policy | PolicyFileError] = {}

    def of(self, bases: Sequence[str | None]) -> list[BasePolicy]:
        """Return the policy in force at each commit; ``None`` stands for an empty history.

        Raises `GitError` if the clone lacks a commit.
        """
        named = [base for base in bases if base is not None]
        blobs = dict(zip(named, self._blobs(named), strict=True))
        return [self._held(base, blobs.get(base or "")) for base in bases]

    def _held(self, base: str | None, blob: str | None) -> BasePolicy:
        if base is None or blob is None:
            return BasePolicy()
        found = self._policy(blob)
        if isinstance(found, Policy):
            return BasePolicy(policy=found)
        problem = f"{FILE}, {found}; its last good version is used"
        return BasePolicy(policy=self._last_good(base), problem=problem)

    def _last_good(self, base: str) -> Policy:
        """Return the newest earlier version that can be read."""
        lines = self._git.lines(
            *("rev-list", "--first-parent", "--end-of-options", base, "--", FILE)
        )
        commits = [line.decode() for line in lines]
        for blob in self._blobs(commits):
            found = None if blob is None else self._policy(blob)
            if isinstance(found, Policy):
                return found
        return CLAUDE_CODE_V1

    def _blobs(self, commits: Sequence[str]) -> list[str | None]:
        """Return the file's blob id at each commit; ``None``: there is no file.

        https://git-scm.com/docs/git-cat-file#_batch_output
        """
        asked = "".join(f"{commit}:{FILE}\n" for commit in commits).encode()
        told = self._git.run("cat-file", "--batch-check=%(objectname) %(objecttype)", asked=asked)
        found = [line.split(" ") for line in told.decode(errors="replace").splitlines()]
        return [line[0] if line[-1] == "blob" else None for line in found]

    def _policy(self, blob: str) -> Policy | PolicyFileError:
        if blob not in self._read:
            self._read[blob] = self._parsed(blob)
        return self._read[blob]

    def _parsed(self, blob: str) -> Policy | PolicyFileError:
        try:
            text = self._git.run("cat-file", "blob", blob).decode(errors="replace")
        except GitError as error:
            return PolicyFileError(1, f"it is not in this clone: {error}")
        try:
            return read(text).rules
        except PolicyFileError as error:
            return error
