"""Counts open live sessions, per person and in total, in Redis, so all processes agree.

A place is held for a while and renewed; if its process dies, it becomes free by itself."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import redis.asyncio
from django.conf import settings

from recognition import metrics

if TYPE_CHECKING:
    from prometheus_client.core import Metric

ALL = "mien:live:all"
HELD_SECONDS = 15

# Takes or renews a place: 1 taken, 2 too many for this person, 3 server full.
_TAKE = """
local now, until_, name = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
for _, key in ipairs(KEYS) do redis.call('ZREMRANGEBYSCORE', key, '-inf', now) end
if not redis.call('ZSCORE', KEYS[1], name) then
  if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then return 2 end
  if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[5]) then return 3 end
end
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, until_, name)
  redis.call('EXPIRE', key, math.ceil(until_ - now))
end
return 1
"""
TAKEN, TOO_MANY, FULL = 1, 2, 3


async def take(connection: redis.asyncio.Redis, owner: int, session: str) -> int:
    """Take a place, or renew the session's own: TAKEN, TOO_MANY or FULL."""
    now = time.time()
    limits = [settings.LIVE_SESSIONS_PER_USER, settings.LIVE_SESSIONS]
    keys = [ALL, _key(owner)]
    return await connection.eval(_TAKE, 2, *keys, now, now + HELD_SECONDS, session, *limits)


async def leave(connection: redis.asyncio.Redis, owner: int, session: str) -> None:
    """Give the place back."""
    async with connection.pipeline(transaction=True) as together:
        together.zrem(ALL, session)
        together.zrem(_key(owner), session)
        await together.execute()


def session_metrics() -> Iterable["Metric"]:
    """Open live sessions of the whole site."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
        count = client.zcount(ALL, time.time(), "+inf")
    sessions = metrics.gauge("live_sessions", "Open live sessions.")
    sessions.add_metric([], count)
    return [sessions]


metrics.SOURCES["live"] = session_metrics


def _key(owner: int) -> str:
    return f"mien:live:of:{owner}"
