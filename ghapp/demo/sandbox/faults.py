"""The fault plan: which requests and deliveries fail, and how. It does not play the faults.

A fault is data, so tests and files can hold it:

    Fault.from_mapping({"kind": "bad_gateway_after", "method": "POST", "route": "*/comments"})
    Fault(FaultKind.SECONDARY_LIMIT, method="PATCH", times=2, status=429, retry_after=3)
    Fault(FaultKind.DUPLICATE, event="pull_request.closed", chance=0.2, times=None)
"""

import random
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any


class FaultError(Exception):
    """A fault's description is wrong; the message names the member and the allowed values."""


class FaultKind(StrEnum):
    """What goes wrong. Each docstring says what a client sees."""

    # requests
    BAD_GATEWAY_BEFORE = "bad_gateway_before"
    """502, and the request had no effect."""
    BAD_GATEWAY_AFTER = "bad_gateway_after"
    """502, although the request took effect."""
    SERVER_ERROR = "server_error"
    """``status`` (500, 503, ...), and the request had no effect."""
    PRIMARY_LIMIT = "primary_limit"
    """``status`` 403 or 429 with no requests remaining and a reset in ``seconds``."""
    SECONDARY_LIMIT = "secondary_limit"
    """``status`` 403 or 429, with ``Retry-After`` if ``retry_after`` is set."""
    ANSWER = "answer"
    """``status`` with ``text``, as JSON's message or as an HTML page; the request had no effect."""
    NOT_FOUND = "not_found"
    """404, as from a replica that does not have the object yet."""
    STALE_READ = "stale_read"
    """The answer as of ``seconds`` ago: not merged yet, without newer comments and check runs.
    Labels have no time, so the answer lacks the newest one."""
    COUNTS_NOTHING = "counts_nothing"
    """A pull request with 0 changed files and an empty list of them, whatever it changes:
    https://github.com/octokit/octokit.js/issues/1075"""
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - the name of a fault, not a secret
    """The caller's token expires now: 401 from here on."""
    CUT_OFF_BEFORE = "cut_off_before"
    """The connection closes without an answer, and the request had no effect."""
    CUT_OFF_AFTER = "cut_off_after"
    """The connection closes without an answer, although the request took effect."""
    SLOW = "slow"
    """The answer takes ``seconds`` longer; on a git route, git hangs for that long."""
    # the world changes right before the request
    SUSPEND = "suspend"
    UNINSTALL = "uninstall"
    ARCHIVE = "archive"
    LOCK = "lock"
    DELETE_REPOSITORY = "delete_repository"
    DELETE_FORKS = "delete_forks"
    # deliveries
    DUPLICATE = "duplicate"
    """The delivery arrives twice with one GUID."""
    HELD = "held"
    """The delivery arrives after the next one, so their order is wrong."""
    FAILED = "failed"
    """The delivery does not arrive; GitHub lists it as failed with a 502."""
    TIMED_OUT = "timed_out"
    """The delivery does not arrive; GitHub lists it without a status code."""
    LOST = "lost"
    """The delivery does not arrive, and GitHub does not list it."""
    CLOSED_SAYS_OPEN = "closed_says_open"
    """The payload of a merged pull request says ``open`` and not merged."""


