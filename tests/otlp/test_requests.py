"""Requests of every kind, in both encodings: what is kept, refused, left out and dropped."""

import gzip
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from ghapp.otlp.bodies import MOST_BYTES, MediaType, RequestRefusedError
from ghapp.otlp.frames import varint_bytes
from ghapp.otlp.kept import KEPT, MOST_ATTRIBUTES
from ghapp.otlp.meaning import told_by_events, told_by_points
from ghapp.otlp.nouns import MOST_POINTS, SECOND
from ghapp.otlp.reading import SeriesMemory
from ghapp.otlp.refusals import RefusalReason
from ghapp.otlp.requests import decode_logs, decode_metrics, drop_traces
from tests.otlp.sent import (
    AT,
    BOTH,
    CLAUDE,
    CUMULATIVE,
    NOW,
    START,
    Request,
    attributes,
    encoded,
    logs,
    metric,
    metrics,
    point,
    read_logs,
    read_metrics,
    record,
    told,
)
from tests.searching import searched

DAY = 24 * 3600 * SECOND
SECRETS = "MADE-UP WORDS, MUST NOT BE KEPT"


def refusals(request: Request) -> Counter[RefusalReason]:
    """Return why points or records are refused, and check that all others are kept."""
    if "resourceLogs" in request:
        return read_logs(request).refused
    return read_metrics(request).refused


def refused(body: bytes, media: MediaType, encoding: str | None = None) -> RequestRefusedError:
    with pytest.raises(RequestRefusedError) as raised:
        decode_metrics(body, media, encoding, NOW)
    return raised.value


# --- what is kept --------------------------------------------------------------------------------


def test_a_point_is_kept_with_what_is_on_the_list() -> None:
    about = {"effort": "high", "agent.name": "Explore", "type": "output"}
    (kept,) = read_metrics(metrics(metric([point(850, about=about)]))).points
    assert (kept.value, kept.at, kept.start) == (850, AT, START)
    assert kept.series.resource == {"service.name": "claude-code", "service.version": "2.1.274"}
    assert kept.series.attributes.keys() == {"session.id", "type", "model"}
    assert kept.series.unit == "tokens"


@pytest.mark.parametrize("media", BOTH)
@pytest.mark.parametrize("packs", [False, True])
def test_a_body_may_be_packed(media: MediaType, *, packs: bool) -> None:
    body = encoded(metrics(metric([point(7)])), media)
    sent = (gzip.compress(body), "gzip") if packs else (body, None)
    assert [one.value for one in decode_metrics(sent[0], media, sent[1], NOW).points] == [7]


def test_an_empty_request_holds_nothing() -> None:
    for media, body in ((MediaType.PROTOBUF, b""), (MediaType.JSON, b"{}")):
        assert decode_metrics(body, media, None, NOW).points == []
        assert decode_logs(body, media, None, NOW).events == []
    for request in ({"resourceMetrics": []}, metrics(), metrics(metric([]))):
        assert read_metrics(request).points == []


def test_null_is_absent_in_json() -> None:
    # Empty points have no number, so one of them is refused and no list is missed.
    bodies = (
        {"resourceMetrics": None},
        {"resourceMetrics": [{"resource": None, "scopeMetrics": None}]},
        {"resourceMetrics": [{"scopeMetrics": [{"scope": None, "metrics": None}]}]},
        metrics(metric([]) | {"gauge": None, "unit": None}),
        metrics({"name": "claude_code.token.usage", "sum": {"dataPoints": None}}),
        metrics(metric([point(1, attributes=None)])),
    )
    for body in bodies:
        read = decode_metrics(json.dumps(body).encode(), MediaType.JSON, None, NOW)
        assert read.points == []
    assert decode_logs(b'{"resourceLogs":null}', MediaType.JSON, None, NOW).events == []


