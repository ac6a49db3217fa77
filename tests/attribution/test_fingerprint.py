"""Fingerprints beside text: the same verdict on equal lines, never more, and nothing to read."""

import random
import re
import zlib
from hashlib import blake2b

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ghapp.attribution.attribute import attribute
from ghapp.attribution.codebook import Codebook, FingerprintCodebook
from ghapp.attribution.fingerprint import (
    LENGTH_STEP,
    SHOWN_LENGTH,
    LineFingerprinter,
    pieces,
    records,
    shortest,
)
from ghapp.attribution.model import (
    Audit,
    Edit,
    EditHunk,
    EditLines,
    Evidence,
    LineFingerprint,
    Measure,
    TextLines,
)
from ghapp.attribution.normalize import normalize
from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.store.evidence import pack, unpack
from tests.attribution import oracle
from tests.attribution.strategies import (
    COMMON,
    LATER,
    SUBJECT,
    Case,
    Tape,
    cases,
    changed,
    replaced,
    some_line,
    stories,
    tapes,
    touched,
)
from tests.searching import searched

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))


def by_characters(case: Case) -> Audit:
    return attribute(SUBJECT, case.change, case.evidence, CLAUDE_CODE_V1, at=LATER)


def by_tokens(case: Case, key: bytes = KEY) -> Audit:
    book = FingerprintCodebook(LineFingerprinter(key))
    return attribute(SUBJECT, case.change, case.evidence, CLAUDE_CODE_V1, at=LATER, book=book)


def text_lines(edit: Edit) -> TextLines:
    """Return an edit's lines, which are text here."""
    hunks = (
        EditHunk(*(tuple(map(str, part)) for part in (hunk.before, hunk.own, hunk.after)))
        for hunk in edit.lines.hunks
    )
    return EditLines(tuple(hunks), tuple(map(str, edit.lines.removed)))


def as_kept(case: Case, key: bytes = KEY) -> Case:
    """Return a case with its edits as packed fingerprints."""
    fingerprinter = LineFingerprinter(key)
    edits = [
        replaced(edit, lines=unpack(*pack(fingerprinter.lines(text_lines(edit)))))
        for edit in case.evidence.edits
    ]
    return Case(case.change, replace(case.evidence, edits=tuple(edits)))


# --- verdicts -----------------------------------------------------------------------------------


def unrelated(text: str) -> str:
    """Return a line that is like no other line, the same for all lines that are equal."""
    canon = oracle.form(text)
    if not oracle.counts(canon) or text.strip() in COMMON:
        return text
    digest = blake2b(canon.encode(), digest_size=24).hexdigest()
    return " ".join(digest[at : at + 12] for at in range(0, 48, 12))


def with_unrelated_lines(case: Case) -> Case:
    edits = []
    for edit in case.evidence.edits:
        lines = text_lines(edit)
        hunks = (EditHunk(*(tuple(map(unrelated, part)) for part in (h.before, h.own, h.after)))
                 for h in lines.hunks)  # fmt: skip
        removed = tuple(map(unrelated, lines.removed))
        edits.append(replaced(edit, lines=EditLines(tuple(hunks), removed)))
    change = changed(case.change, lambda line: line._replace(text=unrelated(line.text)))
    return Case(change, Evidence(edits=tuple(edits), roots=case.evidence.roots))


@searched(100)
@given(cases())
def test_what_is_equal_after_normalization_gets_the_same_verdict(case: Case) -> None:
    """Lines that are not equal are unlike each other here, so nothing else can decide."""
    case = with_unrelated_lines(case)
    plain = by_characters(case)
    assert by_tokens(case).files == plain.files
    assert by_tokens(as_kept(case)).files == plain.files


def test_the_comparison_is_not_empty() -> None:
    reasons = {
        line.reason
        for case in stories(seed=11, count=60)
        for file in by_tokens(as_kept(with_unrelated_lines(case))).files
        for line in file.lines
    }
    assert reasons >= {"run", "line", "common_line", "no_match", "not_applied", "outside_window"}


@searched(200)
@given(cases())
def test_never_more_attributed_than_by_characters(case: Case) -> None:
    tokens, characters = by_tokens(case), by_characters(case)
    assert tokens.measure == "tokens"
    assert tokens.totals.effective == characters.totals.effective
    assert tokens.totals.attributed <= characters.totals.attributed


@searched(75)
@given(cases())
def test_text_and_fingerprints_give_the_same_verdicts_under_one_key(case: Case) -> None:
    assert by_tokens(as_kept(case)).files == by_tokens(case).files


def test_text_cannot_be_compared_with_fingerprints_without_the_key() -> None:
    case = stories(seed=3, count=1)[0]
    with pytest.raises(TypeError, match="key"):
        by_characters(as_kept(case))


@searched(25)
@given(cases())
def test_another_key_attributes_nothing(case: Case) -> None:
    # A command's substitution needs no key: it is text, and so is the change. A commit needs none.
    alone = case._replace(evidence=replace(case.evidence, commands=(), agent_commits=None))
    assert by_tokens(as_kept(alone, OTHER_KEY)).totals.attributed == 0


# --- distances ----------------------------------------------------------------------------------

TEXT = st.text(
    st.sampled_from("abcxyz019_ .,:()[]'\"\u00e9\u4e2d\u0301\U0001f600\ud800"), max_size=200
)
FAR = 10_000


