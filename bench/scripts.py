"""Acts out what agents write by scripts, patches and moves in a shell, with decoys of people.

The blocks are real: what two releases of a package differ by. The machine's own Python runs the
scripts, so a block is an agent's only if its script really wrote it.
"""

import difflib
import re
import shlex
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

from bench.agent import AgentSession, Call
from bench.console import run
from bench.lines import is_effective, normalize
from bench.releases import Pair
from bench.renames import RenamedLine

MOST_FILES = 10
"""Files of one pull request."""

LARGEST = 1_500
"""Lines of the largest file."""

LONGEST = 40
"""Lines of the longest block."""

FATES = (
    *("shell_text",) * 6,
    "patched",
    *("human",) * 2,
    "script_failed",
    "script_refused",
    "script_perhaps",
    "script_early",
    "script_elsewhere",
    "script_quoted",
    "patch_failed",
)
"""What becomes of a block. Behind all but the first two stands a person, who wrote it by hand, word
for word what a command holds that must not count; ``script_quoted``: that only looks for it."""

AGENTS = ("shell_text", "patched")
ELSEWHERE = "/home/dev/other/tools"

_FUNCTION = """
def sub(old, new):
    global text
    assert text.count(old) == 1
    text = text.replace(old, new, 1)
"""

_SIMPLE = re.compile(r"[\w./-]+")


@dataclass(frozen=True)
class _Block:
    """Lines of a file that others replace; ``before`` has a line more on both sides."""

    start: int
    stop: int
    new: tuple[str, ...]
    before: str
    after: str