def test_integers_are_numbers_or_texts_in_json() -> None:
    forms = [point(None, asInt="7"), point(None, asInt=7), point("7"), point(7.0)]
    forms.append(point(7) | {"startTimeUnixNano": START, "timeUnixNano": AT})
    body = json.dumps(metrics(metric(forms))).encode()
    found = decode_metrics(body, MediaType.JSON, None, NOW)
    assert [one[1:] for one in found.points] == [(START, AT, 7)] * 5


def test_unknown_fields_are_ignored_in_json() -> None:
    request = metrics(metric([point(7) | {"new": [{"deep": {}}]}]) | {"metadata": [1, "2"]})
    body = json.dumps(request | {"more": None}).encode()
    assert len(decode_metrics(body, MediaType.JSON, None, NOW).points) == 1


def test_a_point_that_was_not_recorded_is_left_out() -> None:
    read = read_metrics(metrics(metric([point(0, flags=1), point(3, flags=0)])))
    assert ([one.value for one in read.points], read.left_out) == ([3], 1)


def test_fields_may_come_in_any_order() -> None:
    whole = ExportMetricsServiceRequest()
    json_format.ParseDict(metrics(metric([point(850)])), whole)
    data = whole.resource_metrics[0].scope_metrics[0].metrics[0].sum.data_points[0]
    head = data.SerializeToString()[:27]
    about = data.SerializeToString()[27:]
    numbers = [head[at : at + 9] for at in (0, 9, 18)]
    found = []
    for parts in ([about, *numbers[::-1]], [*numbers[1:], about, numbers[0]]):
        body = whole.SerializeToString()
        size = len(head + about)
        assert body.count(varint_bytes(size) + head + about) == 1
        body = body.replace(head + about, b"".join(parts))
        found += decode_metrics(body, MediaType.PROTOBUF, None, NOW).points
    assert found == read_metrics(metrics(metric([point(850)]))).points * 2


def test_what_is_remembered_changes_nothing() -> None:
    memory = SeriesMemory(most=5)
    points = [point(at, about={"model": f"m{at % 4}"}) for at in range(20)]
    request = metrics(metric(points), metric(points, "claude_code.lines_of_code.count"))
    for media in BOTH:
        body = encoded(request, media)
        plain = decode_metrics(body, media, None, NOW)
        for _ in range(3):
            assert decode_metrics(body, media, None, NOW, memory) == plain


def test_a_large_series_is_not_remembered() -> None:
    memory = SeriesMemory()
    large = metrics(metric([point(5, about={"prompt": "word " * 2_000})]))
    for media in BOTH:
        body = encoded(large, media)
        first, again = (decode_metrics(body, media, None, NOW, memory) for _ in range(2))
        assert first == again
        assert first.points[0].series is not again.points[0].series
        small = encoded(metrics(metric([point(5)])), media)
        first, again = (decode_metrics(small, media, None, NOW, memory) for _ in range(2))
        assert first.points[0].series is again.points[0].series


# --- what is refused -----------------------------------------------------------------------------

POINTS = {
    RefusalReason.NOT_A_NUMBER: [point("NaN"), point("Infinity"), point(None)],
    RefusalReason.NEGATIVE: [point(-1), point("-Infinity"), point(None, asInt="-5")],
    RefusalReason.FRACTIONAL: [point(0.5), point(1e-9)],
    RefusalReason.TOO_LARGE: [point(1e16), point(None, asInt=str(2**62))],
    RefusalReason.WRONG_TIME: [
        point(timeUnixNano="0"),
        point(timeUnixNano=str(1_600_000_000 * SECOND), startTimeUnixNano="0"),
        point(timeUnixNano=str(AT + DAY + SECOND)),
        point(timeUnixNano=str(2**63 - 1)),
        point(startTimeUnixNano=str(AT + 1)),
    ],
    RefusalReason.INCOMPLETE: [
        point(about={"type": "unheard-of"}),
        point(about={"type": "two words"}),
    ],
    RefusalReason.TOO_MANY_ATTRIBUTES: [
        point(about={f"a{at}": at for at in range(MOST_ATTRIBUTES)}),
        point(about={f"a{at}": at for at in range(MOST_ATTRIBUTES * 3)}),
    ],
}


