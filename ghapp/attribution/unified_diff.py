"""Parses unified diff text into `FileDiff`, whole or not at all. It runs no git and reads no file.

The format: https://git-scm.com/docs/diff-format and
https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html
"""

import re
from itertools import islice, repeat
from typing import NamedTuple, NoReturn

from msgspec.structs import replace

from ghapp.attribution.model import FileDiff, FileStatus, Hunk, HunkLine, changed_twice, many
from ghapp.attribution.quoted import QUOTED, unquote

NOTHING = "/dev/null"
SUBMODULE_MODE = "160000"
SYMLINK_MODE = "120000"
_MODES = frozenset({"old mode", "new mode", "new file mode", "deleted file mode", "index"})

_NUMBER = "[0-9]{1,10}"
# @@ -3,7 +3,9 @@ def total(cart):
_HUNK = re.compile(rf"@@ -({_NUMBER})(?:,({_NUMBER}))? \+({_NUMBER})(?:,({_NUMBER}))? @@")
# Subproject commit, 40 or 64 hexadecimal digits, and "-dirty" for a changed checkout
_SUBPROJECT = re.compile(r"Subproject commit [0-9a-f]{40,64}(?:-dirty)?$")
_EMPTY_BLOB = ("e69de29", "473a0f4")
"""First digits of an empty file's blob id, in SHA-1 and SHA-256 repositories."""

_OPENS_PROSE = re.compile(
    r"commit [0-9a-f]{7,64}\b"  # git log, git show
    r"|[0-9a-f]{7,64}(?: |$)"  # git log --oneline
    r"|Index: |diff -[^-]"  # svn, diff -r
)
# git format-patch, and the headers of a mail
_OPENS_MAIL = re.compile(
    r"From [0-9a-f]{40,64} "
    r"|(?:From|Subject|Date|Return-Path|Received|Message-I[dD]|MIME-Version|X-[\w-]+): "
)
# git show of a tag, hg export, and the signature below a mailed patch
_OPENS_WORDS = re.compile(r"tag \S|# HG changeset patch|-- $")
# the next commit or mail
_OPENS_COMMIT = re.compile(r"commit [0-9a-f]{40,64}\b|From [0-9a-f]{40,64} ")
# literal 123, delta 45: the length of one direction of a binary patch
_OPENS_BLOCK = re.compile(r"(?:literal|delta) \d+\r?$")
# HcmV?d00001: a letter for the length, then groups of five characters
_BASE_85 = re.compile(r"[A-Za-z](?:[!-~]{5})+\r?$")
# "--- a/new.py<TAB>1970-01-01 01:00:00.000000000 +0100"; west of Greenwich it is 1969-12-31
_AND = re.compile(r" and ")
_EPOCH = re.compile(r"\t(?:1970-01-01|1969-12-31) ")
_STAT = re.compile(r" \S.* \|\s+(?:\d+|Bin)\b| \d+ files? changed")
"""A line of the statistics that git writes between a mail's words and its diff."""
# similarity index 95%, rename from src/old.py, index 0ba81c5..e69de29 100644
_EXTENDED = re.compile(
    r"(old mode|new mode|new file mode|deleted file mode|similarity index|dissimilarity index"
    r"|rename from|rename to|copy from|copy to|index) (.+)"
)
_PREFIX_PAIRS = frozenset({"ab", "ba", "iw", "wi", "ci", "ic", "cw", "wc", "ow", "wo", "12", "21"})
"""First letters of git's prefixes, old and new: a/ b/, and the mnemonic i/ w/ c/ o/ 1/ 2/.

https://git-scm.com/docs/git-config, diff.mnemonicPrefix
"""

MOST_ANDS = 100
"""Places where the two names of a binary note may part: each is tried."""

_AGAIN = "make the diff again and write it straight to a file"
_ONE_CHANGE = (
    "this is the text of several commits: give the one diff of the whole change, with "
    "git diff BASE...HEAD, or from GitHub as .diff instead of .patch"
)
_COMBINED = (
    "a merge's combined diff, whose lines have more than one old side",
    "make a plain one with git diff MERGE^1 MERGE",
)
_HEADLESS = ("a hunk without the lines that name its file", _AGAIN)
_KNOWN = {
    "diff --c": _COMBINED,
    "@@@": _COMBINED,
    "@@ -": _HEADLESS,
    "Only in ": ("a file whose lines are not shown", "make the diff with diff -ruN or git diff"),
    "Submodule ": ("a submodule's log", "make the diff with git diff --submodule=short"),
    "* Unmerged": ("an unmerged path", "finish the merge, then make the diff"),
}
"""Start of a diff line that we cannot count → what it is, and what the user can do about it."""


