"""Files as they stand in a checkout: what is not committed, and where a line is from."""

from typing import NamedTuple

from ghapp.attribution.model import FileDiff, FileStatus, Hunk, HunkLine
from ghapp.attribution.quoted import unquote
from ghapp.attribution.unified_diff import parse_diff
from ghapp.git.process import GitError
from ghapp.git.repository import DIFF, GitRepository


class BlamedLine(NamedTuple):
    """Which commit a line of a checkout is from."""

    commit: str | None
    """``None``: it is not committed yet."""
    path: str
    """The file's name in that commit, or as it is called now."""
    line: int
    """Its number in that commit, or as it stands now."""
    text: str


def blamed(git: GitRepository, path: str, line: int) -> BlamedLine:
    """Return where a line of a checkout's file is from; ``path`` is relative to the root.

    A list of commits to ignore, which a repository may configure, is not heeded: a commit that
    only formats a line did write it. Raises `GitError` if there is no such file or line.
    """
    if not _is_tracked(git, path):
        return BlamedLine(None, path, line, _line_here(git, path, line))
    asked = ("--porcelain", "--ignore-revs-file=", "-L", f"{line},{line}")
    told = git.run("blame", *asked, "--", path, checkout=True).split(b"\n")
    commit, was, *_ = told[0].decode().split(" ")
    names = [one for one in told if one.startswith(b"filename ")]
    texts = [one for one in told if one.startswith(b"\t")]
    text = texts[0].removeprefix(b"\t").decode(errors="replace")
    if not commit.strip("0"):
        return BlamedLine(None, path, line, text)
    name = unquote(names[0].removeprefix(b"filename ").decode(errors="replace"))
    return BlamedLine(commit, name, int(was), text)


def uncommitted(git: GitRepository, path: str) -> tuple[FileDiff, ...]:
    """Return what a file of a checkout has that the last commit lacks; empty: nothing.

    Raises `GitError`, and `DiffError` if git's diff cannot be read.
    """
    if _is_tracked(git, path) and git.resolve("HEAD") is not None:
        return parse_diff(git.run("diff-index", *DIFF, "HEAD", "--", path, checkout=True))
    texts = _content(git, path).split("\n")
    lines = texts[:-1] if texts[-1] == "" else texts
    hunk = Hunk(
        old_start=0,
        old_lines=0,
        new_start=1,
        new_lines=len(lines),
        lines=tuple(HunkLine("+", one) for one in lines),
    )
    return (FileDiff(path=path, status=FileStatus.ADDED, hunks=(hunk,) if lines else ()),)


def _is_tracked(git: GitRepository, path: str) -> bool:
    return bool(git.run("ls-files", "-z", "--", path, checkout=True))


def _content(git: GitRepository, path: str) -> str:
    try:
        return (git.path / path).read_bytes().decode(errors="replace")
    except OSError as error:
        raise GitError("blame", None, f"{path}: {error.strerror}") from error


def _line_here(git: GitRepository, path: str, line: int) -> str:
    texts = _content(git, path).splitlines()
    if line > len(texts):
        raise GitError("blame", None, f"{path} has only {len(texts)} lines")
    return texts[line - 1]
