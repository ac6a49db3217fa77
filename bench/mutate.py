"""What people do to lines of code: restyle, touch, rewrite. It knows no file and no agent."""

import re
from collections.abc import Callable, Sequence
from random import Random

from bench.lines import difference, is_within_limit, normalize

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
_NUMBER = re.compile(r"\b\d+\b")
_STRING_WORD = re.compile(r"(?<=[\"' ])[a-z]{3,}(?=[\"' ])")

_KEYWORDS = (
    "and as assert async await break case catch class const continue def del elif else except "
    "export extends false finally for from function global if import in instanceof interface is "
    "lambda let new none nonlocal not null number or pass raise readonly return self static string "
    "super switch this throw true try type typeof undefined var void while with yield"
)
KEYWORDS = frozenset(_KEYWORDS.split())
"""Words that nobody renames, in lower case."""

_WORDS = (
    "account amount batch bucket cursor entry field group handle index item key label limit node "
    "option order owner parent payload range record result scope source stream target token total "
    "value view window worker"
)
WORDS = tuple(_WORDS.split())
"""Names that a person may use as replacements."""


# --- nothing changes after normalization ---------------------------------------------------------


def restyle(lines: Sequence[str], rng: Random) -> list[str]:
    """Return the same lines in another style; each is equal to its original once normalized."""
    way = rng.choice(_STYLES)
    return [_kept_equal(line, way(line, rng)) for line in lines]


def _kept_equal(line: str, changed: str) -> str:
    return changed if normalize(changed) == normalize(line) else line


def _swap_quotes(line: str, _rng: Random) -> str:
    if '"' in line and "'" in line:
        return line
    return line.replace("'", "\0").replace('"', "'").replace("\0", '"')


def _reindent(line: str, _rng: Random) -> str:
    depth = len(line) - len(line.lstrip())
    return "\t" * (depth // 4) + " " * (depth % 4 // 2) + line.lstrip()


def _space_out(line: str, rng: Random) -> str:
    body = line.lstrip()
    indent = line[: len(line) - len(body)]
    return indent + "".join(
        sign + " " if sign == " " and rng.random() < 0.5 else sign for sign in body
    )


def _trail(line: str, rng: Random) -> str:
    return line + " " * rng.randint(1, 3) if line.strip() and rng.random() < 0.7 else line


def _change_case(line: str, rng: Random) -> str:
    if rng.random() < 0.5:
        return line
    return _WORD.sub(lambda found: _cased(found[0], rng), line)


def _cased(word: str, rng: Random) -> str:
    if word.lower() in KEYWORDS or rng.random() < 0.5:
        return word
    return word.upper() if rng.random() < 0.3 else word[0].swapcase() + word[1:]


_STYLES: tuple[Callable[[str, Random], str], ...] = (
    _swap_quotes,
    _swap_quotes,
    _reindent,
    _space_out,
    _trail,
    _change_case,
)


# --- small and large changes ----------------------------------------------------------------------


def touch(line: str, rng: Random) -> str | None:
    """Return the line with a small edit, at most 20 % away; ``None``: no small edit was found."""
    for _ in range(8):
        changed = _small_edit(line, rng)
        if normalize(changed) != normalize(line) and is_within_limit(line, changed):
            return changed
    return None


def rewrite(line: str, pool: Sequence[str], rng: Random) -> str:
    """Return a line that differs by more than 20 %, edited further or taken from ``pool``."""
    changed = line
    if rng.random() < 0.6:
        for _ in range(rng.randint(3, 12)):
            changed = _small_edit(changed, rng)
            if difference(line, changed) > 0.22:
                return changed
    indent = line[: len(line) - len(line.lstrip())]
    for _ in range(20):
        changed = indent + rng.choice(pool).strip()
        if difference(line, changed) > 0.22:
            return changed
    return indent + "rewritten = " + rng.choice(WORDS) + "_" + rng.choice(WORDS)


def rename(lines: Sequence[str], rng: Random) -> list[str] | None:
    """Return the lines with one name changed everywhere; ``None``: no name occurs twice."""
    counts: dict[str, int] = {}
    for line in lines:
        for word in set(_WORD.findall(line)):
            counts[word] = counts.get(word, 0) + 1
    names = sorted(word for word, n in counts.items() if n > 1 and word.lower() not in KEYWORDS)
    if not names:
        return None
    name = rng.choice(names)
    other = _renamed(name, rng)
    return [re.sub(rf"\b{re.escape(name)}\b", other, line) for line in lines]


def _small_edit(line: str, rng: Random) -> str:
    ways = [(_WORD, _renamed), (_NUMBER, _recounted), (_STRING_WORD, _reworded)]
    pattern, way = rng.choice(ways)
    found = [one for one in pattern.finditer(line) if one[0].lower() not in KEYWORDS]
    if not found:
        return _punctuated(line, rng)
    one = rng.choice(found)
    return line[: one.start()] + way(one[0], rng) + line[one.end() :]


def _renamed(word: str, rng: Random) -> str:
    choice = rng.random()
    if choice < 0.25 and len(word) > 5:
        return word[: rng.randint(3, len(word) - 1)]
    if choice < 0.5:
        return word + rng.choice(("s", "2", "_", "_id", "s_", "_by"))
    if choice < 0.6:
        return "_" + word.lstrip("_")
    return rng.choice(WORDS)


def _recounted(number: str, rng: Random) -> str:
    return str(int(number) + rng.randint(1, 20)) if len(number) < 9 else "7"


def _reworded(_word: str, rng: Random) -> str:
    return rng.choice(WORDS)


def _punctuated(line: str, rng: Random) -> str:
    stripped = line.rstrip()
    return stripped + rng.choice((",", ";", "  # noqa", ")", ":"))