class DiffError(ValueError):
    """The text is not a complete unified diff, so none of it may be counted."""

    def __init__(self, line: int, found: str, advice: str = _AGAIN) -> None:
        super().__init__(f"line {line}: {found}; {advice}")
        self.line = line
        """Line of the problem, from 1."""
        self.found = found
        self.advice = advice


class _Header(NamedTuple):
    """What the lines above a file's hunks say: its name and what happens to it."""

    path: str
    previous_path: str | None
    status: FileStatus
    submodule: bool
    needs_text: bool
    """Whether hunks or a binary note must follow; otherwise the diff was cut off."""
    blobs: tuple[str, ...] = ()
    symlink: bool = False
    trees: tuple[str, str] | None = None
    """The two compared folders; ``None``: the names do not show them."""


def parse_diff(text: bytes) -> tuple[FileDiff, ...]:
    r"""Parse the output of ``git diff``, ``show``, ``log -p``, ``format-patch`` or ``diff -u``.

    Lines end at ``\n`` only; a ``\r`` before it stays in the text. Bytes that are not UTF-8
    become U+FFFD. The text of several commits is read if no two of them change the same file. A
    file that turns into a symbolic link occurs twice: deleted and added. An empty text gives
    ``()``.

    Raises `DiffError` if the text is cut off, has anything else in it, or changes a file twice.
    Undetectable is a cut right after a complete hunk, after a complete change of mode, or in a
    mail whose words quote a diff.
    """
    lines = _lines(text)
    files: list[FileDiff] = []
    starts: list[int] = []
    trees: set[tuple[str, str]] = set()
    at = _next_file(lines, 0)
    while at < len(lines):
        starts.append(at)
        file, at = _file(lines, at, trees)
        files.append(file)
        at = _next_file(lines, at)
    if len(trees) == 1:
        files = [_below_trees(file, *next(iter(trees))) for file in files]
    second = changed_twice(files)
    if second is not None:
        found, advice = f"{files[second].path!r} is changed a second time", _ONE_CHANGE
        raise DiffError(starts[second] + 1, found, advice)
    return tuple(files)


def parse_patch(
    patch: str, *, path: str, previous_path: str | None, status: FileStatus
) -> FileDiff:
    """Parse one file's ``patch`` from GitHub's files endpoint: hunks and nothing else.

    ``patch`` has no line end after its last line, so only the hunks' counts show whether it is
    complete. An empty patch gives no hunks. Raises `DiffError` with line numbers of the patch.
    https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files
    """
    lines = patch.removesuffix("\n").split("\n") if patch else []
    hunks, at = _hunks(lines, 0)
    if at < len(lines):
        _refuse(lines, at, "a hunk")
    changed = [line.text for hunk in hunks for line in hunk.lines]
    return FileDiff(
        path=path,
        previous_path=previous_path,
        status=status,
        submodule=bool(changed) and len(changed) <= 2 and all(map(_SUBPROJECT.match, changed)),
        hunks=hunks,
    )


# --- the text ---------------------------------------------------------------------------------


def _lines(text: bytes) -> list[str]:
    """Split the text into lines; raise if it ends in the middle of a line."""
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DiffError(1, "UTF-16 text", "write the diff as UTF-8, with git diff --output=FILE")
    lines = text.decode(errors="replace").removeprefix("\ufeff").split("\n")
    if last := lines.pop():
        advice = f"if it is all of the diff, add a line end; otherwise {_AGAIN}"
        raise DiffError(len(lines) + 1, f"the text ends inside a line: {_quote(last)}", advice)
    return lines


def _next_file(lines: list[str], at: int) -> int:
    """Return where the next file starts, after blank lines and a commit's or mail's text."""
    while at < len(lines) and not _starts_file(lines, at):
        if lines[at] in {"", "\r"}:
            at += 1
        elif _OPENS_MAIL.match(lines[at]):
            at = _end_of_words(lines, _end_of_mail(lines, at))
        elif _OPENS_WORDS.match(lines[at]):
            at = _end_of_words(lines, at)
        elif _OPENS_PROSE.match(lines[at]):
            at += 1
            while at < len(lines) and not _starts_file(lines, at):
                _refuse_known(lines, at)
                at += 1
        else:
            _refuse_known(lines, at)
            _refuse(lines, at, "a file's diff or a commit's header")
    return at


