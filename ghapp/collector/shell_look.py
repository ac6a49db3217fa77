"""Looks at a checkout before and after a shell command, for what the command changed. No network.

The hook loads it by its path for commands that may write files, so it imports a little of the
standard library and nothing of ours (`ghapp.collector.hook`). Before a command it keeps the text
of the files that git calls changed, after it the pairs of texts go into the queue with the event.
All of it is in the collector's own folder, and gone when the command is done.

A program or a person may save files at the same time. So only that counts which the command names,
in the time in which it ran, where nobody else has changed a file for a while (rules.md 2.22).
"""

import json
import os
import re
import select
import signal
import time
from hashlib import sha1
from stat import S_ISREG
from typing import Any, NamedTuple

BUDGET = 0.1
"""Seconds that git may take for one look; a tree that needs more is not looked at for an hour."""
MOST_FILES = 300
"""Files that git calls changed; with more, the command is not looked at."""
MOST_BYTES = 2 * 1024 * 1024
LONGEST_COMMAND = 32_000
"""Characters; a longer command is not looked at."""
MOST_PATTERNS = 50
"""Patterns with ``*`` that a command may name; a file of a later one is taken for not named."""
LARGEST_FILE = 512 * 1024
LONGEST_RUN = 5.0
"""Seconds; the longer a command runs, the likelier somebody saves a file meanwhile."""
QUIET = 300.0
"""Seconds for which nobody else must have changed a file of the checkout."""
OFF_FOR = 3_600.0
LOOK_LIVES = 3_600.0
"""Seconds after which a look whose command never ended is deleted."""
STARTS = 0.5
"""Seconds that a hook may take to start after its command has ended."""
_LIVES = {"look": LOOK_LIVES, "new": LOOK_LIVES}
_LIVES |= dict.fromkeys(("off", "seen", "crossed"), OFF_FOR)

OTHERS = "seen around a command while others saved files"
CROSSED = "seen around two commands at once"
FROM_ELSEWHERE = "seen around a command that brings text from elsewhere"
UNTIMED = "seen around a command that ran too long, or nobody knows how long"
TOO_LARGE = "seen around a command, too large or too many"

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_PART_ENDS = re.compile(r"[;&|\n]")
_COMMAND_ENDS = re.compile(r"&&|\|\||[;\n]")
# git stash pop; git -C a checkout b
_GIT = re.compile(r"\bgit\b")
_GIT_MOVES = re.compile(
    r"\b(?:checkout|switch|restore|pull|merge|rebase|reset|stash|cherry-pick|revert"
    r"|am|apply|clone|worktree|read-tree|checkout-index|submodule|clean|commit)\b"
)
# cp a b; shutil.copy(a, b); npm install
_BRINGS = re.compile(
    r"(?<![\w./-])(?:cp|mv|rsync|tar|unzip|curl|wget|patch|scp|ln|dd|svn|hg|gh)\s"
    r"|\b(?:npm|yarn|pnpm|pip)\s+(?:i|install|ci|add)\b"
    r"|shutil|urllib|requests|subprocess|os\.(?:system|rename|replace|popen)|child_process|fetch\("
)
# cat a > b
_READS = re.compile(r"\b(?:head|tail|sort|cat\s+[^<>\s-])")
_REDIRECTS = re.compile(r"(?<![0-9&=-])>")
# What may be read as a substitution, which its own lines prove
_SUBSTITUTES = re.compile(r"\b(?:sed|perl|gofmt)\b")
_BACKGROUND = re.compile(r"(?<![&>])&(?![&>0-9])")
# python3 - <<'E'; node -e '...'
_SCRIPT = re.compile(r"<<|\s-[a-zA-Z]*[ce]\s")
_SCRIPT_WRITES = re.compile(r"write|\b(?:sed|perl)\b")
_OPENS = re.compile(r"open\(")
_WRITE_MODE = re.compile(r"['\"](?:[wax]|r?b?\+)")
_WRITES = re.compile(
    r"\binplace\b|--write\b|--fix\b|\b(?:black|isort|rustfmt|autopep8|dos2unix)\s"
    r"|\bruff\s+format\b|\b(?:cargo|go)\s+fmt\b"
)
# What a program is called, and behind it the option with which it writes
_IN_PLACE = (
    (re.compile(r"\b(?:sed|perl|ruby)\b"), re.compile(r"\s(?:-[a-zA-Z]*i|--in-place)")),
    (re.compile(r"\b(?:gofmt|goimports|gofumpt|shfmt)\b"), re.compile(r"\s-[a-z]*w")),
    (re.compile(r"\bclang-format\b"), re.compile(r"\s-i")),
)
_ONLY_CHECKS = re.compile(r"--(?:check|diff|dry-run|check-only)\b")
# > out.txt, but not 2>&1 and not =>
_TARGET = re.compile(r"(?<![0-9&<>=-])>>?\s*([\w./~+@-]+)|\btee\s+(?:-a\s+)?([\w./~+@-]+)")
_WORD = re.compile(r"[^\w./*?\[\]~+@-]+")
# git ls-files | xargs sed -i; sed -i s/a/b/ $(grep -rl a)
_EVERYWHERE = re.compile(r"\bgit\s+(?:ls-files|grep)|\b(?:cargo|go)\s+fmt")
_FINDS = re.compile(r"\b(?:grep|rg)\b")
_NAMES_FILES = re.compile(r"\s-[a-zA-Z]*l")
_NO_LETTER = re.compile(r"\W")
_EDITORS = (".{}.swp", ".{}.swo", ".#{}", "#{}#", ".{}.un~")
"""Files that Vim and Emacs keep beside a file that somebody has open."""


