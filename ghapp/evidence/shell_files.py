"""Which files a program in a shell command is given: paths, globs, and what ``find`` or git lists.

It reads no disk: of a glob it knows what fits it, not what is there. What is not read surely is
``None``. Relative paths start at the command's directory.
"""

import posixpath
import re
from collections.abc import Sequence

import msgspec

from ghapp.attribution.linear_pattern import PatternDialect, PatternError, compiled
from ghapp.attribution.model import PathFilter, ReachedFiles
from ghapp.evidence.shell_words import ShellTextError, ShellWord, pipelines

# LC_ALL=C
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
# -rl, -Rli
_GREP_FLAGS = re.compile(r"-[rRlZ0EFPwiInHs]+")
# -lE
_GIT_GREP_FLAGS = re.compile(r"-[lzEFPwiI]+")
# -0r, -n1
_XARGS_FLAGS = re.compile(r"-[0rt]+|-[nPL][0-9]+|--null|--no-run-if-empty|-d.*")
# a.{js,ts}
_BRACES = re.compile(r"([^{}]*)\{([^{}]*)\}([^{}]*)")
# *.py
_WILD = re.compile(r"[*?\[]")
MOST_WORDS = 2_000
"""Words of a program, and files that it is given."""


def program_of(words: list[ShellWord]) -> str:
    """Return the program's name, behind assignments."""
    for word in words:
        if not _ASSIGNMENT.match(word.text):
            return word.text.rpartition("/")[2]
    return ""


def arguments_of(words: list[ShellWord]) -> list[ShellWord]:
    """Return the words behind the program's name."""
    at = next((n for n, word in enumerate(words) if not _ASSIGNMENT.match(word.text)), len(words))
    return words[at + 1 :]


def is_literal(word: ShellWord) -> bool:
    """Return whether a word stands for itself."""
    is_home = word.bare and word.text.startswith("~")
    return bool(word.text) and not (word.globs or word.expands or is_home)


def named_files(
    words: Sequence[ShellWord], directory: str, suffix: str = ""
) -> list[ReachedFiles] | None:
    """Return the files that some words name; ``None``: one of them cannot be read."""
    found: list[ReachedFiles] = []
    for word in words:
        if word.inner is not None:
            try:
                pipes = list(pipelines(word.inner))
            except ShellTextError:
                return None
            listed = listed_files(pipes[0].programs, directory) if len(pipes) == 1 else None
            if listed is None:
                return None
            found += listed
        elif word.expands or (word.bare and word.text.startswith("~")):
            return None
        else:
            for text in _braced(word):
                found += _named(text, directory, globs=word.globs, suffix=suffix)
    return found if 0 < len(found) <= MOST_WORDS else None


def _braced(word: ShellWord) -> list[str]:
    """Return the texts of ``a.{js,ts}``; others as they are."""
    match = _BRACES.fullmatch(word.text) if word.globs else None
    if match is None or "," not in match[2]:
        return [word.text]
    return [match[1] + middle + match[3] for middle in match[2].split(",")]


def _named(text: str, directory: str, *, globs: bool, suffix: str) -> list[ReachedFiles]:
    """Return the file that a path names, or the files below its first folder without a sign."""
    path = posixpath.join(directory, text)
    if not globs or not _WILD.search(text):
        one = [ReachedFiles(path=path)]
        if not suffix:
            return one
        end = PathFilter(expression=_glob(f"*{suffix}", slash=True))
        return [*one, ReachedFiles(path=path, is_folder=True, filters=(end,))]
    names = path.split("/")
    at = next(n for n, name in enumerate(names) if _WILD.search(name))
    rest = PathFilter(expression=_glob("/".join(names[at:]), slash=False))
    return [ReachedFiles(path="/".join(names[:at]) or ".", is_folder=True, filters=(rest,))]


def _glob(glob: str, *, slash: bool) -> str:
    """Return the pattern of names that a glob fits; ``slash``: its signs stand for ``/``, too."""
    if glob.count("[") != glob.count("]"):
        message = "a glob with half a bracket"
        raise ShellTextError(message)
    any_ = "." if slash else "[^/]"
    parts: list[str] = []
    at = 0
    while at < len(glob):
        sign = glob[at]
        end = glob.find("]", at + 2)
        if sign == "*":
            parts.append(f"{any_}*" if not parts or parts[-1] != f"{any_}*" else "")
        elif sign == "?":
            parts.append(any_)
        elif sign == "[" and end > 0:
            inside = glob[at + 1 : end]
            parts.append(f"[{'^' + inside[1:] if inside[0] in '!^' else inside}]")
            at = end
        else:
            parts.append(sign if sign.isalnum() or sign in "_/" else f"\\{sign}")
        at += 1
    return f"^{''.join(parts)}$"


