"""Every distinct line of an audit as a number, with its length, weight and normalized form.

The rest of the engine sees only numbers, so it does not know whether lines were text or
fingerprints. A number depends on the order of reading: compare numbers, never sort by them.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from math import log2

from ghapp.attribution.fingerprint import (
    LONGEST_TOKEN,
    LineFingerprinter,
    is_word,
    records,
    shortest,
    split,
)
from ghapp.attribution.model import LineFingerprint, Measure
from ghapp.attribution.normalize import (
    LONGEST_OWN_LINE,
    MINIMUM_LENGTH,
    is_effective,
    normalize_all,
)

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

_WORD = re.compile(r"\w+")  # "größe" and "x1" in "größe = x1"
_SIGNS_TO_SPACES = bytes(
    at if chr(at).isalnum() or chr(at) in "_\n" else ord(" ") for at in range(128)
) + bytes(range(128, 256))
"""For many lines at once, so it keeps their ends."""


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
        self._first_of: dict[str, int] = {}
        self._loose: dict[int, int] = {}

    def number(self, line: str | LineFingerprint) -> int:
        """Return the number of a line of raw text; equal lines have equal numbers.

        Raises `TypeError` for a fingerprint: without its key it cannot be compared with text.
        """
        (number,) = self.numbers((line,))
        return number

    def numbers(self, lines: Sequence[str | LineFingerprint]) -> list[int]:
        """Return the numbers of many lines; the more at once, the less each of them costs."""
        # Most lines are known already, and `map` looks them up without a Python call for each.
        known: list[int | None] = list(map(self._of_text.get, lines))  # type: ignore[arg-type]
        if None not in known:
            return known  # type: ignore[return-value]
        new = [line for line, number in zip(lines, known, strict=True) if number is None]
        texts = [line for line in dict.fromkeys(new) if isinstance(line, str)]
        if len(texts) < len(set(new)):
            message = "a fingerprint needs the installation's key: audit with measure 'tokens'"
            raise TypeError(message)
        self._learn(texts)
        return list(map(self._of_text.__getitem__, lines))  # type: ignore[arg-type]

    def _learn(self, texts: Sequence[str]) -> None:
        """Give new lines their numbers."""
        forms = normalize_all([text if len(text) <= LONGEST_OWN_LINE else "" for text in texts])
        numbers = self._numbers
        for text, form in zip(texts, forms, strict=True):
            number = numbers.get(form)
            if number is None:
                number = numbers[form] = len(self.forms)
                self.forms.append(form)
                self.effective.append(is_effective(form))
            self._of_text[text] = number

    def weight(self, number: int) -> float:
        """Return the weight of a line, 0 if it has no word."""
        found = self._weights.get(number)
        if found is None:
            (found,) = self.weights((number,))
        return found

    def weights(self, numbers: Sequence[int]) -> list[float]:
        """Return the weights of many lines."""
        known = list(map(self._weights.get, numbers))
        if None not in known:
            return known  # type: ignore[return-value]
        new = list(set(numbers).difference(self._weights))
        self._weights.update(zip(new, self._weigh(new), strict=True))
        return list(map(self._weights.__getitem__, numbers))

    def _weigh(self, numbers: Sequence[int]) -> list[float]:
        words = _words([self.forms[number] for number in numbers])
        _learn_words(set().union(*words))
        weigh = _WEIGHTS.__getitem__
        return [sum(map(weigh, some)) / THOUSAND for some in words]

    def distance(self, one: int, other: int, at_most: int) -> int:
        """Return the Levenshtein distance of two lines, or ``at_most + 1`` if it is larger."""
        return _levenshtein()(self.forms[one], self.forms[other], score_cutoff=at_most)

    def length(self, number: int) -> int:
        """Return the length of a line in characters."""
        return len(self.forms[number])

    def compact(self, number: int) -> str:
        """Return a line without `MOVED_BY_FORMATTERS`, to compare re-wrapped lines."""
        found = self._compact.get(number)
        if found is None:
            (found,) = self.compacts((number,))
        return found

    def compacts(self, numbers: Sequence[int]) -> list[str]:
        """Return many lines without `MOVED_BY_FORMATTERS`."""
        known = list(map(self._compact.get, numbers))
        if None not in known:
            return known  # type: ignore[return-value]
        new = list(set(numbers).difference(self._compact))
        # Normalized lines hold no line end, so they are converted as one text.
        text = self._without_moved("\n".join([self.forms[number] for number in new]))
        self._compact.update(zip(new, text.split("\n"), strict=False))
        return list(map(self._compact.__getitem__, numbers))

    def looses(self, numbers: Sequence[int]) -> list[int]:
        """Return numbers shared by all lines that differ only in `MOVED_BY_FORMATTERS`.

        A number below 0 is no line's, and stays.
        """
        known = list(map(self._loose.get, numbers))
        if None not in known:
            return known  # type: ignore[return-value]
        self._loose.update({number: number for number in numbers if number < 0})
        new = list(set(numbers).difference(self._loose))
        for number, text in zip(new, self.compacts(new), strict=True):
            self._loose[number] = self._first_of.setdefault(text, number)
        return list(map(self._loose.__getitem__, numbers))

    def _without_moved(self, form: str) -> str:
        # No byte of another letter is one of these signs in UTF-8.
        packed = form.encode("utf-8", "surrogatepass")
        return packed.translate(None, MOVED_BY_FORMATTERS.encode()).decode("utf-8", "surrogatepass")


@cache
def _levenshtein() -> Callable[..., int]:
    """Return rapidfuzz's function; where all lines are equal, nobody waits for the library."""
    from rapidfuzz.distance import Levenshtein  # noqa: PLC0415 - see above

    return Levenshtein.distance


