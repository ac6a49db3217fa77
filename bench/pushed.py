"""Precision and recall of agents' own commits, on generated histories with known writers."""

import json
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bench.console import ratio, run, say, table
from bench.lines import is_effective, normalize
from bench.releases import Pair, pairs
from ghapp.attribution.attribute import attribute
from ghapp.attribution.model import AgentCommit, AuditSubject, Change, Evidence
from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.attribution.tiers import TierRecord
from ghapp.attribution.unified_diff import parse_diff
from ghapp.evidence.agent_accounts import ACCOUNTS, BOT, WEB_FLOW, CommitAccounts, is_proven
from ghapp.git.blame import MOVED, blamed
from ghapp.git.repository import GitRepository
from ghapp.ingest.agent_commits import followed, removed_by

AGENT, PERSON, STRANGER = 198982749, 1001, 1002
MERGED = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
FILES = 5

WRITERS: dict[str, CommitAccounts] = {
    "agent": CommitAccounts(
        author_id=AGENT, author_type=BOT, committer_id=WEB_FLOW, is_verified=True
    ),
    "person": CommitAccounts(
        author_id=PERSON, author_type="User", committer_id=PERSON, is_verified=True
    ),
    "unsigned": CommitAccounts(
        author_id=AGENT, author_type=BOT, committer_id=AGENT, is_verified=False
    ),
    "own_key": CommitAccounts(
        author_id=AGENT, author_type=BOT, committer_id=STRANGER, is_verified=True
    ),
    "no_account": CommitAccounts(
        author_id=None, author_type=None, committer_id=PERSON, is_verified=True
    ),
}
"""Who commits → what GitHub says. All but the first are people; two forge the agent's address."""

CHANCES = ("agent",) * 5 + ("person",) * 3 + ("unsigned", "own_key", "no_account")


@dataclass
class _Line:
    text: str
    writer: str
    """``base``, a key of `WRITERS`, ``touched``, or ``unclear``: nobody could tell."""


@dataclass
class History:
    """A pull request's branch: its files now, and what was committed."""

    files: dict[str, list[_Line]]
    material: list[str]
    rng: Random
    commits: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def act(self) -> None:
        """Let somebody commit some changes."""
        who = self.rng.choice(CHANCES)
        for _ in range(self.rng.randint(1, 3)):
            path = self.rng.choice(sorted(self.files))
            self._one(path, who)
        self.commits.append((who, {path: _text(lines) for path, lines in self.files.items()}))

    def _one(self, path: str, who: str) -> None:
        way = self.rng.choice(
            (
                *(self._write, self._write, self._write, self._replace, self._delete),
                *(self._touch, self._indent, self._move, self._copy),
            )
        )
        way(path, who)

    def _some(self, path: str, most: int) -> tuple[int, int]:
        lines = self.files[path]
        start = self.rng.randrange(len(lines) + 1)
        return start, min(len(lines), start + self.rng.randint(1, most))

    def _block(self, who: str) -> list[_Line]:
        """Return a new block; nobody writes it a second time, except as a copy."""
        start = self.rng.randrange(len(self.material) + 1)
        end = start + self.rng.randint(1, 25)
        part = self.material[start:end]
        del self.material[start:end]
        return [_Line(text, who) for text in part]

    def _write(self, path: str, who: str) -> None:
        at, _ = self._some(path, 1)
        self.files[path][at:at] = self._block(who)

    def _replace(self, path: str, who: str) -> None:
        start, end = self._some(path, 8)
        self.files[path][start:end] = self._block(who)

    def _delete(self, path: str, who: str) -> None:
        del who
        start, end = self._some(path, 8)
        del self.files[path][start:end]

    def _touch(self, path: str, who: str) -> None:
        start, end = self._some(path, 4)
        for line in self.files[path][start:end]:
            if line.text.strip():
                line.text += self.rng.choice(("  # checked", "()", " or None"))
                line.writer = who if who == "agent" or line.writer != "agent" else "touched"

    def _indent(self, path: str, who: str) -> None:
        del who
        start, end = self._some(path, 12)
        for line in self.files[path][start:end]:
            line.text = f"    {line.text}" if line.text.strip() else line.text

    def _move(self, path: str, who: str) -> None:
        start, end = self._some(path, 20)
        block = self.files[path][start:end]
        del self.files[path][start:end]
        to = self.rng.choice((path, path, self.rng.choice(sorted(self.files))))
        at, _ = self._some(to, 1)
        # Git takes few lines for written anew, and so may everybody.
        if _letters(block) < 2 * MOVED:
            block = [
                _Line(one.text, one.writer if one.writer == who else "unclear") for one in block
            ]
        self.files[to][at:at] = block

    def _copy(self, path: str, who: str) -> None:
        start, end = self._some(path, 12)
        copied = [_Line(one.text, _copier(one.writer, who)) for one in self.files[path][start:end]]
        to = self.rng.choice(sorted(self.files))
        at, _ = self._some(to, 1)
        self.files[to][at:at] = copied


def _told(writer: str, mover: str) -> str:
    """Return the writer of a line that somebody moved with few others."""
    return writer if writer == mover else "unclear"


def _copier(writer: str, who: str) -> str:
    """Return the writer of a copy.

    An agent's copy of a person's line is nobody's alone. A person's copy of an agent's line may
    stand for it where the line itself went later: one line supports one (rules.md 2.8).
    """
    return "unclear" if who == "agent" or writer in {"agent", "unclear"} else who


def _letters(lines: Sequence[_Line]) -> int:
    return sum(sign.isalnum() for line in lines for sign in line.text)