@pytest.mark.parametrize(
    ("why", "wrong"), [(why, one) for why, points in POINTS.items() for one in points]
)
def test_a_wrong_point_is_refused_and_the_rest_is_kept(why: RefusalReason, wrong: Request) -> None:
    read = read_metrics(metrics(metric([point(1), wrong, point(2)])))
    assert read.refused == {why: 1}
    assert [one.value for one in read.points] == [1, 2]


@pytest.mark.parametrize(
    ("why", "wrong"),
    [
        (RefusalReason.UNKNOWN_METRIC, metric([point(1)], "http.server.duration")),
        (RefusalReason.UNKNOWN_METRIC, metric([point(1)], "")),
        (RefusalReason.WRONG_KIND, metric([point(1)], kind="gauge")),
        (RefusalReason.WRONG_KIND, metric([{"sum": 3.0}], kind="histogram")),
        (RefusalReason.WRONG_KIND, metric([{}], kind="summary")),
        (RefusalReason.WRONG_KIND, metric([point(1)], "codex.turn.token_usage")),
        (RefusalReason.WRONG_TEMPORALITY, metric([point(1)], temporality=0)),
        (RefusalReason.WRONG_TEMPORALITY, metric([point(1)], temporality=3)),
        (RefusalReason.NOT_MONOTONIC, metric([point(1)], isMonotonic=False)),
    ],
)
def test_a_wrong_metric_is_refused_and_the_rest_is_kept(why: RefusalReason, wrong: Request) -> None:
    read = read_metrics(metrics(wrong, metric([point(2)])))
    assert read.refused == {why: 1}
    assert [one.value for one in read.points] == [2]


def test_a_sender_s_other_metrics_are_left_out() -> None:
    names = ("claude_code.cost.usage", "gemini_cli.memory.usage", "copilot_chat.new.count")
    read = read_metrics(metrics(*(metric([point(0.5)] * 2, name) for name in names)))
    assert (read.points, read.refused, read.left_out) == ([], {}, 6)


def test_the_clock_may_be_a_day_ahead() -> None:
    assert refusals(metrics(metric([point(timeUnixNano=str(AT + DAY))]))) == {}


def test_a_resource_with_too_many_attributes_loses_its_points_alone() -> None:
    many = {f"a{at}": "x" for at in range(MOST_ATTRIBUTES + 1)}
    request = metrics(metric([point(1)] * 3), resource=CLAUDE | many)
    request["resourceMetrics"] += metrics(metric([point(2)]))["resourceMetrics"]
    read = read_metrics(request)
    assert read.refused == {RefusalReason.TOO_MANY_ATTRIBUTES: 3}
    assert [one.value for one in read.points] == [2]
    events = logs(record("api_request", {}), resource=many)
    assert refusals(events) == {RefusalReason.TOO_MANY_ATTRIBUTES: 1}


ANSWER = {"input_tokens": 12, "output_tokens": "850", "request_id": "req_1", "model": "m"}


