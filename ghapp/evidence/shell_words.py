"""A shell command as pipelines of words, as far as its text alone tells. It knows no program.

It reads the common part of POSIX shells (https://pubs.opengroup.org/onlinepubs/9799919799/,
Shell Command Language) and expands nothing. What it does not read surely is a `ShellTextError`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

LONGEST_COMMAND = 65_536
"""Characters of a command that is read."""
# $HOME, `date`, \$
EXPANDED = re.compile(r"[$`\\]")
"""What the shell replaces in a here-document whose end is not quoted."""


class ShellTextError(ValueError):
    """A command that is not read surely."""


class ShellWord(NamedTuple):
    """One word after its quotes are gone."""

    text: str
    globs: bool = False
    """Whether it has signs for names that the shell would look up: ``*``, ``?``, ``[``, ``{``."""
    expands: bool = False
    """Whether the shell would put something in: ``$HOME``, a command's output."""
    bare: bool = True
    """Whether no part of it is quoted, so that it may be a keyword."""
    inner: str | None = None
    """The command whose output is the whole word; ``None``: it is no such word."""


@dataclass(slots=True)
class ShellRedirect:
    """Where a program reads or writes instead of the terminal."""

    sign: str
    """``>``, ``>>``, ``<``, ``<<`` and their kin, with a number before it: ``2>``."""
    word: ShellWord
    """A file; of a here-document its end mark."""
    document: str | None = None
    """The text of a here-document; ``None``: it is none."""

    @property
    def literal_document(self) -> str | None:
        """The text of a here-document in which the shell replaces nothing; ``None``: it is none."""
        expands = self.word.bare and self.document and EXPANDED.search(self.document)
        return None if expands else self.document


class ShellPipeline(NamedTuple):
    """Programs in a pipe, and what stands behind it."""

    programs: list[list[ShellWord]]
    ends: str
    """``&&``, ``||``, ``;`` or ``&``; a line end is ``;``."""
    redirects: list[list[ShellRedirect]]
    """Those of each program. A here-document is known once all pipelines are read."""


_OPERATORS = ("&&", "||", ";;", ";", "|&", "|", "&>>", "&>", "&", "(", ")", "\n")


def pipelines(command: str) -> Iterator[ShellPipeline]:
    """Yield the pipelines of a command in order. Raises `ShellTextError`.

    >>> [one.programs[0][0].text for one in pipelines("cd src && ls; pwd")]
    ['cd', 'ls', 'pwd']
    """
    if len(command) > LONGEST_COMMAND:
        message = "a very long command"
        raise ShellTextError(message)
    programs: list[list[ShellWord]] = [[]]
    redirects: list[list[ShellRedirect]] = [[]]
    for part in _Lexer(command).parts():
        if isinstance(part, ShellWord):
            programs[-1].append(part)
        elif isinstance(part, ShellRedirect):
            redirects[-1].append(part)
        elif part == "|":
            programs.append([])
            redirects.append([])
        else:
            if any(programs):
                yield ShellPipeline(programs, part, redirects)
            programs, redirects = [[]], [[]]
    if any(programs):
        yield ShellPipeline(programs, ";", redirects)


class _Lexer:
    """Splits a command into words, redirections and operators."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._marks: list[ShellRedirect] = []
        self._number = ""

    def parts(self) -> Iterator[ShellWord | ShellRedirect | str]:
        """Yield words, and operators as text; a line end is ``;``."""
        text = self._text
        while self._at < len(text):
            sign = text[self._at]
            if sign in " \t\r" or text.startswith("\\\n", self._at):
                self._at += 1 if sign != "\\" else 2
            elif sign == "#":
                end = text.find("\n", self._at)
                self._at = len(text) if end < 0 else end
            elif (redirect := self._redirect()) is not None:
                yield redirect
            elif (found := next((o for o in _OPERATORS if text.startswith(o, self._at)), "")) != "":
                self._at += len(found)
                yield self._operator(found)
            else:
                word = self._word()
                if word.bare and word.text.isdigit() and text[self._at : self._at + 1] in "<>":
                    self._number = word.text  # 2>a.log
                    continue
                yield word

    def _operator(self, found: str) -> str:
        if found == "\n":
            self._skip_documents()
            return ";"
        if found in ("(", ")", ";;", "|&"):
            message = f"{found} in a command"
            raise ShellTextError(message)
        return found

    def _redirect(self) -> ShellRedirect | None:
        """Read a redirection with its word; ``None``: here is none."""
        text = self._text
        if text.startswith("<<<", self._at) or text.startswith(("<(", ">("), self._at):
            message = "a text or a program for a file"
            raise ShellTextError(message)
        sign = next((s for s in ("<<-", "<<", "&>>", "&>", ">>", ">|", ">&", "<&", "<", ">")
                     if text.startswith(s, self._at)), None)  # fmt: skip
        if sign is None:
            return None
        self._at += len(sign)
        while text[self._at : self._at + 1] in (" ", "\t"):
            self._at += 1
        found = ShellRedirect(self._number + sign, self._word())
        self._number = ""
        if sign.startswith("<<"):
            self._marks.append(found)
        return found

    def _skip_documents(self) -> None:
        for mark in self._marks:
            strips = mark.sign.endswith("-")
            lines: list[str] = []
            while True:
                if self._at >= len(self._text):
                    message = "a here-document without an end"
                    raise ShellTextError(message)
                end = self._text.find("\n", self._at)
                line = self._text[self._at : end if end >= 0 else len(self._text)]
                self._at = end + 1 if end >= 0 else len(self._text)
                line = line.lstrip("\t") if strips else line
                if line == mark.word.text:
                    break
                lines.append(f"{line}\n")
            mark.document = "".join(lines)
        self._marks = []

    def _word(self) -> ShellWord:
        """Read a word, which may have parts in quotes."""
        if self._text.startswith(("`", "$("), self._at):
            return self._output()
        text = self._text
        parts: list[str] = []
        globs = expands = quoted = False
        start = self._at
        while self._at < len(text) and text[self._at] not in " \t\r\n;&|<>()":
            sign = text[self._at]
            if sign == "'":
                quoted = True
                parts.append(self._single())
            elif sign == '"':
                quoted = True
                part, is_expanded = self._double()
                parts.append(part)
                expands |= is_expanded
            elif sign == "\\":
                quoted = True
                if not text.startswith("\\\n", self._at):
                    parts.append(text[self._at + 1 : self._at + 2])
                self._at += 2
            else:
                if text.startswith(("$'", '$"', "$(", "`"), self._at):
                    message = "an expansion inside a word"
                    raise ShellTextError(message)
                expands |= sign == "$"
                globs |= sign in "*?[{"
                parts.append(sign)
                self._at += 1
        if self._at == start:
            message = "a redirection without a file"
            raise ShellTextError(message)
        return ShellWord("".join(parts), globs, expands, bare=not quoted)

    def _output(self) -> ShellWord:
        """Read a word that is a command's output."""
        inner = self._command(self._text[self._at])
        if self._at < len(self._text) and self._text[self._at] not in " \t\r\n;&|<>)":
            message = "a command's output inside a word"
            raise ShellTextError(message)
        return ShellWord("", expands=True, bare=False, inner=inner)

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            message = "a quotation without an end"
            raise ShellTextError(message)
        part = self._text[self._at + 1 : end]
        self._at = end + 1
        return part

    def _double(self) -> tuple[str, bool]:
        """Read a quotation that may expand; return its text and whether it does."""
        text = self._text
        parts: list[str] = []
        expands = False
        self._at += 1
        while self._at < len(text) and text[self._at] != '"':
            sign = text[self._at]
            after = text[self._at + 1 : self._at + 2]
            if sign == "\\" and after and after in '\\"$`\n':
                parts.append("" if after == "\n" else after)
                self._at += 2
                continue
            # A lone $ stands for itself, as in "s/a$/b/".
            name = after.isalnum() or (after != "" and after in "_{(@*#?!$-")
            expands |= sign == "`" or (sign == "$" and name)
            parts.append(sign)
            self._at += 1
        if self._at >= len(text):
            message = "a quotation without an end"
            raise ShellTextError(message)
        self._at += 1
        return "".join(parts), expands

    def _command(self, sign: str) -> str:
        """Read a command whose output is put in; it may hold quotations, and no other one."""
        text = self._text
        self._at += 1 if sign == "`" else 2
        start = self._at
        last = "`" if sign == "`" else ")"
        while self._at < len(text) and text[self._at] != last:
            if text[self._at] == "'":
                self._single()
            elif text[self._at] == '"':
                self._double()
            elif text[self._at] in "(`\\":
                message = "a command inside a command"
                raise ShellTextError(message)
            else:
                self._at += 1
        if self._at >= len(text):
            message = "a command without an end"
            raise ShellTextError(message)
        self._at += 1
        return text[start : self._at - 1]
