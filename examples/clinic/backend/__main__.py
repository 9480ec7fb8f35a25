"""`python -m examples.clinic.backend [--reset]`"""

import argparse
import asyncio

from examples.clinic.backend.app import build, open_clinic, prepare
from examples.clinic.backend.clinic import Clinic
from examples.clinic.backend.settings import ClinicSettings
from service_base import logs
from service_base.serve import serve
from service_base.settings import load_or_exit, or_exit


async def ready(clinic: Clinic, *, reset: bool) -> None:
    """Prepare the database, and leave no connection that belongs to this event loop."""
    try:
        await prepare(clinic, reset=reset)
    finally:
        await clinic.database.close()


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m examples.clinic.backend")
    parser.add_argument("--reset", action="store_true", help="erase all data, seed it, and serve")
    reset: bool = parser.parse_args().reset
    settings = load_or_exit(ClinicSettings)
    logs.configure("clinic", level=settings.log_level)
    clinic = open_clinic(settings)
    with or_exit():
        asyncio.run(ready(clinic, reset=reset))
    serve(build(settings, clinic), settings.clinic_host, settings.clinic_port)


if __name__ == "__main__":
    main()
