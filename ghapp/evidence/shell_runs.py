"""Which programs a successful shell command has surely run, and where. It knows no program's work.

It runs nothing. What may not have run, or is not read surely, it passes over: a program behind
``||`` or in a condition, and what stands in a loop of another kind than over files.
"""

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from ghapp.attribution.model import ReachedFiles
from ghapp.evidence.shell_files import is_literal, named_files, program_of
from ghapp.evidence.shell_words import (
    ShellPipeline,
    ShellRedirect,
    ShellTextError,
    ShellWord,
    pipelines,
)


class LoopFiles(NamedTuple):
    """A variable, and the files that it goes through."""

    variable: str
    files: list[ReachedFiles]


class SureRun(NamedTuple):
    """Programs in a pipe that surely ran."""

    programs: list[list[ShellWord]]
    redirects: list[list[ShellRedirect]]
    """Those of each program."""
    directory: str
    """Where they ran, relative to the command's directory; empty: there."""
    loop: LoopFiles | None = None
    """The loop that they stand in; ``None``: in none."""
    decides: bool = False
    """Whether the command fails if they do."""

    @property
    def words(self) -> list[ShellWord]:
        """The words of the last program."""
        return self.programs[-1]


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
    | {"sed", "perl", "gofmt"}
)
"""Programs behind whose ``&&`` what follows surely runs, where a command goes on after it."""
_NAME = re.compile(r"[A-Za-z_]\w*")


def sure_runs(command: str) -> list[SureRun]:
    r"""Return what a successful command has surely run, in order; empty: it cannot be read.

    >>> [(one.directory, one.programs[0][0].text) for one in sure_runs("cd src && sed -i s/a/b/ c")]
    [('src', 'sed')]
    """
    try:
        return list(_Reading(command).found())
    except ShellTextError:
        return []


class _Reading:
    """Reads one command: the directory so far, and what surely ran."""

    def __init__(self, command: str) -> None:
        self._lists = _lists(list(pipelines(command)))
        self._directory: str | None = ""
        self._stops = False
        """Whether the shell ends at the first failure: ``set -e``."""

    def found(self) -> Iterator[SureRun]:
        """Yield what surely ran, in order."""
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

    def _list(self, one: list[ShellPipeline], *, is_last: bool) -> Iterator[SureRun]:
        is_sure = all(pipe.ends in ("&&", ";") for pipe in one)
        for pipe in one:
            program = program_of(pipe.programs[-1])
            if program in _CONTROL:
                message = f"{program} in a command"
                raise ShellTextError(message)
            if program in ("cd", "pushd", "popd"):
                self._enter(pipe, is_sure=is_sure)
            elif is_sure and self._directory is not None:
                decides = (is_last or self._stops) and len(pipe.programs) == 1
                yield SureRun(pipe.programs, pipe.redirects, self._directory, decides=decides)
                self._stops |= program == "set" and _stops(pipe.programs[-1])
            is_sure = is_sure and (is_last or program in _QUIET)

    def _enter(self, pipe: ShellPipeline, *, is_sure: bool) -> None:
        words = pipe.programs[0]
        plain = len(pipe.programs) == 1 and len(words) == 2 and words[0].text == "cd"
        if not (plain and is_sure and is_literal(words[1]) and words[1].text != "-"):
            self._directory = None
        elif words[1].text.startswith("/") or self._directory is not None:
            self._directory = posixpath.join(self._directory or "", words[1].text)

    def _loop(self, lists: list[list[ShellPipeline]]) -> Iterator[SureRun]:
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
                loop = LoopFiles(words[1].text, files)
                yield SureRun(pipes[0].programs, pipes[0].redirects, self._directory, loop)


def _stops(words: list[ShellWord]) -> bool:
    return any(word.text.startswith("-") and "e" in word.text for word in words)


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
