"""Here-documents of a shell command: what they write, and what a program is given.

It runs nothing and expands nothing. Of a written file it takes only what the command's text alone
proves: a literal path, a body without expansions, and a ``cat`` or ``tee`` in a place where it must
run if the command succeeds.
"""

import posixpath
import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from ghapp.evidence.shell_words import EXPANDED


class ShellWrite(NamedTuple):
    """A file that a command writes. A relative path starts at the command's directory."""

    path: str
    text: str
    appends: bool


class ShellInput(NamedTuple):
    """A text that a program is given."""

    directory: str | None
    """Where the program runs, relative to the command's directory; ``None``: not known."""
    text: str


class _Opening(NamedTuple):
    """The start of a here-document: its end mark, and how to read its body."""

    mark: str
    quoted: bool
    strips_tabs: bool


class _Document(NamedTuple):
    """A here-document: the statements of its line, the directory there, and its text."""

    statements: list[str]
    directory: str | None
    body: str
    expands: bool
    """Whether the shell would change the body."""
    certain: bool
    """Whether the line must run if the command succeeds."""


# <<EOF, <<-'EOF', << "EOF", <<\EOF; not the here-string <<<text
_OPENING = re.compile(r"(?<!<)<<(-?)[ \t]*(?:'([^'\n]+)'|\"([^\"\n]+)\"|\\?([\w.-]+))")
# src/my file.py; not src/*.py or $HOME/a.py
_LITERAL = re.compile(r"[^$`*?\[\]{}<>|&;()!~\n]+")
# cd src && cat > a.py; ls
_CHAINED = re.compile(r"&&|;")
# test -f a || cat, if true; then, f() {
_UNSURE = re.compile(r"\|\||\b(?:if|then|else|elif|for|while|until|case|do|function)\b|[{(]\s*$")
# cd src
_DIRECTORY = re.compile(r"\b(?:cd|pushd|popd)\b")
# cd src && apply_patch '…'
_ARGUMENT = re.compile(
    r"\s*(?:(?P<cd>cd [^&\n]+)&&\s*)?(?P<program>[^\s'\"]+)\s+"
    r"(?:'(?P<single>[^']*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\")\s*",
    re.DOTALL,
)
# \" in double quotes
_ESCAPED = re.compile(r"\\([\"\\$`])")
# > a.py, >>a.py; not 2>a.log, &>a.log, >&2
_REDIRECTION = re.compile(r"(?<![0-9&])(>>?)(?!&)")
LONGEST_STATEMENT = 4096
"""Characters of a statement that is split into words; what a longer one does is not known."""


def heredocs(command: str) -> Iterator[ShellWrite]:
    r"""Yield the files that a successful command has written, in order.

    >>> list(heredocs("cat > a.txt <<'EOF'\none\nEOF"))
    [ShellWrite(path='a.txt', text='one\n', appends=False)]
    """
    for number, statement, document in _statements(command):
        is_known = document.certain and not document.expands
        target = _target(_OPENING.sub(" ", statement)) if is_known else None
        if target is None:
            continue
        path, appends = target
        here = _after(document.statements[:number], document.directory)
        if here is not None or path.startswith("/"):
            yield ShellWrite(posixpath.join(here or "", path), document.body, appends)


def fed(command: str, programs: frozenset[str]) -> Iterator[ShellInput]:
    r"""Yield the texts that a command gives to one of some programs, in order.

    They are here-documents, also through ``cat``, or else the only argument. Codex takes a
    here-document as it is written, without expansions (codex-rs/apply-patch, invocation.rs).
    Whether a program ran and succeeded, only its output tells.

    >>> list(fed("cd src && apply_patch <<'EOF'\none\nEOF", frozenset({"apply_patch"})))
    [ShellInput(directory='src', text='one\n')]
    """
    for number, statement, document in _statements(command):
        if _is_program(_OPENING.sub(" ", statement), programs):
            here = _after(document.statements[:number], document.directory)
            yield ShellInput(here, document.body)
    if "<<" not in command:
        yield from _argument(command, programs)


