"""A scratch repository with recorded changes as commits that carry evidence.

Of a recorded change only its hunks are known. The lines between them are made up, the same before
and after, so that git finds the very same added lines at the very same places.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from bench.console import run
from ghapp.attribution.model import FileDiff, FileStatus


class Scratch:
    """A repository in its own folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *command: str, at: datetime | None = None, stdin: bytes | None = None) -> str:
        """Run git without the user's configuration and return its output."""
        when = at.isoformat() if at else "2026-01-01T00:00:00Z"
        who = {"NAME": "Dev", "EMAIL": "dev@example.org", "DATE": when}
        environment = {
            f"GIT_{role}_{key}": who[key] for role in ("AUTHOR", "COMMITTER") for key in who
        }
        environment |= {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
        environment["GIT_CONFIG_GLOBAL"] = os.devnull
        return (
            run(["git", "-C", str(self.path), *command], environment=environment, stdin=stdin)
            .decode()
            .strip()
        )

    def change(self, files: Iterable[FileDiff], at: datetime, message: str) -> str:
        """Commit the state before a change as a root, then the change; return its commit."""
        known = [file for file in files if not file.binary and not file.submodule]
        before = {file.previous_path or file.path: text for file in known if (text := _old(file))}
        after = {file.path: text for file in known if (text := _new(file))}
        base = self._commit(before, (), at, "Before")
        return self._commit(after, (base,), at, message)

    def branch(self, name: str, files: Mapping[str, bytes]) -> None:
        """Create a branch without a common history."""
        sha = self._commit(files, (), None, "Checkpoint")
        self.git("update-ref", f"refs/heads/{name}", sha)

    def _commit(
        self, files: Mapping[str, bytes], parents: Iterable[str], at: datetime | None, message: str
    ) -> str:
        """Write a commit with its own index."""
        self.git("read-tree", "--empty")
        entries = []
        for path, content in files.items():
            blob = self.git("hash-object", "-w", "--stdin", stdin=content)
            entries.append(f"100644 {blob}\t{path}\0")
        self.git("update-index", "-z", "--index-info", stdin="".join(entries).encode())
        tree = self.git("write-tree")
        given = [part for sha in parents for part in ("-p", sha)]
        return self.git("commit-tree", tree, *given, "-m", message, at=at)


def _old(file: FileDiff) -> bytes:
    return b"" if file.status is FileStatus.ADDED else _side(file, "-")


def _new(file: FileDiff) -> bytes:
    return b"" if file.status is FileStatus.DELETED else _side(file, "+")


def _side(file: FileDiff, origin: str) -> bytes:
    """Return one side of a file: its known lines in place, invented ones between them."""
    lines: list[str] = []
    made = 0
    for hunk in file.hunks:
        start, count = (
            (hunk.new_start, hunk.new_lines) if origin == "+" else (hunk.old_start, hunk.old_lines)
        )
        first = start if count else start + 1
        while len(lines) < first - 1:
            made += 1
            lines.append(f"# line {made} of {file.path} that nobody recorded")
        lines += [text for kind, text in hunk.lines if kind in (" ", origin)]
    return "".join(f"{line}\n" for line in lines).encode()
