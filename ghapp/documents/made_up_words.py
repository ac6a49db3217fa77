"""Replaces words by made-up words of the same form, the same ones everywhere. It opens no file.

A made-up word follows from its place in the order of new words and from chance, never from the
word that it replaces: nobody can test a guess. Signs and white space stay, and so do the words
of any program (`ghapp.attribution.codebook.COMMON_WORDS`).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Set
from functools import cache
from random import Random

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from ghapp.attribution.codebook import COMMON_WORDS

NEAR = 0.75
"""Largest difference of two words, 0 to 1, that stays: ``totals`` is one letter from ``total``."""

SHORT = 3
"""Characters below which a piece of a word is joined with its short neighbors, so that a key such
as ``a1B2c3`` is replaced as a whole."""

TRIES = 40
"""Made-up words drawn until one is new."""

CONSONANTS = "bdfghjklmnprstvz"
VOWELS = "aeiou"
DIGITS = "0123456789"

_WORD = re.compile(r"\w+")
_BLOCK = 0x80
"""Letters of one script stand together, in blocks of that size."""
_FINAL = "\u03c2\u03c3"
"""Sigma: its lower case depends on its place in the word."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Categories of characters that nobody sees; a terminal may obey them."""


class Vocabulary:
    """The words of some texts, each as the pieces that are replaced."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.cuts: dict[str, set[int]] = {}
        """Word in lower case → where a piece of it begins."""
        for text in texts:
            for word in _WORD.findall(_composed(text)):
                # Letter case makes no difference to an audit, so it must make none to the pieces.
                cuts = self.cuts.setdefault(_lower(word), set())
                cuts.update(at for at in range(1, len(word)) if _begins(word, at))
        self.originals = {
            part for word, cuts in self.cuts.items() for part in (word, *_runs(word, cuts))
        }
        """All words and parts of words, none of which may be made up by chance."""
        self.near: dict[str, str | None] = {}
        """Piece → the earlier piece that it resembles most, in the order of the texts."""
        for word in self.cuts:
            for piece in self.pieces(word):
                if piece not in self.near and _is_replaced(piece):
                    self.near[piece] = self._nearest(piece)

    def pieces(self, word: str) -> Iterator[str]:
        """Yield the pieces of a word in lower case."""
        return _pieces(word, self.cuts.get(word, set()))

    def _nearest(self, piece: str) -> str | None:
        found = process.extractOne(
            piece, self.near.keys(), scorer=Levenshtein.normalized_distance, score_cutoff=NEAR
        )
        return found[0] if found else None


class MadeUpWords:
    """Made-up words for a vocabulary; ``random`` decides which."""

    def __init__(self, vocabulary: Vocabulary, random: Random) -> None:
        self._vocabulary = vocabulary
        self._random = random
        self._made: dict[str, str] = {}
        self._taken: set[str] = set()
        for piece, near in vocabulary.near.items():
            made = self._made[piece] = self._new(piece, near)
            self._taken.add(made)

    def text(self, text: str, kept: Set[str] = frozenset()) -> str:
        """Return a text with all its words replaced but common ones and those ``kept``."""
        return _WORD.sub(lambda word: self._word(word[0], kept), _composed(text))

    def _word(self, word: str, kept: Set[str]) -> str:
        lower = _lower(word)
        if lower in COMMON_WORDS or lower in kept:
            return word
        made = "".join(
            piece if piece in kept else self._made.get(piece, piece)
            for piece in self._vocabulary.pieces(lower)
        )
        return "".join(
            new.upper() if old.isupper() else new for old, new in zip(word, made, strict=True)
        )

    def _new(self, piece: str, near: str | None) -> str:
        """Return a new made-up word, as far from that of ``near`` as the words are."""
        if near is not None:
            apart = Levenshtein.distance(near, piece)
            for _ in range(TRIES):
                made = self._edited(piece, near)
                if self._is_new(made) and Levenshtein.distance(self._made[near], made) == apart:
                    return made
        for _ in range(TRIES):
            made = self._fresh(piece)
            if self._is_new(made):
                return made
        # There are only a hundred numbers of two digits: if all are taken, two become equal.
        drawn = (self._fresh(piece) for _ in range(TRIES))
        return next((made for made in drawn if made != piece), piece)

    def _is_new(self, made: str) -> bool:
        known = self._taken, self._vocabulary.originals, COMMON_WORDS
        return not any(made in words for words in known) and _composed(made) == made

    def _fresh(self, piece: str) -> str:
        odd = self._random.randrange(2)
        return "".join(
            self._random.choice(
                (VOWELS, CONSONANTS)[(at + odd) % 2] if _is_latin(old) else _alike(old)
            )
            for at, old in enumerate(piece)
        )

    def _edited(self, piece: str, near: str) -> str:
        """Return the made-up word of ``near``, edited as ``near`` must be to become the piece."""
        known = self._made[near]
        made: list[str] = []
        for step in Levenshtein.opcodes(near, piece):
            if step.tag == "equal":
                made += known[step.src_start : step.src_end]
            else:
                made += (
                    self._random.choice(_others(old, known))
                    for old in piece[step.dest_start : step.dest_end]
                )
        return "".join(made)


def _is_replaced(piece: str) -> bool:
    """Say whether a piece is replaced: common words stay, and so do single ASCII characters."""
    if piece in COMMON_WORDS or not any(map(str.isalnum, piece)):
        return False
    return len(piece) > 1 or not piece.isascii()


def _composed(text: str) -> str:
    """Return a text in the form in which lines are compared, without what nobody sees."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_seen, unicodedata.normalize("NFC", text)))