def _end_of_words(lines: list[str], at: int) -> int:
    """Return the next file, commit or mail after a person's words, whatever these begin with."""
    at += 1
    while at < len(lines):
        # A note that binary files differ has no lines that could prove it one of git's.
        if _starts_file(lines, at) and not lines[at].startswith("Binary files "):
            break
        if lines[at].startswith(("diff --c", "@@")):
            _refuse_known(lines, at)
        if _OPENS_COMMIT.match(lines[at]):
            break
        at += 1
    return at


def _end_of_mail(lines: list[str], at: int) -> int:
    """Return the line ``---`` that ends a mail's words, or the start if it has none.

    Words above it may quote a diff. The one that statistics follow is git's; else the first.
    https://git-scm.com/docs/git-format-patch
    """
    found = at
    for end in range(at + 1, len(lines)):
        if _OPENS_COMMIT.match(lines[end]):
            break
        if lines[end].rstrip("\r") != "---":
            continue
        if _STAT.match(lines[end + 1] if end + 1 < len(lines) else ""):
            return end
        if found == at and not any(_starts_file(lines, one) for one in range(at, end)):
            found = end
    return found


def _starts_file(lines: list[str], at: int) -> bool:
    """Say whether a file starts here, with git's line or with ``---`` and ``+++``."""
    line = lines[at]
    if line.startswith("diff --git "):
        return True
    if line.startswith("Binary files "):
        return line.rstrip("\r").endswith(" differ")
    return line.startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")


def _refuse(lines: list[str], at: int, expected: str) -> NoReturn:
    """Raise the error for an unexpected line, or an unexpected end."""
    found = f"found {_quote(lines[at])}" if at < len(lines) else "the text ends"
    raise DiffError(at + 1, f"expected {expected}, but {found}")


def _refuse_known(lines: list[str], at: int) -> None:
    """Raise the error if a line is of a known kind that we cannot count."""
    for start, (found, advice) in _KNOWN.items():
        if lines[at].startswith(start):
            raise DiffError(at + 1, f"{found}: {_quote(lines[at])}", advice)


def _quote(line: str) -> str:
    """Return a line for an error message: escaped, at most 60 characters."""
    return repr(line if len(line) <= 60 else line[:60] + "...")


# --- a file -----------------------------------------------------------------------------------


def _file(lines: list[str], at: int, trees: set[tuple[str, str]]) -> tuple[FileDiff, int]:
    """Parse one file: its header, then its hunks or the note that it is binary.

    If its two names show which two trees were compared, these are added to ``trees``.
    """
    if lines[at].startswith("diff --git "):
        header, at = _git_header(lines, at)
    elif lines[at].startswith("Binary files "):
        header = _binary_header(lines, at)
    else:
        header = _plain_header(lines, at)
    if header.trees:
        trees.add(header.trees)
    hunks: tuple[Hunk, ...] = ()
    after = _binary(lines, at)
    if after is None:
        after = at
        if lines[at : at + 1] and lines[at].startswith("--- "):
            hunks, after = _named_hunks(lines, at)
        if header.needs_text and not hunks:
            _refuse(lines, at, f"hunks or a binary note for {header.path!r}")
    file = FileDiff(
        path=header.path,
        previous_path=header.previous_path,
        status=header.status,
        submodule=header.submodule,
        symlink=header.symlink,
        binary=after > at and not hunks,
        hunks=hunks,
        blobs=header.blobs,
    )
    return file, after


def _binary(lines: list[str], at: int) -> int | None:
    """Return the line after a binary note or a binary patch, or ``None`` if there is neither."""
    line = lines[at] if at < len(lines) else ""
    if line.startswith("Binary files ") and line.rstrip("\r").endswith(" differ"):
        return at + 1
    if line.rstrip("\r") != "GIT binary patch":
        return None
    at += 1
    if not _starts_binary_block(lines, at):
        _refuse(lines, at, "literal or delta and its length")
    while _starts_binary_block(lines, at):
        at = _end_of_binary_block(lines, at + 1)
    return at


def _starts_binary_block(lines: list[str], at: int) -> bool:
    """Say whether a line starts one direction of a binary patch: ``literal 123``, ``delta 45``."""
    return at < len(lines) and _OPENS_BLOCK.match(lines[at]) is not None


def _end_of_binary_block(lines: list[str], at: int) -> int:
    """Return the line after the blank line that ends a block of base 85 lines."""
    while at < len(lines) and _BASE_85.match(lines[at]):
        at += 1
    if at == len(lines) or lines[at].rstrip("\r"):
        _refuse(lines, at, "a blank line at the end of the binary patch")
    return at + 1


