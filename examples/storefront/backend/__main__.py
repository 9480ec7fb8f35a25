"""`python -m examples.storefront.backend [--reset] [--allow-reset]`"""

import argparse
import asyncio

from examples.storefront.backend.app import build, open_shop
from examples.storefront.backend.settings import StorefrontSettings
from examples.storefront.backend.setup import prepare
from examples.storefront.backend.shop import Shop
from service_base import logs
from service_base.serve import serve
from service_base.settings import load_or_exit, or_exit


async def ready(shop: Shop, *, reset: bool) -> None:
    """Prepare the database, and leave no connection that belongs to this event loop."""
    try:
        await prepare(shop, reset=reset)
    finally:
        await shop.database.close()


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m examples.storefront.backend")
    parser.add_argument("--reset", action="store_true", help="erase all data, seed it, and serve")
    parser.add_argument(
        "--allow-reset",
        action="store_true",
        help="let rehearsals do that while it serves: only for a demonstration",
    )
    chosen = parser.parse_args()
    reset: bool = chosen.reset
    allow_reset: bool = chosen.allow_reset
    settings = load_or_exit(StorefrontSettings)
    logs.configure("storefront", level=settings.log_level)
    shop = open_shop(settings)
    with or_exit():
        asyncio.run(ready(shop, reset=reset))
    app = build(settings, shop, allow_reset=allow_reset)
    serve(app, settings.storefront_host, settings.storefront_port)


if __name__ == "__main__":
    main()