def _seen(character: str) -> str:
    if character in "\t\r\n" or unicodedata.category(character) not in _UNSEEN:
        return character
    return " " if character.isspace() else "\ufffd"


def _lower(word: str) -> str:
    """Return a word in lower case with as many characters: of one letter, it would have two."""
    lower = word.lower()
    if len(lower) == len(word):
        return lower
    return "".join(low if len(low := one.lower()) == 1 else one for one in word)


def _begins(word: str, at: int) -> bool:
    """Say whether a new piece begins there: ``totalPrice``, ``HTTPServer``."""
    if not word[at].isupper():
        return False
    return not word[at - 1].isupper() or word[at + 1 : at + 2].islower()


def _kind(character: str) -> int:
    return 0 if character == "_" else 1 if character.isdecimal() else 2


def _runs(lower: str, cuts: Set[int]) -> Iterator[str]:
    """Yield the runs of letters, of digits and of underscores between cuts."""
    start = 0
    for at in range(1, len(lower) + 1):
        if at == len(lower) or at in cuts or _kind(lower[at]) != _kind(lower[at - 1]):
            yield lower[start:at]
            start = at


def _pieces(lower: str, cuts: Set[int]) -> Iterator[str]:
    """Yield the runs of a word, with short neighbors joined."""
    short = ""
    for run in _runs(lower, cuts):
        if len(run) < SHORT and run[0] != "_":
            short += run
            continue
        if short:
            yield short
        yield run
        short = ""
    if short:
        yield short


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()


def _others(old: str, known: str) -> str:
    """Return the letters of a letter's kind without those of a word, unless none is left."""
    alike = _alike(old)
    return "".join(one for one in alike if one not in known) or alike


@cache
def _alike(character: str) -> str:
    """Return the characters of the same kind: of the same script, or digits."""
    if character.isascii():
        return DIGITS if character.isdecimal() else CONSONANTS + VOWELS
    start = ord(character) // _BLOCK * _BLOCK
    block = map(chr, range(start, start + _BLOCK))
    return "".join(one for one in block if _may_replace(one, character)) or character


def _may_replace(one: str, character: str) -> bool:
    return (
        unicodedata.category(one) == unicodedata.category(character)
        and not one.isascii()
        and one.isalnum()
        and one not in _FINAL
        and unicodedata.normalize("NFC", one) == one.lower() == one
        and len(one.upper()) == 1
        and one.upper().lower() == one
    )