@pytest.mark.parametrize(
    ("why", "wrong"),
    [
        (RefusalReason.UNKNOWN_EVENT, record("order.placed", {})),
        (RefusalReason.UNKNOWN_EVENT, record(None, {})),
        (RefusalReason.NEGATIVE, record("api_request", ANSWER | {"output_tokens": -1})),
        (RefusalReason.NOT_A_NUMBER, record("api_request", ANSWER | {"output_tokens": "many"})),
        (RefusalReason.FRACTIONAL, record("api_request", ANSWER | {"input_tokens": 1.5})),
        (RefusalReason.TOO_LARGE, record("api_request", ANSWER | {"input_tokens": 2**60})),
        (RefusalReason.WRONG_TIME, record("api_request", ANSWER, timeUnixNano="1")),
        (RefusalReason.WRONG_TIME, record("api_request", ANSWER, timeUnixNano=str(AT + 2 * DAY))),
        (
            RefusalReason.TOO_MANY_ATTRIBUTES,
            record("api_request", ANSWER | {f"a{at}": at for at in range(MOST_ATTRIBUTES)}),
        ),
        (
            RefusalReason.TOO_MANY_ATTRIBUTES,
            record("api_request", ANSWER | {f"a{at}": at for at in range(MOST_ATTRIBUTES * 3)}),
        ),
    ],
)
def test_a_wrong_record_is_refused_and_the_rest_is_kept(why: RefusalReason, wrong: Request) -> None:
    scope = (
        "elsewhere" if why is RefusalReason.UNKNOWN_EVENT else "com.anthropic.claude_code.events"
    )
    request = logs(wrong, scope=scope)
    request["resourceLogs"] += logs(record("api_request", ANSWER))["resourceLogs"]
    read = read_logs(request)
    assert read.refused == {why: 1}
    assert [one.name for one in read.events] == ["claude_code.api_request"]


def test_a_sender_s_other_events_are_left_out() -> None:
    read = read_logs(logs(record("user_prompt", {"prompt": SECRETS}), record("api_error", {})))
    assert (read.events, read.refused, read.left_out) == ([], {}, 2)


def test_an_event_is_known_by_attribute_field_or_body() -> None:
    name = "claude_code.api_request"
    forms = [
        record("api_request", ANSWER),
        record(name, ANSWER),
        record(None, ANSWER, eventName=name),
        record(None, ANSWER, body={"stringValue": name}),
        record("api_request", ANSWER, body={"stringValue": SECRETS * 40}),
    ]
    assert [one.name for one in read_logs(logs(*forms)).events] == [name] * 5


def test_a_record_without_a_time_has_the_time_when_it_was_seen() -> None:
    # So Codex sends them.
    late = record("api_request", ANSWER, observedTimeUnixNano=str(AT))
    del late["timeUnixNano"]
    assert [one.at for one in read_logs(logs(late)).events] == [AT]


# --- what is too much ----------------------------------------------------------------------------


@pytest.mark.parametrize("media", BOTH)
def test_so_many_points_are_kept_and_not_one_more(media: MediaType) -> None:
    most = encoded(metrics(metric([point(1)] * MOST_POINTS)), media)
    packed = gzip.compress(most, 1)
    assert len(packed) < MOST_BYTES
    assert len(decode_metrics(packed, media, "gzip", NOW).points) == MOST_POINTS
    more = metrics(metric([point(1)] * MOST_POINTS), metric([point(1)]))
    assert refused(gzip.compress(encoded(more, media), 1), media, "gzip").status == 413


@pytest.mark.parametrize("media", BOTH)
def test_so_many_records_are_refused(media: MediaType) -> None:
    body = encoded(logs(*[record("x", {})] * (MOST_POINTS + 1)), media)
    with pytest.raises(RequestRefusedError, match="smaller batches") as raised:
        decode_logs(body, media, None, NOW)
    assert raised.value.status == 413


def message(number: int, payload: bytes) -> bytes:
    return varint_bytes(number << 3 | 2) + varint_bytes(len(payload)) + payload


def nested(points: bytes) -> bytes:
    """Return a request whose only sum holds some bytes."""
    found = message(1, b"claude_code.token.usage") + message(7, points + b"\x10\x01\x18\x01")
    return message(1, message(2, message(2, found)))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(nested(b"\x0a\x00" * 2_000_000), id="points"),
        pytest.param(message(1, message(2, b"\x12\x00" * 2_000_000)), id="metrics"),
        pytest.param(b"\x0a\x00" * 2_000_000, id="resources"),
        pytest.param(nested(b"\x7a\x00" * 2_000_000), id="unknown fields"),
    ],
)
def test_two_million_parts_are_refused_before_they_are_read(body: bytes) -> None:
    packed = gzip.compress(body)
    assert len(packed) < 10_000
    assert refused(packed, MediaType.PROTOBUF, "gzip").status == 413


