"""Run an ASGI app with uvicorn, the same way in every process."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from service_base.http_protocol import BoundedHttp


def bind(host: str, port: int) -> socket.socket:
    """
    A listening socket; exits with 2 and one plain sentence if the address cannot be used.

    A name such as `localhost` is resolved as the system does; IPv6 addresses work too.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, proto)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(socket.SOMAXCONN)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        print(f"Cannot listen on {host}:{port}: {error.strerror or error}.", file=sys.stderr)
        sys.exit(2)
    listener.set_inheritable(True)
    return listener


class BackgroundServer(uvicorn.Server):
    """A server in a process that handles its signals itself; set `should_exit` to stop it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def background_server(app: ASGIApp) -> BackgroundServer:
    """A server for *app*; run it with `serve(sockets=[bind(host, port)])`."""
    return BackgroundServer(_config(app))


def serve(app: ASGIApp, host: str, port: int) -> None:
    """Serve *app* until SIGTERM or SIGINT; requests under way get 5 s to finish."""
    server = uvicorn.Server(_config(app))
    server.run(sockets=[bind(host, port)])
    if not server.started:
        sys.exit(1)  # the reason is in the log


def _config(app: ASGIApp) -> uvicorn.Config:
    """Logs go through our handlers; slow and idle connections are bounded."""
    return uvicorn.Config(
        app,
        http=BoundedHttp,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=10,
        # Else any process on this machine could claim to forward somebody's request.
        proxy_headers=False,
        h11_max_incomplete_event_size=64 * 1024,
    )
