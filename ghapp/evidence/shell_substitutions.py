"""What a shell command replaces in lines of files, where its text proves that it did.

It runs nothing. What may not have run, or is not read surely, it passes over: a program behind
``||`` or in a condition, one that is given a variable.
"""

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from ghapp.attribution.model import LineRewrite, ReachedFiles
from ghapp.evidence.shell_files import (
    MOST_WORDS,
    arguments_of,
    found_by_find,
    given_by_xargs,
    is_literal,
    listed_files,
    named_files,
    program_of,
)
from ghapp.evidence.shell_scripts import FileRewriting, file_rewriting
from ghapp.evidence.shell_words import ShellPipeline, ShellTextError, ShellWord, pipelines

PROGRAMS = ("sed", "perl", "gofmt")
"""Programs whose substitutions are read."""


class ShellSubstitution(NamedTuple):
    """What a command does to lines, and to which files. Relative paths start at its directory."""

    rewrites: tuple[LineRewrite, ...]
    reach: tuple[ReachedFiles, ...]


# if, while: what is behind them may not run
_CONTROL = frozenset(
    {
        *("if", "then", "else", "elif", "fi", "while", "until", "case", "esac", "select"),
        *("do", "done", "function", "{", "}", "!", "[[", "exit", "return", "exec", "break"),
        *("continue", "eval", "trap"),
    }
)
_QUIET = frozenset(
    {"cd", "echo", "printf", "pwd", "set", "export", "true", "mkdir", ":", "source", "."}
    | set(PROGRAMS)
)
"""Programs behind whose ``&&`` what follows surely runs, where a command goes on after it."""
_NAME = re.compile(r"[A-Za-z_]\w*")


def may_substitute(command: str) -> bool:
    """Return whether a command is worth reading."""
    return any(program in command for program in PROGRAMS)


def substitutions(command: str) -> Iterator[ShellSubstitution]:
    r"""Yield the substitutions that a successful command has surely made, in order.

    >>> [one.rewrites[0].expression for one in substitutions("cd src && sed -i 's/old/new/g' *.py")]
    ['old']
    """
    if not may_substitute(command):
        return
    try:
        yield from list(_Reading(command).found())
    except ShellTextError:
        return


class _Reading:
    """Reads one command: the directory so far, and what surely ran."""

    def __init__(self, command: str) -> None:
        self._lists = _lists(list(pipelines(command)))
        self._directory: str | None = ""

    def found(self) -> Iterator[ShellSubstitution]:
        """Yield the substitutions in order."""
        at = 0
        while at < len(self._lists):
            one = self._lists[at]
            if _first(one) == "for":
                end = next(
                    (n for n in range(at, len(self._lists)) if _first(self._lists[n]) == "done"),
                    None,
                )
                if end is None:
                    return
                yield from self._loop(self._lists[at : end + 1])
                self._lists[end] = self._lists[end][1:]  # done && ls
                at = end if self._lists[end] else end + 1
                continue
            if _first(one) in _CONTROL:
                return
            yield from self._list(one, is_last=at == len(self._lists) - 1)
            at += 1

    def _list(self, one: list[ShellPipeline], *, is_last: bool) -> Iterator[ShellSubstitution]:
        is_sure = all(pipe.ends in ("&&", ";") for pipe in one)
        for pipe in one:
            program = program_of(pipe.programs[-1])
            if program in _CONTROL:
                message = f"{program} in a command"
                raise ShellTextError(message)
            if program in ("cd", "pushd", "popd"):
                self._enter(pipe, is_sure=is_sure)
            elif is_sure and self._directory is not None:
                found = _substitution(pipe.programs, self._directory, None)
                if found is not None:
                    yield found
            is_sure = is_sure and (is_last or program in _QUIET)

    def _enter(self, pipe: ShellPipeline, *, is_sure: bool) -> None:
        words = pipe.programs[0]
        plain = len(pipe.programs) == 1 and len(words) == 2 and words[0].text == "cd"
        if not (plain and is_sure and is_literal(words[1]) and words[1].text != "-"):
            self._directory = None
        elif words[1].text.startswith("/") or self._directory is not None:
            self._directory = posixpath.join(self._directory or "", words[1].text)

    def _loop(self, lists: list[list[ShellPipeline]]) -> Iterator[ShellSubstitution]:
        """Read ``for f in a b; do sed -i … "$f"; done``."""
        head, *body, last = lists
        words = head[0].programs[0]
        shape = (
            len(head) == 1
            and len(head[0].programs) == 1
            and len(words) > 3
            and words[2].text == "in"
            and _NAME.fullmatch(words[1].text)
            and [word.text for word in last[0].programs[0]] == ["done"]
            and len(last[0].programs) == 1
            and last[0].ends in ("&&", ";")
        )
        if not shape or self._directory is None or not body:
            message = "a loop of another kind"
            raise ShellTextError(message)
        files = named_files(words[3:], self._directory)
        for at, one in enumerate(body):
            pipes = [_without_do(pipe) for pipe in one] if at == 0 else one
            for pipe in pipes:
                program = program_of(pipe.programs[-1])
                if program in _CONTROL or program in ("cd", "pushd", "popd", "for"):
                    message = "a loop that does more"
                    raise ShellTextError(message)
            if len(pipes) == 1 and pipes[0].ends == ";" and files is not None:
                found = _substitution(pipes[0].programs, self._directory, (words[1].text, files))
                if found is not None:
                    yield found