# --- a file's header --------------------------------------------------------------------------


def _git_header(lines: list[str], at: int) -> tuple[_Header, int]:
    """Parse ``diff --git`` and git's lines below it, up to ``---``, a binary note or the end."""
    start = at
    at += 1
    fields: dict[str, str] = {}
    while at < len(lines) and (field := _EXTENDED.match(lines[at])):
        fields[field[1]] = field[2].rstrip("\r")
        at += 1
    text_names = _text_names(lines, at)
    names = _git_names(lines[start].removeprefix("diff --git ").rstrip("\r"))
    if names and text_names and not _agree(names, text_names):
        _refuse(lines, at + 1, f"the file of line {start + 1}")
    previous_path = _moved(fields, "from")
    path = _moved(fields, "to") or _path(names or text_names)
    trees = None if previous_path else _trees(names or text_names)
    if not path or (previous_path is None) != (_moved(fields, "to") is None):
        _refuse(lines, start, "a file's name, here or below")
    if not _is_whole(fields) and not text_names and _binary(lines, at) is None:
        _refuse(lines, at, f"what happens to {path!r}")
    status = _status(fields, text_names)
    modes = {fields[key][-6:] for key in _MODES & fields.keys()}
    submodule = SUBMODULE_MODE in modes
    header = _Header(
        path,
        previous_path,
        status,
        submodule,
        _needs_text(fields),
        blobs=() if submodule else _blobs(fields),
        symlink=SYMLINK_MODE in modes,
        trees=trees,
    )
    return header, at


def _text_names(lines: list[str], at: int) -> tuple[str, str] | None:
    """Return the names after ``---`` and ``+++`` with their prefixes, or ``None``."""
    if at >= len(lines) or not lines[at].startswith("--- "):
        return None
    if at + 1 >= len(lines) or not lines[at + 1].startswith("+++ "):
        _refuse(lines, at + 1, "a +++ line below ---")
    return _text_name(lines[at][4:]), _text_name(lines[at + 1][4:])


def _text_name(name: str) -> str:
    """Return one of these names without the tab and the time that may follow it."""
    quoted = QUOTED.match(name)
    return unquote(quoted[0]) if quoted else name.rstrip("\r").partition("\t")[0]


def _git_names(rest: str) -> tuple[str, str] | None:
    """Return both names of a ``diff --git`` line, or ``None`` if it is ambiguous.

    Without quotes, ``a/x b/x b/x b/x`` is ambiguous. But if the file keeps its name, both halves
    have the same length, so the space in the middle separates the names.
    """
    if quoted := QUOTED.match(rest):
        return unquote(quoted[0]), unquote(rest[quoted.end() + 1 :])
    middle = len(rest) // 2
    old, space, new = rest[:middle], rest[middle : middle + 1], rest[middle + 1 :]
    return (old, new) if space == " " and _without_prefixes(old, new) else None


def _without_prefixes(old: str, new: str) -> str | None:
    """Return the path that both names have in common, or ``None`` if they differ."""
    if old == new:
        return new  # --no-prefix: git's own two prefixes always differ
    old_tail, new_tail = old.partition("/")[2], new.partition("/")[2]
    return new_tail if new_tail and old_tail == new_tail else None


def _path(names: tuple[str, str] | None) -> str | None:
    """Return the path of an old and a new name; a deleted file has its old path."""
    if names is None:
        return None
    old, new = names
    if NOTHING in names:
        return _without_known_prefix(old if new == NOTHING else new)
    if path := _without_prefixes(old, new):
        return path
    if trees := _trees(names):
        return new.removeprefix(_prefix(old, new)[1]).removeprefix(trees[1])
    return new.removeprefix(_prefix(old, new)[1])


def _prefix(old: str, new: str) -> tuple[str, str]:
    """Return git's two prefixes of two names, such as ``a/`` and ``b/``; empty: none."""
    if old[1:2] == new[1:2] == "/" and old[0] + new[0] in _PREFIX_PAIRS:
        return old[:2], new[:2]
    return "", ""


