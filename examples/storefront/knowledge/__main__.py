"""`python -m examples.storefront.knowledge [--http PORT]`: over stdio, or over HTTP."""

import argparse

from examples.storefront.knowledge.server import build_from_settings


def main() -> None:
    """Serve until stdin is closed, or for good."""
    parser = argparse.ArgumentParser(prog="python -m examples.storefront.knowledge")
    parser.add_argument("--http", type=int, metavar="PORT")
    port: int | None = parser.parse_args().http
    server = build_from_settings()
    if port is None:
        server.run()
    else:
        server.run(transport="streamable-http", host="127.0.0.1", port=port)


if __name__ == "__main__":
    main()
