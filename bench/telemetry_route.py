"""What a stored OTLP request costs the web process, beside a bare Flask route that decodes it.

Both run under the same gunicorn and get the same requests in turns over one connection each. Only
the web process is measured: Valkey's and PostgreSQL's own CPU is not in it.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from ghapp.otlp.nouns import SECOND
from ghapp.serve.programs import WatchedChild, address_of, listen, web
from ghapp.store import NOBODY, Installation, NewToken, Store, TokenKind, new_secret
from tests.databases import postgresql_server
from tests.journeys.running import Place, running_place
from tests.waiting import wait_until

REQUESTS = 300
WARM = 20
"""Requests before the measured ones: they import and fill caches."""
DATABASES = ("sqlite", "postgresql")


def route_costs(request: dict[str, Any], database: str) -> dict[str, float]:
    """Return microseconds of CPU for each request: of the bare route, and of ours."""
    bodies = list(_bodies(request, WARM + REQUESTS))
    with (
        tempfile.TemporaryDirectory() as folder,
        _running(Path(folder), database) as (place, bare_url, bare),
    ):
        ours_url = place.app.environment["GHAPP_PUBLIC_URL"]
        process = place.app.children["web"].process
        if process is None:
            raise RuntimeError("the web process died")
        headers = {
            "Authorization": f"Bearer {_token(place)}",
            "Content-Type": "application/x-protobuf",
        }
        doors = {"bare": (bare_url, bare), "ours": (ours_url, process.pid)}
        before: dict[str, float] = {}
        with requests.Session() as http:
            for number, body in enumerate(bodies):
                if number == WARM:
                    before = {name: _cpu(pid) for name, (_, pid) in doors.items()}
                for url, _ in doors.values():
                    answer = http.post(f"{url}/v1/metrics", body, headers=headers, timeout=60)
                    answer.raise_for_status()
        return {
            name: (_cpu(pid) - before[name]) / REQUESTS * 1_000_000
            for name, (_, pid) in doors.items()
        }


@contextmanager
def _running(folder: Path, database: str) -> Iterator[tuple[Place, str, int]]:
    """Start both web processes; yield the place, the bare one's address and its process."""
    with running_place(folder) as place, listen("127.0.0.1", 0) as door:
        environment = place.app.environment
        environment["GHAPP_LOG_LEVEL"] = "WARNING"
        if database == "sqlite":
            with _bare(place, door) as found:
                yield found
            return
        with postgresql_server() as url:
            environment["DATABASE_URL"] = url
            Store.open(url).close()
            with _bare(place, door) as found:
                yield found


@contextmanager
def _bare(place: Place, door: Any) -> Iterator[tuple[Place, str, int]]:
    place.app.start("valkey", "web")
    child = WatchedChild(web(door, "bench.bare_telemetry:app"), place.app.environment)
    url = address_of(door)
    child.start(time.monotonic())
    try:
        wait_until(lambda: _answers(url), "the bare door")
        if child.process is None:
            raise RuntimeError("the bare web process died")
        yield place, url, child.process.pid
    finally:
        child.ask_to_stop()
        child.stop(time.monotonic() + 10.0)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=2).ok
    except requests.RequestException:
        return False


def _token(place: Place) -> str:
    secret, now = new_secret(TokenKind.INGEST), datetime.now(UTC)
    number = place.installation.id
    new = NewToken(kind=TokenKind.INGEST, login="ada", user_id=NOBODY, installations=(number,))
    with Store.unmigrated(place.app.environment["DATABASE_URL"]) as store:
        store.installations.seen(Installation(id=number, account="acme"), now=now)
        store.tokens.issue(new, secret, now=now)
    return secret


def _bodies(request: dict[str, Any], count: int) -> Iterator[bytes]:
    """Yield requests of one minute each, all with the same series, as a sender repeats them."""
    (resource,) = request["resourceMetrics"]
    points = resource["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"]
    first = int(datetime.now(UTC).timestamp()) - count * 60
    for number in range(count):
        for point in points:
            point["startTimeUnixNano"] = str((first + number * 60) * SECOND)
            point["timeUnixNano"] = str((first + number * 60 + 60) * SECOND)
        message = ExportMetricsServiceRequest()
        json_format.ParseDict(request, message)
        yield message.SerializeToString()


def _cpu(pid: int) -> float:
    """Return the CPU seconds of a process and its children so far."""
    ticks = os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    # The 14th and 15th fields of proc(5), counted from 1; the first two are cut off.
    own = (int(parts[11]) + int(parts[12])) / ticks
    return own + sum(_cpu(int(child)) for child in children)
