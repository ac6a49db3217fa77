"""Every distinct line of an audit as a number, with its length, weight and normalized form.

The rest of the engine sees only numbers, so it does not know whether lines were text or
fingerprints. A number depends on the order of reading: compare numbers, never sort by them.
"""

import re
from collections.abc import Sequence
from math import log2

from rapidfuzz.distance import Levenshtein

from ghapp.attribution.fingerprint import (
    LONGEST_TOKEN,
    LineFingerprinter,
    is_word,
    records,
    shortest,
    split,
)
from ghapp.attribution.model import LineFingerprint, Measure
from ghapp.attribution.normalize import LONGEST_OWN_LINE, MINIMUM_LENGTH, is_effective, normalize

_COMMON = """
abstract and any args array as assert assertequal async await before after beforeeach
aftereach begin bool boolean break by byte case catch char class classname const continue
data def default defer del delete describe div do double echo elif else elsif end enum equal
err error errors eq ex except exception exit expect export extends extern false fi final
finally float fmt fn for foreach from func function get go goto i id if impl implements
import in include index init instanceof int interface into is it item items j k key kwargs
lambda len length let list local log logger long loop main map match message mod module msg
mut name namespace new nil no node none not null number obj object of ok on or override
package parent pass path print println private props protected pub public raise range
readonly ref require res rescue response result return returns req request rust self set
short size span static str string struct super switch synchronized template test tests text
then this throw throws to tobe toequal true try tuple type typedef typeof types undefined
union unless unsafe unsigned until use using value values var virtual void where while with
yield
"""

COMMON_WORDS = frozenset(_COMMON.split())
"""Words found in any program; they say little about who wrote a line. The list is our own."""

COMMON_WEIGHT = 0.5
"""Weight of a common word, a single letter and a single digit."""

THOUSAND = 1_000
"""Weights are whole thousandths inside a sum."""

MOVED_BY_FORMATTERS = " ()[]{},;\\"
"""Characters that a formatter adds or drops when it breaks a line."""

_MOVED = str.maketrans(dict.fromkeys(MOVED_BY_FORMATTERS))
_WORD = re.compile(r"\w+")  # "größe" and "x1" in "größe = x1"
_SIGNS_TO_SPACES = bytes(
    at if chr(at).isalnum() or chr(at) == "_" else ord(" ") for at in range(128)
) + bytes(range(128, 256))


def word_weight(length: int) -> float:
    """Return the weight of an uncommon word: 2 for two characters, 5.4 for eight, 16 for 21.

    Long identifiers are made of several words, so their weight grows as their number does.
    """
    return max(1.0 + log2(length), 0.8 * length - 1.0)


class Codebook:
    """Lines of one audit as numbers, by characters.

    A line's weight, the sum over its distinct words, says how unlikely it is that two people
    write the line by chance. ``forms`` and ``effective`` are indexed by number.
    """

    measure = Measure.CHARACTERS

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._of_text: dict[str, int] = {}
        self.forms: list[str] = []
        self.effective: list[bool] = []
        self._weights: dict[int, float] = {}
        self._compact: dict[int, str] = {}
        self._loose: dict[str, int] = {}

    def number(self, line: str | LineFingerprint) -> int:
        """Return the number of a line of raw text; equal lines have equal numbers.

        Raises `TypeError` for a fingerprint: without its key it cannot be compared with text.
        """
        if not isinstance(line, str):
            message = "a fingerprint needs the installation's key: audit with measure 'tokens'"
            raise TypeError(message)
        number = self._of_text.get(line)
        if number is None:
            form = "" if len(line) > LONGEST_OWN_LINE else normalize(line)
            number = self._of_text[line] = self._numbers.setdefault(form, len(self.forms))
            if number == len(self.forms):
                self.forms.append(form)
                self.effective.append(is_effective(form))
        return number

    def numbers(self, lines: Sequence[str | LineFingerprint]) -> list[int]:
        """Return the numbers of many lines."""
        # Most lines are known already, and `map` looks them up without a Python call for each.
        known: list[int | None] = list(map(self._of_text.get, lines))  # type: ignore[arg-type]
        if None not in known:
            return known  # type: ignore[return-value]
        return [
            self.number(line) if number is None else number
            for line, number in zip(lines, known, strict=True)
        ]

    def weight(self, number: int) -> float:
        """Return the weight of a line, 0 if it has no word."""
        found = self._weights.get(number)
        if found is None:
            found = self._weights[number] = self._weigh(number)
        return found

    def _weigh(self, number: int) -> float:
        return sum(map(_WEIGHTS.__getitem__, _words(self.forms[number]))) / THOUSAND

    def distance(self, one: int, other: int, at_most: int) -> int:
        """Return the Levenshtein distance of two lines, or ``at_most + 1`` if it is larger."""
        return Levenshtein.distance(self.forms[one], self.forms[other], score_cutoff=at_most)

    def length(self, number: int) -> int:
        """Return the length of a line in characters."""
        return len(self.forms[number])

    def compact(self, number: int) -> str:
        """Return a line without `MOVED_BY_FORMATTERS`, to compare re-wrapped lines."""
        found = self._compact.get(number)
        if found is None:
            found = self._compact[number] = self._without_moved(self.forms[number])
        return found

    def loose(self, number: int) -> int:
        """Return a number shared by all lines that differ only in `MOVED_BY_FORMATTERS`."""
        if number < 0:
            return number
        return self._loose.setdefault(self.compact(number), number)

    def _without_moved(self, form: str) -> str:
        if form.isascii():
            return form.encode().translate(None, MOVED_BY_FORMATTERS.encode()).decode()
        return form.translate(_MOVED)