class ChangedFile(NamedTuple):
    """A file that git calls changed."""

    size: int
    mtime: int
    """Nanoseconds since 1970."""


class TreeLook(NamedTuple):
    """What git calls changed in a checkout at one moment."""

    head: str
    """The commit that is checked out."""
    files: dict[str, ChangedFile]
    """By path in the checkout."""


class CommandRun(NamedTuple):
    """A command that has ended."""

    text: str
    took: int | None
    """Nanoseconds without a question to the person; ``None``: nobody knows."""
    ended: int
    """Nanoseconds since 1970."""
    named: set[str]
    """The changed files that it names."""


class LookOff(NamedTuple):
    """A checkout that is not looked at."""

    root: str
    why: str


# --- before -------------------------------------------------------------------------------------


def before(directory: str, event: bytes, now: int) -> None:
    """Keep what a command may change. ``now`` is in nanoseconds since 1970."""
    call = json.loads(event)
    asked = call.get("tool_input") or {}
    command, cwd = asked.get("command"), str(call.get("cwd"))
    if asked.get("run_in_background") or not isinstance(command, str):
        return
    if len(command) > LONGEST_COMMAND or not written_names(command):
        return
    root = _root(cwd)
    folder = f"{directory}/looks"
    if root is None:
        return
    os.makedirs(folder, mode=0o700, exist_ok=True)
    tidy(directory, now)
    tree = _key(root)
    if os.path.exists(f"{folder}/{tree}.off"):
        return
    seen = _look(root)
    if seen is None:
        why = f"git took more than {BUDGET * 1000:.0f} ms"
        _write(f"{folder}/{tree}.off", {"root": root, "why": why})
        return
    others = _others_saved(folder, tree, root, seen, now)
    texts = None if others and not _SUBSTITUTES.search(command) else _texts(root, seen)
    agent = f"{call.get('session_id')} {call.get('agent_id')}"
    _note_crossing(folder, tree, agent, now)
    kept = {"root": root, "at": now, "agent": agent, "head": seen.head, "files": seen.files}
    kept |= {"cwd": os.path.realpath(cwd), "texts": texts, "others": others}
    kept["git"] = _git_state(root)
    _write(f"{folder}/{tree}-{_name(call)}.look", kept)


