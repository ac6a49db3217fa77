"""Keep one installation within GitHub's rate limits: pauses, an hourly budget, quiet times.

It stores limits and answers questions about them; it sends nothing to GitHub. All workers share it
through Redis. While Redis is away, each worker paces itself, and installations that are parked in
the database stay parked.
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import redis

from ghapp.attribution.model import Struct
from ghapp.github.answers import Headroom, LimitKind, RateLimited

PREFIX = "ghapp:pace:"
LONGEST_SLEEP = timedelta(seconds=30)
"""A worker that would wait longer for its turn to write puts its work item back instead."""
MOST_CLAIMS = 20
"""How often a worker waits for writes that were sent late. Then it goes on."""
HOUR_MS = 3_600_000
"""Milliseconds of an hour."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TURN = """
local now, pause, most, patience, hour = tonumber(ARGV[1]), tonumber(ARGV[2]),
  tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local quiet = tonumber(redis.call('GET', KEYS[3]) or '0')
if quiet > now then return {1, quiet - now} end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - hour)
if redis.call('ZCARD', KEYS[2]) >= most then
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  return {1, math.max(1, tonumber(oldest[2]) + hour - now)}
end
local turn = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0') + pause)
if turn - now > patience then return {1, turn - now} end
redis.call('SET', KEYS[1], string.format('%.0f', turn), 'PX', 120000)
redis.call('ZADD', KEYS[2], string.format('%.0f', turn), ARGV[6])
redis.call('PEXPIRE', KEYS[2], hour)
return {0, turn - now}
"""
"""Take the next turn to write: ``{0, milliseconds to wait}``, or ``{1, milliseconds}`` of quiet."""

_CLAIM = """
local now, pause = tonumber(ARGV[1]), tonumber(ARGV[2])
local left = tonumber(redis.call('GET', KEYS[1]) or '-1e15') + pause - now
if left > 0 then return left end
redis.call('SET', KEYS[1], ARGV[1], 'PX', 120000)
return 0
"""
"""Begin to write: 0, or the milliseconds to wait because another write was sent late."""

_SENT = """
for _, key in ipairs(KEYS) do
  if tonumber(ARGV[1]) > tonumber(redis.call('GET', key) or '0') then
    redis.call('SET', key, ARGV[1], 'PX', 120000)
  end
end
"""
"""Let the pause begin now."""

_PARK = """
if tonumber(ARGV[1]) > tonumber(redis.call('GET', KEYS[1]) or '0') then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
"""


class WriteAllowance(Struct, frozen=True, kw_only=True):
    """What one installation may do. The defaults stay below GitHub's limits.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """

    pause: timedelta = timedelta(seconds=1)
    writes_an_hour: int = 500
    background_share: float = 0.6
    """The share of an hour's writes that audits of the past may take: 300 of 500."""
    reserve: int = 1_500
    """Requests of the hour's primary limit that audits of the past leave to everything else."""


