"""Regular expressions of sed and Perl, run on one line in linear time. It reads no command.

It reads the part of the three dialects whose meaning is the same everywhere, and refuses the rest.
A state of the program is visited at most once for each place in the line, so no pattern takes
longer than its length times the line's (R. Cox, https://swtch.com/~rsc/regexp/regexp3.html).
"""

from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import NamedTuple

LONGEST_PROGRAM = 500
"""Steps of the longest program; a pattern that needs more is refused."""

_WORD = "_"
_Test = Callable[[str], bool]


class PatternDialect(StrEnum):
    """How a pattern is written."""

    BASIC = "basic"
    """POSIX basic, as GNU sed extends it: ``\\+``, ``\\?``, ``\\|``, ``\\b``."""
    EXTENDED = "extended"
    PERL = "perl"


class PatternError(ValueError):
    """A pattern that is not read; its text says why."""


class StepBudget:
    """How many steps may still be made; it ends, and never with an error."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def spend(self, steps: int) -> bool:
        """Take some steps; return whether there were as many."""
        self._left -= steps
        return self._left >= 0


class PatternMatch(NamedTuple):
    """Where a pattern was found."""

    groups: tuple[int, ...]
    """Start and end of the whole, then of each group; -1: the group took no part."""

    @property
    def start(self) -> int:
        """The first index of the whole."""
        return self.groups[0]

    @property
    def end(self) -> int:
        """The index after the whole."""
        return self.groups[1]


# --- the program --------------------------------------------------------------------------------


class _Step(NamedTuple):
    """One step: exactly one of the members from ``test`` to ``ends`` says what it does."""

    test: _Test | None = None
    """The next character must be one that the test accepts."""
    place: Callable[[str, int], bool] | None = None
    """The place in the line must be one that this accepts."""
    to: tuple[int, ...] = ()
    """Go on at one of these, the first that leads to a match."""
    save: int = -1
    """Note the place in this slot."""
    ends: bool = False


class LinePattern(NamedTuple):
    """A pattern as a program."""

    steps: tuple[_Step, ...]
    groups: int
    """Groups in it, without the whole."""
    posix: bool
    """Whether the longest match at the first place counts, not the first one."""

    def find(self, line: str, start: int, budget: StepBudget) -> PatternMatch | None:
        """Return the first match from a place on; ``None``: there is none.

        Raises `PatternError` if the budget ends, or if POSIX's longest match is not the first one
        that is found, so that its groups are not known.
        """
        seen: set[tuple[int, int]] = set()
        for at in range(start, len(line) + 1):
            found = self._at(line, at, seen, budget)
            if found is not None:
                if self.posix and self._farthest(line, at, budget) != found.end:
                    message = "the longest match is not the first one"
                    raise PatternError(message)
                return found
        return None

    def _at(
        self, line: str, start: int, seen: set[tuple[int, int]], budget: StepBudget
    ) -> PatternMatch | None:
        """Return the match that starts at a place; ``seen``: what led to none before."""
        stack = [(0, start, (start,) + (-1,) * (2 * self.groups + 1))]
        while stack:
            at, place, slots = stack.pop()
            if (at, place) in seen:
                continue
            seen.add((at, place))
            _spend(budget)
            step = self.steps[at]
            if step.ends:
                return PatternMatch((slots[0], place, *slots[2:]))
            if step.save >= 0:
                slots = (*slots[: step.save], place, *slots[step.save + 1 :])
            stack += [(to, there, slots) for to, there in reversed(_next(step, at, line, place))]
        return None

    def _farthest(self, line: str, start: int, budget: StepBudget) -> int:
        """Return where the longest match that starts at a place ends; -1: there is none."""
        seen: set[tuple[int, int]] = set()
        stack = [(0, start)]
        farthest = -1
        while stack:
            state = stack.pop()
            if state in seen:
                continue
            seen.add(state)
            _spend(budget)
            at, place = state
            if self.steps[at].ends:
                farthest = max(farthest, place)
            stack += _next(self.steps[at], at, line, place)
        return farthest


def _spend(budget: StepBudget) -> None:
    if not budget.spend(1):
        message = "the pattern takes too many steps"
        raise PatternError(message)


def _next(step: _Step, at: int, line: str, place: int) -> list[tuple[int, int]]:
    """Return the states after a step, the preferred one first."""
    if step.to:
        return [(to, place) for to in step.to]
    if step.test is not None:
        fits = place < len(line) and step.test(line[place])
        return [(at + 1, place + 1)] if fits else []
    if step.ends or (step.place is not None and not step.place(line, place)):
        return []
    return [(at + 1, place)]


# --- from text to program -----------------------------------------------------------------------


@cache
def compiled(text: str, dialect: PatternDialect, *, ignores_case: bool = False) -> LinePattern:
    """Return a pattern's program. Raises `PatternError` for what is not read surely."""
    parser = _Parser(text, dialect, ignores_case=ignores_case)
    body = parser.alternatives()
    if not text or parser.at < len(text):
        message = "the pattern is empty" if not text else "a group has no start"
        raise PatternError(message)
    steps = (*body, _Step(ends=True))
    return LinePattern(steps, parser.groups, dialect is not PatternDialect.PERL)


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign == _WORD


