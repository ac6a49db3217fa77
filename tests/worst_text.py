"""Texts for which a regular expression would take the longest, made from the expression itself.

Run as a program, it tries patterns on theirs, and the system ends it at the first text that takes
much more CPU than it needs: its last line says which one. It holds no test.
"""

import json
import re
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import product
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

SIZE = 100_000
"""Characters of a text."""
TIMES = 30_000
"""A piece is repeated at least so often, for a search that begins at each: the text is longer."""
ENOUGH = 1.0
"""Seconds of CPU for one text: linear work takes a fiftieth of it, quadratic work more than it."""
PIECES = (
    *("a", "0", "_", " ", "\t", "\n", "\r\n", "/", "\\", "(", "[", "<", "{", "@", "#", "`", "*"),
    *('"', "'", ":", "-", ".", "..", "../", "é", "a ", "a.", "a/", "a@", "a:", "\0"),
)
"""Each is tried on every pattern and every reader."""
ENDS = ("", "\n", "\n!")
"""What may stand behind: nothing, and characters at which the rest may fail."""
SLOWEST = 6
"""Texts that are tried in full for each use of a pattern."""
CLEAR = 10_000_000
"""Nanoseconds of CPU above linear growth after which no slower text is looked for."""
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_CHARACTERS = (codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN)
_EMPTY = (codes.AT, codes.ASSERT, codes.ASSERT_NOT, codes.GROUPREF)
_MANY = 8
"""A repeat of more is filled; a shorter one only multiplies what is around it."""


class PatternForm(NamedTuple):
    """How a text is built: a start once, two pieces repeated one after the other, and an end."""

    start: str
    first: str
    second: str
    end: str

    def text(self, share: int = 1) -> str:
        """Return the text, or one that is shorter by a factor."""
        parts = share * (2 if self.second else 1)
        first, second = (_repeated(piece, parts) for piece in (self.first, self.second))
        return f"{self.start}{first}{second}{self.end}"


def _repeated(piece: str, parts: int) -> str:
    return piece * (max(SIZE // len(piece), TIMES) // parts) if piece else ""


def forms(pattern: str, flags: int) -> Iterator[PatternForm]:
    """Yield each text that a pattern is tried on, once.

    They are the general pieces; and for each repeat in the pattern what stands before it, once
    and repeated, followed by each kind of character that the repeat takes, and by an end.
    """
    tree = _parser.parse(pattern, flags)
    return iter(dict.fromkeys(form for place in _places(tree) for form in _built(*place)))


def _built(before: str, filler: str, fails: str) -> Iterator[PatternForm]:
    """Yield the texts of one place; ``fails`` are characters that its repeat does not take."""
    if filler:
        for end in (*ENDS, *fails):
            yield PatternForm(before, filler, "", end)
            if not before:
                yield PatternForm("x", filler, "", end)
    for end in ENDS:
        yield PatternForm("", before + filler, "", end)
    if before and filler:
        yield PatternForm("", before, filler, "")


def _places(tree: Any) -> Iterator[tuple[str, str, str]]:
    """Yield for each place what matches before it, what the repeat there takes, and what not."""
    for piece in PIECES:
        yield "", piece, ""
    signs = (*"aA0_ \t\n-/.!", *dict.fromkeys(_named(tree)))
    for extra, choice in product((0, 1), (0, -1)):
        sampler = _Sampler(signs, extra, choice)
        for before, body, rest in sampler.places(tree, "", ()):
            if body is None:
                yield before, "", ""
                continue
            kinds = _kinds(signs, (tree, rest, body, *_classes(body)))
            taken = [sign for sign in kinds if _begins(body, sign)]
            fails = [sign for sign in kinds if sign not in taken and sign not in ENDS]
            for filler in (*taken, sampler.sample(body)):
                yield before, filler, "".join(fails[:2])


def _kinds(signs: Iterable[str], classes: Sequence[Any]) -> Iterable[str]:
    """Return one character of each kind: those of a kind begin the same ones of some parts."""
    kinds: dict[tuple[bool, ...], str] = {}
    for sign in signs:
        kinds.setdefault(tuple(_begins(one, sign) for one in classes), sign)
    return kinds.values()


def _named(nodes: Iterable[Any]) -> Iterator[str]:
    """Yield the characters that a pattern names; of a class only some."""
    for code, value in nodes:
        if code in (codes.LITERAL, codes.NOT_LITERAL):
            yield chr(value)
        elif code is codes.IN:
            yield from _named([one for one in value if one[0] is codes.LITERAL][:3])
            yield from (chr(one[1][0]) for one in value if one[0] is codes.RANGE)
        for inner in _inner(code, value):
            yield from _named(inner)


def _classes(nodes: Iterable[Any]) -> Iterator[Any]:
    """Yield the parts that take one character each, each as a sequence of its own."""
    for code, value in nodes:
        inner = _inner(code, value)
        if not inner:
            yield [(code, value)]
        for one in inner:
            yield from _classes(one)


class _Sampler:
    """Makes texts that parts of a pattern match: with each repeat as short as it may be, or longer.

    ``choice`` is the branch that is taken where there are several.
    """

    def __init__(self, signs: Sequence[str], extra: int, choice: int) -> None:
        self._signs = signs
        self._extra = extra
        self._choice = choice
        self._groups: dict[int, str] = {}

    def places(self, nodes: Any, before: str, after: Any) -> Iterator[tuple[str, Any, Any]]:
        """Yield what stands before each part, the body of the repeat there, and what follows."""
        for at, (code, value) in enumerate(nodes, 1):
            rest = (*nodes[at:], *after)
            if code in _REPEATS and value[1] - value[0] > _MANY:
                yield before, value[2], rest
            for inner in _inner(code, value):
                yield from self.places(inner, before, rest)
            before += self._one(code, value)
            yield before, None, rest

    def sample(self, nodes: Any) -> str:
        """Return a text that the parts match, as far as each by itself decides."""
        return "".join(self._one(code, value) for code, value in nodes)

    def _one(self, code: Any, value: Any) -> str:
        if code in _REPEATS:
            least, most, body = value
            return self.sample(body) * min(least + self._extra, most)
        if code is codes.GROUPREF:
            return self._groups.get(value, "")
        if code is codes.ASSERT_NOT or (code is codes.ASSERT and value[0] > 0):
            return ""
        inner = _inner(code, value)
        if not inner:
            return next((sign for sign in self._signs if _begins([(code, value)], sign)), "")
        text = self.sample(inner[self._choice])
        if code is codes.SUBPATTERN:
            self._groups[value[0]] = text
        return text


def _inner(code: Any, value: Any) -> Sequence[Any]:
    """Return the sequences of parts within a part; several are branches."""
    if code in _REPEATS:
        return [value[2]]
    if code is codes.SUBPATTERN:
        return [value[3]]
    if code is codes.ATOMIC_GROUP:
        return [value]
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return [value[1]]
    return value[1] if code is codes.BRANCH else ()


_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    codes.CATEGORY_DIGIT: str.isdigit,
    codes.CATEGORY_SPACE: str.isspace,
    codes.CATEGORY_WORD: lambda sign: sign.isalnum() or sign == "_",
    codes.CATEGORY_NOT_DIGIT: lambda sign: not sign.isdigit(),
    codes.CATEGORY_NOT_SPACE: lambda sign: not sign.isspace(),
    codes.CATEGORY_NOT_WORD: lambda sign: not (sign.isalnum() or sign == "_"),
}


def _begins(nodes: Iterable[Any], sign: str) -> bool:
    """Return whether a character can begin what some parts match."""
    for code, value in nodes:
        if code in _CHARACTERS:
            return _takes(code, value, sign)
        if any(_begins(inner, sign) for inner in _inner(code, value)):
            return code is not codes.ASSERT_NOT
        may_be_empty = code in _REPEATS and value[0] == 0
        if not may_be_empty and code not in _EMPTY:
            return False
    return False


def _takes(code: Any, value: Any, sign: str) -> bool:
    if code is codes.ANY:
        return sign != "\n"
    if code is codes.IN:
        return _in(value, sign)
    return (ord(sign) == value) != (code is codes.NOT_LITERAL)


def _in(members: Sequence[Any], sign: str) -> bool:
    """Return whether a character is of a class such as ``[^a-z_]``."""
    found = any(
        (code is codes.LITERAL and ord(sign) == value)
        or (code is codes.RANGE and value[0] <= ord(sign) <= value[1])
        or (code is codes.CATEGORY and _CATEGORIES[value](sign))
        for code, value in members
    )
    return found != (members[0][0] is codes.NEGATE)


# --- the program ----------------------------------------------------------------------------------


def tried(label: str, call: Callable[[], object]) -> None:
    """Say what is tried now, and try it with `ENOUGH` CPU: the system ends a process at more."""
    sys.stdout.write(f"{label}\n")
    sys.stdout.flush()
    with _limited():
        call()


@contextmanager
def _limited() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_PROF, ENOUGH)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)


