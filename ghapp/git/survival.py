"""Which lines of a file's version a later version still has. It knows no commit and no audit."""

import re
from collections.abc import Collection, Iterator

from ghapp.git.repository import GitRepository

# @@ -12,3 +12,0 @@
_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? ", re.MULTILINE)


def removed_numbers(
    git: GitRepository, before: str | None, then: str | None
) -> frozenset[int] | None:
    """Return the line numbers that a later version lacks; ``None``: the file is gone."""
    if before is None or then is None:
        return None
    if before == then:
        return frozenset()
    output = git.run("diff", "--no-color", "--no-ext-diff", "--text", "-U0", before, then)
    spans = ((int(first), int(count or 1)) for first, count in _HUNK.findall(output))
    return frozenset(n for first, count in spans for n in range(first, first + count))


def removed_since(
    git: GitRepository, head: str, tip: str, paths: Collection[str]
) -> Iterator[tuple[str, frozenset[int] | None]]:
    """Yield each path of a commit with its `removed_numbers` at a later one."""
    before, then = (git.entries(sha, *paths) for sha in (head, tip))
    for path in paths:
        yield path, removed_numbers(git, before.get(path), then.get(path))