def _without_do(pipe: ShellPipeline) -> ShellPipeline:
    first = pipe.programs[0]
    if not first or first[0] != ShellWord("do"):
        message = "a loop without do"
        raise ShellTextError(message)
    return pipe._replace(programs=[first[1:], *pipe.programs[1:]])


def _lists(pipes: list[ShellPipeline]) -> list[list[ShellPipeline]]:
    """Return pipelines that ``&&`` and ``||`` join, up to each ``;`` or ``&``."""
    found: list[list[ShellPipeline]] = [[]]
    for pipe in pipes:
        found[-1].append(pipe)
        if pipe.ends in (";", "&"):
            found.append([])
    return [one for one in found if one]


def _first(one: list[ShellPipeline]) -> str:
    words = one[0].programs[0]
    return words[0].text if words and words[0].bare else ""


_Loop = tuple[str, list[ReachedFiles]]
"""A variable, and the files that it goes through."""


def _substitution(
    programs: list[list[ShellWord]], directory: str, loop: _Loop | None
) -> ShellSubstitution | None:
    """Return what a pipeline substitutes; ``None``: nothing that is read surely."""
    words = programs[-1]
    if max(map(len, programs)) > MOST_WORDS:
        return None
    name = program_of(words)
    if name == "find" and len(programs) == 1:
        return _of_find(arguments_of(words), directory)
    if name == "xargs" and len(programs) > 1:
        given = given_by_xargs(arguments_of(words))
        files = listed_files(programs[:-1], directory)
        return _given(given, files)
    rewriting = file_rewriting(words) if len(programs) == 1 else None
    if rewriting is None:
        return None
    if loop is not None:
        forms = {f"${loop[0]}", f"${{{loop[0]}}}"}
        is_loop = len(rewriting.files) == 1 and rewriting.files[0].text in forms
        return _made(rewriting, loop[1]) if is_loop else None
    return _made(rewriting, named_files(rewriting.files, directory, rewriting.suffix))


def _made(
    rewriting: FileRewriting | None, files: list[ReachedFiles] | None
) -> ShellSubstitution | None:
    if rewriting is None or not files or not rewriting.rewrites:
        return None
    return ShellSubstitution(rewriting.rewrites, tuple(files))


def _given(words: list[ShellWord] | None, files: list[ReachedFiles] | None) -> (
    ShellSubstitution | None
):  # fmt: skip
    """Return what a program does to files that another one gives it; ``{}`` stands for them."""
    rewriting = file_rewriting(words) if words else None
    if rewriting is None or any(word.text != "{}" for word in rewriting.files):
        return None
    return _made(rewriting, files)


def _of_find(arguments: list[ShellWord], directory: str) -> ShellSubstitution | None:
    """Return what ``find … -exec sed -i … {} +`` does."""
    at = next((n for n, word in enumerate(arguments) if word.text in ("-exec", "-execdir")), None)
    if at is None or arguments[-1].text not in (";", "+"):
        return None
    program = arguments[at + 1 : -1]
    if not any(word.text == "{}" for word in program) or any(w.text == ";" for w in program):
        return None
    return _given(program, found_by_find(arguments[:at], directory))