def _is_digit(sign: str) -> bool:
    return "0" <= sign <= "9"


def _is_space(sign: str) -> bool:
    return sign in " \t\r\n\x0b\x0c"


def _is_word_at(line: str, place: int) -> bool:
    return 0 <= place < len(line) and _is_word(line[place])


def _is_boundary(line: str, place: int) -> bool:
    return _is_word_at(line, place - 1) != _is_word_at(line, place)


def _is_line_start(line: str, place: int) -> bool:  # noqa: ARG001 - all places have one shape
    return place == 0


def _is_line_end(line: str, place: int) -> bool:
    return place == len(line)


def _not(test: _Test) -> _Test:
    return lambda sign: not test(sign)


_PLACES: dict[str, Callable[[str, int], bool]] = {
    "b": _is_boundary,
    "B": lambda line, place: not _is_boundary(line, place),
    "<": lambda line, place: _is_boundary(line, place) and _is_word_at(line, place),
    ">": lambda line, place: _is_boundary(line, place) and not _is_word_at(line, place),
}
_CLASSES: dict[str, _Test] = {
    "w": _is_word,
    "W": _not(_is_word),
    "s": _is_space,
    "S": _not(_is_space),
}
_DIGITS: dict[str, _Test] = {"d": _is_digit, "D": _not(_is_digit)}
_NAMED: dict[str, _Test] = {
    "alpha": str.isalpha,
    "digit": _is_digit,
    "alnum": str.isalnum,
    "space": _is_space,
    "blank": lambda sign: sign in " \t",
    "upper": str.isupper,
    "lower": str.islower,
}
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_Part = tuple[_Step, ...]
"""Steps whose targets are relative to the part's start."""
_DEEPEST = 20
"""Groups inside groups."""


def _moved(part: _Part, by: int) -> _Part:
    return tuple(
        step._replace(to=tuple(to + by for to in step.to)) if step.to else step for step in part
    )


def _joined(parts: list[_Part]) -> _Part:
    steps: list[_Step] = []
    for part in parts:
        steps += _moved(part, len(steps))
        if len(steps) > LONGEST_PROGRAM:
            message = "the pattern is too long"
            raise PatternError(message)
    return tuple(steps)


def _either(one: _Part, other: _Part) -> _Part:
    split = _Step(to=(1, len(one) + 2))
    end = _Step(to=(len(one) + 2 + len(other),))
    return (split, *_moved(one, 1), end, *_moved(other, len(one) + 2))


def _maybe(part: _Part, *, lazy: bool) -> _Part:
    ways = (1, len(part) + 1)
    return (_Step(to=ways[::-1] if lazy else ways), *_moved(part, 1))


def _many(part: _Part, *, lazy: bool) -> _Part:
    ways = (1, len(part) + 2)
    return (_Step(to=ways[::-1] if lazy else ways), *_moved(part, 1), _Step(to=(0,)))


