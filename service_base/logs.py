"""Structured logs: one JSON object a line on stdout, ours and the libraries' alike."""

import logging
import sys
from collections.abc import Iterable

import structlog
from structlog.typing import EventDict, WrappedLogger

COPIES = frozenset({"message", "color_message"})


def configure(service: str, *, level: str = "INFO", filters: Iterable[logging.Filter] = ()) -> None:
    """
    Send structlog and stdlib logging to stdout as JSON lines.

    Each line has `timestamp` (ISO 8601, UTC), `level`, `service`, `event`, and what
    `structlog.contextvars` holds, such as `call_id`.

    Args: filters: see each record first, whichever process and library it comes from.
    """

    def add_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        return event

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        drop_copies,
        add_service,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    for one in filters:
        handler.addFilter(one)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Request lines come from our own middleware; these would repeat them, URL and all.
    for noisy in ("httpx", "httpx2", "httpcore", "httpcore2", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def configure_job() -> None:
    """
    In a job process: leave the rendering to the worker's process.

    LiveKit owns the root handler there and sends each record, pickled, to its parent.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            structlog.stdlib.render_to_log_kwargs,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def drop_copies(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Remove the copies of the event's text that libraries attach to their records."""
    for key in COPIES & event.keys():
        del event[key]
    return event
