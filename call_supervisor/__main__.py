"""`python -m call_supervisor`"""

from call_record import keys
from call_supervisor.app import build
from call_supervisor.settings import SupervisorSettings
from service_base import logs
from service_base.serve import serve
from service_base.settings import load_or_exit, or_exit


def main() -> None:
    """Supervise until SIGTERM."""
    settings = load_or_exit(SupervisorSettings)
    logs.configure("call-supervisor", level=settings.log_level)
    with or_exit():
        keys.ensure(settings.journal_keys_file)
        app = build(settings)
    serve(app, settings.supervisor_host, settings.supervisor_port)


if __name__ == "__main__":
    main()