def test_two_million_points_are_refused_in_json() -> None:
    points = b"{}," * 2_000_000 + b"{}"
    body = json.dumps(metrics(metric(["here"]))).encode().replace(b'"here"', points)  # type: ignore[list-item]
    assert refused(gzip.compress(body), MediaType.JSON, "gzip").status == 413


@pytest.mark.parametrize("media", BOTH)
def test_ten_megabytes_of_attributes_are_dropped(media: MediaType) -> None:
    large = point(5, about={"prompt": "word " * 2_000_000, "model": "m" * 1_000})
    read = decode_metrics(encoded(metrics(metric([large, point(6)])), media), media, None, NOW)
    assert [one.value for one in read.points] == [5, 6]
    assert len(repr(read)) < 10_000


def test_ten_megabytes_in_many_attributes_are_refused() -> None:
    pairs = {f"attribute.number.{at}": "x" * 60 for at in range(120_000)}
    in_json = json.dumps(metrics(metric([point(5, about=pairs), point(6)]))).encode()
    several = b"".join(
        message(7, message(1, key.encode()) + message(2, message(1, one.encode())))
        for key, one in pairs.items()
    )
    in_protobuf = nested(message(1, several) + message(1, b"\x08\x01"))
    assert min(len(in_json), len(in_protobuf)) > 10_000_000
    read = decode_metrics(in_json, MediaType.JSON, None, NOW)
    assert (read.refused, len(read.points)) == ({RefusalReason.TOO_MANY_ATTRIBUTES: 1}, 1)
    read = decode_metrics(in_protobuf, MediaType.PROTOBUF, None, NOW)
    # The second point has no attribute, so that nobody knows what it counts.
    assert read.refused == {RefusalReason.TOO_MANY_ATTRIBUTES: 1, RefusalReason.INCOMPLETE: 1}


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceMetrics":' + b"[" * 200_000,
        b'{"resourceMetrics":[{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}]}",
        b'{"x":' + b'{"y":' * 200_000 + b"1" + b"}" * 200_001,
    ],
)
def test_a_nesting_bomb_is_refused(body: bytes) -> None:
    assert refused(body, MediaType.JSON).status == 400


def test_a_nested_value_is_no_attribute() -> None:
    deep: Request = {"stringValue": SECRETS}
    for _ in range(30):
        deep = {"arrayValue": {"values": [deep]}}
    bent = point(5)
    bent["attributes"].append({"key": "user.email", "value": deep})
    (kept,) = read_metrics(metrics(metric([bent]))).points
    assert "user.email" not in kept.series.attributes


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"7",
        b'{"resourceMetrics":{}}',
        b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":7}]}]}]}',
        b'{"resourceMetrics":[]} more',
        b'\xef\xbb\xbf{"resourceMetrics":[]}',
        b'{"resourceMetrics":[{"scopeMetrics":[{"scope":{"name":"\xff"}}]}]}',
        '{"resourceMetrics":[]}'.encode("utf-16"),
        encoded(metrics(metric([point(1)])), MediaType.PROTOBUF),
    ],
)
def test_what_is_no_request_in_json_is_refused(body: bytes) -> None:
    problem = refused(body, MediaType.JSON)
    assert problem.status == 400
    assert "cannot be read" in str(problem)


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a",
        b"\xff" * 20,
        b"{}",
        encoded(metrics(metric([point(1)])), MediaType.PROTOBUF)[:-1],
        encoded(metrics(metric([point(1)])), MediaType.JSON),
    ],
)
def test_what_is_no_request_in_protobuf_is_refused(body: bytes) -> None:
    assert refused(body, MediaType.PROTOBUF).status == 400


