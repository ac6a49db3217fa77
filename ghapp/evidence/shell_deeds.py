"""What a successful shell command did to files, by its text alone, as evidence of its agent.

It joins the readers of single programs and runs nothing. Some deeds are edits: a here-document,
what ``echo`` or ``printf`` writes, a patch. Others need the change to be told: substitutions, text
of a script, and moves (rules.md 2.19, 2.20).
"""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from ghapp.attribution.model import Edit, LineRewrite, ReachedFiles, ShellCommand, TextLines
from ghapp.evidence.own_lines import NO_LINES, all_own, from_marked, from_patch, split_lines
from ghapp.evidence.patches import unified_files
from ghapp.evidence.paths import to_path
from ghapp.evidence.python_texts import ScriptTexts, script_texts
from ghapp.evidence.shell_files import arguments_of, is_literal, program_of
from ghapp.evidence.shell_moves import moves_of
from ghapp.evidence.shell_outputs import ShellPatch, patch_of, writes_of
from ghapp.evidence.shell_runs import SureRun, sure_runs
from ghapp.evidence.shell_substitutions import of_run
from ghapp.evidence.shell_words import ShellTextError
from ghapp.evidence.shell_writes import ShellWrite, heredocs
from ghapp.evidence.source import WantedPath

# python3, python3.12, python
_PYTHON = re.compile(r"python(?:3(?:\.\d+)?)?")
# -lc, -ec
_SCRIPT_FLAG = re.compile(r"-[euxl]*c")
SHELLS = frozenset({"bash", "sh", "zsh", "dash"})
"""Shells that run the script of an argument."""
_SIGNS = re.compile(r"<<|sed|perl|gofmt|python|printf|\b(?:echo|mv|cp|patch|apply)\b")
DEEPEST = 3
"""Shells inside a shell's command that are read."""


class ShellDeed(NamedTuple):
    """One thing that a command did: exactly one member is given. Paths start where it ran."""

    write: ShellWrite | None = None
    patch: ShellPatch | None = None
    rewrites: tuple[LineRewrite, ...] = ()
    reach: tuple[ReachedFiles, ...] = ()
    lines: TextLines = NO_LINES
    source: str | None = None
    target: str = ""


def may_do(command: str) -> bool:
    """Return whether a command is worth reading."""
    return _SIGNS.search(command) is not None


def deeds(command: str, depth: int = DEEPEST) -> Iterator[ShellDeed]:
    r"""Yield what a successful command surely did, in order of the kinds.

    >>> [(one.source, one.target) for one in deeds("cd src && git mv a.py lib/")]
    [('src/a.py', 'src/lib/a.py')]
    """
    if not may_do(command):
        return
    scripts: dict[str, str] = {}
    for write in heredocs(command):
        if not write.appends:
            scripts[write.path] = write.text
        yield ShellDeed(write=write)
    try:
        for run in sure_runs(command):
            yield from list(_of_run(run, depth, scripts))
    except ShellTextError:
        return


def _of_run(run: SureRun, depth: int, scripts: dict[str, str]) -> Iterator[ShellDeed]:
    """Yield what programs did; ``scripts`` are the files that the command wrote before."""
    program = program_of(run.words)
    inner = _inner(run) if program in SHELLS and depth and run.decides else None
    if inner is not None:
        for one in deeds(inner, depth - 1):
            yield _inside(run.directory, one)
        return
    for write in writes_of(run):
        yield ShellDeed(write=write)
    patch = patch_of(run)
    if patch is not None:
        yield ShellDeed(patch=patch)
    rewriting = of_run(run)
    if rewriting is not None:
        yield ShellDeed(rewrites=rewriting.rewrites, reach=rewriting.reach)
    for move in moves_of(run):
        yield ShellDeed(source=move.source, target=move.target)
    text = _text(run, scripts) if _PYTHON.fullmatch(program) else None
    if text is not None:
        yield text


def _inner(run: SureRun) -> str | None:
    """Return the command that a shell is given: ``bash -lc '…'``."""
    words = arguments_of(run.words)
    if len(words) == 2 and _SCRIPT_FLAG.fullmatch(words[0].text) and not words[1].expands:
        return words[1].text
    return None


def _inside(directory: str, one: ShellDeed) -> ShellDeed:
    """Return a deed of a shell that another one ran in a directory."""
    if not directory:
        return one

    def here(path: str) -> str:
        return posixpath.join(directory, path) if path else directory

    write, patch = one.write, one.patch
    return one._replace(
        write=write and write._replace(path=here(write.path)),
        patch=patch
        and patch._replace(
            directory=here(patch.directory), path=here(patch.path) if patch.path else None
        ),
        reach=tuple(replace(reached, path=here(reached.path)) for reached in one.reach),
        source=None if one.source is None else here(one.source),
        target=here(one.target),
    )


