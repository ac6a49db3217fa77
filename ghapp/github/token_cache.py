"""A cache of secrets, such as installation tokens: encrypted in Redis, or in this process.

It holds bytes by key for a time and does not know what they mean.
"""

import base64
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import redis
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ghapp.attribution.model import Struct

PREFIX = "ghapp:token:"
AWAY = timedelta(seconds=30)
"""How long we do not ask Redis again after it did not answer."""
MOST_KEPT = 20_000
"""Values in the memory of one process."""
LOCK_MILLISECONDS = 20_000
"""How long one process may take to renew a value before another one tries."""

_RELEASE = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""
"""Release a lock only if it is still ours: it may have expired and be another process's.
https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/"""


class TokenCache(Protocol):
    """Stores values for a time. A cache that fails loses values; it never raises."""

    def read(self, key: str) -> bytes | None:
        """Return the value; ``None``: there is none, or the cache cannot read it."""

    def write(self, key: str, value: bytes, keep: timedelta) -> None:
        """Store a value for that long."""

    def remove(self, key: str) -> None:
        """Remove a value."""

    @contextmanager
    def alone(self, key: str) -> Iterator[bool]:
        """Yield whether the caller may renew this value: no other process is renewing it."""


def derive_key(secret: bytes, purpose: str) -> bytes:
    """Derive 32 bytes from a secret for one purpose; another purpose gives other bytes."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret)


class MemoryTokens:
    """Values of this process only, for tests, the command line, and while Redis is away."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[datetime, bytes]] = {}

    def read(self, key: str) -> bytes | None:
        """Return the value; ``None``: there is none, or it expired."""
        until, value = self._kept.get(key, (self._clock(), b""))
        return value if self._clock() < until else None

    def write(self, key: str, value: bytes, keep: timedelta) -> None:
        """Store a value for that long."""
        self._kept.pop(key, None)
        self._kept[key] = (self._clock() + keep, value)
        if len(self._kept) > MOST_KEPT:
            self._make_room()

    def _make_room(self) -> None:
        """Drop what expired, and then the oldest: strangers' questions make keys without end."""
        now = self._clock()
        for key in [key for key, (until, _) in tuple(self._kept.items()) if until <= now]:
            self._kept.pop(key, None)
        for key in tuple(self._kept)[: -MOST_KEPT // 2]:
            self._kept.pop(key, None)

    def remove(self, key: str) -> None:
        """Remove a value."""
        self._kept.pop(key, None)

    @contextmanager
    def alone(self, key: str) -> Iterator[bool]:  # noqa: ARG002 - the shape has it
        """Yield true: a process renews its own values one after another."""
        yield True


class _SealedValue(Struct, frozen=True, array_like=True):
    """What is encrypted."""

    key: str
    until: datetime
    value: bytes


class RedisTokens:
    """Values that all workers share, encrypted with a key that Redis does not have.

    A value says what it is of and until when it holds, so that nobody who can write to Redis moves
    one person's value to another's key, or keeps it for longer.

    ``secret`` is anything that only this app knows, such as its private key. While Redis is away,
    each process uses its own values.
    """

    def __init__(
        self, connection: "redis.Redis", secret: bytes, clock: Callable[[], datetime]
    ) -> None:
        self._redis = connection
        key = base64.urlsafe_b64encode(derive_key(secret, "installation tokens"))
        self._fernet = Fernet(key)
        self._memory = MemoryTokens(clock)
        self._clock = clock
        self._away_until: datetime | None = None

    def read(self, key: str) -> bytes | None:
        """Return the value; ``None``: there is none, or another key encrypted it."""
        if self._is_away():
            return self._memory.read(key)
        try:
            kept = self._redis.get(PREFIX + key)
            return self._opened(key, kept) if isinstance(kept, bytes) else None
        except redis.RedisError:
            self._note_away()
            return self._memory.read(key)

    def write(self, key: str, value: bytes, keep: timedelta) -> None:
        """Store a value for that long, here and in Redis."""
        self._memory.write(key, value, keep)
        milliseconds = int(keep.total_seconds() * 1000)
        if milliseconds > 0:
            sealed = _SealedValue(key, self._clock() + keep, value)
            secret = self._fernet.encrypt(msgspec.msgpack.encode(sealed))
            self._quietly(lambda: self._redis.set(PREFIX + key, secret, px=milliseconds))

    def remove(self, key: str) -> None:
        """Remove a value, here and in Redis."""
        self._memory.remove(key)
        self._quietly(lambda: self._redis.delete(PREFIX + key))

    @contextmanager
    def alone(self, key: str) -> Iterator[bool]:
        """Take the lock of a value and yield true, also while Redis is away; false: it is taken."""
        name, mine = f"{PREFIX}{key}:lock", secrets.token_hex(8)
        # Without Redis every worker gets its own token: slower, but still correct.
        taken = self._quietly(lambda: self._redis.set(name, mine, nx=True, px=LOCK_MILLISECONDS))
        try:
            yield taken
        finally:
            if taken:
                self._quietly(lambda: self._redis.eval(_RELEASE, 1, name, mine))

    def _opened(self, key: str, kept: bytes) -> bytes | None:
        try:
            found = msgspec.msgpack.decode(self._fernet.decrypt(kept), type=_SealedValue)
        except (InvalidToken, msgspec.DecodeError):
            return None
        return found.value if found.key == key and self._clock() < found.until else None

    def _quietly(self, act: Callable[[], object]) -> bool:
        """Do something in Redis and say whether it was done; also true while Redis is away."""
        if self._is_away():
            return True
        try:
            return bool(act())
        except redis.RedisError:
            self._note_away()
            return True

    def _is_away(self) -> bool:
        return self._away_until is not None and self._clock() < self._away_until

    def _note_away(self) -> None:
        # A client tries for seconds before it gives up; a job must not wait for that each time.
        self._away_until = self._clock() + AWAY