def test_a_metric_of_two_kinds_is_refused() -> None:
    both = metric([point(1)]) | {"gauge": {"dataPoints": [point(2)]}}
    assert refused(json.dumps(metrics(both)).encode(), MediaType.JSON).status == 400
    sums = message(7, b"") * 2
    assert refused(message(1, message(2, message(2, sums))), MediaType.PROTOBUF).status == 400


def test_a_metric_without_data_holds_nothing() -> None:
    assert read_metrics(metrics({"name": "claude_code.token.usage"}, metric([]))).points == []


@pytest.mark.parametrize("wrong", ["no list", {"key": "model"}, [7], [{"key": 7}]])
def test_attributes_that_are_no_list_of_pairs_are_refused(wrong: Any) -> None:
    body = json.dumps(metrics(metric([point(1, attributes=wrong)]))).encode()
    assert refused(body, MediaType.JSON).status == 400


def test_an_attribute_of_another_message_is_refused() -> None:
    key_of_bytes = message(7, message(1, b"model") + message(2, b"\x08\x01\xff"))
    assert refused(nested(message(1, key_of_bytes)), MediaType.PROTOBUF).status == 400


@pytest.mark.parametrize("form", [{}, None, {"stringValue": 7}, {"intValue": "1x"}, {"other": 1}])
def test_a_value_that_cannot_be_read_is_no_attribute(form: Any) -> None:
    sent = point(5)
    sent["attributes"].append({"key": "user.email", "value": form})
    sent["attributes"].append({"key": "enduser.id"})
    (kept,) = decode_metrics(
        json.dumps(metrics(metric([sent]))).encode(), MediaType.JSON, None, NOW
    ).points
    assert kept.series.attributes.keys() == {"session.id", "type", "model"}


def test_traces_are_taken_and_dropped_unread() -> None:
    drop_traces(b"anything at all", None)
    drop_traces(gzip.compress(b"spans"), "gzip")
    with pytest.raises(RequestRefusedError):
        drop_traces(gzip.compress(bytes(MOST_BYTES + 1)), "gzip")


# --- nothing of the content is kept --------------------------------------------------------------


def words(noun: object) -> Iterator[str]:
    """Yield every text in a noun."""
    yield from _texts(msgspec.to_builtins(noun, enc_hook=repr))


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, one in value.items():
                yield from _texts(key)
                yield from _texts(one)
        case list() | tuple():
            for one in value:
                yield from _texts(one)


CONTENT = {
    "prompt": SECRETS,
    "response": SECRETS,
    "tool_parameters": json.dumps({"full_command": f"git commit -m '{SECRETS}'"}),
    "tool_input": json.dumps({"command": SECRETS}),
    "arguments": SECRETS,
    "output": SECRETS,
    "error": SECRETS,
    "function_args": SECRETS,
    "request_text": SECRETS,
    "gen_ai.input.messages": SECRETS,
    "metadata": SECRETS,
    "host.name": SECRETS,
    "file.path": SECRETS,
    "vcs.ref.head.name": SECRETS,
    # On the list, but no identifiers.
    "session.id": SECRETS,
    "model": SECRETS,
    "user.email": SECRETS,
    "tool_name": SECRETS,
    "language": SECRETS,
    "request_id": SECRETS,
    "enduser.id": SECRETS,
}
EVENTS_OF_ALL = (
    "api_request",
    "user_prompt",
    "assistant_response",
    "tool_result",
    "tool_decision",
    "codex.sse_event",
    "codex.tool_result",
    "gemini_cli.api_response",
    "gemini_cli.tool_call",
    "gen_ai.client.inference.operation.details",
    "copilot_chat.edit.feedback",
)


