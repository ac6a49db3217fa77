"""What ``sed``, ``perl`` and ``gofmt`` replace in each line, by their words. It reads no file name.

Only substitutions are read, and only those that mean the same everywhere: no addresses by number,
no variables, no other commands. GNU and BSD forms:
https://www.gnu.org/software/sed/manual/sed.html, https://man.freebsd.org/cgi/man.cgi?sed(1),
https://perldoc.perl.org/perlrun, https://pkg.go.dev/cmd/gofmt
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ghapp.attribution.linear_pattern import PatternDialect, PatternError, compiled
from ghapp.attribution.model import LineRewrite
from ghapp.evidence.shell_files import arguments_of, program_of
from ghapp.evidence.shell_words import ShellWord

_SPECIAL = frozenset(".*[]^$+?(){}|")
# -pi, -pe, -i.bak
_PERL_FLAGS = re.compile(r"-([pwCS]*)(i[^e]*)?(e?)|-(i\.\w+)")
# if (/x/
_PERL_IF = re.compile(r"if[ \t]*+(\(?)[ \t]*+/")
_CLOSING = {"{": "}", "(": ")", "[": "]", "<": ">"}


class FileRewriting(NamedTuple):
    """A program that rewrites files, with the words that name them."""

    rewrites: tuple[LineRewrite, ...]
    files: list[ShellWord]
    suffix: str = ""
    """What the names of files in a folder end with; empty: the program takes no folder."""


def file_rewriting(words: list[ShellWord]) -> FileRewriting | None:
    """Return what ``sed``, ``perl`` or ``gofmt`` does with its words."""
    name, arguments = program_of(words), arguments_of(words)
    try:
        if name in ("sed", "gsed"):
            return _sed(arguments)
        if name == "perl":
            return _perl(arguments)
        return _gofmt(arguments) if name == "gofmt" else None
    except PatternError:
        return None


def _unread(what: str) -> PatternError:
    return PatternError(f"{what} is not read")


class _SedOptions:
    """Reads the words of ``sed``."""

    def __init__(self, arguments: list[ShellWord]) -> None:
        self.scripts: list[ShellWord] = []
        self.files: list[ShellWord] = []
        self.in_place = False
        self.extended = False
        self._left = list(arguments)
        while self._left:
            word = self._left.pop(0)
            if not word.text.startswith("-") or word.text == "-":
                self.files.append(word)
            elif word.expands:
                raise _unread("a variable")
            elif word.text.startswith("--"):
                self._long(word)
            else:
                self._short(word.text)
        if not self.scripts:
            self.scripts, self.files = self.files[:1], self.files[1:]

    def _long(self, word: ShellWord) -> None:
        option, _, value = word.text.partition("=")
        if option == "--expression":
            self.scripts += [word._replace(text=value)] if value else self._next()
        elif option == "--in-place":
            self.in_place = True
        elif word.text == "--regexp-extended":
            self.extended = True
        elif word.text not in ("--separate", "--"):
            raise _unread(word.text)

    def _short(self, text: str) -> None:
        """Read letters in one word: behind ``i`` stands the ending of a copy."""
        flags, is_found, _ = text[1:].partition("i")
        takes_script = not is_found and flags.endswith("e")
        flags = flags.removesuffix("e") if takes_script else flags
        if not set(flags) <= set("Ersu"):
            raise _unread(text)
        self.in_place |= bool(is_found)
        self.extended |= "E" in flags or "r" in flags
        if takes_script:
            self.scripts += self._next()
        elif text.endswith("i") and self._left and not self._left[0].text:
            self._left.pop(0)  # sed -i '' of BSD

    def _next(self) -> list[ShellWord]:
        return [self._left.pop(0)] if self._left else []


def _sed(arguments: list[ShellWord]) -> FileRewriting:
    options = _SedOptions(arguments)
    scripts = options.scripts
    if not options.in_place or not scripts or any(word.expands for word in scripts):
        raise _unread("sed")
    dialect = PatternDialect.EXTENDED if options.extended else PatternDialect.BASIC
    script = "\n".join(word.text for word in scripts)
    return FileRewriting(tuple(_Script(script, dialect).rewrites()), options.files)


def _perl(arguments: list[ShellWord]) -> FileRewriting:
    scripts: list[ShellWord] = []
    files: list[ShellWord] = []
    flags = ""
    at = 0
    while at < len(arguments):
        word = arguments[at]
        at += 1
        match = _PERL_FLAGS.fullmatch(word.text)
        if word.text == "--":
            continue
        if word.text.startswith("-") and len(word.text) > 1:
            if match is None or word.expands:
                raise _unread(word.text)
            # -pi -e, -p -i.bak -e, -pie takes e for the ending of a copy
            flags += (match[1] or "") + ("i" if match[2] or match[4] else "")
            if match[3] and match[2]:
                raise _unread(word.text)
            if match[3]:
                scripts += arguments[at : at + 1]
                at += 1
        else:
            files.append(word)
    if "p" not in flags or "i" not in flags or not scripts or any(s.expands for s in scripts):
        raise _unread("perl")
    script = ";".join(word.text for word in scripts)
    return FileRewriting(tuple(_Script(script, PatternDialect.PERL).rewrites()), files)


_GO_NAME = re.compile(r"[A-Za-z_]\w+(?:\.[A-Za-z_]\w*)*|[A-Z](?:\.[A-Za-z_]\w*)*")


def _gofmt(arguments: list[ShellWord]) -> FileRewriting:
    """Read a renaming; a lone small letter stands for any expression, so it is not read."""
    rule: ShellWord | None = None
    files: list[ShellWord] = []
    writes = False
    at = 0
    while at < len(arguments):
        word = arguments[at]
        at += 1
        if word.text in ("-r", "--r") and at < len(arguments):
            rule = arguments[at]
            at += 1
        elif word.text.startswith("-r="):
            rule = word._replace(text=word.text[3:])
        elif word.text in ("-w", "-l", "-s", "-d", "-e"):
            writes |= word.text == "-w"
        elif word.text.startswith("-"):
            raise _unread(word.text)
        else:
            files.append(word)
    old, arrow, new = rule.text.partition("->") if rule else ("", "", "")
    names = old.strip(), new.strip()
    if not writes or not arrow or not all(map(_GO_NAME.fullmatch, names)) or rule is None:
        raise _unread("gofmt")
    pattern = f"\\b{names[0].replace('.', chr(92) + '.')}\\b"
    rewrite = LineRewrite(
        expression=pattern, dialect=PatternDialect.PERL, parts=(names[1],), everywhere=True
    )
    return FileRewriting((rewrite,), files, suffix=".go")


class _Script:
    """Reads a script of sed or Perl that only substitutes."""

    def __init__(self, text: str, dialect: PatternDialect) -> None:
        self._text = text
        self._at = 0
        self._dialect = dialect
        self._perl = dialect is PatternDialect.PERL

    def rewrites(self) -> Iterator[LineRewrite]:
        """Yield its substitutions in order. Raises `PatternError` for any other script."""
        while True:
            self._skip(" \t\n;")
            if self._at >= len(self._text):
                return
            only = self._address()
            if not self._perl and only is not None and self._peek() == "d":
                self._at += 1  # lines that are gone are no added ones
                self._end()
                continue
            if self._peek() != "s":
                raise _unread(self._peek())
            self._at += 1
            yield self._substitution(only)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self, signs: str) -> None:
        while self._peek() and self._peek() in signs:
            self._at += 1

    def _end(self) -> None:
        self._skip(" \t")
        if self._peek() not in ("", ";", "\n"):
            raise _unread(self._peek())

    def _address(self) -> str | None:
        if self._perl or self._peek() != "/":
            return None
        self._at += 1
        only = self._until("/")
        self._skip(" \t")
        compiled(only, self._dialect)
        return only

    def _substitution(self, only: str | None) -> LineRewrite:
        delimiter = self._peek()
        if delimiter in ("", "\\", "\n", " ", "'") or delimiter.isalnum():
            raise _unread(f"s{delimiter}")
        self._at += 1
        closing = _CLOSING.get(delimiter) if self._perl else None
        pattern = self._until(closing or delimiter, delimiter if closing else "")
        if closing:
            self._skip(" \t")
            if self._peek() != delimiter:
                raise _unread("two kinds of brackets")
            self._at += 1
        given = self._until(closing or delimiter, delimiter if closing else "")
        flags = ""
        while self._peek().isalnum():
            flags += self._peek()
            self._at += 1
        if not set(flags) <= (set("gi") if self._perl else set("giI")):
            raise _unread(f"the flag {flags}")
        if self._perl:
            only = self._condition()
        self._end()
        compiled(pattern, self._dialect, ignores_case="i" in flags.lower())
        parts = _perl_parts(given) if self._perl else _sed_parts(given)
        return LineRewrite(
            expression=pattern,
            dialect=self._dialect,
            parts=parts,
            everywhere="g" in flags,
            ignores_case="i" in flags.lower(),
            only=only,
        )

    def _condition(self) -> str | None:
        """Read ``if /pattern/``."""
        self._skip(" \t")
        match = _PERL_IF.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        only = self._until("/")
        if match[1]:
            self._skip(" \t")
            if self._peek() != ")":
                raise _unread("a condition")
            self._at += 1
        compiled(only, self._dialect)
        return only

    def _until(self, closing: str, opening: str = "") -> str:
        """Read up to a delimiter and step over it; an escaped one stands for itself."""
        parts: list[str] = []
        depth = 0
        while True:
            sign = self._peek()
            after = self._text[self._at + 1 : self._at + 2]
            if not sign or sign == "\n":
                raise _unread("a substitution without an end")
            if sign == "\\" and after:
                if after in (closing, opening) and (closing in _SPECIAL or opening):
                    raise _unread("an escaped delimiter that is a sign of patterns")
                parts.append(after if after == closing else sign + after)
                self._at += 2
                continue
            if opening and sign == opening:
                depth += 1
            elif sign == closing:
                if not depth:
                    self._at += 1
                    return "".join(parts)
                depth -= 1
            parts.append(sign)
            self._at += 1


def _sed_parts(text: str) -> tuple[str | int, ...]:
    """Return a replacement of sed as its parts."""
    parts: list[str | int] = []
    at = 0
    while at < len(text):
        sign, after = text[at], text[at + 1 : at + 2]
        at += 1
        if sign == "&":
            parts.append(0)
        elif sign != "\\":
            parts.append(sign)
        else:
            at += 1
            parts.append(_escape(after))
    return _together(parts)


def _escape(after: str) -> str | int:
    """Return what a backslash and a sign stand for in a replacement."""
    if after.isascii() and after.isdigit():
        return int(after)
    if after == "t":
        return "\t"
    if not after or after.isalnum() or after == "\n":
        raise _unread(f"\\{after}")
    return after


# $1, ${1}, $&
_PERL_GROUP = re.compile(r"\$(?:(\d)(?!\d)|\{(\d)\}|(&))")


def _perl_parts(text: str) -> tuple[str | int, ...]:
    """Return a replacement of Perl as its parts."""
    parts: list[str | int] = []
    at = 0
    while at < len(text):
        sign, after = text[at], text[at + 1 : at + 2]
        match = _PERL_GROUP.match(text, at)
        if match is not None:
            parts.append(int(match[1] or match[2] or 0))
            at = match.end()
        elif sign == "\\":
            parts.append(_escape(after))
            at += 2
        elif sign in "$@" and after not in ("", " "):
            raise _unread("a variable")
        else:
            parts.append(sign)
            at += 1
    return _together(parts)


def _together(parts: list[str | int]) -> tuple[str | int, ...]:
    """Return parts with neighboring texts in one."""
    found: list[str | int] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        else:
            found.append(part)
    return tuple(found)