class Scripts:
    """Scripts in files that nothing else of a pull request touches."""

    def __init__(
        self, pair: Pair, paths: Sequence[str], roots: tuple[str, ...], rng: Random
    ) -> None:
        self._pair = pair
        self._rng = rng
        self._paths = [
            path
            for path in paths
            if _SIMPLE.fullmatch(path)
            and max(pair.old.get(path, "").count("\n"), pair.new[path].count("\n")) <= LARGEST
        ]
        self._root = rng.choice(roots)
        self._own: set[str] = set()
        self.before: dict[str, list[str]] = {}
        self.after: dict[str, list[RenamedLine]] = {}
        self.agent_sessions: list[AgentSession] = []

    def act(self, merged_at: datetime) -> None:
        """Act out some files before a merge."""
        for path in self._paths[:MOST_FILES]:
            if path in self._pair.old:
                self._change(path, merged_at)
            else:
                self._add(path, merged_at)
        for path, lines in self.after.items():
            self.after[path] = [self._judged(line) for line in lines]

    def _judged(self, line: RenamedLine) -> RenamedLine:
        """Nobody can tell whose line it is if a person wrote one that an agent wrote, too."""
        if line.truth is False and normalize(line.text) in self._own:
            return RenamedLine(line.text, None, "twin")
        return line

    # --- added files ---

    def _add(self, path: str, merged_at: datetime) -> None:
        """Let an agent write a file elsewhere and move it, or a person write what it wrote."""
        rng = self._rng
        fate = rng.choice(("moved_by_command",) * 3 + ("move_failed", "move_refused"))
        lines = self._pair.new[path].rstrip("\n").split("\n")
        folder, _, name = path.rpartition("/")
        of = self._agent_session()
        draft = f"draft_{rng.randint(100, 999)}/{name}"
        text = "\n".join(lines) + "\n"
        at = merged_at - timedelta(days=rng.uniform(1, 6))
        of.calls.append(
            Call(
                id=of.call_id(),
                tool="Write",
                at=at,
                path=f"{self._root}/{draft}",
                input={"file_path": f"{self._root}/{draft}", "content": text},
                outcome="applied",
                result={"type": "create", "content": text, "structuredPatch": []},
            )
        )
        program = rng.choice(("git mv", "mv", "cp"))
        command = rng.choice(
            (
                f"{program} {draft} {path}",
                f"mkdir -p {folder or '.'} && {program} {draft} {folder or '.'}/ && git status",
                f"cd {draft.partition('/')[0]} && {program} {name} ../{path}",
            )
        )
        outcome = {"move_failed": "failed", "move_refused": "refused"}.get(fate, "applied")
        self._call(of, command, at + timedelta(hours=1), outcome)
        truth = fate == "moved_by_command"
        self.after[path] = [RenamedLine(line, truth, fate) for line in lines]

    # --- changed files ---

    def _change(self, path: str, merged_at: datetime) -> None:
        old = self._pair.old[path].rstrip("\n").split("\n")
        new = self._pair.new[path].rstrip("\n").split("\n")
        text = "\n".join(old) + "\n"
        marked: list[RenamedLine] = []
        at = 0
        for block in _blocks(old, new, text):
            fate = self._rng.choice(FATES) if block.before else "human"
            marked += [RenamedLine(line, None, "base") for line in old[at : block.start]]
            changed = self._act(path, block, fate, text, merged_at)
            # A text that was not found once has no script: a person wrote the block.
            fate = fate if changed is not None else "human"
            is_agent = fate in AGENTS
            if is_agent:
                self._own |= {normalize(line) for line in block.new}
            kind = f"{fate}_short" if is_agent and _is_short(block.new) else fate
            marked += [RenamedLine(line, is_agent, kind) for line in block.new]
            text = changed if changed is not None else text
            at = block.stop
        marked += [RenamedLine(line, None, "base") for line in old[at:]]
        if any(line.kind != "base" for line in marked):
            self.before[path] = old
            self.after[path] = marked

    def _act(
        self, path: str, block: _Block, fate: str, text: str, merged_at: datetime
    ) -> str | None:
        """Record a command for a block; return the file after it, ``None``: it cannot be done."""
        if fate == "human":
            return None
        rng = self._rng
        where = f"{ELSEWHERE}" if fate == "script_elsewhere" else self._root
        of = self._agent_session(where)
        if fate in ("patched", "patch_failed"):
            command = self._patch(path, block, text)
            done = text.replace(block.before, block.after, 1)
        else:
            script = self._script(path, block, fate)
            done = _carried_out(path, text, script, [path])
            command = self._shell(path, script)
        if fate in AGENTS and done != text.replace(block.before, block.after, 1):
            return None
        if fate == "script_perhaps":
            hides = ("{} || true", "{}\ngit diff --stat", "test -f NEVER && {}; git status")
            command = rng.choice(hides).format(command)
        elif rng.random() < 0.3:
            command = rng.choice(("git status && {}", "set -e\n{}\ngit diff --stat")).format(
                command
            )
        days = rng.uniform(22, 45) if fate == "script_early" else rng.uniform(0.1, 6)
        outcome = {
            "script_failed": "failed",
            "patch_failed": "failed",
            "script_refused": "refused",
        }.get(fate, "applied")
        self._call(of, command, merged_at - timedelta(days=days), outcome)
        return text.replace(block.before, block.after, 1)

    def _patch(self, path: str, block: _Block, text: str) -> str:
        new = text.replace(block.before, block.after, 1)
        diff = difflib.unified_diff(
            text.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", f"b/{path}"
        )
        program = self._rng.choice(("git apply", "git apply --index -", "patch -p1"))
        given = "".join(diff)
        if program.endswith("-"):
            return f"cat <<'PATCH' > /tmp/fix.patch\n{given}PATCH\ngit apply /tmp/fix.patch"
        return f"{program} <<'PATCH'\n{given}PATCH"

    def _script(self, path: str, block: _Block, fate: str) -> str:
        """Return a script that makes a block, or only looks for it."""
        rng = self._rng
        before, after = (_literal(one, rng) for one in (block.before, block.after))
        name = _literal(path, rng) if rng.random() < 0.7 else repr(f"{path}")
        opened = rng.choice(
            (
                f"path = Path({name})\ntext = path.read_text()\n",
                f"import sys\npath = Path([*sys.argv, {name}][1])\ntext = open(path).read()\n",
            )
        )
        saved = rng.choice(
            ("path.write_text(text)\n", "with open(path, 'w') as file:\n    file.write(text)\n")
        )
        if fate == "script_quoted":
            look = f"block = {after}\nif block in text:\n    print('it is there', block)\n"
            change = "text = text.replace('an unlikely text', 'another one')\n"
            return f"from pathlib import Path\n{opened}{look}{change}{saved}"
        inserted = block.after.removeprefix(block.before)
        named = f"old = {before}\nnew = {after}\n"
        forms = [
            f"{named}assert old in text, old\ntext = text.replace(old, new, 1)\n",
            f"for old, new in [({before}, {after})]:\n    text = text.replace(old, new)\n",
            f"{_FUNCTION}\nsub({before}, {after})\n",
        ]
        if block.after.startswith(block.before):
            forms.append(
                f"anchor = {before}\nat = text.index(anchor) + len(anchor)\n"
                f"text = text[:at] + {_literal(inserted, rng)} + text[at:]\n"
            )
        return f"from pathlib import Path\n{opened}{rng.choice(forms)}{saved}"

    def _shell(self, path: str, script: str) -> str:
        rng = self._rng
        python = rng.choice(("python3", "python", "python3.11"))
        if rng.random() < 0.3:
            return f"{python} -c {shlex.quote(script)}"
        mark = rng.choice(("EOF", "PY"))
        if re.search(rf"^{mark}$", script, re.MULTILINE):
            mark = "END_OF_SCRIPT"
        given = rng.choice(("-", f"- {path}"))
        return f"{python} {given} <<'{mark}'\n{script}{mark}"

    # --- who and when ---

    def _agent_session(self, root: str | None = None) -> AgentSession:
        number = UUID(int=self._rng.getrandbits(128), version=4)
        of = AgentSession(str(number), root or self._root, Random(number.int))  # noqa: S311 - no secret
        self.agent_sessions.append(of)
        return of

    def _call(self, of: AgentSession, command: str, at: datetime, outcome: str) -> None:
        result = {"stdout": "", "stderr": "", "interrupted": False}
        of.calls.append(
            Call(
                id=of.call_id(),
                tool="Bash",
                at=at,
                path=of.root,
                input={"command": command, "description": "Change a file"},
                outcome=outcome,
                result=dict(result) if outcome == "applied" else None,
            )
        )


