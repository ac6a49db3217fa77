"""Draws lines from strata, and scores people's answers."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit, AuditTotals, FileVerdict, LineVerdict
from ghapp.documents.sampling import LEAST, SampleAnswer, SamplingFrame, allocation, score, wilson
from tests.searching import searched
from tests.store.records import document

SIZES = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 5000), min_size=1)


def audit(number: int, *reasons: str) -> Audit:
    """Return an audit with one line of each reason; those of a run are attributed."""
    lines = tuple(
        LineVerdict(line=at, reason=reason, attributed=reason == "run", agent="claude-code")
        for at, reason in enumerate(reasons, 1)
    )
    file = FileVerdict(
        path="a.py",
        previous_path=None,
        added=len(lines),
        effective=len(lines),
        attributed=reasons.count("run"),
        excluded=None,
        lines=lines,
    )
    totals = AuditTotals(added=4, effective=4, attributed=2, share=0.5, by_reason={}, by_agent={})
    return from_document(document(pull_request=number, files=(file,), totals=totals))


AUDITS = [audit(number, "run", "run", "no_match", "trivial_line") for number in range(1, 41)]


@searched(40)
@given(SIZES, st.integers(1, 6000))
def test_every_stratum_gets_some_and_none_more_than_it_has(
    sizes: dict[str, int], size: int
) -> None:
    drawn = allocation(sizes, size)
    assert drawn.keys() == sizes.keys()
    assert all(min(LEAST, sizes[name]) <= drawn[name] <= sizes[name] for name in sizes)
    least = sum(min(LEAST, one) for one in sizes.values())
    assert sum(drawn.values()) == max(least, min(size, sum(sizes.values())))


def test_a_sample_is_drawn_again_by_its_seed() -> None:
    drawn = []
    for _ in range(2):
        frame = SamplingFrame(["reason", "share"], counted=True)
        for one in AUDITS:
            frame.count(one)
        drawn.append(list(frame.picked(AUDITS, frame.draw(20, Random(7)))))  # noqa: S311
    assert drawn[0] == drawn[1]
    assert {one.stratum for one in drawn[0]} == {"run/50-75%", "no_match/50-75%"}
    assert {one.stratum_lines for one in drawn[0]} == {80, 40}
    assert len({(one.pull_request, one.verdict.line) for one in drawn[0]}) == len(drawn[0]) == 20


def test_attributed_lines_alone_by_default() -> None:
    frame = SamplingFrame(["agent"])
    for one in AUDITS:
        frame.count(one)
    assert frame.sizes == {"claude-code": 80}


def answers(stratum: str, lines: int, right: int, wrong: int) -> list[SampleAnswer]:
    given = [True] * right + [False] * wrong
    return [
        SampleAnswer(stratum=stratum, stratum_lines=lines, attributed=True, agrees=one)
        for one in given
    ]


def test_strata_weigh_as_many_lines_as_they_have() -> None:
    found = score(answers("run", 900, 10, 0) + answers("edited", 100, 5, 5))
    assert found is not None
    assert (found.answers, found.lines, found.unknown) == (20, 1000, 0)
    assert found.estimate == pytest.approx(0.95)
    assert found.low < 0.95 < found.high


def test_plain_answers_have_the_plain_interval() -> None:
    found = score(answers("run", 900, 99, 1))
    assert found is not None
    assert (found.low, found.high) == pytest.approx(wilson(0.99, 100))


def test_nothing_is_said_of_what_nobody_judged() -> None:
    none = SampleAnswer(stratum="edited", stratum_lines=50, attributed=True, agrees=None)
    found = score([*answers("run", 900, 3, 0), none])
    assert found is not None
    assert (found.answers, found.lines, found.unknown) == (3, 900, 50)
    assert score([none]) is None


@searched(40)
@given(st.lists(st.tuples(st.integers(1, 999), st.integers(0, 9), st.integers(0, 9)), min_size=1))
def test_the_estimate_lies_in_its_interval(strata: list[tuple[int, int, int]]) -> None:
    given = [
        one for at, (lines, right, wrong) in enumerate(strata)
        for one in answers(str(at), lines, right, wrong)
    ]  # fmt: skip
    found = score(given)
    assert (found is None) == (not given)
    if found is not None:
        assert 0 <= found.low <= found.estimate + 1e-9
        assert found.estimate - 1e-9 <= found.high <= 1


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    random, held = Random(1), 0  # noqa: S311
    for _ in range(400):
        given = []
        for name, lines, truth in (("run", 9000, 0.97), ("edited", 1000, 0.8)):
            right = sum(random.random() < truth for _ in range(60))
            given += answers(name, lines, right, 60 - right)
        found = score(given)
        assert found is not None
        held += found.low <= 0.9 * 0.97 + 0.1 * 0.8 <= found.high
    assert held / 400 > 0.93
