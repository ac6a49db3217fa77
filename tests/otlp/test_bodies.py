"""Bodies are unpacked within limits, and what is wrong with one is said."""

import gzip
import zlib

import pytest

from ghapp.otlp.bodies import (
    MOST_BYTES,
    MediaType,
    RequestRefusedError,
    media_of,
    request_digest,
    unpacked,
)


def refused(body: bytes, encoding: str | None) -> RequestRefusedError:
    with pytest.raises(RequestRefusedError) as raised:
        unpacked(body, encoding)
    return raised.value


@pytest.mark.parametrize("encoding", [None, "identity", " Identity "])
def test_a_plain_body_stays_as_it_is(encoding: str | None) -> None:
    assert unpacked(b"plain", encoding) == b"plain"


def test_gzip_is_unpacked() -> None:
    assert unpacked(gzip.compress(b"plain" * 1000), "GZIP") == b"plain" * 1000
    assert unpacked(gzip.compress(b""), "gzip") == b""


@pytest.mark.parametrize("cut", [0, 1, 9, 12, -9, -4, -1])
def test_gzip_that_ends_too_early_is_refused(cut: int) -> None:
    problem = refused(gzip.compress(b"body" * 100)[:cut], "gzip")
    assert problem.status == 400
    assert "send it again" in str(problem)


@pytest.mark.parametrize("rest", [b"\0", b"more", gzip.compress(b"second member", mtime=0)])
def test_what_follows_the_gzip_data_is_refused(rest: bytes) -> None:
    problem = refused(gzip.compress(b"body") + rest, "gzip")
    assert (problem.status, "more follows" in str(problem)) == (400, True)


@pytest.mark.parametrize("body", [b"plain", zlib.compress(b"body"), b"\x1f\x8b\x08"])
def test_what_is_no_gzip_is_refused(body: bytes) -> None:
    assert refused(body, "gzip").status == 400


def test_a_wrong_checksum_is_refused() -> None:
    packed = bytearray(gzip.compress(b"body"))
    packed[-6] ^= 1
    assert refused(bytes(packed), "gzip").status == 400


def test_a_bomb_is_refused_long_before_it_is_unpacked() -> None:
    bomb = gzip.compress(bytes(MOST_BYTES * 20), 9)
    assert len(bomb) < MOST_BYTES / 40
    assert refused(bomb, "gzip").status == 413


def test_the_limit_is_inclusive() -> None:
    assert len(unpacked(gzip.compress(bytes(MOST_BYTES), 1), "gzip")) == MOST_BYTES
    assert refused(gzip.compress(bytes(MOST_BYTES + 1), 1), "gzip").status == 413
    assert refused(bytes(MOST_BYTES + 1), None).status == 413


def test_another_encoding_is_refused() -> None:
    assert refused(b"body", "zstd").status == 415


def test_the_content_type_names_the_encoding() -> None:
    assert media_of("application/json; charset=utf-8") is MediaType.JSON
    assert media_of("Application/X-Protobuf") is MediaType.PROTOBUF


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/grpc"])
def test_another_content_type_is_refused(content_type: str | None) -> None:
    with pytest.raises(RequestRefusedError, match="http/protobuf or http/json") as raised:
        media_of(content_type)
    assert raised.value.status == 415


def test_identical_bodies_have_the_same_digest() -> None:
    assert request_digest(b"a") == request_digest(b"a") != request_digest(b"b")
    assert len(request_digest(b"")) == 32
