"""The structured log: JSON lines with constant event names and no secrets.

`bound` adds delivery and job to every line of a block. Callers pass data as keywords, and never
pass a transcript, a prompt or a token. If a secret slips in anyway, `redact` removes it, from our
own lines and from those of every library.
"""

import logging
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"

SECRET_NAMES = re.compile(
    r"passw|secret|token|authorization|cookie|private_?key|encryption_?key|\bpem\b|^pem$",
    re.IGNORECASE,
)
"""Keywords whose value is never logged, such as ``webhook_secret`` or ``Authorization``."""

_PATTERNS = (
    # -----BEGIN RSA PRIVATE KEY----- ...; if the end is missing, remove everything after it.
    re.compile(
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL
    ),
    # ghp_16C7e42F292c69..., and since 2026 ghs_<app id>_<JWT>.
    # https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats
    re.compile(r"gh[a-z]_[A-Za-z0-9_.\-]{20,}"),
    # github_pat_11ABCDEFG0...
    re.compile(r"github_pat_[A-Za-z0-9_]{20,}"),
    # sk-ant-admin01-..., sk-ant-api01-...
    re.compile(r"sk-ant-[A-Za-z0-9_\-]{8,}"),
    # key_16c7e42f..., crsr_16c7e42f...: Cursor's
    re.compile(r"(?<![A-Za-z0-9])(?:key|crsr)_[A-Za-z0-9]{32,}"),
)
# eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjMifQ.c2ln: a run that may hold a JSON Web Token. Each run is
# looked at once: to look from each of its letters would take quadratic time.
_RUN = re.compile(r"(?<![A-Za-z0-9_.\-])[A-Za-z0-9_.\-]{12,}")
_SHORTEST_PART = 11
"""Characters of a token's first part, from its eyJ on, which is {" in base64."""
# Authorization: Bearer abc, "authorization": "token abc"
_AUTHORIZATION = re.compile(
    r"(authorization\W{0,6}[:=,]\s*\W{0,3})(?:(?:bearer|token|basic|negotiate)\s+)?[^\s\"',;}\])]+",
    re.IGNORECASE,
)
# Bearer abcdefgh, Basic dXNlcjpwYXNz
_BEARER = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9_.~+/\-]{8,}=*", re.IGNORECASE)
# https://user:word@host; one slash is left where an address went through a Path.
_LOGIN_IN_ADDRESS = re.compile(r"(:/{1,2}[^/\s:@\"']*:)[^/\s@\"']+@")

# One search instead of seven replacements: nearly no text holds any of these.
_SUSPICIOUS = re.compile(
    r"gh[a-z]_|github_pat_|sk-ant-|key_|crsr_|eyJ|-----BEGIN|authorization|bearer|basic|@",
    re.IGNORECASE,
)

DEPTH = 8
"""Levels of nesting; deeper values are left out."""


def redact(text: str) -> str:
    """Return a text without tokens, keys, Authorization values and passwords in addresses.

    Use it also for text outside the log, such as an error stored with a job.
    """
    if _SUSPICIOUS.search(text) is None:
        return text
    for pattern in _PATTERNS:
        text = pattern.sub(REDACTED, text)
    text = _RUN.sub(_without_web_token, text)
    text = _AUTHORIZATION.sub(rf"\g<1>{REDACTED}", text)
    text = _BEARER.sub(rf"\g<1> {REDACTED}", text)
    return _LOGIN_IN_ADDRESS.sub(rf"\g<1>{REDACTED}@", text)


def _without_web_token(run: re.Match[str]) -> str:
    """Return a run of letters, digits and dots up to the first JSON Web Token in it."""
    parts, at = run[0].split("."), 0
    for part, following in pairwise(parts):
        begins = part.find("eyJ")
        if begins >= 0 and len(part) - begins >= _SHORTEST_PART and following:
            return f"{run[0][: at + begins]}{REDACTED}"
        at += len(part) + 1
    return run[0]


class LogRedaction:
    """The last processor of every line before it becomes JSON.

    ``hidden`` are secrets of this installation that no pattern recognizes, such as a webhook
    secret. Those shorter than 8 characters are ignored, because they could match plain words.
    """

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        known = sorted({one for one in hidden if len(one) >= 8}, key=len, reverse=True)
        self._hidden = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Return the line with plain values only, none of them secret."""
        del logger, method
        return {self._text(name): self._named(name, value, DEPTH) for name, value in event.items()}

    def _named(self, name: str, value: object, depth: int) -> object:
        if SECRET_NAMES.search(name) and not isinstance(value, bool | int | float | None):
            return REDACTED
        return self._plain(value, depth)

    def _plain(self, value: object, depth: int) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth == 0:
            return "..."
        if isinstance(value, Mapping):
            return {
                self._text(str(name)): self._named(str(name), inner, depth - 1)
                for name, inner in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self._plain(inner, depth - 1) for inner in value]
        return self._text(_as_text(value))

    def _text(self, text: str) -> str:
        if self._hidden is not None:
            text = self._hidden.sub(REDACTED, text)
        return redact(text)


class LoggedOutage:
    """Says once that something is away, and once that it is back, however often it is asked."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._said: str | None = None

    def say(self, problem: str) -> None:
        """Log the problem unless it is the one that was logged last."""
        if problem != self._said:
            structlog.get_logger().warning(self._event, problem=problem)
            self._said = problem

    def over(self) -> None:
        """Log that it is over, if anything was said."""
        if self._said is not None:
            structlog.get_logger().warning(f"{self._event}_over")
            self._said = None


def configure(
    level: str = "INFO", *, stream: TextIO | None = None, hidden: Iterable[str] = ()
) -> None:
    """Send this process' log, including that of libraries, to a stream as JSON lines.

    ``stream`` ``None`` is standard error, so that standard output holds results only. Replaces
    all handlers; may be called again.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                LogRedaction(hidden),
                structlog.processors.JSONRenderer(sort_keys=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    silence_pygithub()


def silence_pygithub() -> None:
    """Remove the handler that PyGithub adds for itself when it is imported.

    The handler bypasses our formatter. At level DEBUG the library also logs whole answers with
    their tokens, so its level stays at WARNING.
    """
    pygithub = logging.getLogger("github")
    pygithub.handlers.clear()
    pygithub.setLevel(logging.WARNING)


def bound(**values: object) -> AbstractContextManager[None]:
    """Add these values, such as ``delivery=guid``, to every line that the block logs."""
    return structlog.contextvars.bound_contextvars(**values)


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    return str(value)