class InstallationPace:
    """The pace of all installations. No method raises an error if Redis is away."""

    def __init__(
        self,
        connection: redis.Redis,
        allowance: WriteAllowance,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._redis = connection
        self._allowance = allowance
        self._clock = clock
        self._sleep = sleep
        self._turn = connection.register_script(_TURN)
        self._claim = connection.register_script(_CLAIM)
        self._sent = connection.register_script(_SENT)
        self._park = connection.register_script(_PARK)

    def before_write(self, installation_id: int, *, background: bool = False) -> None:
        """Wait for the installation's turn to write.

        Raises `RateLimited` if the turn is far away: the hour's writes are used up, or GitHub told
        another worker to be quiet.
        """
        pause, most = self._allowance.pause, self._allowance.writes_an_hour
        if background:
            most = int(most * self._allowance.background_share)
        keys = [self._key(name, installation_id) for name in ("last", "writes", "quiet")]
        given: list[int | str] = [self._now(), _ms(pause), most, _ms(LONGEST_SLEEP), HOUR_MS]
        given.append(secrets.token_hex(8))
        try:
            is_far, wait = self._turn(keys=keys, args=given)
        except redis.RedisError:
            self._sleep(pause.total_seconds())
            return
        if is_far:
            until = self._clock() + timedelta(milliseconds=wait)
            raise RateLimited(until, LimitKind.OWN, f"a write of installation {installation_id}")
        if wait > 0:
            self._sleep(wait / 1000)
        # Whoever had the turn before may have sent its request late, so the pause begins anew.
        keys, given = [self._key("sent", installation_id)], [0, _ms(pause)]
        for _ in range(MOST_CLAIMS):
            given[0] = self._now()
            left = self._quietly(lambda: self._claim(keys=keys, args=given))
            if not left:
                return
            self._sleep(left / 1000)

    def wrote(self, installation_id: int) -> None:
        """Let the pause begin: called right before a write is sent, and when its answer is there.

        Between its turn and its sending, a publisher notes what it is about to make; without this,
        the next write would follow in less than the pause.
        """
        keys = [self._key("sent", installation_id), self._key("last", installation_id)]
        self._quietly(lambda: self._sent(keys=keys, args=[self._now()]))

    def note_writes(self, installation_id: int, kind: str, count: int) -> None:
        """Count writes of a kind, for an hour."""
        key, now = self._key(f"kind:{kind}", installation_id), self._now()
        made = {secrets.token_hex(8): now for _ in range(count)}

        def keep() -> None:
            with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.zadd(key, made)
                pipeline.zremrangebyscore(key, "-inf", now - HOUR_MS)
                pipeline.pexpire(key, HOUR_MS)
                pipeline.execute()

        self._quietly(keep)

    def writes_of(self, installation_id: int, kinds: Sequence[str]) -> dict[str, int] | None:
        """Return the last hour's writes by kind; ``None``: Redis is away, so nothing is known."""
        since = self._now() - HOUR_MS

        def count() -> list[int]:
            with self._redis.pipeline(transaction=False) as pipeline:
                for kind in kinds:
                    pipeline.zcount(self._key(f"kind:{kind}", installation_id), since, "+inf")
                return list(map(int, pipeline.execute()))

        found = self._quietly(count)
        return None if found is None else dict(zip(kinds, found, strict=True))

    def park(self, installation_id: int, until: datetime) -> None:
        """Let all workers leave the installation alone until then; a later end stays."""
        wait = _ms(until - self._clock())
        keys = [self._key("quiet", installation_id)]
        if wait > 0:
            self._quietly(lambda: self._park(keys=keys, args=[self._now() + wait, wait]))

    def parked_until(self, installation_id: int) -> datetime | None:
        """Return when GitHub's quiet time ends; ``None``: no limit is known here."""
        until = self._quietly(lambda: self._redis.get(self._key("quiet", installation_id)))
        left = int(until) - self._now() if isinstance(until, bytes) else 0
        return self._clock() + timedelta(milliseconds=left) if left > 0 else None

    def note(self, installation_id: int, seen: Headroom) -> None:
        """Store what is left of the primary limit, until GitHub resets it."""
        wait = _ms(seen.resets_at - self._clock())
        if wait > 0:
            text = f"{seen.limit} {seen.remaining} {int(seen.resets_at.timestamp())}"
            key = self._key("headroom", installation_id)
            self._quietly(lambda: self._redis.set(key, text, px=wait))

    def headroom(self, installation_id: int) -> Headroom | None:
        """Return what was left as of the last answer; ``None``: no answer in this hour."""
        text = self._quietly(lambda: self._redis.get(self._key("headroom", installation_id)))
        if not isinstance(text, bytes):
            return None
        limit, remaining, resets = map(int, text.split())
        return Headroom(
            limit=limit, remaining=remaining, resets_at=datetime.fromtimestamp(resets, UTC)
        )

    def ready_at(self, installation_id: int, *, background: bool) -> datetime | None:
        """Return when work on the installation may start; ``None``: now.

        Audits of the past wait when little is left of the hour, so that live ones need not.
        """
        parked = self.parked_until(installation_id)
        if parked is not None or not background:
            return parked
        left = self.headroom(installation_id)
        # A smaller limit has a smaller reserve: the same share as 1,500 of 5,000.
        if left is None or left.remaining >= min(self._allowance.reserve, left.limit * 3 // 10):
            return None
        return left.resets_at

    def _now(self) -> int:
        return _ms(self._clock() - EPOCH)

    def _key(self, name: str, installation_id: int) -> str:
        # The braces keep an installation's keys on one node of a Redis cluster.
        # https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
        return f"{PREFIX}{{{installation_id}}}:{name}"

    def _quietly(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except redis.RedisError:
            return None


def _ms(time_span: timedelta) -> int:
    return int(time_span.total_seconds() * 1000)
