"""
The sentence encoder as second opinion: what it costs, and what it changes.

Costs: the memory of the speech server and of a call's process, the time of a sentence from the
words to the agent's move. What it changes: the lists of what callers say, by the whole dialog; and
the shop's own examples, a fifth of them at a time left out of what is learned.
"""

import asyncio
import logging
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import structlog
import yaml

from agent_worker.reasoning.encoder import Encoder
from agent_worker.reasoning.opinions import Opinions
from agent_worker.reasoning.templates import Templates
from agent_worker.reasoning.turn import Turn
from agent_worker.settings import WorkerSettings
from agent_worker.voice.providers import build_embeddings
from examples.storefront import agent as shop
from service_base.settings import load
from tests.unit.storefront_agent.shop_call import NOW
from tests.unit.storefront_agent.test_callers_say import ROWS, judge

READY_S = 120
PARTS = 5
PATIENCE_S = 30.0
"""A late opinion is none in a call; here it is waited for, and its time is shown."""
NOTHING = "nothing"
OUTCOMES = ("right", "question", "missed", "wrong")
SAID = {
    "number": "seven",
    "day": "Friday",
    "time": "three pm",
    "money": "twenty dollars",
    "name": "Sam Rivera",
    "email": "sam@example.com",
    "phone_number": "020 7946 0958",
}
"""Values for the slots of examples, by kind."""
_SLOT = re.compile(r"\{([a-z_]+)[^}]*\}")


@dataclass
class _Way:
    """What one way, with or without the encoder, came to."""

    server_mb: float = 0.0
    worker_mb: float = 0.0
    times_ms: list[float] = field(default_factory=list)
    open_ms: list[float] = field(default_factory=list)
    """Of the sentences on which an opinion was due."""
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    """By list."""


def main() -> None:
    """Measure with the real model and print."""
    ways = []
    for has_encoder in (False, True):
        with _server(has_encoder) as (url, server):
            # A process of its own: what one way loads must not count for the other.
            with ProcessPoolExecutor(1, get_context("spawn")) as worker:
                way = worker.submit(_measure, url if has_encoder else "").result()
            way.server_mb = server.memory_info().rss / 1e6
        ways.append(way)
    _print(*ways)


def _print(without: _Way, with_it: _Way) -> None:
    print(f"{'':<44}{'without':>9}{'with':>9}{'ratio':>8}")
    costs: dict[str, Callable[[_Way], float]] = {
        "speech server, MB": lambda way: way.server_mb,
        "a call's process, MB": lambda way: way.worker_mb,
        "a sentence, ms, median": lambda way: statistics.median(way.times_ms),
        "19 of 20 within": lambda way: statistics.quantiles(way.times_ms, n=20)[-1],
        "one with an opinion, ms, median": lambda way: statistics.median(way.open_ms),
    }
    for name, cost in costs.items():
        _row(name, cost(without), cost(with_it))
    for part in without.outcomes:
        count = without.outcomes[part].total()
        for outcome in OUTCOMES:
            counts = [way.outcomes[part][outcome] for way in (without, with_it)]
            _row(f"{part} ({count}): {outcome}", *map(float, counts))


def _row(name: str, without: float, with_it: float) -> None:
    ratio = f"{with_it / without:.2f}" if without else "-"
    print(f"{name:<44}{without:>9.4g}{with_it:>9.4g}{ratio:>8}")


@contextmanager
def _server(has_encoder: bool) -> Iterator[tuple[str, psutil.Process]]:
    """A speech server on a free port, warmed up."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"PARLEY_SPEECH_PORT": str(port), "PARLEY_SPEECH_ENCODER": str(has_encoder)}
    command = [sys.executable, "-m", "speech_server"]
    process = subprocess.Popen(  # noqa: S603
        command, env=os.environ | settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}"
        ends_at = time.monotonic() + READY_S
        while not _is_ready(url):
            if process.poll() is not None or time.monotonic() > ends_at:
                raise RuntimeError("the speech server did not start")
            time.sleep(0.1)
        yield f"{url}/v1", psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _measure(url: str) -> _Way:
    """In a process like a call's. *url*: of the encoder; empty: none."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    return asyncio.run(_all(url))


