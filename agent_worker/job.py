"""What runs in the process of one call."""

# Imported lazily by those who use them, which would hold up a call's first words.
import anyio._backends._asyncio  # noqa: F401
import openai.resources.audio
import openai.resources.chat  # noqa: F401
import structlog
from livekit.agents import JobContext
from pydantic import ValidationError

from agent_worker.agent import load_agent
from agent_worker.call import Call
from agent_worker.metrics import Metrics
from agent_worker.settings import WorkerSettings
from service_base import logs
from voice_contract.dispatch import DispatchMetadata

log = structlog.get_logger()


async def run_job(context: JobContext, *, settings: WorkerSettings, metrics_address: str) -> None:
    """Take the call that the job's metadata names, until it ends."""
    logs.configure_job()
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
    try:
        await Call(context, dispatch, load_agent(settings.agent), settings, metrics).run()
    finally:
        metrics.close()