def listed_files(programs: list[list[ShellWord]], directory: str) -> list[ReachedFiles] | None:
    """Return the files whose names a pipeline prints; ``None``: it cannot be read."""
    first, *rest = programs
    arguments = arguments_of(first)
    name = program_of(first)
    found: list[ReachedFiles] | None = None
    if name == "find":
        found = found_by_find(arguments, directory)
    elif name in ("grep", "rg", "egrep", "fgrep"):
        found = _grep(arguments, directory, recurses=name == "rg")
    elif name == "git" and arguments and arguments[0].text == "grep":
        found = _git_names(_after_pattern(arguments[1:]), directory)
    elif name == "git" and arguments and arguments[0].text == "ls-files":
        found = _git_names(
            [word for word in arguments[1:] if word.text not in ("-z", "--cached", "-c")], directory
        )
    for words in rest:
        if found is None:
            return None
        if program_of(words) in ("sort", "uniq"):
            continue
        one = _filter(words)
        if one is None:
            return None
        found = [_filtered(reached, one) for reached in found]
    return found


def _filtered(reached: ReachedFiles, one: PathFilter) -> ReachedFiles:
    return msgspec.structs.replace(reached, filters=(*reached.filters, one))


def _filter(words: list[ShellWord]) -> PathFilter | None:
    """Return what ``grep`` keeps of names in a pipe; ``None``: it cannot be read."""
    name, arguments = program_of(words), arguments_of(words)
    if name not in ("grep", "egrep"):
        return None
    flags = "".join(word.text[1:] for word in arguments if word.text.startswith("-"))
    rest = [word for word in arguments if not word.text.startswith("-")]
    if len(rest) != 1 or rest[0].expands or not set(flags) <= set("vEiz") or "^" in rest[0].text:
        return None
    is_extended = "E" in flags or name == "egrep"
    return _checked(
        PathFilter(
            expression=rest[0].text,
            dialect=PatternDialect.EXTENDED if is_extended else PatternDialect.BASIC,
            lacks="v" in flags,
            ignores_case="i" in flags,
        )
    )


def _checked(one: PathFilter) -> PathFilter | None:
    try:
        compiled(one.expression, one.dialect, ignores_case=one.ignores_case)
    except PatternError:
        return None
    return one


def _below(words: Sequence[ShellWord], directory: str) -> list[str] | None:
    """Return the folders or files that a program looks at; ``None``: they cannot be read."""
    if not all(map(is_literal, words)):
        return None
    return [posixpath.join(directory, word.text) for word in words] or [directory or "."]


def _trees(paths: list[str], filters: tuple[PathFilter, ...]) -> list[ReachedFiles]:
    """Return all that lies below some paths, or the paths themselves."""
    found: list[ReachedFiles] = []
    for path in paths:
        found.append(ReachedFiles(path=path, is_folder=True, filters=filters))
        if not filters:
            found.append(ReachedFiles(path=path))
    return found


class _FindTests:
    """Reads the tests of ``find``: names and paths that all must fit, or one of them."""

    def __init__(self, words: list[str], start: str) -> None:
        self._words = words
        self._start = start
        self._lacks = False
        self._is_choice = False
        self._choices: list[str] = []
        self._all_of: list[PathFilter] = []

    def filters(self) -> tuple[PathFilter, ...] | None:
        """Return the filters; ``None``: it asks for something else."""
        while self._words:
            word = self._words.pop(0)
            if word in ("-not", "!"):
                self._lacks = True
            elif word in ("-o", "-or"):
                self._is_choice = True
            elif word not in ("-print", "-print0", "-a", "-and") and not self._test(word):
                return None
        filters = tuple(self._all_of)
        if self._choices:
            filters += (PathFilter(expression="|".join(f"(?:{one})" for one in self._choices)),)
        return None if any(_checked(one) is None for one in filters) else filters

    def _test(self, word: str) -> bool:
        """Take a test with its value; return whether it could be read."""
        value = self._words.pop(0) if self._words else ""
        if word == "-type":
            return value == "f" and not self._lacks and not self._is_choice
        pattern = _find_pattern(word, value, self._start) if value else None
        if pattern is None or (self._lacks and self._is_choice):
            return False
        if self._lacks:
            self._all_of.append(PathFilter(expression=pattern, lacks=True))
        elif self._choices and not self._is_choice:
            return False
        else:
            self._choices.append(pattern)
        self._lacks = False
        return True


def found_by_find(arguments: list[ShellWord], directory: str) -> list[ReachedFiles] | None:
    """Return the files that ``find`` finds; ``None``: it asks for something else."""
    end = next(
        (n for n, word in enumerate(arguments) if word.text[:1] in ("-", "!", "(")), len(arguments)
    )
    paths = _below(arguments[:end], directory)
    tests = [word.text for word in arguments[end:] if word.text not in ("(", ")")]
    is_nested = len(arguments) - end - len(tests) > 2
    if paths is None or is_nested or any(word.expands for word in arguments[end:]):
        return None
    filters = _FindTests(tests, arguments[0].text if end else ".").filters()
    return None if filters is None else _trees(paths, filters)


