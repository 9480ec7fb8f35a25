"""One call, from the agent's arrival in the room until it ends or another agent takes over."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

import structlog
from livekit import rtc
from livekit.agents import (
    ConversationItemAddedEvent,
    JobContext,
    room_io,
)
from livekit.agents.llm import ChatContext
from livekit.agents.voice import SpeechHandle

from agent_worker import session_events
from agent_worker.agent import AgentDefinition
from agent_worker.call_control import AgentEndReason, CallControl
from agent_worker.call_limits import LIMITS, CallLimits
from agent_worker.call_migration import Migration
from agent_worker.caller_text import CallerText
from agent_worker.claim import CallClaim
from agent_worker.livekit_compat import bound_streams, guard_streams, keep_text_private
from agent_worker.metrics import Metrics
from agent_worker.model.health import Health
from agent_worker.page_channel import PageChannel
from agent_worker.presence import Presence
from agent_worker.reasoning.encoder import Encoder
from agent_worker.reasoning.known_numbers import KnownNumbers
from agent_worker.reasoning.llm import user_turns
from agent_worker.reasoning.opinions import Opinions
from agent_worker.reasoning.turn import Turn
from agent_worker.refusals import FORBIDDEN, Refusals
from agent_worker.resume import CallHistory, resume
from agent_worker.settings import WorkerSettings
from agent_worker.tools.call_tools import CallTools
from agent_worker.tools.guarded_agent import written
from agent_worker.tools.tool import Caller, Tool
from agent_worker.turn_journal import TurnJournal
from agent_worker.voice.farewell import Farewell
from agent_worker.voice.providers import build_embeddings
from agent_worker.voice.reprompts import Reprompts
from agent_worker.voice.session import build_session
from agent_worker.voice.speaking import SpeakingAgent
from call_record import calls, journal
from call_record.database import DATABASE_DOWN
from call_record.timeline import fold
from service_base.tasks import TaskSet
from voice_contract.caller_state import CallerState
from voice_contract.dispatch import DispatchMetadata
from voice_contract.journal import Usage
from voice_contract.limits import GRACE_S, JOIN_WITHIN_S, SFU_LEEWAY_S
from voice_contract.messages import CallEnded, EndReason
from voice_contract.names import CALLER_STATE_METHOD, HANG_UP_METHOD

log = structlog.get_logger()

JOIN_TIMEOUT_S = JOIN_WITHIN_S + SFU_LEEWAY_S + 10
"""After this time no token lets the caller join."""
ROOM_LOST_AFTER_S = 5.0
"""If an agent loses its room for longer, the supervisor may send another one."""
LEAVE_WITHIN_S = 2.0
INTERRUPT_WITHIN_S = 2.0


class Call(CallControl):
    """
    The call that *dispatch* names. `run` returns when it is over.

    Args:
        tell_ended: Tells the worker that the call no longer needs its slot.
        health: Which models failed lately.
    """

    def __init__(
        self,
        context: JobContext,
        dispatch: DispatchMetadata,
        agent: AgentDefinition,
        tools: Sequence[Tool],
        settings: WorkerSettings,
        metrics: Metrics,
        claim: CallClaim,
        migration: Migration,
        history: CallHistory | None,
        *,
        tell_ended: Callable[[], Awaitable[bool]],
        health: Health,
    ) -> None:
        self._context = context
        self._room = context.room
        self._dispatch = dispatch
        self._agent = agent
        self._offered = tools
        self._settings = settings
        self._metrics = metrics
        self._claim = claim
        self._migration = migration
        self._history = history
        self._tell_ended = tell_ended
        self._health = health
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[EndReason | None] = loop.create_future()
        self._broken: asyncio.Future[str] = loop.create_future()
        """Why this agent must be replaced although the call goes on."""
        self._room_lost: asyncio.TimerHandle | None = None
        self._ready = False
        self._disclosed = False
        self._tasks = TaskSet()
        self._answered_at: float | None = None
        self._presence: Presence | None = None
        assert claim.call.caller is not None
        self._caller = Caller(
            claim.call.caller, claim.call.call_id, claim.call.tenant, claim.call.display_name
        )
        """From the record alone: the dispatch passed through the SFU."""
        self._page = PageChannel(context.room, self._caller.identity)
        self._refusals = Refusals(metrics)
        self._limits = CallLimits(
            self._caller.identity,
            self._refusals,
            warn=self._on_flood,
            end=lambda: self.end("flood"),
            limits=LIMITS,
        )
        turns = len(user_turns(history.items)) if history else 0
        self._embeddings = build_embeddings(settings)
        self._encoder: Encoder | None = None
        if self._embeddings is not None:
            opinions = Opinions()
            self._agent = agent.with_templates(agent.templates.hearing(opinions))
            self._encoder = Encoder(
                self._agent.templates, opinions, self._embeddings, metrics.opinions
            )
        self._turns_left = max(1, settings.call_turns_max - turns)

    async def run(self) -> None:
        """Talk to the caller until the call ends or another agent takes over, then clean up."""
        async with AsyncExitStack() as stack:
            stack.callback(self._refusals.sum_up)
            if self._embeddings is not None and self._encoder is not None:
                stack.push_async_callback(self._embeddings.aclose)
                learning = self._tasks.start(self._encoder.learn(), name="learn-examples")
                stack.callback(learning.cancel)
            resources = await stack.enter_async_context(self._agent.open(self._caller))
            self._agent = self._agent.knowing(resources)
            self._tools = CallTools(
                caller=self._caller,
                tools=self._offered,
                resources=(self, *resources),
                journal=self._claim.journal,
                lease=self._claim,
                metrics=self._metrics,
                push=self._page.push,
                phrases=self._agent.phrases.gate,
                call_max=self._agent.tool_calls_max,
                time_zone=self._agent.time_zone,
                secret=self._claim.record.keys.key(self._claim.call.key_id),
            )
            waits = self._agent.waits.with_settings(self._settings.waits)
            self._session = build_session(
                self._settings,
                self._agent,
                waits,
                self._tools.toolset,
                self._on_stt_failure,
                numbers=[one for one in resources if isinstance(one, KnownNumbers)],
                asked=lambda: [one.about for one in self._tools.questions.open],
                encoder=self._encoder,
                health=self._health,
                replied=self._metrics.model_reply,
            )
            if self._history is not None:
                self._session.history.insert(self._history.items)
                self._tools.restore(self._history.recorded)
            self._turns = TurnJournal(
                self._session,
                self._claim.journal,
                self._agent.templates,
                attempt=self._dispatch.attempt,
                told_by=self._tools.delivery.told_by,
            )
            self._farewell = Farewell(
                self._session,
                self._turns,
                protected="goodbye" in self._agent.protect,
                end=self.end,
            )
            self._reprompts = Reprompts(
                self._session,
                self._agent.phrases,
                self._metrics,
                waits,
                is_speaking=lambda: self._turns.is_speaking,
                is_reading=lambda: self._tools.page.has_cards and bool(self._tools.questions.open),
                say_goodbye=self._farewell.say,
            )
            self._listen()
            lost = asyncio.create_task(self._claim.lost())
            stack.callback(lost.cancel)
            conversation = asyncio.create_task(self._converse())
            stack.callback(conversation.cancel)
            pause = asyncio.create_task(self._migration.pause(self._session, self._is_busy))
            stack.callback(pause.cancel)
            over: set[asyncio.Future[Any]] = {conversation, lost, self._broken, pause}
            await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
            if conversation.done():
                await self._finish(conversation.result())
                return
            conversation.cancel()
            if lost.done():
                await self._abandon(lost.result())
            else:
                await self._abandon(self._broken.result() if self._broken.done() else "migrated")

    async def _converse(self) -> EndReason | None:
        await self._start()
        self._claim.keep()
        self._ready = True
        self._tasks.start(self._watch_ending(), name="watch-ending")
        await self._greet()
        return await self._ended

    def end(self, reason: EndReason | None) -> None:
        """End the call now. *reason* is shown to the caller; None: nobody is there."""
        if not self._ended.done():
            self._ended.set_result(reason)

    def end_after_reply(self, reason: AgentEndReason) -> None:
        """End the call when the agent's next words have been heard."""
        self._farewell.after_reply(reason)

    # -- beginning

    def _listen(self) -> None:
        session = self._session
        session_events.follow(session, self._metrics)
        session.on("conversation_item_added", self._on_turn)
        session.on("close", lambda _: self._break("session-closed"))
        self._room.on("connection_state_changed", self._on_connection_state)
        self._room.on("disconnected", lambda _: self._break("room-left"))

    async def _start(self) -> None:
        bound_streams(self._room, LIMITS.stream_max_bytes)
        guard_streams(self._room, self._limits.admits)
        await self._context.connect()
        keep_text_private(self._room.local_participant, self._caller.identity)
        self._room.local_participant.add_rpc_interceptor(self._limits)
        methods = {
            HANG_UP_METHOD: self._on_hang_up,
            CALLER_STATE_METHOD: self._on_caller_state,
            **self._tools.page_rpc.methods,
        }
        for name, handler in methods.items():
            self._room.local_participant.register_rpc_method(name, handler)
        self._speaking = agent = SpeakingAgent(
            instructions=self._agent.instructions,
            gate=self._tools.gate,
            delivery=self._tools.delivery,
            chat_ctx=None if self._history is None else ChatContext(self._history.items),
            turns=self._turns,
            reprompts=self._reprompts,
            templates=self._agent.templates,
            hold=self._agent.phrases.hold,
            on_failure=self._on_voice_failure,
        )
        await self._session.start(
            agent,
            room=self._room,
            # The host would show prompt and history to everyone in the room, and obey them.
            session_host=False,
            record=False,
            room_options=room_io.RoomOptions(
                participant_identity=self._caller.identity,
                close_on_disconnect=False,
                text_input=False,
                # Our page sends no sound from before it joined, and the framework's reader for it
                # can be made to loop, and to decode any format, by whoever is in the room.
                # Gain on top of the browser's own would make a radio as loud as the caller, as
                # soon as the caller is silent.
                audio_input=room_io.AudioInputOptions(
                    pre_connect_audio=False, auto_gain_control=False
                ),
            ),
        )
        CallerText(self._room, self._refusals, self._on_text)
        self._tools.follow(self._session, agent)
        log.info("call.agent_ready", attempt=self._dispatch.attempt)

    async def _greet(self) -> None:
        waiting = asyncio.ensure_future(
            self._context.wait_for_participant(identity=self._caller.identity)
        )
        either: set[asyncio.Future[Any]] = {waiting, self._ended}
        wait_s = JOIN_TIMEOUT_S if self._history is None else GRACE_S
        await asyncio.wait(either, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            self.end(None)
            return
        self._answered_at = time.monotonic()
        log.info("call.live")
        self._presence = Presence(
            self._room,
            self._caller.identity,
            self._claim.journal,
            on_cut_off=lambda off: self._reprompts.pause() if off else self._reprompts.resume(),
            on_gone=self._on_gone,
            on_back=self._on_back,
            on_given_up=lambda: self.end(None),
        )
        self._tasks.start(self._note_joined(), name="note-joined")
        elapsed_s = self._history.elapsed_s if self._history is not None else 0.0
        # A resumed call gets at least enough time to say goodbye.
        left_s = max(10.0, self._settings.call_max_s - elapsed_s)
        asyncio.get_running_loop().call_later(left_s, self._on_too_long)
        if self._history is None:
            self._disclose()
            self._session.say(self._agent.greeting)
        else:
            await self._take_up(self._history)

    async def _take_up(self, history: CallHistory) -> None:
        if self._encoder is not None:
            # Before the dialog is followed, as the agent before this one did.
            await self._encoder.catch_up(user_turns(history.items, self._agent.templates.zone))
        resumption = resume(self._agent, history)
        log.info("call.recovered", items=len(history.items), answers=resumption.answer)
        self._disclosed = self._agent.disclosure in history.protected
        self._disclose()
        for text in resumption.say:
            self._say_notice(text)
        if resumption.holds:
            self._reprompts.hold()
        if resumption.answer:
            self._session.generate_reply()

    def _disclose(self) -> None:
        """Say what must have been heard, again to a caller who was cut off before its end."""
        if not self._agent.disclosure or self._disclosed:
            return
        speech = self._session.say(self._agent.disclosure, allow_interruptions=False)
        self._turns.protect(speech).add_done_callback(self._on_disclosed)

    def _on_disclosed(self, speech: SpeechHandle) -> None:
        self._disclosed = self._turns.is_whole(speech)

    def _say_notice(self, text: str) -> None:
        """Say something about the call itself."""
        protected = "notices" in self._agent.protect
        speech = self._session.say(text, allow_interruptions=not protected)
        if protected:
            self._turns.protect(speech)

    async def _note_joined(self) -> None:
        """Record that the caller has joined. If the record is down, the supervisor does it."""
        with suppress(*DATABASE_DOWN):
            await calls.join(self._claim.record, self._dispatch.call_id)

    # -- end

    async def _watch_ending(self) -> None:
        """End the call when the caller's page (over HTTP) or the supervisor has ended it."""
        await self._claim.lease.ending.wait()
        reason = ""
        with suppress(*DATABASE_DOWN):
            ending = fold(await journal.read(self._claim.record, self._dispatch.call_id)).ending
            reason = ending.entry.reason if ending else ""
        self.end("caller" if reason == "caller" else None)

    async def _finish(self, reason: EndReason | None) -> None:
        duration_s = time.monotonic() - self._answered_at if self._answered_at else 0.0
        ended = reason or ("caller-gone" if self._answered_at else "no-caller")
        if self._presence is not None:
            self._presence.stop()
        self._tools.close()
        with suppress(*DATABASE_DOWN):
            # From here on no tool starts, whatever is still said.
            await calls.end(
                self._claim.record, self._dispatch.call_id, ended, attempt=self._dispatch.attempt
            )
        if reason is not None:
            await self._page.send(CallEnded(reason=reason))
        with suppress(RuntimeError, TimeoutError):
            async with asyncio.timeout(INTERRUPT_WITHIN_S):
                await self._session.interrupt(force=True)
        await self._tools.aclose()
        self._claim.journal.write(Usage(amounts=session_events.usage(self._session)))
        sealed = await self._claim.seal(ended)
        if sealed:
            # Else another agent may have the call, perhaps on the same worker.
            await self._tell_ended()
        self._metrics.call_ended(ended, duration_s)
        log.info("call.ended", reason=ended, duration_ms=round(duration_s * 1000), sealed=sealed)
        await self._session.aclose()
        # The SDK logs errors when the room closes under it, so leave before it is deleted.
        await self._leave_room()
        if sealed:
            await self._context.delete_room()
        self._context.shutdown(reason=ended)

    async def _abandon(self, reason: str) -> None:
        """Leave without ending the call: another agent has it or must be sent."""
        log.warning("call.abandoned", reason=reason)
        if self._presence is not None:
            self._presence.stop()
        self._claim.let_go()
        self._tools.leave()
        # Leave the room first, so that the caller never hears two agents.
        await self._leave_room()
        await self._tools.aclose()
        await self._claim.give_back()
        await self._session.aclose()
        self._context.shutdown(reason=reason)

    async def _leave_room(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_WITHIN_S):
                await self._room.disconnect()

    def _is_busy(self) -> bool:
        """Whether a tool is running."""
        return self._tools.gate.is_busy

    def _on_too_long(self) -> None:
        self._tasks.start(self._end_too_long(), name="end-too-long")

    async def _end_too_long(self) -> None:
        await self._farewell.say(self._agent.phrases.too_long_end, "agent", final=True)

    # -- the caller

    async def _on_hang_up(self, call: rtc.RpcInvocationData) -> str:
        if call.caller_identity != self._caller.identity:
            raise rtc.RpcError(FORBIDDEN, "Only the caller may hang up.")
        self.end("caller")
        return ""

    async def _on_caller_state(self, call: rtc.RpcInvocationData) -> str:
        state = self._tools.page_rpc.payload(call, CALLER_STATE_METHOD, CallerState)
        self._reprompts.busy(state.muted or state.typing)
        return ""

    async def _on_text(self, text: str, began_s: float) -> None:
        """Answer what the caller typed like speech."""
        self._reprompts.heard()
        self._turns.typed(text)
        with suppress(RuntimeError):  # it cannot be interrupted: the reply comes after it
            await self._session.interrupt()
        if self._encoder is not None:
            # The journal follows the dialog before the model does.
            await self._encoder.consider([Turn(text)])
        with suppress(RuntimeError):  # the session is closing
            message = written(self._tools.gate, text, began_s)
            self._speaking.hold(message)
            self._session.generate_reply(user_input=message)

    def _on_flood(self) -> None:
        """Warn a caller whose page sends too much."""
        log.warning("call.flood_warned")
        text = self._agent.phrases.flood
        self._page.show("flood", text)
        with suppress(RuntimeError):  # the session is closing
            self._say_notice(text)

    def _on_gone(self) -> None:
        """Fall silent and wait for the caller to come back."""
        self._reprompts.pause()
        self._tools.delivery.pause()
        self._tools.page_gone()
        self._reprompts.busy(False)
        with suppress(RuntimeError):
            self._session.interrupt(force=True)

    def _on_back(self, another_device: bool) -> None:
        self._reprompts.resume()
        self._tools.delivery.resume()
        with suppress(RuntimeError):  # the session is closing
            self._disclose()
            self._session.say(self._agent.phrases.still_here)

    def _on_connection_state(self, state: rtc.ConnectionState.ValueType) -> None:
        new = rtc.ConnectionState.Name(state).removeprefix("CONN_").lower()
        log.info("connection.state_changed", side="agent", new=new)
        if self._room_lost is not None:
            self._room_lost.cancel()
            self._room_lost = None
        if state == rtc.ConnectionState.CONN_CONNECTED:
            if self._ready:
                self._claim.keep()
        else:
            loop = asyncio.get_running_loop()
            self._room_lost = loop.call_later(ROOM_LOST_AFTER_S, self._claim.let_go)

    # -- the session

    def _on_turn(self, event: ConversationItemAddedEvent) -> None:
        if event.item.type == "message" and event.item.role == "user":
            self._page.begin_turn()
            self._turns_left -= 1
            if self._turns_left == 0:
                log.info("call.turns_used_up")
                self._on_too_long()

    def _on_stt_failure(self, error: Exception) -> None:
        self._metrics.provider_error("stt")
        log.warning("provider.failed", provider="stt", exc_info=error)
        self._reprompts.excuse()
        text = self._agent.phrases.stt_failed
        self._page.show("not-heard", text)
        with suppress(RuntimeError):  # the session is closing
            self._say_notice(text)

    def _break(self, reason: str) -> None:
        if not self._broken.done():
            self._broken.set_result(reason)

    def _on_voice_failure(self, text: str) -> None:
        """Show *text*, which could not be spoken."""
        self._page.show("no-voice", text)
