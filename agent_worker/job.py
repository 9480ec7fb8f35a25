"""What runs in the process of one call."""

from functools import partial
from pathlib import Path

# Libraries import these on first use, which would delay a call's first words.
import aiosqlite  # noqa: F401
import anyio._backends._asyncio  # noqa: F401
import httpcore2  # noqa: F401
import openai.resources.audio.audio
import openai.resources.chat.chat  # noqa: F401
import sqlalchemy.dialects.postgresql.asyncpg  # noqa: F401
import structlog
from livekit.agents import JobContext
from pydantic import ValidationError

from agent_worker.agent import AgentError
from agent_worker.call import Call
from agent_worker.call_end import tell_call_ended
from agent_worker.call_migration import Migration
from agent_worker.claim import NotClaimed, claim_call
from agent_worker.livekit_compat import bound_native_logs, prepare_tls
from agent_worker.loading import Listings, load_agent, open_tools
from agent_worker.metrics import Metrics
from agent_worker.model.health import Health
from agent_worker.resume import CallerInDoubt, recall
from agent_worker.settings import WorkerSettings
from service_base import logs
from voice_contract.dispatch import DispatchMetadata

log = structlog.get_logger()

# The worker imports this module once for the processes of all calls.
prepare_tls()


def owner_of(worker_id: str, job_id: str) -> str:
    """The name under which a job owns its call. The worker derives it to give the call back."""
    return f"{worker_id}/{job_id}"


async def run_job(
    context: JobContext,
    *,
    settings: WorkerSettings,
    listings: Listings,
    worker_id: str,
    metrics_address: str,
    call_end_address: str,
    renewals_address: str,
) -> None:
    """Run the call that the job's metadata names until it ends."""
    migration = Migration()
    logs.configure_job()
    bound_native_logs()
    try:
        dispatch = DispatchMetadata.model_validate_json(context.job.metadata)
    except ValidationError:
        log.error("job.refused", reason="metadata is not ours", room=context.job.room.name)
        context.shutdown(reason="metadata is not ours")
        return
    fields = {"call_id": dispatch.call_id, "attempt": dispatch.attempt}
    structlog.contextvars.bind_contextvars(**fields)
    context.log_context_fields = fields
    metrics = Metrics(metrics_address)
    owner = owner_of(worker_id, context.job.id)
    try:
        async with claim_call(
            settings,
            dispatch,
            owner=owner,
            worker_id=worker_id,
            metrics=metrics,
            renewals_address=renewals_address,
        ) as claim:
            try:
                # The first agent too: it must not take an edited row's word for who is calling.
                history = await recall(claim, dispatch)
            except CallerInDoubt as doubt:
                log.error("job.refused", reason="caller-in-doubt", problem=str(doubt))
                await claim.seal("caller-in-doubt")
                context.shutdown(reason="caller-in-doubt")
                return
            agent = load_agent(settings.agent)
            async with open_tools(agent, listings) as tools:
                call = Call(
                    context,
                    dispatch,
                    agent,
                    tools,
                    settings,
                    metrics,
                    claim,
                    migration,
                    history,
                    tell_ended=partial(tell_call_ended, call_end_address, dispatch.call_id),
                    # Beside the worker's socket, so that it goes with the worker.
                    health=Health(Path(metrics_address).parent),
                )
                await call.run()
    except NotClaimed as refusal:
        log.warning("job.refused", reason=refusal.reason)
        context.shutdown(reason=refusal.reason)
    except AgentError as mistake:
        # Edited since the worker started. The call goes on as soon as the agent can be loaded.
        log.error("job.refused", reason="agent-not-loaded", problem=str(mistake))
        context.shutdown(reason="agent-not-loaded")
    except TimeoutError:
        log.warning("job.refused", reason="not-recalled")
        context.shutdown(reason="not-recalled")
    finally:
        metrics.close()
