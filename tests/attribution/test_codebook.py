"""Lines as numbers: which are equal, how much they weigh, and what a formatter may move."""

import pytest

from ghapp.attribution.codebook import COMMON_WORDS, Codebook, FingerprintCodebook, word_weight
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import Measure
from ghapp.attribution.normalize import normalize

FINGERPRINTER = LineFingerprinter(bytes(range(32)))
BOOKS = (Codebook, lambda: FingerprintCodebook(FINGERPRINTER))


@pytest.fixture(params=BOOKS, ids=["characters", "tokens"])
def book(request: pytest.FixtureRequest) -> Codebook:
    made: Codebook = request.param()
    return made


def test_lines_that_differ_in_style_are_one_number(book: Codebook) -> None:
    assert book.number('Print( "a" )') == book.number("  print( 'a' )\r")
    assert book.number("print( 'a' )") != book.number("print('a')")


def test_many_lines_are_numbered_like_each_of_them(book: Codebook) -> None:
    lines = ["a = 1", "b = 2", "a = 1", "c = 3"]
    assert book.numbers(lines) == [book.number(line) for line in lines]
    assert book.numbers(lines[:2]) == book.numbers(lines)[:2]


SOME = ["a = 1", "return größe(x_1, _)", "", "key2: [ key2, 'x' ],", "wörter", "_ __ =", "z" * 130]


def test_many_lines_weigh_and_look_like_each_of_them(book: Codebook) -> None:
    one = type(book)(FINGERPRINTER) if isinstance(book, FingerprintCodebook) else Codebook()
    numbers = book.numbers(SOME)
    assert book.weights(numbers) == [one.weight(one.number(line)) for line in SOME]
    assert book.compacts(numbers) == [book.compact(number) for number in numbers]
    known = book.numbers(SOME[:3])
    assert (book.weights(known), book.compacts(known)) == (
        book.weights(numbers)[:3],
        book.compacts(numbers)[:3],
    )


def test_a_line_that_is_too_long_is_no_line_that_counts(book: Codebook) -> None:
    long = book.number("x" * 10_001)
    assert not book.effective[long]
    assert long == book.number("") != book.number("x" * 10_000)


def test_a_fingerprint_is_its_line_under_the_key_and_nothing_without_it() -> None:
    kept = FINGERPRINTER.line("total = price * amount")
    book = FingerprintCodebook(FINGERPRINTER)
    assert book.number(kept) == book.number("total = price * amount")
    with pytest.raises(TypeError, match="installation's key"):
        Codebook().number(kept)


def test_a_word_weighs_once_and_a_common_one_little(book: Codebook) -> None:
    def weight(line: str) -> float:
        return book.weight(book.number(line))

    assert weight("invoices") == word_weight(8) == pytest.approx(5.4)
    assert weight("invoices + invoices") == weight("invoices")
    assert weight("key2") == word_weight(4) == 3.0
    assert weight("return") == weight("x") == weight("7") == 0.5
    assert weight("-> }") == 0.0
    assert weight("return invoices") == pytest.approx(5.9)


def test_a_very_long_word_weighs_as_its_parts(book: Codebook) -> None:
    word = "ab" * 100
    found = book.weight(book.number(word))
    if book.measure is Measure.TOKENS:  # the fewest characters that the parts may have
        assert found == pytest.approx(word_weight(121) + word_weight(73), abs=0.002)
    else:
        assert found == pytest.approx(word_weight(127) + word_weight(73), abs=0.002)


def test_common_words_are_as_lines_are_read() -> None:
    assert all(normalize(word) == word for word in COMMON_WORDS)


def test_what_a_formatter_moves_is_told_apart_only_where_it_matters(book: Codebook) -> None:
    one, other, foreign = book.numbers(["call(a, b)", "call( a,b, );", "call(a, c)"])
    assert one != other
    assert book.compact(one) == book.compact(other) != book.compact(foreign)
    loose = book.looses([one, other, foreign, -1])
    assert loose[0] == loose[1] != loose[2]
    assert loose[3] == -1


def test_a_distance_beyond_the_bound_is_only_known_to_be_beyond(book: Codebook) -> None:
    one, other = book.numbers(["aaaa bbbb cccc", "aaaa bbbb dddd"])
    assert book.distance(one, other, 4) == 4
    assert book.distance(one, other, 3) == 4
    assert book.length(one) == 14
