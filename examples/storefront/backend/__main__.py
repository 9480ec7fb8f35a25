"""`python -m examples.storefront.backend [--reset] [--allow-reset]`"""

from functools import partial

from examples.backend_base.command_line import options, prepare_first
from examples.storefront.backend.app import build, open_shop
from examples.storefront.backend.settings import StorefrontSettings
from examples.storefront.backend.setup import prepare
from service_base import logs
from service_base.serve import serve
from service_base.settings import load_or_exit


def main() -> None:
    """Serve until SIGTERM."""
    chosen = options("storefront")
    settings = load_or_exit(StorefrontSettings)
    logs.configure("storefront", level=settings.log_level)
    shop = open_shop(settings)
    prepare_first(shop.database, partial(prepare, shop, reset=chosen.reset))
    app = build(settings, shop, allow_reset=chosen.allow_reset)
    serve(app, settings.storefront_host, settings.storefront_port)


if __name__ == "__main__":
    main()