def _find_pattern(option: str, glob: str, start: str) -> str | None:
    """Return the pattern, relative to where ``find`` starts, of a name or a path."""
    if option == "-name":
        return f"(?:^|/){_glob(glob, slash=True).removeprefix('^')}"
    prefix = f"{start.rstrip('/')}/"
    if glob.startswith(prefix):
        return _glob(glob.removeprefix(prefix), slash=True)
    if glob.startswith("*/"):
        # The star may stand for the start alone.
        return f"(?:^|/){_glob(glob[2:], slash=True).removeprefix('^')}"
    return _glob(glob, slash=True) if glob.startswith("*") else None


class _GrepOptions:
    """Reads the options of ``grep -rl`` or ``rg -l``."""

    def __init__(self, arguments: list[ShellWord], *, recurses: bool) -> None:
        self.recurses = recurses
        self.lists = False
        self.paths: list[ShellWord] = []
        self._lacks: list[PathFilter] = []
        self._names: list[str] = []
        self._left = list(arguments)
        self._has_pattern = False

    def read(self) -> bool:
        """Read all of them; return whether each could be read."""
        while self._left:
            word = self._left.pop(0)
            if not word.text.startswith("-"):
                self.paths.append(word)
            elif not self._option(word.text):
                return False
        if not self._has_pattern:
            self.paths = self.paths[1:]
        return self.lists and all(_checked(one) is not None for one in self.filters)

    @property
    def filters(self) -> tuple[PathFilter, ...]:
        """What the names of files must have or lack."""
        either = (PathFilter(expression="|".join(self._names)),) if self._names else ()
        return (*self._lacks, *either)

    def _option(self, text: str) -> bool:
        option, _, glob = text.partition("=")
        if option == "--include":
            self._names.append(f"(?:^|/){_glob(glob, slash=False)[1:]}")
        elif option in ("--exclude", "--exclude-dir"):
            end = "/" if option == "--exclude-dir" else "$"
            name = _glob(glob, slash=False)[1:-1]
            self._lacks.append(PathFilter(expression=f"(?:^|/){name}{end}", lacks=True))
        elif text in ("--files-with-matches", "--null", "--recursive", "--"):
            self.lists |= text == "--files-with-matches"
            self.recurses |= text == "--recursive"
        elif text == "-e" and self._left:
            self._has_pattern = True
            self._left.pop(0)
        elif _GREP_FLAGS.fullmatch(text):
            self.lists |= "l" in text
            self.recurses |= "r" in text.lower()
        else:
            return False
        return True


def _grep(
    arguments: list[ShellWord], directory: str, *, recurses: bool
) -> list[ReachedFiles] | None:
    """Return the files that ``grep -rl`` or ``rg -l`` may name."""
    options = _GrepOptions(arguments, recurses=recurses)
    if not options.read():
        return None
    if not options.recurses:
        return named_files(options.paths, directory) if not options.filters else None
    paths = _below(options.paths, directory)
    return None if paths is None else _trees(paths, options.filters)


def _after_pattern(arguments: list[ShellWord]) -> list[ShellWord]:
    """Return the paths of ``git grep -l``; without ``-l`` a word that no path is."""
    flags = [word.text for word in arguments if word.text.startswith("-") and word.text != "--"]
    rest = [word for word in arguments if not word.text.startswith("-")]
    short = [one for one in flags if one not in ("--files-with-matches", "--name-only")]
    lists = len(short) < len(flags) or any("l" in one for one in short)
    plain = all(map(_GIT_GREP_FLAGS.fullmatch, short))
    return rest[1:] if lists and plain and rest else [ShellWord("-", expands=True)]


def _git_names(words: list[ShellWord], directory: str) -> list[ReachedFiles] | None:
    """Return the files that git's paths name: a star stands for ``/``, too (gitglossary)."""
    words = [word for word in words if word.text != "--"]
    if not words:
        return [ReachedFiles(path=directory or ".", is_folder=True)]
    found: list[ReachedFiles] = []
    for word in words:
        text = word.text
        if word.expands or text.startswith((":", "-")):
            return None
        if _WILD.search(text):
            pattern = PathFilter(expression=_glob(text, slash=True))
            found.append(ReachedFiles(path=directory or ".", is_folder=True, filters=(pattern,)))
        else:
            found += _trees([posixpath.join(directory, text)], ())
    return found


def given_by_xargs(arguments: list[ShellWord]) -> list[ShellWord] | None:
    """Return the program that ``xargs`` runs, with ``{}`` for what it gives it."""
    at = 0
    mark = ""
    while at < len(arguments) and arguments[at].text.startswith("-"):
        text = arguments[at].text
        if text in ("-I", "-n", "-P", "-L", "-d"):
            mark = arguments[at + 1].text if text == "-I" and at + 1 < len(arguments) else mark
            at += 1
        elif text.startswith("-I"):
            mark = text[2:]
        elif not _XARGS_FLAGS.fullmatch(text):
            return None
        at += 1
    program = arguments[at:]
    if not mark:
        return [*program, ShellWord("{}")] if program else None
    return [word._replace(text="{}") if word.text == mark else word for word in program]