def _trees(names: tuple[str, str] | None) -> tuple[str, str] | None:
    """Return the two folders that were compared, if the rest of both names is one path.

    ``git diff --no-index old new`` and ``diff -ru ../base/src src`` write such names; prefixes of
    one part each, such as ``old/`` and ``new/``, are `_without_prefixes`' business.
    """
    if names is None or NOTHING in names or _without_prefixes(*names):
        return None
    before, after = _prefix(*names)
    old = names[0].removeprefix(before).split("/")
    new = names[1].removeprefix(after).split("/")
    same = 0
    while same < min(len(old), len(new)) and old[-1 - same] == new[-1 - same]:
        same += 1
    if not same:
        return None
    return _folder(old[: len(old) - same]), _folder(new[: len(new) - same])


def _folder(parts: list[str]) -> str:
    return "".join(f"{part}/" for part in parts)


def _below_trees(file: FileDiff, old: str, new: str) -> FileDiff:
    """Return a file of a comparison of two trees, named from inside the trees.

    Git names a file that only one tree has by that tree on both sides.
    """
    before, after = (old, new) if file.status is not FileStatus.DELETED else (old, old)
    return replace(
        file,
        path=file.path.removeprefix(after),
        previous_path=file.previous_path and file.previous_path.removeprefix(before),
    )


def _without_known_prefix(name: str) -> str:
    """Strip ``a/`` or ``b/`` from a name without a counterpart to compare it with."""
    return name[2:] if name.startswith(("a/", "b/")) else name


def _agree(names: tuple[str, str], text_names: tuple[str, str]) -> bool:
    """Say whether ``---`` and ``+++`` name the same files as the ``diff --git`` line."""
    return all(
        text in {NOTHING, name} for name, text in zip(names, text_names, strict=True)
    ) and text_names != (NOTHING, NOTHING)


def _moved(fields: dict[str, str], side: str) -> str | None:
    """Return the path of ``rename from``, ``copy to`` and so on, which have no prefix."""
    name = fields.get(f"rename {side}") or fields.get(f"copy {side}")
    return unquote(name) if name else None


def _status(fields: dict[str, str], text_names: tuple[str, str] | None) -> FileStatus:
    """Return the file's status from git's lines or, without them, from ``---`` and ``+++``."""
    old, new = text_names or ("", "")
    if "new file mode" in fields or old == NOTHING:
        return FileStatus.ADDED
    if "deleted file mode" in fields or new == NOTHING:
        return FileStatus.DELETED
    if "rename to" in fields:
        return FileStatus.RENAMED
    return FileStatus.COPIED if "copy to" in fields else FileStatus.MODIFIED


def _is_whole(fields: dict[str, str]) -> bool:
    """Say whether these lines can be a whole file: an empty one, or a new mode or name.

    Git writes an ``index`` line for every new, deleted or changed file, both an old and a new
    mode, and a ``similarity index`` for every new name.
    """
    if ("old mode" in fields) != ("new mode" in fields):
        return False
    if "similarity index" in fields and _moved(fields, "to") is None:
        return False
    return "index" in fields or "new mode" in fields or fields.get("similarity index") == "100%"


def _needs_text(fields: dict[str, str]) -> bool:
    """Say whether the contents differ, so that hunks must follow.

    ``index 0000000..e69de29`` is a new empty file, which has no hunks.
    """
    blobs = _blobs(fields)
    if not blobs:
        return fields.get("similarity index", "100%") != "100%"
    return not all(name.startswith(_EMPTY_BLOB) for name in blobs)


def _blobs(fields: dict[str, str]) -> tuple[str, ...]:
    """Return the blob ids before and after: ``index 0ba81c5..e69de29 100644``.

    An id that is all zeros means "no file" and is omitted.
    """
    old, _, new = fields.get("index", "").split(" ")[0].partition("..")
    return tuple(name for name in (old, new) if new and name.strip("0"))


def _plain_header(lines: list[str], at: int) -> _Header:
    """Parse the two lines that ``diff -u`` writes above the hunks."""
    names = _text_names(lines, at)
    path = _path(names)
    if not path or names is None or names == (NOTHING, NOTHING):
        _refuse(lines, at, "a file's name")
    status = _status({}, names)
    if status is FileStatus.MODIFIED:
        status = _status_by_time(lines[at], lines[at + 1])
    return _Header(path, None, status, submodule=False, needs_text=True, trees=_trees(names))


def _status_by_time(old: str, new: str) -> FileStatus:
    """Return the status by times: ``diff -N`` gives a missing file the Unix epoch."""
    if _EPOCH.search(old):
        return FileStatus.ADDED
    return FileStatus.DELETED if _EPOCH.search(new) else FileStatus.MODIFIED