def written_names(command: str) -> frozenset[str]:
    """Return the words of a command that may name what it writes; empty: it may write nothing.

    A command that only reads names files, too, and a person may save just these while it runs.

    >>> sorted(written_names("pytest a.py && sed -i s/a/b/ x.py"))
    ['-i', 's/a/b/', 'sed', 'x.py']
    """
    found: set[str] = set()
    is_script = _is_writing_script(command)
    parts = [command] if is_script else _COMMAND_ENDS.split(command)
    for part in parts:
        if is_script or _writes(part):
            found.update(_WORD.split(part))
            if any(map(_is_everywhere, part.split("\n"))):
                found.add(".")
        else:
            found.update(word for pair in _TARGET.findall(part) for word in pair)
    return frozenset(found - {"", "/dev/null"})


def _follows(first: re.Pattern[str], then: re.Pattern[str], text: str) -> bool:
    """Say whether a pattern is found behind another one; both take the time of one search.

    One pattern with anything between the two would look for the second again from each first.
    """
    found = first.search(text)
    return found is not None and then.search(text, found.end()) is not None


def _is_writing_script(command: str) -> bool:
    if not _SCRIPT.search(command):
        return False
    return bool(_SCRIPT_WRITES.search(command)) or _follows(_OPENS, _WRITE_MODE, command)


def _writes(part: str) -> bool:
    if _ONLY_CHECKS.search(part):
        return False
    return bool(_WRITES.search(part)) or any(_follows(*pair, part) for pair in _IN_PLACE)


def _is_everywhere(line: str) -> bool:
    return bool(_EVERYWHERE.search(line)) or _follows(_FINDS, _NAMES_FILES, line)


def _brings(command: str) -> bool:
    """Say whether a command brings text from elsewhere: git, copies, downloads."""
    return bool(_BRINGS.search(command)) or any(
        _follows(_GIT, _GIT_MOVES, part) or _follows(_READS, _REDIRECTS, part)
        for part in _PART_ENDS.split(command)
    )


def _root(cwd: object) -> str | None:
    """Return the checkout that a folder is in, with links resolved; ``None``: it is in none."""
    if not isinstance(cwd, str) or not os.path.isabs(cwd):
        return None
    folder = os.path.realpath(cwd)
    while folder != "/":
        if os.path.exists(f"{folder}/.git"):
            return folder
        folder = os.path.dirname(folder)
    return None


def _look(root: str) -> TreeLook | None:
    """Ask git what is changed; ``None``: it fails, or needs more than the budget."""
    told = _git(root, "status --porcelain=v2 --branch -z --untracked-files=all --no-renames")
    if told is None:
        return None
    head, files = "", {}
    for entry in told.split(b"\0"):
        kind, _, rest = entry.partition(b" ")
        if kind == b"#" and rest.startswith(b"branch.oid "):
            head = rest[11:].decode()
        path = rest if kind == b"?" else rest.split(b" ", 7)[-1] if kind == b"1" else b""
        found = _stat(f"{root}/{os.fsdecode(path)}") if path else None
        if found is not None:
            files[os.fsdecode(path)] = found
    return TreeLook(head, files)


