"""Acts out renames by commands: an agent's, and decoys of people. Real sed and Perl do the work."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from bench.agent import AgentSession, Call
from bench.console import run
from bench.releases import Pair

MOST = 4
"""Renames in one pull request."""

LARGEST = 1_500
"""Lines of the largest file that a rename goes through."""

FATES = (
    *("substituted",) * 5,
    "own_sed",
    "sed_failed",
    "sed_refused",
    "sed_perhaps",
    "sed_early",
    "sed_unread",
)
"""What becomes of a rename. ``own_sed``: a person's command; ``sed_perhaps``: an agent's that may
not have run; ``sed_unread``: an agent's whose text does not tell what it did. Behind all but the
first and the last stands a person, who did it word for word."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{4,24}")


@dataclass(frozen=True)
class RenamedLine:
    """A line of a file after the renames, and who made it what it is."""

    text: str
    truth: bool | None
    kind: str


@dataclass(frozen=True)
class _Rename:
    """A program with its script, and the files that it goes through."""

    program: tuple[str, ...]
    """As the machine runs it: it reads its input."""
    written: str
    """As the agent writes it: it changes files."""
    files: tuple[str, ...]
    tail: str
    """What names the files: literal, or ``{}``."""
    form: str


class Renames:
    """Renames in files that nothing else of a pull request touches."""

    def __init__(self, pair: Pair, taken: set[str], roots: tuple[str, ...], rng: Random) -> None:
        self._rng = rng
        self._root = rng.choice(roots)
        self._texts = {
            path: text.rstrip("\n").split("\n")
            for path, text in sorted(pair.old.items())
            if path not in taken and text.count("\n") <= LARGEST and re.fullmatch(r"[\w./-]+", path)
        }
        self.before: dict[str, list[str]] = {}
        self.after: dict[str, list[RenamedLine]] = {}
        self.agent_sessions: list[AgentSession] = []

    def act(self, merged_at: datetime, least: int = 0, most: int = MOST) -> None:
        """Act out some renames before a merge."""
        for _ in range(self._rng.randint(least, most)):
            self._one(merged_at)

    def _one(self, merged_at: datetime) -> None:
        rng = self._rng
        folder, name = self._place()
        if not name:
            return
        suffix = "." + name[0].rpartition(".")[2]
        below = [
            path
            for path in self._texts
            if path.endswith(suffix) and (not folder or path.startswith(f"{folder}/"))
        ]
        used = [path for path in below if path not in self.after]
        old = self._name_in(used)
        if old is None:
            return
        fate = rng.choice(FATES)
        rename = self._rename(old, folder, suffix, used)
        self._apply(rename, used, fate)
        if fate == "substituted":
            beside = [path for path in self._texts if path not in below and path not in self.after]
            # A person does the same where the command does not reach.
            self._apply(rename, beside[:40], "own_sed")
            self._touch(used)
        if fate != "own_sed":
            self._record(rename, fate, merged_at)

    def _place(self) -> tuple[str, list[str]]:
        """Return a folder, or nothing for all of them, and its files."""
        left = [path for path in self._texts if path not in self.after]
        if not left:
            return "", []
        path = self._rng.choice(left)
        folder = path.rpartition("/")[0]
        return (folder if self._rng.random() < 0.8 else ""), [path]

    def _name_in(self, paths: Sequence[str]) -> str | None:
        """Return a name that some lines of files hold, and not very many."""
        counts = Counter(
            name
            for path in paths
            for line in self._texts[path]
            for name in set(_NAME.findall(line))
        )
        names = sorted(name for name, count in counts.items() if 2 <= count <= 60)
        return self._rng.choice(names) if names else None

    def _rename(self, old: str, folder: str, suffix: str, files: Sequence[str]) -> _Rename:
        rng = self._rng
        new = f"{rng.choice(('core', 'next', 'shared', 'legacy'))}_{old}"
        if rng.random() < 0.3:
            new = f"{old[:3]}{old[3:].upper()}X"
        sign = rng.choice("/|#,")
        every = rng.choice(("g", "g", "g", ""))
        script, flags = rng.choice(
            (
                (f"s{sign}{old}{sign}{new}{sign}{every}", ()),
                (f"s{sign}\\b{old}\\b{sign}{new}{sign}{every}", ()),
                (f"s/\\({old[:2]}\\)\\({old[2:]}\\)/{new}_\\2/{every}", ()),
                (f"s/(\\.|^|[^a-z]){old}/\\1{new}/{every}", ("-E",)),
                (f"s/{old}\\([a-z_]*\\)/{new}\\1/{every}", ()),
                (f"s/{old[:-1]}[a-z]+/<&>/{every}", ("-E",)),
            )
        )
        program: tuple[str, ...] = ("sed", *flags, script)
        written = f"sed -i {''.join(f'{flag} ' for flag in flags)}'{script}'"
        if rng.random() < 0.2:
            written = written.replace("sed -i ", "sed -i '' -e " if not flags else "sed -i.bak ")
        if rng.random() < 0.3:
            script = rng.choice(
                (f"s/\\b{old}\\b/{new}/g", f"s{{{old}(\\w*)}}{{{new}$1}}g", f"s/(?:{old})/{new}/")
            )
            program, written = ("perl", "-pe", script), f"perl -pi -e '{script}'"
        start = folder or "."
        form = rng.choice(("find", "grep", "git", "literal", "loop", "cd"))
        literal = len(files) <= 12
        tail = {
            "find": f"find {start} -name '*{suffix}' -exec {written} {{}} +",
            "grep": f"grep -rl '{old}' {start} --include='*{suffix}' | xargs {written}",
            "git": f"git ls-files '{folder + '/' if folder else ''}*{suffix}' | xargs {written}",
            "literal": f"{written} {' '.join(files)}",
            "loop": f'for f in {" ".join(files)}; do {written} "$f"; done',
            "cd": f"cd {start} && find . -type f -name '*{suffix}' | xargs -I{{}} {written} {{}}",
        }[form if literal or form not in ("literal", "loop") else "find"]
        return _Rename(program, written, tuple(files), tail, form)

    def _apply(self, rename: _Rename, paths: Sequence[str], fate: str) -> None:
        truth = {"substituted": True, "sed_unread": None}.get(fate, False)
        # The programs go line by line, so one run serves all files.
        every = [line for path in paths for line in self._texts[path]]
        text = run([*rename.program], stdin=("\n".join(every) + "\n").encode()).decode()
        made = text.removesuffix("\n").split("\n")
        if len(made) != len(every):
            return
        end = 0
        for path in paths:
            before = self._texts[path]
            start, end = end, end + len(before)
            after = made[start:end]
            if after == before:
                continue
            self.before[path] = before
            self.after[path] = [
                RenamedLine(new, truth if new != old else False, fate if new != old else "human")
                for old, new in zip(before, after, strict=True)
            ]

    def _touch(self, paths: Sequence[str]) -> None:
        """Let a person change some renamed lines on, and others besides."""
        for path in paths:
            if path not in self.after or self._rng.random() > 0.25:
                continue
            lines = self.after[path]
            for at, line in enumerate(lines):
                chance = 0.3 if line.kind == "substituted" else 0.03
                if line.text.strip() and self._rng.random() < chance:
                    kind = "sed_changed_on" if line.kind == "substituted" else "human"
                    lines[at] = RenamedLine(f"{line.text} and the rest", truth=False, kind=kind)

    def _record(self, rename: _Rename, fate: str, merged_at: datetime) -> None:
        rng = self._rng
        number = UUID(int=rng.getrandbits(128), version=4)
        of = AgentSession(str(number), self._root, Random(number.int))  # noqa: S311 - no secret
        self.agent_sessions.append(of)
        command = rename.tail
        if fate == "sed_perhaps":
            command = rng.choice(("test -f NEVER && {}; git status", "{} || true", "false || {}"))
            command = command.format(rename.tail)
        elif fate == "sed_unread":
            command = "NEW=core; " + rename.tail.replace("'s", '"s', 1).replace("' ", '$NEW" ', 1)
        elif rng.random() < 0.4:
            command = rng.choice(("git status && {}", "{} && git diff --stat", "echo go; {}"))
            command = command.format(rename.tail)
        days = rng.uniform(22, 45) if fate == "sed_early" else rng.uniform(0.1, 6)
        result: Mapping[str, object] = {"stdout": "", "stderr": "", "interrupted": False}
        outcome = {"sed_failed": "failed", "sed_refused": "refused"}.get(fate, "applied")
        of.calls.append(
            Call(
                id=of.call_id(),
                tool="Bash",
                at=merged_at - timedelta(days=days),
                path=self._root,
                input={"command": command, "description": "Rename"},
                outcome=outcome,
                result=dict(result) if outcome == "applied" else None,
            )
        )
