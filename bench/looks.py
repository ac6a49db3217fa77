"""Precision and recall of what the hook sees commands change, with people who save meanwhile."""

import json
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from msgspec.structs import replace

from bench.console import ratio, run, say, table
from bench.lines import is_effective, normalize
from bench.pushed import Score
from bench.releases import Pair, pairs
from ghapp.attribution.attribute import attribute
from ghapp.attribution.codebook import FingerprintCodebook
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import AuditSubject, Change, Edit, Evidence, Reason
from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.attribution.tiers import TierRecord
from ghapp.attribution.unified_diff import parse_diff
from ghapp.collector import hook, shell_look
from ghapp.collector.events import QueuedEvent, to_edits

FILES = 12
COMMANDS = 60
SECOND = 1_000_000_000
FINGERPRINTER = LineFingerprinter(b"the key of no installation")

_NAME = re.compile(r"[a-z_][a-z0-9_]{4,24}")


@dataclass
class _Line:
    text: str
    writer: str
    """``base``, ``agent``, ``person``, or ``unnamed``: of an agent whose command names no file."""
    is_substituted: bool = False
    """Whether commands of the agent that can be read made it of a line of the base, and no more."""


@dataclass
class _Command:
    """What an agent runs, and what that does to files."""

    kind: str
    text: str
    changes: dict[str, list[_Line]]