def _words(form: str) -> set[str]:
    """Return a line's distinct words. ASCII lines skip the regular expression, which is slow."""
    if form.isascii():
        return set(form.encode().translate(_SIGNS_TO_SPACES).decode().split())
    return set(_WORD.findall(form))


class _Weights(dict[str, int]):
    """The weight of each word in thousandths, computed on first use."""

    def __missing__(self, word: str) -> int:
        parts = {word} if len(word) <= LONGEST_TOKEN else set(split(word))
        weight = self[word] = sum(map(_part_weight, parts))
        return weight


def _part_weight(word: str) -> int:
    if not is_word(word):
        return 0
    return _thousandths(len(word), is_common=word in COMMON_WORDS)


def _thousandths(length: int, *, is_common: bool) -> int:
    """Return a word's weight as an integer, so that a sum does not depend on its order."""
    return round(THOUSAND * (COMMON_WEIGHT if length == 1 or is_common else word_weight(length)))


_WEIGHTS = _Weights()


class FingerprintCodebook(Codebook):
    """Lines of one audit as numbers, by tokens. Text and fingerprints may be mixed.

    Each token becomes one character of a private alphabet, repeated to the token's length, so
    the same edit distance gives the token measure of rules.md 2.2. Of a token whose length is
    rounded, a difference has the most characters and a line the fewest: what is not known never
    brings a line within the limit.
    """

    measure = Measure.TOKENS

    def __init__(self, fingerprinter: LineFingerprinter) -> None:
        super().__init__()
        self._fingerprinter = fingerprinter
        self._lines: dict[bytes, int] = {}
        self._alphabet: dict[bytes, str] = {}
        self._fingerprints: list[LineFingerprint] = []
        self._lengths: list[int] = []
        self._common = {fingerprinter.token(word)[:4] for word in COMMON_WORDS}
        self._moved = str.maketrans(
            dict.fromkeys(
                self._letter(fingerprinter.token(sign)[:4]) for sign in MOVED_BY_FORMATTERS
            )
        )

    def number(self, line: str | LineFingerprint) -> int:
        """Return the number of a line given as raw text or as a fingerprint."""
        if isinstance(line, str):
            number = self._of_text.get(line)
            if number is None:
                number = self._of_text[line] = self._fingerprint(self._fingerprinter.line(line))
            return number
        return self._fingerprint(line)

    def _fingerprint(self, line: LineFingerprint) -> int:
        number = self._lines.setdefault(line.line, len(self.forms))
        if number == len(self.forms):
            self._fingerprints.append(line)
            found = list(records(line))
            self._lengths.append(sum(shortest(n) for _, n, _ in found))
            self.forms.append("".join(self._letter(h) * n for h, n, _ in found))
            self.effective.append(_has_enough(line))
        return number

    def length(self, number: int) -> int:
        """Return the fewest characters that a line may have."""
        return self._lengths[number]

    def _letter(self, digest: bytes) -> str:
        letter = self._alphabet.get(digest)
        if letter is None:
            # Code points from 0x100 on, except the surrogates, which are not characters.
            at = 0x100 + len(self._alphabet)
            letter = self._alphabet[digest] = chr(at if at < 0xD800 else at + 0x800)
        return letter

    def _without_moved(self, form: str) -> str:
        return form.translate(self._moved)

    def _weigh(self, number: int) -> float:
        words = {(h, shortest(n)) for h, n, word in records(self._fingerprints[number]) if word}
        return sum(_thousandths(n, is_common=h in self._common) for h, n in words) / THOUSAND


def _has_enough(line: LineFingerprint) -> bool:
    """Say whether a fingerprinted line is effective: see `normalize.is_effective`."""
    found = list(records(line))
    return sum(n for _, n, _ in found) >= MINIMUM_LENGTH and any(word for _, _, word in found)