def _words(forms: Sequence[str]) -> list[set[str]]:
    """Return the distinct words of each line.

    Lines of ASCII skip the regular expression, which is slow, and are split all at once.
    """
    plain = [form for form in forms if form.isascii()]
    signless = "\n".join(plain).encode().translate(_SIGNS_TO_SPACES).decode()
    found = [set(line.split()) for line in signless.split("\n")]
    if len(plain) == len(forms):
        return found[: len(forms)]
    split = iter(found)
    return [next(split) if form.isascii() else set(_WORD.findall(form)) for form in forms]


def _learn_words(words: set[str]) -> None:
    """Compute the weights of new words. Most follow from their length alone."""
    new = words.difference(_WEIGHTS)
    usual = [word for word in new if word[0].isalnum() and len(word) <= LONGEST_TOKEN]
    _WEIGHTS.update(zip(usual, map(_BY_LENGTH.__getitem__, map(len, usual)), strict=True))
    for word in new.difference(usual) | (new & COMMON_WORDS):
        _WEIGHTS[word] = sum(map(_part_weight, set(split(word))))


def _part_weight(word: str) -> int:
    if not is_word(word):
        return 0
    return _thousandths(len(word), is_common=word in COMMON_WORDS)


def _thousandths(length: int, *, is_common: bool) -> int:
    """Return a word's weight as an integer, so that a sum does not depend on its order."""
    return round(THOUSAND * (COMMON_WEIGHT if length == 1 or is_common else word_weight(length)))


_BY_LENGTH = [0, *(_thousandths(n, is_common=False) for n in range(1, LONGEST_TOKEN + 1))]
_WEIGHTS: dict[str, int] = {}
"""The weight of each word in thousandths, once it is learned."""


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

    def numbers(self, lines: Sequence[str | LineFingerprint]) -> list[int]:
        """Return the numbers of many lines, given as raw text or as fingerprints."""
        return list(map(self._number, lines))

    def _number(self, line: str | LineFingerprint) -> int:
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

    def _weigh(self, numbers: Sequence[int]) -> list[float]:
        return [self._weight_of(self._fingerprints[number]) for number in numbers]

    def _weight_of(self, line: LineFingerprint) -> float:
        words = {(h, shortest(n)) for h, n, word in records(line) if word}
        return sum(_thousandths(n, is_common=h in self._common) for h, n in words) / THOUSAND


def _has_enough(line: LineFingerprint) -> bool:
    """Say whether a fingerprinted line is effective: see `normalize.is_effective`."""
    found = list(records(line))
    return sum(n for _, n, _ in found) >= MINIMUM_LENGTH and any(word for _, _, word in found)