# --- text of scripts ------------------------------------------------------------------------------


def _text(run: SureRun, scripts: dict[str, str]) -> ShellDeed | None:
    """Return what a Python script wrote; ``None``: it may have failed, or cannot be read."""
    if not run.decides or run.loop is not None:
        return None
    words = arguments_of(run.words)
    script, rest = None, words
    if words and _SCRIPT_FLAG.fullmatch(words[0].text) and len(words) > 1 and not words[1].expands:
        script, rest = words[1].text, words[2:]
    elif not words or words[0].text == "-":
        script, rest = _document(run), words[1:]
    elif is_literal(words[0]):
        script, rest = scripts.get(posixpath.join(run.directory, words[0].text)), words[1:]
    found = script_texts(script) if script is not None else None
    if found is None:
        return None
    lines = _lines(found)
    paths = [*found.paths, *(word.text for word in rest if is_literal(word))]
    named = [ReachedFiles(path=posixpath.join(run.directory, path)) for path in paths]
    below = ReachedFiles(path=run.directory or ".", is_folder=True)
    return ShellDeed(lines=lines, reach=(*named, below)) if lines.hunks else None


def _document(run: SureRun) -> str | None:
    """Return the here-document that a program reads, as it is."""
    given = [one for one in run.redirects[-1] if one.sign.startswith("<")]
    return given[0].literal_document if len(given) == 1 else None


def _lines(texts: ScriptTexts) -> TextLines:
    """Return the lines that a script wrote; what it only looked for is older than it."""
    older = [line for text in texts.quoted for line in split_lines(text)]
    return from_marked(
        [[(line, True) for line in split_lines(text)] for text in texts.written], older
    )


# --- as evidence ----------------------------------------------------------------------------------


def as_command(one: ShellDeed, edit: Edit, cwd: str | None) -> ShellCommand | None:
    """Return a deed as a command's; ``edit`` says who and when. ``None``: it is an edit."""
    if one.source is not None:
        moved = replace(edit, path=to_path(one.target, cwd), lines=NO_LINES)
        return ShellCommand(edit=moved, source=to_path(one.source, cwd))
    if not one.reach:
        return None
    reach = tuple(replace(reached, path=to_path(reached.path, cwd)) for reached in one.reach)
    made = replace(edit, path=reach[0].path, lines=one.lines)
    return ShellCommand(edit=made, rewrites=one.rewrites, reach=reach)


def patched(
    patch: ShellPatch, text_of: Callable[[str], str | None], cwd: str | None
) -> Iterable[tuple[str, TextLines]]:
    """Yield the files of a patch with their lines; none if the patch's file is not known."""
    text = patch.text if patch.path is None else text_of(to_path(patch.path, cwd))
    for path, hunks in unified_files(text or "", patch.strip):
        if hunks:
            yield to_path(posixpath.join(patch.directory, path), cwd), from_patch(hunks, "")


def is_read_whole(found: Sequence[Edit | ShellCommand]) -> bool:
    """Return whether something was found, and all of it is edits."""
    return bool(found) and not any(isinstance(one, ShellCommand) for one in found)


def found_in(command: str, edit: Edit, wanted: WantedPath) -> list[Edit | ShellCommand]:
    """Return what a successful command did: its edits with ids in order, then the rest.

    ``edit`` says who, when, with which call and in which directory. Of an overwritten file, whose
    earlier text is not known, all lines are own.
    """
    cwd = edit.cwd
    files: list[tuple[str, TextLines]] = []
    commands: list[ShellCommand] = []
    for one in deeds(command):
        if one.write is not None:
            files.append((to_path(one.write.path, cwd), all_own(one.write.text)))
        elif one.patch is not None:
            files += patched(one.patch, _nothing, cwd)
        elif (made := as_command(one, edit, cwd)) is not None:
            commands.append(made)
    edits = [
        replace(
            edit,
            id=edit.id if len(files) == 1 else f"{edit.id}#{number}",
            path=path,
            lines=lines if wanted(path) else NO_LINES,
        )
        for number, (path, lines) in enumerate(files, 1)
    ]
    return [*edits, *commands]


def _nothing(path: str) -> str | None:  # noqa: ARG001 - no text of any file is known
    return None