DELIVERIES = frozenset(
    {
        FaultKind.DUPLICATE,
        FaultKind.HELD,
        FaultKind.FAILED,
        FaultKind.TIMED_OUT,
        FaultKind.LOST,
        FaultKind.CLOSED_SAYS_OPEN,
    }
)
WORLD = frozenset(
    {
        FaultKind.SUSPEND,
        FaultKind.UNINSTALL,
        FaultKind.ARCHIVE,
        FaultKind.LOCK,
        FaultKind.DELETE_REPOSITORY,
        FaultKind.DELETE_FORKS,
    }
)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, and when.

    ``route`` is a pattern (``*``, ``?``) over routes as in GitHub's API description, such as
    ``/repos/{owner}/{repo}/pulls/{pull_number}/files``; git's routes are ``*.git/info/refs`` and
    ``*.git/git-upload-pack``. ``event`` is a pattern over names such as ``pull_request.closed``.
    The first ``after`` matches succeed; the fault then strikes ``times`` matches (``None``: all),
    each with the probability ``chance``.
    """

    kind: FaultKind
    method: str = "*"
    route: str = "*"
    event: str = "*"
    after: int = 0
    times: int | None = 1
    chance: float = 1.0
    status: int = 403
    seconds: float = 60.0
    retry_after: int | None = None
    text: str = "Server Error"
    """What an ``answer`` says; a page if it begins with ``<``."""
    sign_on: str | None = None
    """The address of single sign-on that an ``answer`` names."""

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "Fault":
        """Read a fault from plain data. Raises `FaultError`."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(mapping) - known)
        if unknown:
            raise FaultError(f"unknown members {unknown}; use {sorted(known)}")
        try:
            return cls(**{**mapping, "kind": FaultKind(mapping["kind"])})
        except (KeyError, ValueError) as broken:
            kinds = sorted(kind.value for kind in FaultKind)
            raise FaultError(f"kind {mapping.get('kind')!r} is not one of {kinds}") from broken

    def strikes_request(self, method: str, route: str) -> bool:
        """Return whether this fault is meant for such a request."""
        if self.kind in DELIVERIES:
            return False
        return self.method in {"*", method} and fnmatchcase(route, self.route)

    def strikes_delivery(self, event: str) -> bool:
        """Return whether this fault is meant for such a delivery."""
        return self.kind in DELIVERIES and fnmatchcase(event, self.event)


class FaultPlan:
    """All faults, with counts of their matches. The same seed strikes the same matches."""

    def __init__(self, faults: Iterable[Fault] = (), *, seed: int = 0) -> None:
        self._faults: list[Fault] = list(faults)
        self._met: Counter[int] = Counter()
        self._struck: Counter[int] = Counter()
        self.played: Counter[FaultKind] = Counter()
        """How often each kind struck since the start; `clear` keeps these counts."""
        self._random = random.Random(seed)  # noqa: S311 - faults need repeating, not secrecy
        self._lock = threading.Lock()
        self._over = threading.Event()

    def add(self, *faults: Fault | Mapping[str, Any]) -> None:
        """Add faults, given as `Fault` or as plain data."""
        with self._lock:
            for fault in faults:
                known = isinstance(fault, Fault)
                self._faults.append(fault if known else Fault.from_mapping(fault))  # type: ignore[arg-type]

    def clear(self) -> None:
        """Remove all faults, but keep the counts in `played`."""
        with self._lock:
            self._faults = []
            self._met.clear()
            self._struck.clear()

    def sleep(self, seconds: float) -> None:
        """Wait as a slow fault demands; `release` and `close` end every wait."""
        self._over.wait(seconds)

    def release(self) -> None:
        """End the waits that are on now; later ones are as long as their faults say."""
        over, self._over = self._over, threading.Event()
        over.set()

    def close(self) -> None:
        """End every wait, so that the stand-in can stop."""
        self._over.set()

    def for_request(self, method: str, route: str) -> Fault | None:
        """Return the fault that strikes this request; ``None``: no fault does."""
        return self._first(lambda fault: fault.strikes_request(method, route))

    def for_delivery(self, event: str) -> Fault | None:
        """Return the fault that strikes this delivery; ``None``: no fault does."""
        return self._first(lambda fault: fault.strikes_delivery(event))

    def _first(self, strikes: Any) -> Fault | None:
        with self._lock:
            for number, fault in enumerate(self._faults):
                if strikes(fault) and self._counts(number, fault):
                    return fault
        return None

    def _counts(self, number: int, fault: Fault) -> bool:
        self._met[number] += 1
        if self._met[number] <= fault.after:
            return False
        if fault.times is not None and self._struck[number] >= fault.times:
            return False
        if self._random.random() >= fault.chance:
            return False
        self._struck[number] += 1
        self.played[fault.kind] += 1
        return True
