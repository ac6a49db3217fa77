"""Which files or folders a shell command moved or copied, by its words. It reads no disk.

https://pubs.opengroup.org/onlinepubs/9799919799/utilities/mv.html, https://git-scm.com/docs/git-mv
"""

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from ghapp.evidence.shell_files import MOST_WORDS, arguments_of, is_literal, program_of
from ghapp.evidence.shell_runs import SureRun

# -f, -rv; not -n and -i, which may leave a file where it was, nor -t with another order of words
_FLAGS = re.compile(r"-[fvrRapL]+|--force|--verbose|--recursive|--archive|--")


class ShellMove(NamedTuple):
    """A file or folder that was moved or copied; a relative path starts where the command ran."""

    source: str
    target: str


def moves_of(run: SureRun) -> Iterator[ShellMove]:
    """Yield what ``mv``, ``cp`` or ``git mv`` moved or copied; nothing if a word is not literal.

    Whether a last word without a slash is a folder, only the disk tells: both are yielded.
    """
    words = arguments_of(run.words)
    program = program_of(run.words)
    if program == "git" and words and words[0].text == "mv":
        words = words[1:]
    elif program not in ("mv", "cp"):
        return
    names = [word for word in words if not _FLAGS.fullmatch(word.text)]
    is_plain = all(is_literal(word) and not word.text.startswith("-") for word in names)
    if run.loop is not None or not is_plain or not 2 <= len(names) <= MOST_WORDS:
        return
    *sources, last = [word.text for word in names]
    for source in sources:
        inside = posixpath.join(last, posixpath.basename(source.rstrip("/")))
        targets = [inside]
        if len(sources) == 1 and not last.endswith("/") and last not in (".", ".."):
            targets.insert(0, last)
        for target in targets:
            yield ShellMove(
                posixpath.join(run.directory, source), posixpath.join(run.directory, target)
            )
