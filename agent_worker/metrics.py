"""
Metrics of calls.

Each call runs in its own process. It sends each observation as a datagram to the worker's process,
which keeps the numbers and answers `/metrics`. A call never waits for it, so numbers can be lost.
"""

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from prometheus_client import Counter, Histogram

from agent_worker.socket_folder import socket_folder

_TURN_BUCKETS_S = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10)

CALLS = Counter("parley_calls_total", "Calls that ended, by reason", ["reason"])
CALL_S = Histogram(
    "parley_call_duration_seconds",
    "Length of a call, from the caller's arrival to its end",
    buckets=(5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600),
)
TURNS = Counter("parley_turns_total", "Turns, by speaker", ["speaker"])
TURN_PART_S = Histogram(
    "parley_turn_part_seconds",
    "Parts of a turn as the agent sees them, LiveKit's names",
    ["part"],
    buckets=_TURN_BUCKETS_S,
)
TOOL_CALLS = Counter("parley_tool_calls_total", "Tool calls, by outcome", ["tool", "outcome"])
TOOL_S = Histogram(
    "parley_tool_duration_seconds", "Time of a tool call", ["tool"], buckets=_TURN_BUCKETS_S
)
CONFIRMATIONS = Counter(
    "parley_confirmations_total", "Questions before a tool runs, by answer", ["answer"]
)
CLIENT_ACTIONS = Counter(
    "parley_client_actions_total",
    "Actions suggested to callers' pages, by outcome",
    ["action", "outcome"],
)
PROVIDER_ERRORS = Counter(
    "parley_provider_errors_total",
    "Failures of a speech or model provider, by cause",
    ["provider", "cause"],
)
MODEL_REPLIES = Counter(
    "parley_model_replies_total",
    "What went to the models, by who answered it: first, another, tool, templates, nobody",
    ["by"],
)
REPROMPTS = Counter(
    "parley_reprompts_total", "Times the agent had to ask again, by cause", ["cause"]
)
REFUSALS = Counter(
    "parley_refusals_total",
    "Texts, RPCs and streams that calls did not take, by kind and reason",
    ["kind", "reason"],
)
OPINIONS = Counter(
    "parley_encoder_opinions_total",
    "Sentences that the encoder was to have an opinion on, by what came of it",
    ["outcome"],
)
JOURNAL_APPEND_S = Histogram(
    "parley_journal_append_seconds",
    "Time of a transaction that stores entries of a call's journal",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
JOURNAL_ENTRIES = Counter("parley_journal_entries_total", "Entries stored in calls' journals")
JOURNAL_LOST = Counter(
    "parley_journal_lost_total", "Entries lost because the database was down for too long"
)
JOURNAL_ROLLED_BACK = Counter(
    "parley_journal_rolled_back_total", "Times the database lost entries that it had stored"
)
JOURNAL_UNHEALTHY = Counter(
    "parley_journal_unhealthy_total", "Times a call could not store entries in time"
)
DROPPED = Counter("parley_metrics_dropped_total", "Observations that were not understood")


_Metric = TypeVar("_Metric", Counter, Histogram)


def _by_name(*metrics: _Metric) -> dict[str, _Metric]:
    return {described.name: metric for metric in metrics for described in metric.describe()}


_COUNTERS = _by_name(
    CALLS,
    TURNS,
    TOOL_CALLS,
    CONFIRMATIONS,
    CLIENT_ACTIONS,
    PROVIDER_ERRORS,
    MODEL_REPLIES,
    REPROMPTS,
    REFUSALS,
    OPINIONS,
    JOURNAL_ENTRIES,
    JOURNAL_LOST,
    JOURNAL_ROLLED_BACK,
    JOURNAL_UNHEALTHY,
)
_HISTOGRAMS = _by_name(CALL_S, TURN_PART_S, TOOL_S, JOURNAL_APPEND_S)
DATAGRAM_MAX_BYTES = 1024
ANSWER = "e2e_latency"
"""LiveKit's name for the time from the end of the caller's words to the agent's first sound."""


class Metrics:
    """The sending side, in a call's process. *address* is the receiver's; None: send nothing."""

    def __init__(self, address: str | None) -> None:
        self._address = address
        self._socket = None if address is None else socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        if self._socket is not None:
            self._socket.setblocking(False)

    def close(self) -> None:
        """Stop sending."""
        if self._socket is not None:
            self._socket.close()

    def call_ended(self, reason: str, duration_s: float) -> None:
        """A call ended, *duration_s* after the caller's arrival."""
        self._send("parley_calls", [reason])
        self._send("parley_call_duration_seconds", [], duration_s)

    def turn(self, speaker: str, parts_s: dict[str, float]) -> None:
        """A turn was completed; *parts_s* are the durations of its parts in seconds."""
        self._send("parley_turns", [speaker])
        for part, value in parts_s.items():
            self._send("parley_turn_part_seconds", [part], value)

    def tool_call(self, tool: str, outcome: str, duration_s: float) -> None:
        """A tool call ended."""
        self._send("parley_tool_calls", [tool, outcome])
        self._send("parley_tool_duration_seconds", [tool], duration_s)

    def confirmation(self, answer: str) -> None:
        """A question before a tool runs was answered (`approved`, `declined`) or `expired`."""
        self._send("parley_confirmations", [answer])

    def client_action(self, action: str, outcome: str) -> None:
        """The caller's page reported the outcome of an action."""
        self._send("parley_client_actions", [action, outcome])

    def provider_error(self, provider: str, cause: str = "error") -> None:
        """A provider (`stt`, `llm`, `tts`) failed; *cause* as `model.reply.Outcome` has it."""
        self._send("parley_provider_errors", [provider, cause])

    def model_reply(self, by: str) -> None:
        """What went to the models was answered by `reasoning.llm.Replied`."""
        self._send("parley_model_replies", [by])

    def reprompt(self, cause: str) -> None:
        """The agent asked again, because of `silence`, `not-heard` or `not-understood`."""
        self._send("parley_reprompts", [cause])

    def refused(self, kind: str, reason: str, count: int) -> None:
        """*count* of what was sent to the agent was not taken."""
        self._send("parley_refusals", [kind, reason], count)

    def opinions(self, outcome: str, count: int) -> None:
        """*count* sentences: an opinion was `given`, `late`, `unavailable` or `not-ready`."""
        self._send("parley_encoder_opinions", [outcome], count)

    def journal_append(self, entries: int, duration_s: float) -> None:
        """A transaction stored this number of entries."""
        self._send("parley_journal_entries", [], entries)
        self._send("parley_journal_append_seconds", [], duration_s)

    def journal_lost(self) -> None:
        """An entry was lost because the queue was full."""
        self._send("parley_journal_lost", [])

    def journal_rolled_back(self) -> None:
        """The database lost entries that it had stored."""
        self._send("parley_journal_rolled_back", [])

    def journal_healthy(self, healthy: bool) -> None:
        """The writer can store entries again, or no longer can."""
        if not healthy:
            self._send("parley_journal_unhealthy", [])

    def _send(self, name: str, labels: list[str], value: float = 1) -> None:
        if self._socket is None or self._address is None:
            return
        try:
            self._socket.sendto(json.dumps([name, labels, value]).encode(), self._address)
        except OSError:
            pass  # The receiver is full or closed. Losing a number is better than delaying speech.


class MetricsReceiver(asyncio.DatagramProtocol):
    """
    The receiving side, in the worker's process. `address` is what `Metrics` needs.

    Args: answered: is told of each answer after how many seconds it came.
    """

    def __init__(self, answered: Callable[[float], None] = lambda _: None) -> None:
        self._answered = answered
        self._folder = socket_folder()
        self.address = str(Path(self._folder.name) / "metrics")
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        """Listen."""
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.setblocking(False)
        receiver.bind(self.address)
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, sock=receiver
        )

    def stop(self) -> None:
        """Stop listening and remove the socket."""
        if self._transport is not None:
            self._transport.close()
        self._folder.cleanup()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Count one observation."""
        try:
            name, labels, value = json.loads(data[:DATAGRAM_MAX_BYTES])
            if name in _COUNTERS:
                metric = _COUNTERS[name]
                (metric.labels(*labels) if labels else metric).inc(value)
            else:
                histogram = _HISTOGRAMS[name]
                (histogram.labels(*labels) if labels else histogram).observe(value)
                if labels == [ANSWER]:
                    self._answered(value)
        except (ValueError, KeyError, TypeError):
            DROPPED.inc()
