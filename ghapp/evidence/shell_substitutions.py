"""What a shell command replaces in lines of files, where its text proves that it did.

It runs nothing. What is not read surely it passes over, such as a program that is given a variable.
"""

from typing import NamedTuple

from ghapp.attribution.model import LineRewrite, ReachedFiles
from ghapp.evidence.shell_files import (
    MOST_WORDS,
    arguments_of,
    found_by_find,
    given_by_xargs,
    listed_files,
    named_files,
    program_of,
)
from ghapp.evidence.shell_runs import SureRun
from ghapp.evidence.shell_scripts import FileRewriting, file_rewriting
from ghapp.evidence.shell_words import ShellWord


class ShellSubstitution(NamedTuple):
    """What a command does to lines, and to which files. Relative paths start at its directory."""

    rewrites: tuple[LineRewrite, ...]
    reach: tuple[ReachedFiles, ...]


def of_run(run: SureRun) -> ShellSubstitution | None:
    """Return what programs substitute; ``None``: nothing that is read surely.

    Raises `ShellTextError` for a glob.
    """
    programs, directory, loop = run.programs, run.directory, run.loop
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
        forms = {f"${loop.variable}", f"${{{loop.variable}}}"}
        is_loop = len(rewriting.files) == 1 and rewriting.files[0].text in forms
        return _made(rewriting, loop.files) if is_loop else None
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
