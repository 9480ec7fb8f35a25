"""The worker's process: takes calls up to its capacity and runs each in its own process."""

import asyncio
import functools
import os
import secrets
import signal
import socket
import time
from contextlib import suppress
from typing import Literal

import structlog
from livekit.agents import AgentServer, APIError, JobRequest
from livekit.protocol.agent import Job
from prometheus_client import Gauge
from pydantic import ValidationError
from starlette.applications import Starlette

from agent_worker import call_migration, livekit_compat
from agent_worker.agent import AgentDefinition
from agent_worker.call_end import CallEndListener
from agent_worker.job import owner_of, run_job
from agent_worker.loading import Listings, load_agent, look_at_servers
from agent_worker.metrics import MetricsReceiver
from agent_worker.renewals import Renewals
from agent_worker.service_level import ServiceLevel, default_capacity
from agent_worker.settings import WorkerSettings
from agent_worker.voice.providers import build_llm, build_stt, build_tts
from call_record import calls, keys, slots, workers
from call_record.database import DATABASE_DOWN
from call_record.prepare import prepare
from call_record.record import open_record
from call_record.tables import CallState
from service_base.cores import cores
from service_base.health import health_routes
from service_base.metrics import METRICS_ROUTE
from service_base.problems import EXCEPTION_HANDLERS
from service_base.serve import background_server, bind
from service_base.tasks import TaskSet
from voice_contract.dispatch import DispatchMetadata
from voice_contract.names import agent_identity

log = structlog.get_logger()

CALLS_NOW = Gauge("parley_worker_calls", "Calls that this worker has now")
CAPACITY = Gauge("parley_worker_capacity", "Calls that this worker takes at the same time")
OFFERED = Gauge(
    "parley_worker_offered",
    "The same, or fewer while its callers are answered late",
)


PRESENT_EVERY_S = 1.0
TAKES_MORE_S = 3.0
"""How long a worker that drains waits for calls that were sent to it before it said so."""
LOOK_S = 0.1
DATABASE_WAIT_S = 2.0
ANSWER_WITHIN_S = 0.5
"""The SFU allows 3 s for a job request. If a worker answers late, it does not ask another one."""
AWAY_AFTER_S = 2.0
"""A worker that has not reached the record for longer refuses calls, so that another takes them."""

Refusal = Literal["full", "stale", "record-unavailable"]


async def warm_voice(settings: WorkerSettings, agent: AgentDefinition) -> None:
    """Synthesize the fixed phrases once, so that a voice server with a cache can answer faster."""
    voice = build_tts(settings, is_awaited=False)
    phrases = agent.phrases
    try:
        for text in (
            agent.greeting,
            phrases.recovered,
            phrases.go_on,
            phrases.gate.one_moment,
            phrases.gate.approved,
            phrases.gate.declined,
            *phrases.not_understood,
            *phrases.not_heard,
            *phrases.silence,
        ):
            async for _ in voice.synthesize(text):
                pass
    except APIError as error:
        log.warning("voice.not_warmed", error=str(error))
    finally:
        await voice.aclose()