def _git(root: str, command: str, given: bytes = b"") -> bytes | None:
    """Run git within the budget, without anybody's settings; ``None``: it fails or is too slow."""
    read, write = os.pipe()
    asked, asks = os.pipe()
    arguments = ["git", "-C", root, "-c", "core.fsmonitor=false", *command.split()]
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        # No filter of the checkout runs, as no attribute names one.
        "GIT_ATTR_SOURCE": _EMPTY_TREE,
    }
    places = [(os.POSIX_SPAWN_DUP2, asked, 0), (os.POSIX_SPAWN_DUP2, write, 1)]
    places += [(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]  # type: ignore[list-item]
    child = os.posix_spawnp("git", arguments, environment, file_actions=places)
    os.close(write)
    os.close(asked)
    os.write(asks, given)
    os.close(asks)
    deadline = time.monotonic() + BUDGET
    parts: list[bytes] = []
    while (left := deadline - time.monotonic()) > 0:
        if select.select([read], [], [], left)[0]:
            part = os.read(read, 1 << 20)
            if not part:
                os.close(read)
                _, status = os.waitpid(child, 0)
                return b"".join(parts) if status == 0 else None
            parts.append(part)
    os.kill(child, signal.SIGKILL)
    os.close(read)
    os.waitpid(child, 0)
    return None


def _stat(path: str) -> ChangedFile | None:
    """Return a regular file's size and time; ``None``: it is none."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return ChangedFile(found.st_size, found.st_mtime_ns) if S_ISREG(found.st_mode) else None


def _texts(root: str, seen: TreeLook) -> dict[str, str | None] | None:
    """Return the texts of the changed files, ``None`` for one that has none or is large.

    ``None`` for all: they are too many, or too large together.
    """
    sizes = [one.size for one in seen.files.values() if one.size <= LARGEST_FILE]
    if len(seen.files) > MOST_FILES or sum(sizes) > MOST_BYTES:
        return None
    return {path: _text(f"{root}/{path}") for path in seen.files}


def _text(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            return _decoded(file.read(LARGEST_FILE + 1))
    except OSError:
        return None


def _decoded(content: bytes) -> str | None:
    if len(content) > LARGEST_FILE or b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _git_state(root: str) -> list[int]:
    """Return when git last moved the checkout, fetched, stashed or merged; 0: never."""
    folder = f"{root}/.git"
    try:
        with open(folder) as file:  # a worktree's names the folder
            folder = os.path.join(root, file.read().partition("gitdir:")[2].strip())
    except OSError:
        pass
    names = ("HEAD", "logs/HEAD", "ORIG_HEAD", "FETCH_HEAD", "MERGE_HEAD", "logs/refs/stash")
    found = [_stat(f"{folder}/{name}") for name in (*names, "../../logs/refs/stash")]
    return [one.mtime if one else 0 for one in found]


# --- after --------------------------------------------------------------------------------------


def after(directory: str, event: bytes, now: int) -> bytes | None:
    """Return the event with the texts that its command changed; ``None``: nothing, surely.

    It forgets what `before` kept.
    """
    call = json.loads(event)
    root = _root(call.get("cwd"))
    folder = f"{directory}/looks"
    if root is None:
        return None
    tree = _key(root)
    path = f"{folder}/{tree}-{_name(call)}.look"
    kept = _taken(path)
    if kept is None:
        return None
    # A command may have gone elsewhere, but its hook's folder is where the look was.
    seen = _look(root) if kept["root"] == root else None
    if seen is None:
        return None
    command = str((call.get("tool_input") or {}).get("command"))
    cwd = kept["cwd"]  # the event may name the folder to which the command went
    changed = [path for path, one in seen.files.items() if list(one) != kept["files"].get(path)]
    known = NamedFiles(command, os.path.relpath(cwd, root), root) if changed else ()
    took = call.get("duration_ms")
    run = CommandRun(
        text=command,
        took=int(took * 1e6) if isinstance(took, int | float) and took >= 0 else None,
        ended=now,
        named={one for one in changed if one in known},
    )
    found: dict[str, tuple[str, str]] = {}
    why = None
    if changed:
        found, why = _own(kept, seen, changed, run, f"{folder}/{tree}.crossed")
    if why is not None:
        _count(folder, why, len(changed) - len(found))
    is_sure = bool(found)
    if not found and kept["texts"] is not None and _SUBSTITUTES.search(command):
        found, _ = _pairs(kept, seen, sorted(run.named), set())
    others = now if why == OTHERS else kept["others"] or 0
    _write(f"{folder}/{tree}.seen", {"files": seen.files, "others": others})
    if not found:
        return None
    beside = [_text(f"{root}/{one}") for one in _named_beside(root, found, command)]
    look = {
        "files": [
            {"path": f"{root}/{path}", "before": old, "after": new}
            for path, (old, new) in found.items()
        ],
        "beside": [text for text in beside if text],
        "is_sure": is_sure,
        "cwd": cwd,
    }
    return event.rstrip()[:-1] + b', "ghapp_look": ' + json.dumps(look).encode() + b"}"


def _own(
    kept: dict[str, Any], seen: TreeLook, changed: list[str], run: CommandRun, crossed: str
) -> tuple[dict[str, tuple[str, str]], str | None]:
    """Return texts that nobody but the command can have written, and why others are left out."""
    why = _void(kept, crossed, run)
    if why is not None or run.took is None:
        return {}, why
    started = max(kept["at"], run.ended - run.took - int(STARTS * 1e9))
    written = [seen.files[one].mtime for one in changed]
    if not all(started <= at <= run.ended for at in written) or set(changed) - run.named:
        return {}, OTHERS
    return _pairs(kept, seen, changed, _edited(os.path.dirname(crossed), kept["root"], started))


def _void(kept: dict[str, Any], crossed: str, run: CommandRun) -> str | None:
    """Return why nothing of a look counts; ``None``: it may."""
    if _brings(run.text) or _git_state(kept["root"]) != kept["git"]:
        return FROM_ELSEWHERE
    if _BACKGROUND.search(run.text) or run.took is None or run.took > LONGEST_RUN * 1e9:
        return UNTIMED
    found = _stat(crossed)
    if found is not None and found.mtime >= kept["at"]:
        return CROSSED
    if kept["others"]:
        return OTHERS
    return TOO_LARGE if kept["texts"] is None else None


class NamedFiles:
    """The files of a checkout that a command names, by itself, a folder above or a pattern.

    ``here`` is the folder in which it ran, relative to the checkout. A script's words may be
    anything, so a folder counts there only beside the ending of its files.

    >>> "src/a.py" in NamedFiles("black src", ".", "/shop")
    True
    """

    def __init__(self, command: str, here: str, root: str) -> None:
        names = written_names(command)
        self._endings = [_ending(one) for one in names if "*." in one][:MOST_PATTERNS]
        self._is_script = _SCRIPT.search(command) is not None
        self._whole: set[str] = set()
        self._ends: set[str] = set()
        self._patterns: list[str] = []
        for word in names:
            plain = word.removesuffix("...").rstrip("/").removeprefix(f"{root}/")
            if not plain or plain.startswith("/"):
                continue
            whole = os.path.normpath(os.path.join(here, plain))
            self._whole.add(whole)
            self._ends.add(plain.removeprefix("./"))
            if "*" in plain and "*." not in plain.rpartition("/")[0]:
                self._patterns.append(whole)

    def __contains__(self, path: str) -> bool:
        """Say whether the command names a path of the checkout."""
        parts = path.split("/")
        ends = ("/".join(parts[at:]) for at in range(1, len(parts)))
        if path in self._whole or any(one in self._ends for one in ends):
            return True
        is_wanted = any(_fits(parts[-1], one) for one in self._endings)
        if is_wanted if self._endings else not self._is_script:
            above = (".", *("/".join(parts[:at]) for at in range(1, len(parts))))
            if any(one in self._whole for one in above):
                return True
        return any(_fits(path, one) for one in self._patterns[:MOST_PATTERNS])


def _ending(word: str) -> str:
    return word.rpartition("/")[2]


def _fits(path: str, pattern: str) -> bool:
    """Say whether a path is as a pattern tells, in which ``*`` is any text and nothing else is.

    >>> _fits("lib/a.py", "lib/*.py"), _fits("lib/a.pyi", "lib/*.py")
    (True, False)
    """
    first, *rest = pattern.split("*")
    if not rest or not path.startswith(first):
        return path == pattern
    at = len(first)
    for part in rest[:-1]:
        at = path.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return path.endswith(rest[-1]) and at + len(rest[-1]) <= len(path)


def _pairs(
    kept: dict[str, Any], seen: TreeLook, changed: list[str], edited: set[str]
) -> tuple[dict[str, tuple[str, str]], str | None]:
    """Return the texts of the changed files before and after, and why some are left out."""
    root = kept["root"]
    if len(changed) > MOST_FILES or sum(seen.files[one].size for one in changed) > MOST_BYTES:
        return {}, TOO_LARGE
    texts = {path: _text(f"{root}/{path}") for path in changed}
    blobs = {path: _blob(text) for path, text in texts.items() if text is not None}
    unknown = [path for path in blobs if path not in kept["files"]]
    asked = [*(f"{kept['head']}:{path}" for path in unknown), *blobs.values()]
    told = _git(root, "cat-file --batch", "".join(f"{one}\n" for one in asked).encode())
    if told is None or any("\n" in one for one in asked):
        return {}, TOO_LARGE
    answers = _objects(told, len(asked))
    old = dict(zip(unknown, answers, strict=False))
    known = dict(zip(blobs, answers[len(unknown) :], strict=True))
    found: dict[str, tuple[str, str]] = {}
    why: str | None = None
    for path in changed:
        text = texts[path]
        was = _decoded(old[path] or b"") if path in old else kept["texts"].get(path)
        if text is None or was is None:
            why = TOO_LARGE
        elif known[path] is not None:
            why = FROM_ELSEWHERE
        elif path in edited or _is_open(root, path):
            why = OTHERS
        else:
            found[path] = (was, text)
    return found, why


def _blob(text: str) -> str:
    content = text.encode()
    return sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _objects(told: bytes, count: int) -> list[bytes | None]:
    """Split git's answers: a line with the size and the content, or that it has none."""
    found: list[bytes | None] = []
    while len(found) < count:
        line, _, told = told.partition(b"\n")
        words = line.rsplit(b" ", 2)
        if len(words) == 3 and words[1] == b"blob":
            size = int(words[2])
            found.append(told[:size])
            told = told[size + 1 :]
        else:
            found.append(None)
    return found


def _is_open(root: str, path: str) -> bool:
    """Say whether an editor has a file open, by what it keeps beside it."""
    folder, _, name = path.rpartition("/")
    return any(os.path.lexists(f"{root}/{folder}/{one.format(name)}") for one in _EDITORS)


def _named_beside(root: str, found: dict[str, Any], command: str) -> list[str]:
    """Return other files that a command names, whose lines it may have copied."""
    words = [one for one in sorted(written_names(command) | set(_WORD.split(command))) if one]
    names = [os.path.normpath(one) for one in words[:200]]
    return [one for one in names if one not in found and _stat(f"{root}/{one}") is not None][:20]


# --- who else changes files ---------------------------------------------------------------------


def _activity(folder: str) -> tuple[list[tuple[int, str]], list[tuple[int, int]]]:
    """Return the edits of agents (time, path), and when their commands ran."""
    edits, ran = [], []
    try:
        with open(f"{folder}/activity", encoding="utf-8", errors="replace") as file:
            for line in file:
                at, _, rest = line.rstrip("\n").partition(" ")
                kind, _, value = rest.partition(" ")
                if not at.isdigit():
                    continue
                if kind == "edit":
                    edits.append((int(at), value))
                elif value.isdigit():
                    ran.append((int(at) - int(value) * 1_000_000 - int(STARTS * 1e9), int(at)))
    except OSError:
        pass
    return edits, ran


def _edited(folder: str, root: str, since: int) -> set[str]:
    edits, _ = _activity(folder)
    return {path.removeprefix(f"{root}/") for at, path in edits if at >= since}


def _others_saved(folder: str, tree: str, root: str, seen: TreeLook, now: int) -> int | None:
    """Return when somebody who is no agent last changed a file; ``None``: not for a while."""
    before = _read(f"{folder}/{tree}.seen") or {}
    files, latest = before.get("files", {}), before.get("others") or 0
    first = now - int(QUIET * 1e9)
    fresh = [
        (path, one.mtime)
        for path, one in seen.files.items()
        if one.mtime > first and list(one) != files.get(path)
    ]
    if fresh:
        edits, ran = _activity(folder)
        second = 1_000_000_000
        for path, at in fresh:
            is_edit = any(p == f"{root}/{path}" and at <= t <= at + 5 * second for t, p in edits)
            if not is_edit and not any(start <= at <= end for start, end in ran):
                latest = max(latest, at)
    _write(f"{folder}/{tree}.seen", {"files": seen.files, "others": latest})
    return latest if latest > first else None


def _note_crossing(folder: str, tree: str, agent: str, now: int) -> None:
    """Note that another agent's command in the checkout has not ended.

    An agent runs one such command after the other, so an earlier one of its own has failed: of
    that no hook is told.
    """
    for name in os.listdir(folder):
        if not name.startswith(f"{tree}-") or not name.endswith(".look"):
            continue
        path = f"{folder}/{name}"
        if (_read(path) or {}).get("agent") == agent:
            os.unlink(path)
        else:
            _write(f"{folder}/{tree}.crossed", {})
            os.utime(f"{folder}/{tree}.crossed", ns=(now, now))


# --- files --------------------------------------------------------------------------------------


def tidy(directory: str, now: int) -> None:
    """Delete looks whose command never ended, and let large trees be tried again."""
    folder = f"{directory}/looks"
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        lives = _LIVES.get(name.rpartition(".")[2])
        found = _stat(f"{folder}/{name}") if lives else None
        if found is not None and lives and abs(now - found.mtime) > lives * 1e9:
            os.unlink(f"{folder}/{name}")


def switched_off(directory: str) -> list[LookOff]:
    """Return the checkouts that are not looked at, for ``status``."""
    folder = f"{directory}/looks"
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    found = [_read(f"{folder}/{name}") for name in names if name.endswith(".off")]
    return [LookOff(str(one["root"]), str(one["why"])) for one in found if one]


def taken_counts(directory: str) -> dict[str, int]:
    """Return how many changed files were passed over, by why, and forget it."""
    path = f"{directory}/looks/passed-over"
    counts: dict[str, int] = {}
    try:
        os.replace(path, f"{path}.read")
        with open(f"{path}.read", encoding="utf-8") as file:
            for line in file:
                count, _, why = line.rstrip("\n").partition(" ")
                counts[why] = counts.get(why, 0) + int(count)
        os.unlink(f"{path}.read")
    except OSError:
        pass
    return counts


def _count(folder: str, why: str, files: int) -> None:
    file = os.open(f"{folder}/passed-over", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, f"{files} {why}\n".encode())
    finally:
        os.close(file)


def _key(root: str) -> str:
    return sha1(os.fsencode(root), usedforsecurity=False).hexdigest()


def _name(call: dict[str, Any]) -> str:
    return _NO_LETTER.sub("_", str(call.get("tool_use_id"))[:100])


def _taken(path: str) -> dict[str, Any] | None:
    found = _read(path)
    if found is not None:
        os.unlink(path)
    return found


def _read(path: str) -> dict[str, Any] | None:
    try:
        with open(path, "rb") as file:
            found = json.loads(file.read())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _write(path: str, value: dict[str, Any]) -> None:
    new = f"{path}.{os.getpid()}.new"
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(file, json.dumps(value).encode())
    finally:
        os.close(file)
    os.replace(new, path)