@dataclass
class Desk:
    """A checkout, an agent that runs commands in it, and a person who saves files."""

    root: Path
    state: str
    files: dict[str, list[_Line]]
    material: list[str]
    rng: Random
    now: int
    person_active: bool
    next_save: int = 0
    calls: int = 0
    edits: list[Edit] = field(default_factory=list)

    def act(self) -> None:
        """Let the agent run one command, and people save when they do."""
        rng = self.rng
        self._until(self.now + int(rng.expovariate(1 / 45) * SECOND))
        command = self._command()
        self.calls += 1
        event: dict[str, Any] = {
            "session_id": "one",
            "cwd": str(self.root),
            "tool_name": "Bash",
            "tool_use_id": f"toolu_01{self.calls:022d}",
            "tool_input": {"command": command.text},
        }
        self._hook({"hook_event_name": "PreToolUse", **event})
        # A question to the person, who may go on working.
        waits = rng.expovariate(1 / 20) if rng.random() < 0.3 else 0.01
        runs = rng.choice((0.05, 0.1, 0.3, 1, 3, 8, 25)) * rng.uniform(0.5, 1.5)
        started = self.now + int(waits * SECOND)
        written = started + int(runs * rng.random() * SECOND)
        self._until(written)
        command.changes = self._again(command)
        for path, lines in command.changes.items():
            self._write(path, lines)
        if command.kind == "stash":
            self._touch(self.root / ".git/logs/refs/stash")
        self._until(started + int(runs * SECOND))
        took = {"duration_ms": int(runs * 1000), "tool_response": {"stdout": ""}}
        self._until(self.now + int(rng.uniform(0.03, 0.2) * SECOND))
        self._hook({"hook_event_name": "PostToolUse", **event, **took})

    def _hook(self, event: dict[str, Any]) -> None:
        data = json.dumps(event).encode()
        if event["hook_event_name"] == "PreToolUse":
            if hook.may_write(data):
                shell_look.before(self.state, data, self.now)
            return
        seen = shell_look.after(self.state, data, self.now) if hook.may_write(data) else None
        hook._note(self.state, data, self.now)  # noqa: SLF001 - as the hook does
        if seen is not None:
            at = datetime.fromtimestamp(self.now / SECOND, UTC)
            self.edits += to_edits(QueuedEvent(at, seen))

    # --- people -----------------------------------------------------------------------------

    def _until(self, then: int) -> None:
        """Let the time pass; the person saves in bursts."""
        while self.person_active and self.next_save <= then:
            self.now = max(self.now, self.next_save)
            self._save()
            between = self.rng.expovariate(1 / 40) if self.rng.random() < 0.8 else 0
            pause = between or self.rng.expovariate(1 / 900)
            self.next_save = self.now + int((1 + pause) * SECOND)
        self.now = max(self.now, then)

    def _save(self) -> None:
        path = self.rng.choice(sorted(self.files))
        lines = list(self.files[path])
        if self.rng.random() < 0.2:  # a person's own sed
            old = self._name_in(path)
            mine = [_Line(one.text.replace(old, f"own_{old}"), "person") for one in lines]
            pairs = zip(lines, mine, strict=True)
            self._write(path, [was if was.text == new.text else new for was, new in pairs])
            return
        at = self.rng.randrange(len(lines) + 1)
        lines[at:at] = self._block("person", 6)
        self._write(path, lines)

    def _block(self, writer: str, most: int) -> list[_Line]:
        size = self.rng.randint(1, most)
        part, self.material[:size] = self.material[:size], []
        return [_Line(text, writer) for text in part]

    # --- commands ---------------------------------------------------------------------------

    def _command(self) -> _Command:
        rng = self.rng
        paths = rng.sample(sorted(self.files), rng.randint(1, 3))
        kind = rng.choice(
            (
                *("sed", "sed", "sed", "find", "script", "script", "target", "reads", "reads"),
                *("unnamed", "copies", "checkout", "stash", "unsure"),
            )
        )
        names = " ".join(paths)
        old = self._name_in(paths[0])
        ending = paths[0].rpartition(".")[2]
        self._old, self._new = old, f"{rng.choice(('core', 'next', 'shared'))}_{old}"
        text = {
            "sed": f"sed -i 's/{old}/{self._new}/g' {names}",
            "find": f"find . -name '*.{ending}' -exec sed -i s/{old}/{self._new}/g {{}} +",
            "script": f"python3 - <<'E'\nimport json\np = '{paths[0]}'\n"
            "t = open(p).read()\nopen(p, 'w').write(made(t))\nE",
            "target": f"jq -r .code notes.json > {paths[0]}",
            "reads": rng.choice(("pytest -q {}", "cat {} | head -5", "python3 -m mypy {}")).format(
                names
            ),
            "unnamed": "python3 tools/generate.py --write",
            "copies": f"cp /tmp/elsewhere.py {paths[0]} && sed -i s/a/b/ {paths[0]}",
            "checkout": f"git checkout main -- {names} && sed -i s/a/b/ {names}",
            "stash": f"./bring.sh {names} && sed -i s/never/ever/ {names}",
            "unsure": f"sed -i s/{old}/{self._new}/ {names} &",
        }[kind]
        return _Command(kind, text, {path: [] for path in paths})

    def _name_in(self, path: str) -> str:
        text = " ".join(one.text for one in self.files[path])
        return self.rng.choice(_NAME.findall(text) or ["x"])

    def _again(self, command: _Command) -> dict[str, list[_Line]]:
        """Return what a command makes of the files as they are when it writes them."""
        kind, paths = command.kind, list(command.changes)
        if kind == "reads":
            return {}
        if kind == "find":
            ending = paths[0].rpartition(".")[2]
            paths = [one for one in self.files if one.endswith(f".{ending}")]
        if kind in {"sed", "find", "unsure"}:
            is_read = kind != "unsure"
            made = {
                path: [self._renamed(one, is_read=is_read) for one in self.files[path]]
                for path in paths
            }
            return {path: lines for path, lines in made.items() if lines != self.files[path]}
        writer = {"script": "agent", "target": "agent", "unnamed": "unnamed"}.get(kind, "person")
        path = self.rng.choice(sorted(self.files)) if kind == "unnamed" else paths[0]
        lines = list(self.files[path])
        at = self.rng.randrange(len(lines) + 1)
        lines[at:at] = self._block(writer, 15)
        return {path: lines}

    def _renamed(self, line: _Line, *, is_read: bool) -> _Line:
        text = line.text.replace(self._old, self._new, -1 if is_read else 1)
        was_base = line.writer == "base" or line.is_substituted
        return line if text == line.text else _Line(text, "agent", is_read and was_base)

    # --- files ------------------------------------------------------------------------------

    def _write(self, path: str, lines: list[_Line]) -> None:
        self.files[path] = lines
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{one.text}\n" for one in lines))
        self._touch(file)

    def _touch(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.utime(file, ns=(self.now, self.now))


def measure(seed: int, packages: tuple[str, ...], count: int, *, as_json: bool) -> int:
    """Act out histories and print the figures; return the exit status."""
    shell_look.BUDGET = 30.0  # the machine that measures may be busy
    shell_look._LIVES.clear()  # noqa: SLF001 - the bench has a clock of its own
    score, passed = Score(), Counter[str]()
    by_reason = {reason: Score() for reason in (Reason.COMMAND_CHANGED, Reason.SUBSTITUTED)}
    substituted = Counter[bool]()
    pulls = 0
    started = time.process_time()
    for pair in pairs(packages):
        for number in range(count):
            rng = Random(f"{seed} {pair.package} {number}")  # noqa: S311 - no secret
            with tempfile.TemporaryDirectory(prefix="ghapp-bench-") as folder:
                desk = _desk(pair, rng, Path(folder).resolve())
                for _ in range(COMMANDS):
                    desk.act()
                found = list(_audited(desk))
                score.add([(one.text, one.writer, why in by_reason) for one, why in found])
                for reason, part in by_reason.items():
                    part.add([(one.text, one.writer, why == reason) for one, why in found])
                substituted += Counter(
                    why == Reason.SUBSTITUTED for one, why in found if one.is_substituted
                )
                passed += Counter(shell_look.taken_counts(desk.state))
            pulls += 1
    figures: dict[str, object] = {
        "seed": seed,
        "pull requests": pulls,
        **{name: _tier(part) for name, part in by_reason.items()},
        "recall": ratio(score.right, score.right + score.missed),
        "substitutions that can be read": [substituted[True], substituted.total()],
        "seconds": round(time.process_time() - started),
    }
    if as_json:
        counts = {"by writer": score.by_writer, "credited": score.credited, "passed": passed}
        say(json.dumps({**figures, **counts}))
        return 0
    for name, value in figures.items():
        say(f"{name}: {value}")
    rows = [(who, score.credited[who], lines) for who, lines in sorted(score.by_writer.items())]
    say("\n" + table(rows, ("writer", "credited", "lines")))
    say("\n" + table(sorted(passed.items()), ("files passed over", "count")))
    return 0


def _tier(score: Score) -> list[object]:
    """Return the agent's lines, all credited ones, and the interval of their share."""
    tier = TierRecord(score.right, score.right + score.false)
    low, high = tier.interval if tier.lines else (0.0, 1.0)
    return [tier.agents, tier.lines, round(low, 5), round(high, 5)]


def _desk(pair: Pair, rng: Random, folder: Path) -> Desk:
    paths = [path for path in sorted(pair.old) if re.fullmatch(r"[\w./-]+", path)]
    chosen = rng.sample(paths, min(FILES, len(paths)))
    files = {
        path: [_Line(text, "base") for text in pair.old[path].split("\n")[:300]] for path in chosen
    }
    there = {normalize(line.text) for lines in files.values() for line in lines}
    new = [line for text in pair.new.values() for line in text.split("\n")]
    material = [line for line in new if is_effective(line) and normalize(line) not in there]
    start = rng.randrange(max(1, len(material) // 2))
    root, state = folder / "shop", folder / "state"
    root.mkdir()
    state.mkdir()
    now = time.time_ns() - 30 * 86_400 * SECOND
    desk = Desk(
        root=root,
        state=str(state),
        files={},
        material=list(dict.fromkeys(material[start:])),
        rng=rng,
        now=now,
        person_active=rng.random() < 0.7,
        next_save=now + int(rng.uniform(0, 900) * SECOND),
    )
    for path, lines in files.items():
        desk._write(path, lines)  # noqa: SLF001 - of this module
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Begin"]):
        run([*git, *command])
    desk.now += 3_600 * SECOND
    return desk


def _audited(desk: Desk) -> Iterator[tuple[_Line, str]]:
    """Yield each effective added line with its reason."""
    change = Change(files=parse_diff(run(["git", "-C", str(desk.root), "diff", "HEAD"])))
    edits = tuple(
        replace(
            one,
            path=one.path.removeprefix(f"{desk.root}/"),
            lines=FINGERPRINTER.lines(one.lines),  # type: ignore[arg-type]  # read as text
        )
        for one in desk.edits
    )
    merged = datetime.fromtimestamp(desk.now / SECOND, UTC) + timedelta(hours=2)
    audit = attribute(
        AuditSubject(merged_at=merged),
        change,
        Evidence(edits=edits),
        CLAUDE_CODE_V1,
        at=merged + timedelta(days=9),
        book=FingerprintCodebook(FINGERPRINTER),
    )
    for file in audit.files:
        for verdict in file.lines:
            line = desk.files[file.path][verdict.line - 1]
            if is_effective(line.text):
                yield line, str(verdict.reason)