def test_content_that_a_sender_has_switched_on_is_not_kept() -> None:
    numbers: dict[str, object] = {key: 3 for key, one in KEPT.items() if one.form.value == "count"}
    records = [
        record(name, CONTENT | numbers | more, body={"stringValue": SECRETS})
        for name in EVENTS_OF_ALL
        for more in ({}, {"tool_name": "Edit", "decision": "accept", "outcome": "accepted"})
    ]
    resource = CLAUDE | CONTENT
    read = read_logs(logs(*records, resource=resource))
    assert len(read.events) > len(EVENTS_OF_ALL)
    counted = read_metrics(
        metrics(
            metric([point(9, about=CONTENT | {"type": "output"})]),
            metric([point(9, about=CONTENT)], temporality=CUMULATIVE),
            resource=resource,
        )
    )
    assert len(counted.points) == 2
    nouns = [read, *counted.points, told_by_events(read.events), told_by_points(counted.points)]
    found = [text for noun in nouns for text in words(noun)]
    assert len(found) > 100
    assert not [text for text in found if "MADE" in text or "git commit" in text]


def test_a_refusal_repeats_nothing_of_the_body() -> None:
    for media, body in (
        (MediaType.JSON, json.dumps({"resourceMetrics": SECRETS}).encode()),
        (MediaType.JSON, f'{{"a":"{SECRETS}'.encode()),
        (MediaType.PROTOBUF, SECRETS.encode()),
    ):
        assert "MADE" not in str(refused(body, media))


# --- both encodings, and damage ------------------------------------------------------------------

