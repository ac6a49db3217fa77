"""Pull requests as folders: change.diff, evidence/, args.json, truth.json."""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from random import Random

import msgspec

from bench.author import MANNERS, Author, Pull
from bench.console import run
from bench.formatters import Formatters
from bench.judge import TrueLine, added_lines, common, judged, renamed
from bench.releases import Pair


class Arguments(msgspec.Struct, frozen=True):
    """The arguments of a case's audit, and the origin of the case."""

    merged_at: datetime
    roots: tuple[str, ...]
    manner: str
    package: str
    seed: int


class Truth(msgspec.Struct, frozen=True):
    """All effective added lines of a case by path, and the paths that every policy excludes."""

    files: dict[str, list[TrueLine]]
    excluded: tuple[str, ...]


def write_cases(  # noqa: PLR0913 - what is acted out, and where
    pair: Pair, seed: int, count: int, form: Formatters, target: Path, *, shells: bool = False
) -> Iterator[Path]:
    """Act out some pull requests of a package and yield their folders.

    ``shells``: only commands of agents, and people beside them, change files.
    """
    usual = common(pair.old.values())
    repository = _Repository(target / ".trees")
    for number in range(count):
        name = f"{pair.package}-{number:02d}"
        rng = Random(f"{seed}/{name}")  # noqa: S311 - repeatable, and no secret
        author = Author(pair, name, MANNERS[number % len(MANNERS)], rng, form)
        pull = author.write_by_shells() if shells else author.write()
        folder = target / name
        folder.mkdir(parents=True)
        _write(folder, pull, repository, usual, Arguments(
            pull.merged_at, pull.roots, pull.manner, pair.package, seed
        ))  # fmt: skip
        _write_transcripts(folder / "evidence", pull, rng)
        yield folder


def read_truth(folder: Path) -> Truth:
    """Return the truth of a case."""
    return msgspec.json.decode((folder / "truth.json").read_bytes(), type=Truth)


def read_arguments(folder: Path) -> Arguments:
    """Return the arguments of a case."""
    return msgspec.json.decode((folder / "args.json").read_bytes(), type=Arguments)


def _write(
    folder: Path, pull: Pull, repository: "_Repository", usual: Counter[str], arguments: Arguments
) -> None:
    base, head = repository.commits(pull)
    (folder / "change.diff").write_bytes(repository.diff(base, head, context=3))
    bare = repository.diff(base, head, context=0).decode()
    added = added_lines(bare)
    files = judged(pull, added, usual) | {
        path: renamed(lines, added.get(path, [])) for path, lines in pull.renamed.items()
    }
    truth = Truth(files, tuple(pull.excluded))
    (folder / "truth.json").write_bytes(msgspec.json.format(msgspec.json.encode(truth)))
    (folder / "args.json").write_bytes(msgspec.json.format(msgspec.json.encode(arguments)))


def _write_transcripts(folder: Path, pull: Pull, rng: Random) -> None:
    for agent_session in pull.agent_sessions:
        if agent_session.calls:
            path = agent_session.write(folder)
            if rng.random() < 0.15 and not agent_session.subagent:
                _fork(path, agent_session.id, rng)


def _fork(path: Path, agent_session: str, rng: Random) -> None:
    """Write a copied agent session beside the first: other session id, same calls."""
    other = f"{rng.getrandbits(128):032x}"
    copy = path.read_text(encoding="utf-8").replace(agent_session, other)
    path.with_name(f"{other}.jsonl").write_text(copy, encoding="utf-8")


class _Repository:
    """A git repository that only produces diffs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        self._environment = {**os.environ, **quiet}
        path.mkdir(parents=True, exist_ok=True)
        self._git("init", "--quiet", "--bare", ".")

    def commits(self, pull: Pull) -> tuple[str, str]:
        """Commit the base and the head of a pull request; return both commit ids."""
        after = {draft.path: draft.lines() for draft in pull.drafts} | pull.excluded
        after |= {path: [line.text for line in lines] for path, lines in pull.renamed.items()}
        base, head = f"refs/heads/{pull.name}-base", f"refs/heads/{pull.name}-head"
        stream = _commit(base, pull.base) + _commit(head, after)
        self._git("fast-import", "--quiet", stdin=stream)
        return base, head

    def diff(self, base: str, head: str, context: int) -> bytes:
        """Return the diff of two commits in GitHub's form, with this many lines of context."""
        return self._git("diff", "-M", f"-U{context}", base, head)

    def _git(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        command = ["git", *arguments]
        return run(command, cwd=self._path, stdin=stdin, environment=self._environment)


def _commit(ref: str, files: dict[str, list[str]]) -> bytes:
    parts = [f"commit {ref}\ncommitter A <a@example.com> 1750000000 +0000\ndata 1\nx\n".encode()]
    for path, lines in sorted(files.items()):
        text = "".join(line + "\n" for line in lines).encode()
        parts.append(f"M 100644 inline {path}\ndata {len(text)}\n".encode() + text + b"\n")
    return b"".join(parts)
