"""The shape of an evidence source, and the values that sources yield. It reads nothing."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from ghapp.attribution.model import (
    Edit,
    EditDecider,
    FileSnapshot,
    PassedOver,
    ShellCommand,
    Struct,
    UnreadEvidence,
)
from ghapp.attribution.paths import below_deepest, tidy
from ghapp.evidence.paths import to_path

WantedPath = Callable[[str], bool]
"""Takes an edit's path before its lines are worked out; returns ``False`` to skip the lines."""


def everything(path: str) -> bool:  # noqa: ARG001  (the shape asks for the argument)
    """Want the lines of every path: for callers that do not know the change yet."""
    return True


class Worktree(Struct, frozen=True):
    """A second checkout that an agent worked in: its root, and the checkout it was made from.

    ``original`` is a directory inside that checkout, not always its root.
    """

    path: str
    original: str


class NamedCheckout(Struct, frozen=True):
    """A folder on the machine that wrote a record, and the repository that the record names."""

    folder: str
    """Absolute; inside the checkout."""
    remote: str
    """As the record has it: a remote's address, or ``owner/name``."""
    is_root: bool = False
    """Whether the record says that the folder is the checkout's root."""
    is_carried: bool = False
    """Whether a repository keeps the record itself, perhaps from before it got another name."""


def named_checkout(folder: object, remote: object, *, is_root: bool) -> Iterator[NamedCheckout]:
    """Yield the checkout that a record names; nothing if it lacks the folder or the repository."""
    if isinstance(folder, str) and folder and isinstance(remote, str) and remote:
        yield NamedCheckout(folder=to_path(folder, None), remote=remote, is_root=is_root)


Found = (
    Edit
    | UnreadEvidence
    | PassedOver
    | Worktree
    | NamedCheckout
    | FileSnapshot
    | EditDecider
    | ShellCommand
)
"""What an artifact may hold. A `PassedOver` may be told more than once; its counts are added.

A command with a `ShellCommand` is counted as passed over, too: whoever keeps edits alone
passes it over, and whoever uses it takes it off (`without_used`).
"""

BESIDE = Worktree | NamedCheckout | FileSnapshot | EditDecider
"""What only describes or helps to place edits: a file that holds nothing else holds no evidence."""


def with_worktrees(roots: Iterable[str], worktrees: Iterable[Worktree]) -> tuple[str, ...]:
    """Add the worktrees that were made from one of the roots, and those made from these."""
    homes = dict.fromkeys(map(tidy, roots))
    named = list(worktrees)
    while True:
        made = [one for one in named if below_deepest(homes, tidy(one.original)) is not None]
        new = {tidy(one.path): None for one in made if tidy(one.path) not in homes}
        if not new:
            return tuple(homes)
        homes |= new


def added_up(told: Iterable[PassedOver]) -> tuple[PassedOver, ...]:
    """Return each agent and kind once, with the sum of its counts, in their order.

    >>> exec_calls = [PassedOver(agent="codex", what="exec", count=n) for n in (2, 1)]
    >>> added_up(exec_calls)
    (PassedOver(agent='codex', what='exec', count=3),)
    """
    counts: Counter[tuple[str, str | None, str]] = Counter()
    for one in told:
        counts[one.agent or "", one.agent, one.what] += one.count
    return tuple(
        PassedOver(agent=agent, what=what, count=count)
        for (_, agent, what), count in sorted(
            counts.items(), key=lambda item: (item[0][0], item[0][2])
        )
    )


def without_used(
    passed_over: Iterable[PassedOver], used: Iterable[ShellCommand]
) -> tuple[PassedOver, ...]:
    """Return what was passed over, without the commands whose substitutions are used."""
    copies = Counter(
        ((one.edit.agent, one.edit.tool, one.edit.id), one.rewrites, one.reach) for one in used
    )
    calls: dict[tuple[str, str, str], int] = {}
    for (call, *_), count in copies.items():
        calls[call] = max(count, calls.get(call, 0))
    left = Counter({(one.agent, one.what): one.count for one in added_up(passed_over)})
    for (agent, tool, _), count in calls.items():
        left[agent, tool] -= count
    return tuple(
        PassedOver(agent=agent, what=what, count=count)
        for (agent, what), count in left.items()
        if count > 0
    )


class EvidenceSource(Protocol):
    """A module or package that reads one kind of artifact. Sources never import each other."""

    NAME: str
    """Also the name of the fixture folder, and the anchor in docs/evidence.md."""
    AGENT: str
    """The agent's name in audit documents and labels (rules.md 2.16)."""
    HOMES: tuple[str, ...]
    """Where the agent keeps its artifacts, below a person's home directory."""
    FILES: str
    """A regular expression of its artifacts' file names: below a directory, only these are read."""

    def recognizes(self, name: str, head: bytes) -> bool:
        """Return whether this source reads a file, given its name and its first 64 KiB."""

    def read(self, name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
        """Yield what one artifact holds, with edits in the order of their results.

        ``records`` are the artifact's lines as bytes. They are read once and not kept, so the
        largest record and the calls that wait for a result bound the memory. A record that
        cannot be read becomes an `UnreadEvidence`, and reading goes on. An edit whose path is
        not wanted has no lines.

        Last come the tool calls that were not read as edits, counted by the tool's name as
        `PassedOver`. Calls of tools that only read, search, ask or plan are left out.
        """