NAMES = (
    "claude_code.token.usage",
    "claude_code.code_edit_tool.decision",
    "claude_code.cost.usage",
    "codex.turn.token_usage",
    "gemini_cli.token.usage",
    "gen_ai.client.token.usage",
    "copilot_chat.edit.acceptance.count",
    "process.cpu.time",
)
SCALARS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["output", "input", "cache", "accept", "Edit", "ada@example.com", "true", "3"]),
    st.integers(-5, 2**53 + 5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.lists(st.just("nested"), max_size=2),
)
ATTRIBUTES = st.dictionaries(st.sampled_from([*KEPT, "prompt", "output"]), SCALARS, max_size=6)
NUMBERS = st.one_of(
    st.integers(-2, 2**53 + 2).map(float),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["NaN", "Infinity", "-Infinity", None]),
)
TIMES = st.sampled_from([0, 1, START, AT, AT + DAY, AT + DAY + 1, 2**63 - 1])


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Draw requests with metrics of every kind, right and wrong."""
    found = []
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=3)):
        kind = draw(st.sampled_from(["sum", "histogram", "exponentialHistogram", "gauge"]))
        points = []
        for number, about, start, at in draw(
            st.lists(st.tuples(NUMBERS, ATTRIBUTES, TIMES, TIMES), max_size=3)
        ):
            key = "asDouble" if kind in ("sum", "gauge") else "sum"
            one: Request = {"attributes": attributes(about)}
            one |= {"startTimeUnixNano": str(start), "timeUnixNano": str(at)}
            points.append(one if number is None else one | {key: number})
        data: Request = {"dataPoints": points}
        if kind != "gauge":
            data["aggregationTemporality"] = draw(st.integers(0, 2))
        if kind == "sum":
            data["isMonotonic"] = draw(st.sampled_from([True, True, False]))
        found.append({"name": name, kind: data})
    return metrics(*found, resource=draw(ATTRIBUTES), scope=draw(st.sampled_from(["", "x"])))


@given(requests())
@searched(120)
def test_metrics_mean_the_same_in_both_encodings(request: Request) -> None:
    read = read_metrics(request)
    total = sum(
        len(data.get("dataPoints", ()))
        for one in request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
        for data in one.values()
        if isinstance(data, dict)
    )
    assert len(read.points) + read.refused.total() + read.left_out == total
    told(request)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*EVENTS_OF_ALL, "else"]), ATTRIBUTES, st.sampled_from([AT, 0, 2**62])
        ),
        max_size=4,
    ),
    ATTRIBUTES,
)
@searched(150)
def test_logs_mean_the_same_in_both_encodings(
    given_records: list[tuple[str, dict[str, object], int]], resource: dict[str, object]
) -> None:
    records = [record(name, about, timeUnixNano=str(at)) for name, about, at in given_records]
    read = read_logs(logs(*records, resource=resource))
    assert len(read.events) + read.refused.total() + read.left_out == len(records)
    told(logs(*records, resource=resource))


def damaged(body: bytes, seed: int) -> bytes:
    """Return a body with a few bytes changed, cut out, repeated or moved."""
    chance = random.Random(seed)  # noqa: S311 - it keeps no secret
    found = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(found) + 1)
        end = min(len(found), at + chance.choice([1, 1, 2, 9, 60]))
        match chance.randrange(5):
            case 0:
                found[at:end] = bytes(chance.randrange(256) for _ in range(end - at))
            case 1:
                del found[at:end]
            case 2:
                found[at:at] = found[at:end]
            case 3:
                found[at:at] = bytes([chance.choice([0, 0x0A, 0x7F, 0x80, 0xFF])])
            case _:
                del found[at:]
    return bytes(found)


def numbers_in(value: Any) -> Iterator[float]:
    """Yield every number of a decoded body, wherever it stands, and those in texts."""
    match value:
        case dict():
            yield from (number for one in value.values() for number in numbers_in(one))
        case list():
            yield from (number for one in value for number in numbers_in(one))
        case str() if len(value) < 25:
            try:
                yield float(value)
            except ValueError:
                return
        case int() | float():
            yield float(value)


def numbers_of(body: bytes, media: MediaType, kind: Any) -> set[float] | None:
    """Return what others find in a body; ``None``: they find that it is damaged."""
    try:
        if media is MediaType.JSON:
            return set(numbers_in(json.loads(body)))
        return set(numbers_in(json_format.MessageToDict(kind.FromString(body))))
    except (ValueError, DecodeError, RecursionError, json_format.Error):
        return None


WHOLE = (
    metrics(metric([point(850), point(310, about={"model": "n"})])),
    metrics(metric([point(None, asInt="77")], temporality=CUMULATIVE)),
    logs(record("api_request", ANSWER), record("codex.sse_event", {"event.kind": "x"})),
)


@given(st.sampled_from(WHOLE), st.sampled_from(BOTH), st.integers(0, 10**9))
@searched(640)
def test_damage_never_makes_a_number(request: Request, media: MediaType, seed: int) -> None:
    body = damaged(encoded(request, media), seed)
    is_metrics = "resourceMetrics" in request
    kind = ExportMetricsServiceRequest if is_metrics else ExportLogsServiceRequest
    others = numbers_of(body, media, kind)
    found: set[int] = set()
    try:
        if is_metrics:
            found = {one.value for one in decode_metrics(body, media, None, NOW).points}
        else:
            read = decode_logs(body, media, None, NOW)
            found = {
                number
                for event in read.events
                for number in event.attributes.values()
                if type(number) is int
            }
            told_by_events(read.events)
    except RequestRefusedError as problem:
        assert problem.status in (400, 413)  # noqa: PT017 - or there is none
    # Where others cannot read it at all, a text that we do not read is not as it should be.
    assert others is None or {float(one) for one in found} <= others


def test_the_clock_is_given() -> None:
    body = encoded(metrics(metric([point(1)])), MediaType.JSON)
    early = decode_metrics(body, MediaType.JSON, None, NOW - timedelta(days=3))
    assert early.refused == {RefusalReason.WRONG_TIME: 1}


def test_the_generated_classes_are_imported_with_the_first_request() -> None:
    # They take a third of a second, and only a web process needs them.
    code = "import sys, ghapp.otlp.requests as _; sys.exit('google.protobuf' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