class _Parser:
    """Reads one pattern."""

    def __init__(self, text: str, dialect: PatternDialect, *, ignores_case: bool) -> None:
        self.at = 0
        self.groups = 0
        self._text = text
        self._basic = dialect is PatternDialect.BASIC
        self._perl = dialect is PatternDialect.PERL
        self._ignores_case = ignores_case
        self._depth = 0

    def alternatives(self) -> _Part:
        """Read until a group ends, or the pattern."""
        found = self._sequence()
        while self._takes("|"):
            found = _joined([_either(found, self._sequence())])
        return found

    def _takes(self, sign: str) -> bool:
        """Step over an operator if it is the next one; a basic pattern escapes it."""
        written = f"\\{sign}" if self._basic else sign
        if not self._text.startswith(written, self.at):
            return False
        self.at += len(written)
        return True

    def _sees(self, sign: str) -> bool:
        at = self.at
        seen = self._takes(sign)
        self.at = at
        return seen

    def _sequence(self) -> _Part:
        parts: list[_Part] = []
        is_start = True
        while self.at < len(self._text) and not self._sees("|") and not self._sees(")"):
            if is_start and self._text[self.at] in "*+?{" and not self._basic:
                message = "a repetition of nothing"
                raise PatternError(message)
            parts.append(self._repeated(is_start=is_start))
            is_start = False
        return _joined(parts)

    def _repeated(self, *, is_start: bool) -> _Part:
        part = self._atom(is_start=is_start)
        if part and part[0].place is not None:
            if self._times() is not None:
                message = "a repetition of a place"
                raise PatternError(message)
            return part
        times = self._times()
        if times is None:
            return part
        least, most = times
        lazy = self._perl and self._takes("?")
        if self._times() is not None or (self._perl and self._sees("+")):
            message = "a repetition of a repetition"
            raise PatternError(message)
        if max(least, most or 0) * len(part) > LONGEST_PROGRAM:
            message = "the pattern is too long"
            raise PatternError(message)
        rest = [_many(part, lazy=lazy)] if most is None else []
        for _ in range(0 if most is None else most - least):
            rest = [_maybe(_joined([part, *rest]), lazy=lazy)]
        return _joined([part] * least + rest)

    def _times(self) -> tuple[int, int | None] | None:
        """Read how often the part before may occur; ``None``: it does not say."""
        if self._text.startswith("*", self.at):
            self.at += 1
            return 0, None
        if self._takes("+"):
            return 1, None
        if self._takes("?"):
            return 0, 1
        if self._takes("{"):
            close = "\\}" if self._basic else "}"
            end = self._text.find(close, self.at)
            least, comma, most = self._text[self.at : end].partition(",")
            self.at = end + len(close)
            numbers = [number for number in (least, most) if number]
            if end < 0 or not least or not all(_is_count(number) for number in numbers):
                message = "a repetition that has no number"
                raise PatternError(message)
            upper = int(most) if most else None if comma else int(least)
            if upper is not None and upper < int(least):
                message = "a repetition whose numbers fall"
                raise PatternError(message)
            return int(least), upper
        return None

    def _atom(self, *, is_start: bool) -> _Part:
        if self._takes("("):
            return self._group()
        sign = self._text[self.at]
        self.at += 1
        if sign == "^" and (is_start or not self._basic):
            return (_Step(place=_is_line_start),)
        if sign == "$" and self._is_end():
            return (_Step(place=_is_line_end),)
        if self._perl and sign in "$@" and self._text[self.at : self.at + 1] not in ("", " "):
            message = "a variable"
            raise PatternError(message)
        if sign == "$" and not self._basic:
            return (_Step(place=_is_line_end),)
        return self._escaped() if sign == "\\" else (_Step(test=self._one(sign)),)

    def _one(self, sign: str) -> _Test:
        """Return the test of one character that is written as a sign."""
        if sign == "\n":
            message = "a pattern of more than one line"
            raise PatternError(message)
        if sign == ".":
            return lambda _: True
        return self._class() if sign == "[" else self._literal(sign)

    def _is_end(self) -> bool:
        return self.at >= len(self._text) or self._sees(")") or self._sees("|")

    def _group(self) -> _Part:
        is_plain = self._perl and self._text.startswith("?:", self.at)
        if is_plain:
            self.at += 2
        elif self._text.startswith("?", self.at) and not self._basic:
            message = "a look around"
            raise PatternError(message)
        self._depth += 1
        if self._depth > _DEEPEST:
            message = "too many groups"
            raise PatternError(message)
        self.groups += not is_plain
        slot = 2 * self.groups
        body = self.alternatives()
        self._depth -= 1
        if not self._takes(")"):
            message = "a group has no end"
            raise PatternError(message)
        return body if is_plain else (_Step(save=slot), *_moved(body, 1), _Step(save=slot + 1))

    def _escaped(self) -> _Part:
        sign = self._text[self.at : self.at + 1]
        self.at += 1
        if sign in _PLACES and not (self._perl and sign in "<>"):
            return (_Step(place=_PLACES[sign]),)
        test = _CLASSES.get(sign) or (_DIGITS.get(sign) if self._perl else None)
        if test is not None:
            return (_Step(test=test),)
        if sign == "t":
            return (_Step(test=self._literal("\t")),)
        if not sign or sign in _LETTERS or sign == "\n":
            message = f"\\{sign}"
            raise PatternError(message)
        return (_Step(test=self._literal(sign)),)

    def _literal(self, sign: str) -> _Test:
        if not self._ignores_case:
            return sign.__eq__
        lower = sign.lower()
        return lambda other: other.lower() == lower

    def _class(self) -> _Test:
        """Read a class of characters after its bracket."""
        inverted = self._text.startswith("^", self.at)
        self.at += inverted
        signs: set[str] = set()
        spans: list[tuple[str, str]] = []
        tests: list[_Test] = []
        is_first = True
        while True:
            sign = self._text[self.at : self.at + 1]
            if not sign or sign == "\n":
                message = "a class has no end"
                raise PatternError(message)
            if sign == "]" and not is_first:
                break
            is_first = False
            named = self._named()
            if named is not None:
                tests.append(named)
                continue
            first = self._in_class(tests)
            if first is None:
                continue
            if self._text.startswith("-", self.at) and self._text[self.at + 1 : self.at + 2] != "]":
                self.at += 1
                last = self._in_class([])
                if last is None or last < first:
                    message = "a span of characters without an end"
                    raise PatternError(message)
                spans.append((first, last))
            else:
                signs.add(first)
        self.at += 1
        return self._class_test(signs, spans, tests, inverted=inverted)

    def _named(self) -> _Test | None:
        """Read ``[:alpha:]`` inside a class; ``None``: there is none."""
        if not self._text.startswith(("[:", "[.", "[="), self.at):
            return None
        end = self._text.find(":]", self.at)
        test = _NAMED.get(self._text[self.at + 2 : end]) if end > 0 else None
        if test is None:
            message = "a class of another kind"
            raise PatternError(message)
        self.at = end + 2
        return test

    def _in_class(self, tests: list[_Test]) -> str | None:
        """Read one character of a class; ``None``: it was a class itself, now in ``tests``."""
        sign = self._text[self.at : self.at + 1]
        self.at += 1
        if sign != "\\":
            return sign
        # POSIX takes it for itself, GNU does so but for \t and \n, Perl escapes with it.
        after = self._text[self.at : self.at + 1]
        self.at += 1
        if after == "t":
            return "\t"
        if self._perl and after in (*_CLASSES, *_DIGITS):
            tests.append((_CLASSES | _DIGITS)[after])
            return None
        if not self._perl or not after or after in _LETTERS:
            message = "an escape inside a class"
            raise PatternError(message)
        return after

    def _class_test(
        self,
        signs: set[str],
        spans: list[tuple[str, str]],
        tests: list[_Test],
        *,
        inverted: bool,
    ) -> _Test:
        ignores_case = self._ignores_case

        def holds(sign: str) -> bool:
            forms = {sign, sign.lower(), sign.upper()} if ignores_case else {sign}
            return any(
                form in signs
                or any(first <= form <= last for first, last in spans)
                or any(test(form) for test in tests)
                for form in forms
            )

        return _not(holds) if inverted else holds


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3