def both_distances(one: str, other: str) -> tuple[int, int]:
    plain, token = Codebook(), FingerprintCodebook(LineFingerprinter(KEY))
    found = []
    for book in (plain, token):
        a, b = book.number(one), book.number(other)
        found.append(book.distance(a, b, FAR))
        # Of a rounded length, a line has the fewest characters that it may have.
        long = sum(len(piece) > SHOWN_LENGTH for piece in pieces(normalize(one)))
        shorter = len(normalize(one)) - book.length(a)
        assert 0 <= shorter <= long * (LENGTH_STEP - 1) * (book.measure is Measure.TOKENS)
        assert (a == b) == (normalize(one) == normalize(other))
    return found[0], found[1]


@searched(400)
@given(TEXT, TEXT)
def test_token_distance_is_never_below_character_distance(one: str, other: str) -> None:
    characters, tokens = both_distances(one, other)
    assert characters <= tokens
    assert (characters == 0) == (tokens == 0)


@searched(125)
@given(tapes())
def test_token_distance_is_never_below_on_lines_of_code(content: bytes) -> None:
    tape = Tape(content)
    line = some_line(tape)[:400]
    characters, tokens = both_distances(line, touched(line, tape))
    assert characters <= tokens


@searched(75)
@given(TEXT, TEXT)
def test_the_distance_by_characters_is_the_textbook_one(one: str, other: str) -> None:
    book = Codebook()
    a, b = book.number(one), book.number(other)
    expected = oracle.distance(oracle.canonical(one), oracle.canonical(other))
    assert book.distance(a, b, FAR) == expected
    assert book.distance(a, b, expected) == expected
    if expected:
        assert book.distance(a, b, expected - 1) == expected


@searched(75)
@given(TEXT)
def test_a_fingerprint_weighs_as_the_text_does_as_far_as_lengths_are_known(text: str) -> None:
    plain, token = Codebook(), FingerprintCodebook(LineFingerprinter(KEY))
    a, b, canon = plain.number(text), token.number(text), oracle.canonical(text)
    assert plain.weight(a) == oracle.plain_weight(canon)
    assert token.weight(b) == oracle.plain_weight(canon, known=shortest) <= plain.weight(a)
    if all(len(word) <= SHOWN_LENGTH for word in re.findall(r"\w+", canon)):
        assert token.weight(b) == plain.weight(a)
    assert plain.effective[a] == token.effective[b] == oracle.counts(canon)


# --- what is kept -------------------------------------------------------------------------------


@searched(75)
@given(TEXT)
def test_a_fingerprint_holds_each_token_once_with_its_length(text: str) -> None:
    fingerprint = LineFingerprinter(KEY).line(text)
    found = list(records(fingerprint))
    normalized = normalize(text)
    assert len(fingerprint.line) == 8
    assert len(fingerprint.tokens) == 5 * len(found)
    for (_, most, _), piece in zip(found, pieces(normalized), strict=True):
        assert shortest(most) <= len(piece) <= most
        assert most == len(piece) or len(piece) > SHOWN_LENGTH
    assert "".join(pieces(normalized)) == normalized


def test_the_exact_length_of_a_long_token_is_not_stored() -> None:
    lengths = {next(records(LineFingerprinter(KEY).line("k" * n)))[1] for n in range(33, 41)}
    assert lengths == {40}


@searched(50)
@given(cases())
def test_packing_round_trips(case: Case) -> None:
    fingerprinter = LineFingerprinter(KEY)
    for edit in case.evidence.edits:
        text = text_lines(edit)
        for lines in (text, fingerprinter.lines(text)):
            encoding, packed = pack(lines)
            assert unpack(encoding, packed) == lines
            assert pack(unpack(encoding, packed)) == (encoding, packed)


def fingerprints(case: Case, key: bytes) -> list[LineFingerprint]:
    fingerprinter = LineFingerprinter(key)
    return [
        fingerprinter.line(str(text))
        for edit in case.evidence.edits
        for hunk in edit.lines.hunks
        for text in hunk.own
    ]


def test_fingerprints_under_another_key_share_nothing() -> None:
    lines: dict[bytes, set[bytes]] = {KEY: set(), OTHER_KEY: set()}
    tokens: dict[bytes, set[bytes]] = {KEY: set(), OTHER_KEY: set()}
    for key in (KEY, OTHER_KEY):
        for case in stories(seed=5, count=40):
            for found in fingerprints(case, key):
                lines[key].add(found.line)
                tokens[key].update(digest for digest, _, _ in records(found))
    assert len(lines[KEY]) == len(lines[OTHER_KEY]) > 100
    assert lines[KEY].isdisjoint(lines[OTHER_KEY])
    assert tokens[KEY].isdisjoint(tokens[OTHER_KEY])


def test_a_planted_secret_never_occurs_in_what_is_kept() -> None:
    """Neither six consecutive characters of a secret, in any case, nor the key itself."""
    drawn = random.Random(8)  # noqa: S311  (a planted secret is none)
    fingerprinter = LineFingerprinter(KEY)
    for _ in range(200):
        secret = "".join(drawn.choices("abcdefghijkmnpqrstuvwxyz0123456789", k=40))
        text = (f"TOKEN = '{secret}'", f"# {secret[:20]} {secret[20:]}", secret)
        lines = fingerprinter.lines(EditLines((EditHunk(text, text, text),), text))
        kept = zlib.decompress(pack(lines)[1]) + msgspec.json.encode(lines)
        for form in (secret, secret.upper()):
            parts = {form[at : at + 6] for at in range(len(form) - 5)}
            assert not re.search("|".join(parts).encode(), kept)
        assert KEY[:8] not in kept