def _blocks(old: list[str], new: list[str], text: str) -> list[_Block]:
    """Return where two releases of a file differ; ``before`` is empty if it is not found once."""
    steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    found: list[_Block] = []
    for tag, start, stop, first, last in steps:
        if tag == "equal" or last - first > LONGEST:
            continue
        kept_before, kept_after = old[max(0, start - 1) : start], old[stop : stop + 1]
        before = "\n".join([*kept_before, *old[start:stop], *kept_after]) + "\n"
        after = "\n".join([*kept_before, *new[first:last], *kept_after]) + "\n"
        if tag == "insert" and kept_before:
            before, after = (
                kept_before[0] + "\n",
                "\n".join([*kept_before, *new[first:last]]) + "\n",
            )
        is_found = text.count(before) == 1 and len(before) > 5
        given = (before, after) if is_found else ("", "")
        found.append(_Block(start, stop, tuple(new[first:last]), *given))
    # No block's text may be what another one makes.
    return [
        block
        if not any(
            block.before and block.before in other.after for other in found if other is not block
        )
        else _Block(block.start, block.stop, block.new, "", "")
        for block in found
    ]


def _is_short(lines: Sequence[str]) -> bool:
    return sum(map(is_effective, lines)) < 2


def _carried_out(path: str, text: str, script: str, arguments: Sequence[str]) -> str | None:
    """Return a file after a script; ``None``: the script failed."""
    with tempfile.TemporaryDirectory(prefix="ghapp-bench-script-") as folder:
        file = Path(folder) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
        command = [sys.executable, "-I", "-S", "-X", "utf8", "-c", script, *arguments]
        run(command, cwd=Path(folder), accept=(0, 1))
        return file.read_bytes().decode()


def _literal(text: str, rng: Random) -> str:
    """Return a text as Python writes it, in one of its forms."""
    quotes = rng.choice(("'''", '"""'))
    plain = "\\" not in text and quotes not in text and not text.endswith(quotes[0])
    if "\n" in text and plain and rng.random() < 0.6:
        return quotes + text + quotes
    if "\n" in text and rng.random() < 0.5:
        parts = [one + "\n" for one in text.removesuffix("\n").split("\n")]
        return "(" + "\n    ".join(map(repr, parts)) + ")"
    return repr(text)
