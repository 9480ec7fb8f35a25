"""`python -m token_service`"""

import asyncio

from call_record.prepare import prepare
from service_base import logs
from service_base.serve import serve
from service_base.settings import load_or_exit, or_exit
from token_service.app import build
from token_service.settings import TokenSettings


def main() -> None:
    """Serve until SIGTERM."""
    settings = load_or_exit(TokenSettings)
    logs.configure("token-service", level=settings.log_level)
    with or_exit():
        asyncio.run(prepare(settings.database_url))
        app = build(settings)
    serve(app, settings.token_host, settings.token_port)


if __name__ == "__main__":
    main()