async def _all(url: str) -> _Way:
    way = _Way()
    templates, encoder = await _learned(shop.AGENT.templates, url)
    way.worker_mb = psutil.Process().memory_info().rss / 1e6
    for row in ROWS:
        turn = Turn(row.sentence, NOW)
        began_s = time.perf_counter()
        if encoder is not None:
            await encoder.consider([turn], within_s=PATIENCE_S)
        verdict = judge(row, templates)
        way.times_ms.append(1000 * (time.perf_counter() - began_s))
        if templates.in_doubt(turn) is not None:
            way.open_ms.append(way.times_ms[-1])
        part = "callers say, seen" if row.seen else "callers say, unseen"
        outcome = {"not understood": "missed"}.get(verdict, verdict.split()[0])
        way.outcomes.setdefault(part, Counter())[outcome] += 1
    way.outcomes["examples, each held out"] = await _held_out(url)
    return way


async def _learned(templates: Templates, url: str) -> tuple[Templates, Encoder | None]:
    """*templates* whose examples are learned, as a call has them."""
    templates.learn()
    embeddings = build_embeddings(load(WorkerSettings, encoder_url=url, _env_file=None))
    if embeddings is None:
        return templates, None
    opinions = Opinions()
    templates = templates.hearing(opinions)
    encoder = Encoder(templates, opinions, embeddings)
    await encoder.learn()
    return templates, encoder


async def _held_out(url: str) -> Counter[str]:
    """What becomes of examples that are not learned."""
    whole = shop.AGENT.templates
    written = yaml.safe_load(Path(shop.__file__).with_name("intents.yaml").read_text())
    sentences = sorted(set(_sentences(written)))
    random.Random(7).shuffle(sentences)  # noqa: S311 - the same each time
    counted: Counter[str] = Counter()
    for part in range(PARTS):
        out = sentences[part::PARTS]
        with tempfile.TemporaryDirectory(prefix="parley-bench-", dir=".") as folder:
            file = Path(folder) / "intents.yaml"
            file.write_text(yaml.safe_dump(_without(written, {said for said, _ in out})))
            loaded = Templates.load(file)
        assert whole.writes is not None
        told = loaded.knowing(whole.writes, whole.asking)
        templates, encoder = await _learned(told, url)
        for sentence, label in out:
            if (turn := _spoken(templates, sentence)) is None:
                continue
            if encoder is not None:
                await encoder.consider([turn], within_s=PATIENCE_S)
            counted[_outcome(templates, turn, label)] += 1
    return counted


def _outcome(templates: Templates, turn: Turn, label: str) -> str:
    match = templates.match(turn)
    meant = (match,) if match is not None and not match.free else templates.read(turn).matches
    intents = [one.intent for one in meant]
    if not intents:
        return "right" if label == NOTHING else "missed"
    if len(intents) > 1:
        return "question"
    return "right" if intents == [label] else "wrong"


def _sentences(written: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, rule in written["intents"].items():
        yield from ((said, name) for said in _lines(rule.get("examples")))
        yield from ((said, NOTHING) for said in _lines(rule.get("counter_examples")))
    yield from ((said, NOTHING) for said in _lines(written.get(NOTHING)))


def _without(written: Mapping[str, Any], out: set[str]) -> dict[str, Any]:
    """*written* without these sentences."""
    intents = {
        name: {**rule, **{key: _left(rule[key], out) for key in _LEARNED if key in rule}}
        for name, rule in written["intents"].items()
    }
    return {**written, "intents": intents, NOTHING: _left(written.get(NOTHING), out)}


_LEARNED = ("examples", "counter_examples")


def _left(lines: str | Sequence[str] | None, out: set[str]) -> str:
    return "\n".join(line for line in _lines(lines) if line not in out)


def _lines(written: str | Sequence[str] | None) -> list[str]:
    lines = written.splitlines() if isinstance(written, str) else written or ()
    return [line.strip() for line in lines if line.strip()]


def _spoken(templates: Templates, sentence: str) -> Turn | None:
    """*sentence* with values in its slots; None: one takes any words."""
    names = set(_SLOT.findall(sentence))
    kinds = {name: templates.kinds[name].name for name in names if name in templates.kinds}
    if len(kinds) < len(names) or not set(kinds.values()) <= SAID.keys():
        return None
    return Turn(_SLOT.sub(lambda slot: SAID[kinds[slot[1]]], sentence), NOW)
