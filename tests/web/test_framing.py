"""A request ends where RFC 9112 says, however its bytes come; what is wrong holds nobody up."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.web.framing import MOST_CHUNKS, MOST_HEAD, RequestFrame, TooLargeError

MOST = 1_000
GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /webhooks/github?x=1 HTTP/1.1\r\nHost: a\r\ncontent-LENGTH: 5\r\n\r\nabcde"
CHUNKED = (
    b"POST /api/evidence HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;ext=1\r\nabc\r\n0\r\nTrailer: x\r\n\r\n"
)
WHOLE = {"get": GET, "post": POST, "chunked": CHUNKED}


def cut(data: bytes, places: list[int]) -> list[bytes]:
    at = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[one:other] for one, other in pairwise(at)]


@given(
    st.lists(st.sampled_from(sorted(WHOLE)), min_size=1, max_size=5), st.lists(st.integers(0, 999))
)
def test_requests_come_out_as_they_went_in(names: list[str], places: list[int]) -> None:
    wanted = [WHOLE[name] for name in names]
    frame, found = RequestFrame(MOST), []
    for part in cut(b"".join(wanted), places):
        frame.feed(part)
        while frame.is_whole:
            found.append(frame.take())
    assert found == wanted
    assert len(frame) == 0


def test_a_request_is_not_whole_before_its_last_byte() -> None:
    for whole in WHOLE.values():
        frame = RequestFrame(MOST)
        for number in range(len(whole)):
            frame.feed(whole[number : number + 1])
            assert frame.is_whole is (number == len(whole) - 1)


def test_the_path_is_known_with_the_head() -> None:
    frame = RequestFrame(MOST)
    assert frame.target == b""
    frame.feed(POST[:-1])
    assert frame.target == b"/webhooks/github"


@pytest.mark.parametrize(
    "given_",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 9_000,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"a" * (MOST_HEAD + 1),
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nabc\r\n",
    ],
    ids=[
        "long",
        "long_chunk",
        "no_number",
        "empty_line",
        "endless_line",
        "endless_trailer",
        "gzip",
    ],
)
def test_a_body_that_is_wrong_or_too_large_is_handed_over_at_once(given_: bytes) -> None:
    frame = RequestFrame(MOST)
    frame.feed(given_)
    assert frame.is_whole
    assert frame.is_cut


def test_a_body_of_very_many_chunks_is_not_read() -> None:
    frame = RequestFrame(1_000_000)
    frame.feed(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    frame.feed(b"1\r\na\r\n" * (MOST_CHUNKS + 1))
    assert frame.is_cut


@pytest.mark.parametrize("length", [MOST_HEAD + 1, 2 * MOST_HEAD])
def test_a_head_has_a_largest_size(length: int) -> None:
    with pytest.raises(TooLargeError):
        RequestFrame(MOST).feed(b"GET / HTTP/1.1\r\nA: " + b"a" * length)


def test_who_asks_whether_to_send_a_body_is_told() -> None:
    frame = RequestFrame(MOST)
    frame.feed(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert frame.waits_for_us
    frame.feed(b"ab")
    assert not frame.waits_for_us


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_no_bytes_break_it(parts: list[bytes]) -> None:
    frame = RequestFrame(MOST)
    for part in [b"POST / HTTP/1.1\r\n", *parts]:
        frame.feed(part)
        while frame.is_whole and len(frame):
            frame.take()
