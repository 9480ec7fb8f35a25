"""
Rate limits: for each caller, and for each address of those who are not signed in.

Three kinds of requests are counted apart, so that none uses up what the others have: signed in,
anonymous, and failed.
"""

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from limits import RateLimitItem, RateLimitItemPerMinute, WindowStats
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter as Limiter
from limits.errors import StorageError
from prometheus_client import Counter
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.requests import Request

from token_service.callers import Caller
from token_service.errors import RateLimited, RecordUnavailable
from token_service.networks import subscriber_of
from token_service.settings import TokenSettings

log = structlog.get_logger()

WINDOW_S = 60
REDIS_TIMEOUT_S = 0.5
REDIS_PAUSE_S = 5.0
"""How long Redis is not used after it failed, so that not every caller waits for it."""

REDIS_ERRORS = Counter(
    "parley_token_rate_redis_errors_total", "Times that Redis did not count a request"
)
T = TypeVar("T")


@dataclass(frozen=True)
class Allowance:
    """How much of a limit is left."""

    name: str
    limit: int
    left: int
    reset_s: int
    """Seconds until the limit is full again."""

    @property
    def headers(self) -> dict[str, str]:
        """As in draft-ietf-httpapi-ratelimit-headers-10."""
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.limit};w={WINDOW_S}',
            "RateLimit": f'"{self.name}";r={self.left};t={self.reset_s}',
        }


class RateLimits:
    """Counts requests, in this process or in a Redis that all token services share."""

    def __init__(
        self, settings: TokenSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._all = RateLimitItemPerMinute(settings.token_rate_all)
        self._address = RateLimitItemPerMinute(settings.token_rate_address)
        self._caller = RateLimitItemPerMinute(settings.token_rate_caller)
        self._without_redis = settings.token_rate_without_redis
        self._memory = Limiter(MemoryStorage())
        self._redis: Limiter | None = None
        self._redis_back_s = 0.0
        if url := settings.token_rate_redis_url.get_secret_value():
            self._redis = Limiter(_redis(url))

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            await self._redis.storage.bridge.storage.aclose()  # type: ignore[attr-defined]

    async def count_failure(self, request: Request) -> None:
        """
        Count a request that proved nothing. It uses up nothing of what those have who are signed
        in, also at the same address.

        Raises: RateLimited: there were too many. RecordUnavailable.
        """
        await self._hit_address("failures", subscriber_of(request))

    async def check_caller(self, request: Request, caller: Caller) -> Allowance:
        """
        Count a request: of who is signed in by the caller alone, else by its address too.

        Returns: what is left. Raises: as `count_failure`.
        """
        allowance = None
        if caller.is_anonymous:
            address = subscriber_of(request)
            await self._hit_address("address", address)
            allowance = await self._left("address", self._address, address)
        else:
            await self._hit("signed-in", self._all)
        if caller.is_new and allowance is not None:
            return allowance
        who = (caller.tenant or "", caller.identity)
        await self._hit("caller", self._caller, *who)
        return await self._left("caller", self._caller, *who)

    async def _hit_address(self, name: str, address: str) -> None:
        everybody = f"{name}-all"
        # Checked before the address is stored: bounds how many addresses are stored.
        if not await self._try(lambda limiter: limiter.test(self._all, everybody), True):
            await self._refuse(everybody, self._all)
        await self._hit(name, self._address, address)
        await self._hit(everybody, self._all)

    async def _hit(self, name: str, item: RateLimitItem, *who: str) -> None:
        if not await self._try(lambda limiter: limiter.hit(item, name, *who), True):
            await self._refuse(name, item, *who)

    async def _refuse(self, name: str, item: RateLimitItem, *who: str) -> None:
        allowance = await self._left(name, item, *who)
        raise RateLimited(
            retry_after_s=max(1, allowance.reset_s), headers_of_limit=allowance.headers
        )

    async def _left(self, name: str, item: RateLimitItem, *who: str) -> Allowance:
        nothing_known = WindowStats(time.time(), item.amount)
        stats = await self._try(
            lambda limiter: limiter.get_window_stats(item, name, *who), nothing_known
        )
        reset_s = math.ceil(stats.reset_time - time.time())
        return Allowance(name, item.amount, max(0, stats.remaining), max(0, reset_s))

    async def _try(self, work: Callable[[Limiter], Awaitable[T]], uncounted: T) -> T:
        """Do *work* on the store of counts; *uncounted* is returned when nothing is counted."""
        if self._redis is None:
            return await work(self._memory)
        if self._clock() >= self._redis_back_s:
            try:
                return await work(self._redis)
            except StorageError as error:
                self._redis_back_s = self._clock() + REDIS_PAUSE_S
                log.warning("redis.failed", reason=type(error.__cause__).__name__)
        REDIS_ERRORS.inc()
        match self._without_redis:
            case "memory":
                return await work(self._memory)
            case "allow":
                return uncounted
            case "refuse":
                raise RecordUnavailable


def _redis(url: str) -> RedisStorage:
    return RedisStorage(
        f"async+{url}",
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix="parley",
        socket_timeout=REDIS_TIMEOUT_S,
        socket_connect_timeout=REDIS_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
    )