def used(pattern: re.Pattern[Any], use: str, text: Any) -> None:
    """Use a pattern as the code does; ``finditer`` to the end."""
    if use == "finditer":
        for _ in pattern.finditer(text):
            pass
    else:
        getattr(pattern, use)(text)


def slowest(pattern: re.Pattern[Any], use: str, given: Iterable[PatternForm]) -> list[PatternForm]:
    """Return the texts whose CPU grows fastest, by short ones: most of them need not be tried.

    What is chosen decides nothing: each is tried in full.
    """
    found: list[tuple[int, PatternForm]] = []
    for form in given:
        short, longer = (_cpu(pattern, use, form, share) for share in (64, 16))
        found = sorted([*found, (longer - 4 * short, form)], reverse=True)[:SLOWEST]
        if found[-1][0] > CLEAR and len(found) == SLOWEST:
            break
    return [form for _, form in found]


def _cpu(pattern: re.Pattern[Any], use: str, form: PatternForm, share: int) -> int:
    """Return the nanoseconds of CPU that a pattern takes for a text that is shortened."""
    text = _given(pattern, form, share)
    with _limited():
        before = time.process_time_ns()
        used(pattern, use, text)
        return time.process_time_ns() - before


def _given(pattern: re.Pattern[Any], form: PatternForm, share: int = 1) -> str | bytes:
    text = form.text(share)
    return text.encode() if isinstance(pattern.pattern, bytes) else text


def main() -> None:
    """Try the patterns on standard input, one JSON array a line: name, text, flags, uses."""
    for line in sys.stdin:
        name, text, flags, is_bytes, uses = json.loads(line)
        pattern = re.compile(text.encode("latin-1") if is_bytes else text, flags)
        given = list(forms(text, flags & ~re.UNICODE))
        for use in uses:
            sys.stdout.write(f"{name}: {use}, short texts\n")
            sys.stdout.flush()
            for form in slowest(pattern, use, given):
                full = _given(pattern, form)
                tried(f"{name}: {use}, {tuple(form)}", partial(used, pattern, use, full))


if __name__ == "__main__":
    main()