class Worker:
    """Registers with the SFU and answers its job requests."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._agent = load_agent(settings.agent)
        self._listings: Listings = {}
        # Build them once now, so that a wrong setting fails at the start and not in the first call.
        build_stt(settings, lambda _: None, self._agent.vocabulary)
        build_tts(settings)
        build_llm(settings, self._agent)
        self._id = f"{socket.gethostname()[:100]}-{secrets.token_hex(4)}"
        keys.ensure(settings.journal_keys_file)
        self._record = open_record(settings, connections=3, wait_s=DATABASE_WAIT_S)
        self._starting = 0
        self._deployment = ""
        """What the SFU knows this worker by now; empty: it does not."""
        self._next_deployment = ""
        self._presence = asyncio.Lock()
        self._draining = False
        self._ended: set[str] = set()
        """Calls that have ended although their processes still run."""
        self._tasks = TaskSet()
        self._warming: asyncio.Task[None] | None = None
        self._registered = asyncio.Event()
        self._shown_deployment: str | None = None
        """What the record knows it by."""
        self._shown_at_s = 0.0
        """When this worker last wrote its presence to the record, on the monotonic clock."""
        self._capacity = settings.worker_capacity or default_capacity(cores())
        self._level = ServiceLevel(self._capacity, settings.worker_turn_budget_ms / 1000)
        self._metrics = MetricsReceiver(self._level.answered)
        self._call_ends = CallEndListener(self._on_call_ended)
        self._renewals = Renewals(self._record, self._id)
        key = settings.sfu_key()
        preload = ["agent_worker.tools.mcp_client"] if self._agent.mcp else []
        self._server = AgentServer(
            ws_url=settings.sfu_url,
            api_key=key.api_key,
            api_secret=key.secret,
            # Admission chooses the worker, and `_on_request` counts calls. The SFU would decide by
            # a load that it reads only every 2.5 s, and hold this worker for full at 1.
            load_fnc=lambda: 0.0,
            load_threshold=float("inf"),
            num_idle_processes=min(2, self._capacity),
            drain_timeout=settings.worker_drain_s,
            # After the drain time a call has five seconds to say goodbye before it is cut off.
            shutdown_process_timeout=5.0,
            # Looked at every 5 s. The one limit is enough: no warning before it.
            job_memory_limit_mb=settings.worker_call_memory_mb,
            job_memory_warn_mb=0,
            host="127.0.0.1",
            port=0,
            # Imported once for all calls. Importing them in each call would take a second.
            preload_modules=["agent_worker.job", "agent_worker.preload", *preload],
        )
        entrypoint = functools.partial(
            run_job,
            settings=settings,
            listings=self._listings,
            worker_id=self._id,
            metrics_address=self._metrics.address,
            call_end_address=self._call_ends.address,
            renewals_address=self._renewals.address,
        )
        self._server.rtc_session(
            entrypoint, agent_name=settings.agent_name, on_request=self._on_request
        )
        self._name_next_registration()
        self._server.on("worker_registered", self._on_registered)
        livekit_compat.when_job_process_ends(self._server, self._on_process_ended)
        CAPACITY.set(self._capacity)
        CALLS_NOW.set_function(lambda: self.calls)

    @property
    def calls(self) -> int:
        """The number of calls that this worker runs or has accepted."""
        if livekit_compat.has_closed(self._server):
            return self._starting
        running = [job for job in self._server.active_jobs if job.job.room.name not in self._ended]
        return len(running) + self._starting

    async def run(self) -> None:
        """
        Take calls until SIGTERM or SIGINT, then let them finish within the drain time.

        Raises: AgentError: one of the agent's MCP servers cannot be used.
        """
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        self._listings.update(await look_at_servers(self._agent))
        await prepare(self._settings.database_url)
        await self._metrics.start()
        await self._call_ends.start()
        await self._renewals.start()
        health = background_server(self._health_app())
        listener = bind(self._settings.worker_host, self._settings.worker_port)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(health.serve(sockets=[listener]))
            working = tasks.create_task(self._server.run())
            presence = tasks.create_task(self._be_present())
            renewing = tasks.create_task(self._renewals.run())
            stop = tasks.create_task(stopping.wait())
            await asyncio.wait({working, stop}, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            await self._drain()
            await self._server.aclose()
            presence.cancel()
            renewing.cancel()
            health.should_exit = True
        if self._warming is not None:
            self._warming.cancel()
        self._tasks.start(self._leave(), name="leave")
        await self._tasks.wait(timeout_s=5)
        await self._record.close()
        self._metrics.stop()
        self._call_ends.stop()
        self._renewals.stop()

    async def _be_present(self) -> None:
        """Write to the record each second that this worker can take calls."""
        while True:
            await self._registered.wait()
            if not livekit_compat.is_connecting(self._server):
                try:
                    await self._show_presence()
                except DATABASE_DOWN as error:
                    log.warning("worker.not_present", error=type(error).__name__)
            slept_at_s = time.monotonic()
            await asyncio.sleep(PRESENT_EVERY_S)
            self._level.lagged(time.monotonic() - slept_at_s - PRESENT_EVERY_S)

    async def _show_presence(self) -> None:
        async with self._presence:
            deployment = self._deployment
            offered = self._level.offered(self.calls)
            OFFERED.set(offered)
            is_known = self._shown_deployment == deployment
            if not (is_known and await workers.heartbeat(self._record, self._id, offered)):
                await workers.register(self._record, self._id, offered, deployment)
                self._shown_deployment = deployment
            if self._draining:
                await slots.drain(self._record, self._id)
            self._shown_at_s = time.monotonic()

    async def _show_presence_now(self) -> None:
        """Not only at the next second: calls are sent to what stands in the record."""
        with suppress(*DATABASE_DOWN):
            await self._show_presence()

    async def _leave(self) -> None:
        with suppress(*DATABASE_DOWN):
            await workers.leave(self._record, self._id)

    def _on_call_ended(self, call_id: str) -> None:
        if any(job.job.room.name == call_id for job in self._server.active_jobs):
            self._ended.add(call_id)

    def _on_process_ended(self, job: Job) -> None:
        self._ended.discard(job.room.name)
        self._tasks.start(self._give_back(job.id, job.metadata), name="give-back")

    async def _give_back(self, job_id: str, metadata: str) -> None:
        """Give a call back if its process died, so that the supervisor sends another agent now."""
        with suppress(ValidationError, *DATABASE_DOWN):
            dispatch = DispatchMetadata.model_validate_json(metadata)
            owner = owner_of(self._id, job_id)
            if await calls.give_back(self._record, dispatch.call_id, dispatch.attempt, owner):
                log.error("job.died", call_id=dispatch.call_id, attempt=dispatch.attempt)

    async def _drain(self) -> None:
        log.info("worker.draining", calls=self.calls, drain_s=self._settings.worker_drain_s)
        if not livekit_compat.has_closed(self._server):
            await self._take_the_last()
        try:
            # Zero would mean "without limit" to the framework.
            await self._server.drain(timeout=max(self._settings.worker_drain_s, 1))
        except TimeoutError:
            if self.calls:
                log.warning("worker.drain_ended", calls=self.calls)
                await self._migrate_calls()

    async def _take_the_last(self) -> None:
        """Have no more calls sent to this worker, and take those that are on their way."""
        self._draining = True
        with suppress(TimeoutError, *DATABASE_DOWN):
            async with asyncio.timeout(min(TAKES_MORE_S, self._settings.worker_drain_s)):
                await slots.drain(self._record, self._id)
                while await slots.on_their_way(self._record, self._id):  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_S)

    def _going_on(self) -> list[livekit_compat.JobProcess]:
        """The processes whose calls have not ended."""
        running = livekit_compat.processes_with_jobs(self._server)
        return [process for process in running if process.room not in self._ended]

    async def _migrate_calls(self) -> None:
        """Move the remaining calls to other workers, as many at a time as have free slots."""
        with suppress(TimeoutError, *DATABASE_DOWN):
            async with asyncio.timeout(self._settings.worker_migration_s):
                while going_on := self._going_on():
                    free = (await slots.read(self._record)).free
                    if free <= 0:
                        log.warning("calls.not_migrated", reason="no-free-slots", calls=self.calls)
                        return
                    leaving = going_on[:free]
                    for process in leaving:
                        os.kill(process.pid, call_migration.SIGNAL)
                    for process in leaving:
                        await process.join()

    def _health_app(self) -> Starlette:
        async def registered() -> None:
            if not self._registered.is_set() or livekit_compat.is_connecting(self._server):
                raise RuntimeError("not registered with the SFU")
            if self._draining:
                raise RuntimeError("draining")

        async def record() -> None:
            await workers.read_all(self._record)
            if self._shown_deployment != self._deployment:
                raise RuntimeError("not yet in the record")

        return Starlette(
            routes=[*health_routes({"sfu": registered, "record": record}), METRICS_ROUTE],
            exception_handlers=EXCEPTION_HANDLERS,
        )

    def _name_next_registration(self) -> None:
        # Another one each time: the SFU may not know yet that the last connection is dead.
        self._next_deployment = secrets.token_hex(16)
        livekit_compat.registers_as(self._server, self._next_deployment)

    def _on_registered(self, worker_id: str, _: object) -> None:
        self._deployment = self._next_deployment
        self._name_next_registration()
        self._tasks.start(self._show_presence_now(), name="show-presence")
        if not self._registered.is_set():
            # Not earlier, because it would slow down the start.
            self._warming = asyncio.create_task(warm_voice(self._settings, self._agent))
        self._registered.set()
        log.info("worker.registered", worker_id=worker_id)

    async def _on_request(self, request: JobRequest) -> None:
        try:
            dispatch = DispatchMetadata.model_validate_json(request.job.metadata)
        except ValidationError:
            log.error("job.refused", reason="malformed", room=request.room.name)
            await request.reject(terminate=True)
            return
        reason: Refusal | None = "full" if self._is_full else await self._refusal(dispatch)
        # Asked once more: another call may have taken the last slot while the record was read.
        if reason is None and self._is_full:
            reason = "full"
        if reason is not None:
            log.warning("job.refused", reason=reason, call_id=dispatch.call_id, calls=self.calls)
            await request.reject(terminate=True)
            # The SFU has nobody else to offer it to: the supervisor chooses another worker.
            with suppress(*DATABASE_DOWN):
                await calls.refuse(self._record, dispatch.call_id, dispatch.attempt, self._id)
            return
        self._starting += 1
        try:
            await request.accept(
                identity=agent_identity(dispatch.call_id, dispatch.attempt), name=self._agent.name
            )
        finally:
            self._starting -= 1
        log.info("job.accepted", call_id=dispatch.call_id, calls=self.calls)

    @property
    def _is_full(self) -> bool:
        return self._server.draining or self.calls >= self._capacity

    async def _refusal(self, dispatch: DispatchMetadata) -> Refusal | None:
        """Why a worker with a free slot refuses the job. In doubt it accepts: the claim decides."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                call = await calls.read(self._record, dispatch.call_id)
        except (TimeoutError, *DATABASE_DOWN):
            is_away = time.monotonic() - self._shown_at_s > AWAY_AFTER_S
            return "record-unavailable" if is_away else None
        over = (CallState.ENDING, CallState.ENDED)
        needed = call is not None and call.attempt == dispatch.attempt and call.state not in over
        return None if needed else "stale"
