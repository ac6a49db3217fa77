"""What ``echo`` and ``printf`` write into files, and the patches that a command is given.

Only what the words alone tell is read: no variables, no formats but ``%s``, no backslash that
shells take in different ways.
"""

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from ghapp.evidence.shell_files import arguments_of, is_literal, program_of
from ghapp.evidence.shell_runs import SureRun
from ghapp.evidence.shell_words import ShellRedirect, ShellWord
from ghapp.evidence.shell_writes import ShellWrite

# \n, \t, \\, \", %s, %%
_FORMAT = re.compile(r"\\([nt\\\"'])|%(s|%)|[\\%]")
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", '"': '"', "'": "'"}
# > a.py, 1>> a.py
_OUTPUT = re.compile(r"1?(>>?|>\|)")
# git apply --index -v; not -R, --check, --reject, --exclude
_APPLY_FLAGS = re.compile(r"-v|--verbose|--index|--recount|--whitespace=\w+|-|--")
# patch -s -u; not -R, --dry-run
_PATCH_FLAGS = re.compile(r"-[suf]+|--silent|--quiet|--unified|--no-backup-if-mismatch")
_STRIP = re.compile(r"-p(\d)|--strip=(\d)")
MOST_TEXT = 65_536
"""Characters that ``printf`` writes."""


class ShellPatch(NamedTuple):
    """A patch that a program applied: its text, or a file that holds it."""

    directory: str
    """Where its paths start, relative to the command's directory."""
    strip: int
    """How many folders its paths have too many."""
    text: str | None
    path: str | None


def writes_of(run: SureRun) -> Iterator[ShellWrite]:
    """Yield the file that ``echo`` or ``printf`` wrote, by itself or through ``tee``."""
    if run.loop is not None or len(run.programs) > 2:
        return
    text = _printed(run.programs[0])
    if text is None:
        return
    if len(run.programs) == 1:
        target = _target(run.redirects[0])
    else:
        target = None if run.redirects[0] else _tee(run.programs[1], run.redirects[1])
    if target is not None:
        path, appends = target
        yield ShellWrite(posixpath.join(run.directory, path), text, appends)


def _printed(words: list[ShellWord]) -> str | None:
    """Return what a program prints; ``None``: it is another one, or cannot be read."""
    program, arguments = program_of(words), arguments_of(words)
    if any(word.expands or word.globs or word.inner is not None for word in arguments):
        return None
    texts = [word.text for word in arguments]
    if program == "printf" and texts and not texts[0].startswith("-"):
        return _formatted(texts[0], texts[1:])
    if program != "echo":
        return None
    options = []
    while texts and texts[0] in ("-n", "-e", "-ne", "-en"):
        options.append(texts.pop(0))
    text = " ".join(texts)
    if "\\" in text:
        decoded = _formatted(text.replace("%", "%%"), []) if "e" in "".join(options) else None
        if decoded is None:
            return None
        text = decoded
    return text if "n" in "".join(options) else f"{text}\n"


def _formatted(form: str, values: list[str]) -> str | None:
    """Return what ``printf`` makes of a format; it is used again while values are left."""
    parts: list[str] = []
    left = list(values)
    size = 0
    while True:
        end = 0
        used = False
        for match in _FORMAT.finditer(form):
            parts.append(form[end : match.start()])
            end = match.end()
            if match[1]:
                parts.append(_ESCAPES[match[1]])
            elif match[2] == "s":
                used = True
                parts.append(left.pop(0) if left else "")
            elif match[2] == "%":
                parts.append("%")
            else:
                return None
        parts.append(form[end:])
        size += len(form)
        if not left:
            return "".join(parts)
        if not used or size > MOST_TEXT:
            return None


def _target(redirects: list[ShellRedirect]) -> tuple[str, bool] | None:
    """Return the file that output goes to, and whether it is appended."""
    out = [one for one in redirects if _OUTPUT.fullmatch(one.sign)]
    if len(out) != 1 or not is_literal(out[0].word) or out[0].word.text.startswith("/dev/"):
        return None
    return out[0].word.text, out[0].sign.endswith(">>")


def _tee(words: list[ShellWord], redirects: list[ShellRedirect]) -> tuple[str, bool] | None:
    if program_of(words) != "tee" or any(one.word.text != "/dev/null" for one in redirects):
        return None
    names = arguments_of(words)
    appends = bool(names) and names[0].text == "-a"
    names = names[appends:]
    if len(names) != 1 or not is_literal(names[0]) or names[0].text.startswith("-"):
        return None
    return names[0].text, appends


def is_patch(path: str) -> bool:
    """Return whether a file may hold a patch, by its name: its text is worth knowing."""
    return path.endswith((".patch", ".diff"))


def patch_of(run: SureRun) -> ShellPatch | None:
    """Return the patch that ``git apply`` or ``patch`` surely applied; ``None``: none is read."""
    program, words = program_of(run.words), arguments_of(run.words)
    if not run.decides or run.loop is not None:
        return None
    if program == "git" and words and words[0].text == "apply":
        words, flags, strip = words[1:], _APPLY_FLAGS, 1
    elif program == "patch":
        flags, strip = _PATCH_FLAGS, -1
    else:
        return None
    names: list[ShellWord] = []
    for word in words:
        if match := _STRIP.fullmatch(word.text):
            strip = int(match[1] or match[2])
        elif word.text not in ("-i", "--input") and not flags.fullmatch(word.text):
            names.append(word)
    return _given(run, names, strip)


def _given(run: SureRun, names: list[ShellWord], strip: int) -> ShellPatch | None:
    """Return a patch from a here-document, from standard input, or from the only file named."""
    given = [one for one in run.redirects[-1] if one.sign.startswith("<")]
    if strip < 0 or len(names) + len(given) != 1:
        return None
    if names:
        name = names[0]
    elif given[0].document is not None:
        text = given[0].literal_document
        return None if text is None else ShellPatch(run.directory, strip, text, None)
    else:
        name = given[0].word
    if not is_literal(name) or name.text.startswith("-"):
        return None
    return ShellPatch(run.directory, strip, None, posixpath.join(run.directory, name.text))
