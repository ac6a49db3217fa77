"""Points of one day and agent session are told together, and never twice."""

from ghapp.otlp.meaning import told_by_points
from ghapp.otlp.nouns import SECOND
from ghapp.otlp.refusals import RefusalReason
from ghapp.otlp.told import TelemetrySource
from ghapp.usage.answers import MOST, TokenCounts
from tests.otlp.sent import (
    AT,
    logs,
    metric,
    metrics,
    point,
    read_logs,
    read_metrics,
    record,
    told,
)

HOUR = 3600 * SECOND


def kinds(**counts: int) -> list[dict[str, object]]:
    return [point(number, about={"type": kind}) for kind, number in counts.items()]


def test_the_kinds_of_tokens_are_told_together() -> None:
    points = kinds(input=12, output=850, cacheRead=92_000, cacheCreation=3_650)
    (tokens,) = told(metrics(metric([*points, *kinds(output=150)]))).told.tokens
    assert tokens.tokens == TokenCounts(
        input=12, output=1000, cache_read=92_000, cache_write_unsplit=3_650
    )
    assert (tokens.answers, tokens.key) == (None, None)
    assert tokens.teller.source is TelemetrySource.METRICS


def test_another_model_side_or_session_is_told_apart() -> None:
    about = [{}, {"model": "b"}, {"query_source": "subagent"}, {"session.id": "other"}]
    points = [point(10 + at, about=one) for at, one in enumerate(about)]
    found = told(metrics(metric(points))).told.tokens
    assert [one.tokens.output for one in found] == [10, 11, 12, 13]
    assert [one.is_aside for one in found] == [False, False, True, False]


def test_another_day_is_told_apart() -> None:
    early = AT - AT % (24 * HOUR) - 1
    points = [point(1), point(2, timeUnixNano=str(early), startTimeUnixNano="0")]
    found = told(metrics(metric(points))).told.tokens
    assert [(one.at.date().isoformat(), one.tokens.output) for one in found] == [
        ("2026-11-30", 1),
        ("2026-11-29", 2),
    ]


def test_equal_sessions_of_two_resources_are_told_together() -> None:
    request = metrics(metric([point(1)]))
    request["resourceMetrics"] += metrics(metric([point(2)]))["resourceMetrics"]
    (tokens,) = told(request).told.tokens
    assert tokens.tokens.output == 3


def test_equal_series_of_two_memories_are_told_together() -> None:
    one, other = (read_metrics(metrics(metric(kinds(output=5)))).points for _ in range(2))
    later = [point._replace(at=AT + 5) for point in other]
    (tokens,) = told_by_points([*one, *later]).told.tokens
    assert (tokens.tokens.output, tokens.at.microsecond) == (10, 0)
    (tokens,) = told_by_points(
        [*one, *one, *[point._replace(at=AT + SECOND) for point in one]]
    ).told.tokens
    assert (tokens.tokens.output, tokens.at.second) == (15, 1)


def test_a_sum_that_is_too_large_is_refused() -> None:
    meaning = told(metrics(metric([point(float(MOST)), point(1)])))
    assert (meaning.told.tokens, meaning.refused) == ([], {RefusalReason.TOO_LARGE: 2})


def test_no_deltas_tell_nothing() -> None:
    meaning = told_by_points([])
    assert meaning.told.tokens == meaning.told.decisions == meaning.told.lines == []


def test_the_same_answer_as_metric_and_as_event_comes_from_two_sources() -> None:
    counted = told(metrics(metric(kinds(input=12, output=850)))).told.tokens
    event = record("api_request", {"input_tokens": 12, "output_tokens": 850})
    answered = told(logs(event)).told.tokens
    assert [one.tokens for one in counted] == [one.tokens for one in answered]
    sources = [one.teller.source for one in (*counted, *answered)]
    assert sources == [TelemetrySource.METRICS, TelemetrySource.EVENTS]
    assert (
        read_logs(logs(event)).events[0].at
        == read_metrics(metrics(metric([point(1)]))).points[0].at
    )
