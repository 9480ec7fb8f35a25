"""The clinic's routes, and its database made ready."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import structlog
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from examples.backend_base.access import AccessMiddleware, warn_if_open
from examples.backend_base.clock import Clock, system_clock, to_timezone
from examples.backend_base.database import Database, Session
from examples.backend_base.errors import BACKEND_HANDLERS
from examples.backend_base.reset import reset_route
from examples.backend_base.setup import make_ready
from examples.clinic.backend import appointments, callbacks, ledger, patients, practice
from examples.clinic.backend.clinic import Clinic
from examples.clinic.backend.seed import IDENTITIES, seed
from examples.clinic.backend.settings import ClinicSettings
from examples.clinic.backend.tables import Base, Patient
from service_base.health import health_routes
from service_base.metrics import METRICS_ROUTE, MetricsMiddleware

log = structlog.get_logger()


def open_clinic(settings: ClinicSettings, clock: Clock = system_clock) -> Clinic:
    """The clinic of *settings*. Nothing is connected yet."""
    timezone = to_timezone(settings.clinic_timezone)
    return Clinic(Database(settings.clinic_database_url), clock, timezone)


async def prepare(clinic: Clinic, *, reset: bool = False) -> None:
    """
    Create what is missing; fill a database without patients with demo data.

    Args: reset: erase all that the clinic knows first.
    Raises: SettingsError: the database cannot be opened.
    """

    async def fill(session: Session) -> None:
        if await session.scalar(select(Patient.id).limit(1)) is None:
            await seed(session, clinic.now())
            log.info("clinic.seeded", today=clinic.now().date().isoformat())

    setting = "PARLEY_CLINIC_DATABASE_URL"
    await make_ready(clinic.database, Base.metadata, fill, setting=setting, reset=reset)


def build(settings: ClinicSettings, clinic: Clinic, *, allow_reset: bool = False) -> Starlette:
    """
    The application. The database must have been prepared; it is closed at shutdown.

    Args: allow_reset: Whether a client may have all data erased: never where they are real.
    """
    warn_if_open(settings.clinic_host, settings.clinic_api_key)

    async def database() -> None:
        async with clinic.database.reading() as session:
            if await session.scalar(select(Patient.id).limit(1)) is None:
                raise RuntimeError("there are no patients")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await clinic.database.close()

    app = Starlette(
        routes=[
            *practice.ROUTES,
            *patients.ROUTES,
            *appointments.ROUTES,
            *callbacks.ROUTES,
            *ledger.ROUTES,
            *([_reset(clinic)] if allow_reset else ()),
            *health_routes({"database": database}),
            METRICS_ROUTE,
        ],
        middleware=[
            Middleware(MetricsMiddleware),
            Middleware(AccessMiddleware, api_key=settings.clinic_api_key),
        ],
        exception_handlers=BACKEND_HANDLERS,
        lifespan=lifespan,
    )
    app.state.clinic = clinic
    return app


def _reset(clinic: Clinic) -> Route:
    # Whoever a caller has made a patient cannot sign in.
    strangers = select(Patient.id).where(Patient.identity.not_in(IDENTITIES))
    return reset_route(clinic.database, strangers, partial(prepare, clinic, reset=True))