def _binary_header(lines: list[str], at: int) -> _Header:
    """Parse a binary note without a header: ``Binary files old/x.png and new/x.png differ``."""
    both = lines[at].rstrip("\r").removeprefix("Binary files ").removesuffix(" differ")
    ands = [found.start() for found in islice(_AND.finditer(both), MOST_ANDS + 1)]
    if len(ands) > MOST_ANDS:
        _refuse(lines, at, f"at most {MOST_ANDS} times the word 'and' in names")
    splits = [(both[:cut], both[cut + len(" and ") :]) for cut in ands]
    one_path = [names for names in splits if _without_prefixes(*names) or NOTHING in names]
    found = one_path or splits
    path = _path(found[0]) if len(found) == 1 else None
    if not path:
        _refuse(lines, at, "two names of one file")
    return _Header(path, None, _status({}, found[0]), submodule=False, needs_text=True)


# --- a hunk -----------------------------------------------------------------------------------


def _named_hunks(lines: list[str], at: int) -> tuple[tuple[Hunk, ...], int]:
    """Parse ``---``, ``+++`` and at least one hunk below."""
    hunks, after = _hunks(lines, at + 2)
    if not hunks:
        _refuse(lines, after, "a hunk below +++")
    return hunks, after


def _hunks(lines: list[str], at: int) -> tuple[tuple[Hunk, ...], int]:
    """Parse consecutive hunks; raise if they are out of order or overlap."""
    hunks: list[Hunk] = []
    old_end = new_end = 0
    while at < len(lines) and lines[at].startswith("@@ "):
        hunk, after = _hunk(lines, at)
        if hunk.old_start < old_end or hunk.new_start < new_end:
            _refuse(lines, at, "a hunk that starts below the one before it")
        old_end, new_end = hunk.old_start + hunk.old_lines, hunk.new_start + hunk.new_lines
        hunks.append(hunk)
        at = after
    return tuple(hunks), at


def _hunk(lines: list[str], at: int) -> tuple[Hunk, int]:
    """Parse one hunk by the lengths in its header, ``@@ -3,7 +3,9 @@``; a missing length is 1."""
    header = _HUNK.match(lines[at])
    if header is None:
        _refuse(lines, at, "a hunk header such as @@ -1,2 +3,4 @@")
    old_start, old_lines, new_start, new_lines = (int(n or 1) for n in header.groups())
    body, after = _body(lines, at + 1, old_lines, new_lines)
    hunk = Hunk(
        old_start=old_start,
        old_lines=old_lines,
        new_start=new_start,
        new_lines=new_lines,
        lines=tuple(body),
    )
    return hunk, after


def _body(lines: list[str], at: int, old: int, new: int) -> tuple[list[HunkLine], int]:
    """Parse lines until both lengths are used up, whatever the lines look like."""
    if not old and _only_adds(lines, at, new):
        # A new file is one such hunk. Its lines are cut at once, not counted one by one.
        added = [line[1:] for line in lines[at : at + new]]
        return many(HunkLine, zip(repeat("+"), added)), _behind_hunk(lines, at + new)
    body: list[tuple[str, str]] = []
    first = at
    for line in lines[at : at + old + new + 1]:
        origin = line[:1] or " "  # some tools strip the space of a blank line
        if not (old or new):
            break
        if origin == "+" and new:
            new -= 1
        elif origin == "-" and old:
            old -= 1
        elif origin == " " and old and new:
            old -= 1
            new -= 1
        elif origin == "\\" and at > first:  # "\ No newline at end of file", in any language
            at += 1
            continue
        else:
            _refuse(lines, at, f"{old} more old and {new} more new lines in the hunk")
        body.append((origin, line[1:]))
        at += 1
    if old or new:
        _refuse(lines, at, f"{old} more old and {new} more new lines in the hunk")
    return many(HunkLine, body), _behind_hunk(lines, at)


def _only_adds(lines: list[str], at: int, new: int) -> bool:
    """Say whether the next ``new`` lines are all there and all added ones."""
    signs = [line[:1] for line in lines[at : at + new]]
    return signs.count("+") == new


def _behind_hunk(lines: list[str], at: int) -> int:
    """Return the line after a hunk and its note; raise if it has more lines than it says."""
    if at < len(lines) and lines[at].startswith("\\ "):
        at += 1
    line = lines[at] if at < len(lines) else ""
    is_more = line.startswith(("+", "-", " ", "\\")) and line != "-- "
    if is_more and not _starts_file(lines, at):
        _refuse(lines, at, "the end of the hunk, whose lines are all there")
    return at
