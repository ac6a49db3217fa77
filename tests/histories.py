"""Makes real histories from a case's steps, for tests of what is found in them."""

import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec


class Step(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One thing that somebody does, on one branch."""

    on: str = "main"
    start: str | None = None
    """Where the branch begins; ``None``: it is there."""
    at: str = "2026-05-20T12:00:00Z"
    message: str = "Change"
    write: dict[str, str | None] = {}
    """Files to write and, ``null``, to remove before a commit."""
    rename: dict[str, str] = {}
    merge: tuple[str, ...] = ()
    strategy: str | None = None
    squash: str | None = None
    rebase: str | None = None
    """A branch whose commits are put on top of this one."""
    revert: str | None = None
    ref: str | None = None
    """A ref to set to where the branch stands."""


class History:
    """A repository that steps are done in."""

    _on = "main"
    """The branch that is checked out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", "--template=")

    def git(self, *command: str, at: str = "2026-05-20T12:00:00Z", author: bool = True) -> str:
        """Run git without anybody's configuration."""
        who = {"NAME": "Dev", "EMAIL": "dev@example.org", "DATE": at}
        roles = ("AUTHOR", "COMMITTER") if author else ("COMMITTER",)
        done = subprocess.run(
            ["git", *command],
            cwd=self.path,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.path),
                "GIT_CONFIG_NOSYSTEM": "1",
                # Else each commit starts a second process that looks for something to tidy.
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "maintenance.auto",
                "GIT_CONFIG_VALUE_0": "false",
                "LC_ALL": "C",
                **{f"GIT_{role}_{key}": value for role in roles for key, value in who.items()},
            },
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def do(self, step: Step) -> None:
        """Do one step."""
        if step.start is not None:
            self.git("checkout", "-q", "-b", step.on, step.start)
        elif step.on != self._on:
            self.git("checkout", "-q", step.on)
        self._on = step.on
        if step.merge:
            strategy = ("-s", step.strategy) if step.strategy else ()
            self.git(
                *("merge", "-q", "--no-ff", *strategy, "-m", step.message, *step.merge), at=step.at
            )
        elif step.rebase:
            self._rebase(step)
        elif step.ref:
            self.git("update-ref", step.ref, "HEAD")
        else:
            self._commit(step)

    def _rebase(self, step: Step) -> None:
        """Put commits on top as GitHub does: authors stay, committers and times are new."""
        for sha in self.git("rev-list", "--reverse", f"HEAD..{step.rebase}").split():
            self.git("cherry-pick", sha, at=step.at, author=False)

    def _commit(self, step: Step) -> None:
        if step.squash:
            self.git("merge", "-q", "--squash", step.squash, at=step.at)
        if step.revert:
            options = (
                ("-m", "1") if " " in self.git("log", "-1", "--format=%P", step.revert) else ()
            )
            self.git("revert", "--no-commit", *options, step.revert, at=step.at)
        for old, new in step.rename.items():
            (self.path / new).parent.mkdir(parents=True, exist_ok=True)
            (self.path / old).rename(self.path / new)
        for name, text in step.write.items():
            path = self.path / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", step.message, at=step.at)


def make(folder: Path, path: Path) -> History:
    """Make the history of a case."""
    steps: list[Step] = msgspec.json.decode((folder / "steps.json").read_bytes(), type=list[Step])
    history = History(path)
    for step in steps:
        history.do(step)
    return history


def as_json(value: Any) -> bytes:
    """Return what an expected file holds."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
