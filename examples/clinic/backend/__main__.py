"""`python -m examples.clinic.backend [--reset] [--allow-reset]`"""

from functools import partial

from examples.backend_base.command_line import options, prepare_first
from examples.clinic.backend.app import build, open_clinic, prepare
from examples.clinic.backend.settings import ClinicSettings
from service_base import logs
from service_base.serve import serve
from service_base.settings import load_or_exit


def main() -> None:
    """Serve until SIGTERM."""
    chosen = options("clinic")
    settings = load_or_exit(ClinicSettings)
    logs.configure("clinic", level=settings.log_level)
    clinic = open_clinic(settings)
    prepare_first(clinic.database, partial(prepare, clinic, reset=chosen.reset))
    app = build(settings, clinic, allow_reset=chosen.allow_reset)
    serve(app, settings.clinic_host, settings.clinic_port)


if __name__ == "__main__":
    main()
