"""GitHub's rate limits: an hourly budget for each caller, and the content limit per minute.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from collections import defaultdict, deque
from datetime import datetime, timedelta

from ghapp.demo.sandbox.call import ErrorAnswer
from ghapp.demo.sandbox.state import World

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)
PRIMARY = "API rate limit exceeded for installation ID {}."


class RateCounter:
    """Counts requests by caller, on the world's clock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._used: dict[str, int] = defaultdict(int)
        self._reset: dict[str, datetime] = {}
        self._writes: dict[str, deque[datetime]] = defaultdict(deque)

    def state(self, identity: str) -> dict[str, int]:
        """Return a caller's limit, remaining and used requests, and reset time (Unix seconds)."""
        now, limit = self._world.now(), self._world.limits.requests_an_hour
        if self._reset.get(identity, now) <= now:
            self._reset[identity], self._used[identity] = now + HOUR, 0
        used = min(self._used[identity], limit)
        reset = int(self._reset[identity].timestamp())
        return {"limit": limit, "remaining": limit - used, "used": used, "reset": reset}

    def count(self, identity: str) -> None:
        """Count one request; 403 if none remains."""
        if self.state(identity)["remaining"] <= 0:
            raise ErrorAnswer(403, PRIMARY.format(identity.rpartition(":")[2]))
        self._used[identity] += 1

    def spend(self, identity: str, requests: int) -> None:
        """Use up a caller's requests, to test what happens when few remain."""
        self.state(identity)
        self._used[identity] += requests

    def count_write(self, identity: str) -> None:
        """Count one request that creates content; 403 with ``Retry-After`` above the limit."""
        limits = self._world.limits
        spans = ((MINUTE, limits.content_writes_a_minute), (HOUR, limits.content_writes_an_hour))
        now, writes = self._world.clock(), self._writes[identity]
        while writes and writes[0] <= now - HOUR:
            writes.popleft()
        for span, limit in spans:
            recent = [at for at in writes if at > now - span]
            if limit is not None and len(recent) >= limit:
                wait = int((span - (now - recent[0])).total_seconds())
                raise ErrorAnswer(403, SECONDARY, headers={"Retry-After": str(max(1, wait))})
        if any(limit is not None for _, limit in spans):
            writes.append(now)


def rate_headers(state: dict[str, int]) -> dict[str, str]:
    """Return the rate limit headers, which every answer of the API has."""
    named = {f"X-RateLimit-{name.capitalize()}": str(value) for name, value in state.items()}
    return {**named, "X-RateLimit-Resource": "core"}