def _text(lines: Sequence[_Line]) -> str:
    return "".join(f"{line.text}\n" for line in lines)


@dataclass
class Score:
    """Counts over all histories."""

    right: int = 0
    false: int = 0
    missed: int = 0
    by_writer: Counter[str] = field(default_factory=Counter)
    credited: Counter[str] = field(default_factory=Counter)

    def add(self, lines: Sequence[tuple[str, str, bool]]) -> None:
        """Add one pull request's effective added lines: text, writer, whether it is credited.

        Where equal lines have several writers, as many may be credited as the agent wrote: one
        line of a commit supports one line.
        """
        groups: defaultdict[str, list[tuple[str, bool]]] = defaultdict(list)
        for text, writer, credited in lines:
            groups[normalize(text)].append((writer, credited))
            self.by_writer[writer] += 1
            self.credited[writer] += credited
        for group in groups.values():
            unclear = sum(writer == "unclear" for writer, _ in group)
            wrote = sum(writer == "agent" for writer, _ in group)
            found = sum(credited for _, credited in group)
            self.right += min(found, wrote)
            self.false += max(0, found - wrote - unclear)
            self.missed += max(0, wrote - found)


def measure(seed: int, packages: tuple[str, ...], count: int, *, as_json: bool) -> int:
    """Write histories, follow them and print the figures; return the exit status."""
    score = Score()
    pulls = 0
    for pair in pairs(packages):
        for number in range(count):
            rng = Random(f"{seed} {pair.package} {number}")  # noqa: S311 - no secret
            with tempfile.TemporaryDirectory(prefix="ghapp-bench-") as folder:
                score.add(list(_audited(_history(pair, rng), Path(folder))))
            pulls += 1
    tier = TierRecord(score.right, score.right + score.false)
    low, high = tier.interval
    figures: dict[str, object] = {
        "seed": seed,
        "pull requests": pulls,
        "tier": [tier.agents, tier.lines],
        "precision": ratio(tier.agents, tier.lines),
        "interval": [round(low, 5), round(high, 5)],
        "recall": ratio(score.right, score.right + score.missed),
    }
    if as_json:
        say(json.dumps({**figures, "by writer": score.by_writer, "credited": score.credited}))
        return 0
    for name, value in figures.items():
        say(f"{name}: {value}")
    rows = [(who, score.credited[who], lines) for who, lines in sorted(score.by_writer.items())]
    say("\n" + table(rows, ("writer", "credited", "lines")))
    return 0


def _history(pair: Pair, rng: Random) -> History:
    """Return a branch that some people and an agent committed on."""
    paths = [path for path in pair.new if re.fullmatch(r"[\w./-]+", path)]
    chosen = rng.sample(paths, min(FILES, len(paths)))
    files = {
        path: [_Line(text, "base") for text in pair.old.get(path, "").split("\n")[:400]]
        for path in chosen
    }
    there = {normalize(line.text) for lines in files.values() for line in lines}
    new = (line for path in chosen for line in pair.new[path].split("\n"))
    material = [line for line in new if not is_effective(line) or normalize(line) not in there]
    found = History(files=files, material=material, rng=rng)
    found.commits.append(("base", {path: _text(lines) for path, lines in files.items()}))
    for _ in range(rng.randint(3, 12)):
        found.act()
    return found


def _audited(history: History, folder: Path) -> Iterator[tuple[str, str, bool]]:
    """Yield text, writer and whether it is credited of each effective added line."""
    shas = _written(history, folder)
    git, base, head = GitRepository(folder), shas[0], shas[-1]
    change = Change(files=parse_diff(git.diff(base, head)))
    removed = {
        sha: removed_by(git, before, sha)
        for before, sha, (who, _) in zip(shas, shas[1:], history.commits[1:], strict=False)
        if is_proven(WRITERS[who])
    }
    files = [file for file in change.files if file.hunks]
    found = followed(files, removed, lambda path: blamed(git, base, head, path, across_files=True))
    account = ACCOUNTS[AGENT]
    commits = tuple(
        AgentCommit(
            sha=sha,
            agent=account.agent,
            counted_as=account.counted_as,
            at=MERGED - timedelta(days=1),
            is_proven=True,
            lines=lines,
        )
        for sha, lines in found.items()
    )
    subject = AuditSubject(merged_at=MERGED)
    evidence = Evidence(agent_commits=commits)
    audit = attribute(subject, change, evidence, CLAUDE_CODE_V1, at=MERGED + timedelta(days=9))
    for file in audit.files:
        for verdict in file.lines:
            line = history.files[file.path][verdict.line - 1]
            if is_effective(line.text):
                # A line of the base that git shows as added is nobody's of the branch.
                yield line.text, line.writer, verdict.attributed


def _written(history: History, folder: Path) -> list[str]:
    """Write the commits into a new repository; return their names."""
    run(["git", "init", "-q", "--bare", str(folder)])
    out: list[str] = []
    for mark, (who, files) in enumerate(history.commits, 1):
        when = int((MERGED - timedelta(days=2)).timestamp()) + mark
        out += [f"commit refs/heads/work\nmark :{mark}\n"]
        out += [f"committer {who} <{who}@example.com> {when} +0000\ndata 4\nWork\n"]
        for path, text in files.items():
            out += [f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n"]
    out += [f"get-mark :{mark}\n" for mark in range(1, len(history.commits) + 1)]
    told = run(
        ["git", "--git-dir", str(folder), "fast-import", "--quiet"], stdin="".join(out).encode()
    )
    return told.decode().split()
