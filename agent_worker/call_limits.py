"""
How much may be sent to the agent in one call: texts, RPCs, other streams.

What is too much is refused before it is read. A caller's page that sends too much again and again
is a flood: it is warned once, then the call ends. Whoever else is in the room is always refused,
and never ends the caller's call. An agent that takes a call over counts anew.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from livekit import rtc

from agent_worker.caller_text import TOPIC
from agent_worker.livekit_compat import IncomingStream
from agent_worker.refusals import FORBIDDEN, MALFORMED, TOO_MANY, Kind, Reason, Refusals
from agent_worker.token_bucket import Rate, TokenBucket
from voice_contract.names import HANG_UP_METHOD

REASONS: dict[int, Reason] = {FORBIDDEN: "stranger", MALFORMED: "malformed"}


@dataclass(frozen=True)
class Limits:
    """Far above what a person, and a page that reconnects and repeats itself, needs."""

    texts: Rate
    rpcs: Rate
    streams: Rate
    """Those that nobody reads; our page sends none."""
    stream_max_bytes: int
    """One text, or one RPC's payload, unpacked."""
    flood: Rate
    """Refusals of what was too many or too large; one more is a flood."""
    warned_s: float
    """For so long after the warning refusals are only counted: the page may stop now."""


LIMITS = Limits(
    texts=Rate(burst=20, per_s=1.0),
    rpcs=Rate(burst=150, per_s=10.0),
    streams=Rate(burst=20, per_s=1.0),
    stream_max_bytes=65_536,
    flood=Rate(burst=50, per_s=1.0),
    warned_s=5.0,
)


class CallLimits(rtc.RpcInterceptor):
    """
    The limits of the call that *caller* is in.

    Args:
        warn: called at the first flood.
        end: called once, when it goes on.
        now_s: a clock that never goes back, in seconds.
    """

    def __init__(
        self,
        caller: str,
        refusals: Refusals,
        *,
        warn: Callable[[], None],
        end: Callable[[], None],
        limits: Limits = LIMITS,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._caller = caller
        self._refusals = refusals
        self._warn = warn
        self._end = end
        self._limits = limits
        self._now_s = now_s
        self._buckets: dict[Kind, TokenBucket] = {
            "text": TokenBucket(limits.texts, now_s),
            "rpc": TokenBucket(limits.rpcs, now_s),
            "stream": TokenBucket(limits.streams, now_s),
        }
        self._flood = TokenBucket(limits.flood, now_s)
        self._warned_until_s: float | None = None
        self._ended = False

    def admits(self, stream: IncomingStream) -> bool:
        """Whether to read *stream*; its first bytes wait for the answer."""
        kind: Kind = "text" if stream.is_text and stream.topic == TOPIC else "stream"
        if stream.sender != self._caller:
            self._refusals.add(kind, "stranger")
        elif not self._buckets[kind].take():
            self._too_much(kind, "too-many")
        elif stream.announced_bytes > self._limits.stream_max_bytes:
            self._too_much(kind, "too-large")
        elif kind == "stream":
            self._refusals.add(kind, "nobody-reads")
        else:
            return True
        return False

    async def intercept_incoming(
        self,
        invocation: rtc.RpcInvocationData,
        next: Callable[[rtc.RpcInvocationData], Awaitable[str | None]],
    ) -> str | None:
        """
        Pass *invocation* on to its handler, which checks who sent it.

        Raises: RpcError: as the handler; or there were too many. Hanging up is always possible.
        """
        counts = invocation.method != HANG_UP_METHOD
        if invocation.caller_identity == self._caller and counts:
            if not self._buckets["rpc"].take():
                self._too_much("rpc", "too-many")
                raise rtc.RpcError(TOO_MANY, "Too many requests. Slow down.")
        try:
            return await next(invocation)
        except rtc.RpcError as error:
            if reason := REASONS.get(error.code):
                self._refusals.add("rpc", reason)
            raise

    def _too_much(self, kind: Kind, reason: Reason) -> None:
        """Refuse something of the caller's that a page in normal use does not send."""
        self._refusals.add(kind, reason)
        warned_until_s, now_s = self._warned_until_s, self._now_s()
        may_still_stop = warned_until_s is not None and now_s < warned_until_s
        if self._ended or may_still_stop or self._flood.take():
            return
        if warned_until_s is None:
            self._warned_until_s = now_s + self._limits.warned_s
            self._flood = TokenBucket(self._limits.flood, self._now_s)
            self._warn()
        else:
            self._ended = True
            self._end()