def _is_program(statement: str, programs: frozenset[str]) -> bool:
    """Return whether one of some programs reads what a statement is given."""
    first, piped, last = statement.partition("|")
    words = (last if piped and first.strip() == "cat" else statement).split()
    return bool(words) and words[0].rpartition("/")[2] in programs


def _argument(command: str, programs: frozenset[str]) -> Iterator[ShellInput]:
    """Yield the only argument of a program: ``cd src && apply_patch '…'``."""
    match = _ARGUMENT.fullmatch(command)
    if match is None or match["program"].rpartition("/")[2] not in programs:
        return
    text = match["single"]
    if text is None:
        text = _ESCAPED.sub(r"\1", match["double"])
    directory = _after([match["cd"]], "") if match["cd"] else ""
    yield ShellInput(directory, text)


def _statements(command: str) -> Iterator[tuple[int, str, _Document]]:
    """Yield each statement that a here-document goes to, with its number in its line."""
    for document in _documents(command):
        for number, statement in enumerate(document.statements):
            if _OPENING.search(statement):
                yield number, statement, document


def _documents(command: str) -> Iterator[_Document]:
    """Yield the here-documents whose text is known, with what surrounds them."""
    if "<<" not in command:
        return
    lines = command.split("\n")
    at = 0
    directory: str | None = ""
    certain = True
    while at < len(lines):
        line = lines[at]
        at += 1
        openings = [_to_opening(match) for match in _OPENING.finditer(line)]
        bodies: list[str | None] = []
        for opening in openings:
            body, at = _body(lines, at, opening)
            bodies.append(body)
        certain = certain and not _UNSURE.search(_OPENING.sub("", line))
        statements = _CHAINED.split(line)
        if len(openings) == 1 and bodies[0] is not None:
            expands = not openings[0].quoted and bool(EXPANDED.search(bodies[0]))
            yield _Document(statements, directory, bodies[0], expands, certain)
        directory = _after(statements, directory)


def _to_opening(match: re.Match[str]) -> _Opening:
    dash, single, double, bare = match.groups()
    quoted = bare is None or match[0].find("\\") >= 0
    return _Opening(single or double or bare, quoted, bool(dash))


def _body(lines: list[str], at: int, opening: _Opening) -> tuple[str | None, int]:
    """Return a body and the index of the line after it; body ``None``: it has no end."""
    body: list[str] = []
    while at < len(lines):
        line = lines[at].lstrip("\t") if opening.strips_tabs else lines[at]
        at += 1
        if line == opening.mark:
            return "".join(f"{part}\n" for part in body), at
        body.append(line)
    return None, at


def _target(statement: str) -> tuple[str, bool] | None:
    """Return the path that ``cat`` or ``tee`` writes, and whether it appends."""
    words = _words(_REDIRECTION.sub(r" \1 ", statement), comments=True)
    if words[:1] == ["cat"] and len(words) == 3 and words[1] in (">", ">>"):
        path, appends = words[2], words[1] == ">>"
    elif words[:1] == ["tee"]:
        quiet = words[-2:] == [">", "/dev/null"]
        words = words[1:-2] if quiet else words[1:]
        appends = words[:1] == ["-a"]
        words = words[appends:]
        if len(words) != 1:
            return None
        path = words[0]
    else:
        return None
    return (path, appends) if _LITERAL.fullmatch(path) else None


def _after(statements: list[str], directory: str | None) -> str | None:
    """Return the directory after some statements; ``None``: it can no longer be known."""
    for statement in statements:
        if not _DIRECTORY.search(statement):
            continue
        words = _words(statement)
        plain = len(words) == 2 and words[0] == "cd" and _LITERAL.fullmatch(words[1])
        if not plain or (directory is None and not words[1].startswith("/")):
            directory = None
            continue
        directory = posixpath.join(directory or "", words[1])
    return directory


def _words(statement: str, *, comments: bool = False) -> list[str]:
    """Return the words of a statement; none: it is too long, or a quotation has no end."""
    if len(statement) > LONGEST_STATEMENT:
        return []
    try:
        return shlex.split(statement, comments=comments)
    except ValueError:
        return []
