"""A request to ``/v1/metrics``, ``/v1/logs`` or ``/v1/traces``, from its bytes to its nouns."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from ghapp.otlp import json_bodies, protobuf
from ghapp.otlp.bodies import MediaType, RequestRefusedError, unpacked
from ghapp.otlp.frames import DamagedError, TooManyFieldsError
from ghapp.otlp.nouns import LogsRead, MetricsRead
from ghapp.otlp.reading import LogsReader, MetricsReader, SeriesMemory


def decode_metrics(
    body: bytes,
    media: MediaType,
    encoding: str | None,
    now: datetime,
    memory: SeriesMemory | None = None,
) -> MetricsRead:
    """Decode the body of a request to ``/v1/metrics``, as it was sent.

    ``memory`` saves decoding series again; one for each process is best. Raises
    `RequestRefusedError` if nothing of the request can be kept.
    """
    plain = unpacked(body, encoding)
    is_json = media is MediaType.JSON
    attributes = json_bodies.AttributeLists() if is_json else protobuf.AttributeFrames()
    reader = MetricsReader(now, memory or SeriesMemory(), attributes)
    read = json_bodies.read_metrics if is_json else protobuf.read_metrics
    with _named_problems():
        read(plain, reader)
    return reader.result()


def decode_logs(body: bytes, media: MediaType, encoding: str | None, now: datetime) -> LogsRead:
    """Decode the body of a request to ``/v1/logs``, as it was sent.

    Raises `RequestRefusedError` if nothing of the request can be kept.
    """
    plain = unpacked(body, encoding)
    is_json = media is MediaType.JSON
    attributes = json_bodies.AttributeLists() if is_json else protobuf.AttributeFrames()
    reader = LogsReader(now, attributes)
    read = json_bodies.read_logs if is_json else protobuf.read_logs
    with _named_problems():
        read(plain, reader)
    return reader.result()


def drop_traces(body: bytes, encoding: str | None) -> None:
    """Take the body of a request to ``/v1/traces`` and read nothing of it.

    Raises `RequestRefusedError` if it is too large or not what it says it is.
    """
    unpacked(body, encoding)


@contextmanager
def _named_problems() -> Iterator[None]:
    """Raise what is wrong with a body as what a sender is told."""
    try:
        yield
    except TooManyFieldsError as problem:
        raise RequestRefusedError(413, f"{problem}: export smaller batches") from None
    except DamagedError as problem:
        raise RequestRefusedError(400, f"the body cannot be read: {problem}") from None
